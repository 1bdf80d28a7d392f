/**
 * CodeMirror with what the rules of a map need: one rule a line, undo, and marks where the engine
 * refuses or lint remarks.
 *
 * The marks come from the engine's reports; nothing here reads a rule.
 *
 * It lives in a shadow of the page: there its styles are objects and not text, and the page's
 * policy allows no style as text.
 */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Text } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { type Finding, problemText, type RuleReport, sentence } from "../engine";
import { theme } from "./theme";

/**
 * Milliseconds without a key before lines are marked: marks of a line that is being typed are
 * noise, and cost a frame at each key.
 */
const MARK_AFTER = 150;

/** What the engine says about each line that holds something. */
export interface Said {
  reports: RuleReport[];
  findings: Finding[];
}

export interface Editor {
  /** Shows `text`, unless it is there already, but for white space. */
  show(text: string): void;
  /** Marks what the engine says, when nothing was typed for a while; it is asked then. */
  mark(said: () => Said): void;
  focus(): void;
  destroy(): void;
}

export function createEditor(parent: HTMLElement, text: string, onChange: (text: string) => void): Editor {
  const root = parent.attachShadow({ mode: "open" });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        lintGutter(),
        theme,
        keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          "aria-label": "Scope map rules, one per line",
          spellcheck: "false",
        }),
        placeholder("repositories/samples/*/content/read"),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });

  let later: ReturnType<typeof setTimeout> | undefined;
  return {
    show(next) {
      const current = view.state.doc.toString();
      if (tidy(current) === tidy(next)) return;
      view.dispatch({ changes: { from: 0, to: current.length, insert: next } });
    },
    mark(said) {
      clearTimeout(later);
      later = setTimeout(() => {
        view.dispatch(setDiagnostics(view.state, diagnostics(view.state.doc, said())));
      }, MARK_AFTER);
    },
    focus: () => view.focus(),
    destroy() {
      clearTimeout(later);
      view.destroy();
    },
  };
}

function diagnostics(document: Text, { reports, findings }: Said): Diagnostic[] {
  const byRule = Map.groupBy(findings, (finding) => finding.rule);
  let rule = 0;
  return ruleLines(document).flatMap((line, index) => {
    const report = reports[index];
    if (!report) return [];
    if (report.problem) {
      const { position } = report.problem;
      const from = Math.min(line.from + position, line.to);
      return [{ from, to: line.to, severity: "error" as const, message: problemText(report.problem) }];
    }
    return (byRule.get(rule++) ?? []).map((finding) => ({
      from: line.from,
      to: line.to,
      severity: finding.error ? ("error" as const) : ("info" as const),
      message: sentence(finding.message),
    }));
  });
}

/** The lines that hold something, without the white space around it. */
function ruleLines(document: Text): { from: number; to: number }[] {
  const lines: { from: number; to: number }[] = [];
  for (let number = 1; number <= document.lines; number += 1) {
    const line = document.line(number);
    const from = line.from + line.text.length - line.text.trimStart().length;
    const to = line.from + line.text.trimEnd().length;
    if (from < to) lines.push({ from, to });
  }
  return lines;
}

function tidy(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}
