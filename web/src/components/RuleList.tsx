/** The rules of a map, each with what is wrong with it or what its owner may not have meant. */

import { createMemo, createSignal, For, Index, type JSX, Show } from "solid-js";
import { unwrap } from "solid-js/store";
import type { Said } from "../editor/editor";
import { type Finding, problemText, type RuleReport, sentence } from "../engine";
import { type Mend, mend } from "../state/mend";
import { announce } from "./announce";
import { Mark } from "./Mark";
import { Sentence } from "./Sentence";
import { ShowMore } from "./ShowMore";

/** More rules are shown on request: a longer list costs frames. The editor shows all. */
const PAGE = 200;

/** Fewer are drawn whether they are in sight or not. */
const FEW = 40;

interface Line {
  index: number;
  text: string;
  report: RuleReport | undefined;
  findings: Finding[];
}

export interface RuleListProps {
  actions: string[];
  /** Whether the map has a name: without a rule nothing is allowed then. */
  isNamed: boolean;
  /** What the engine says of the actions: asked where it is shown, which is not at each key. */
  said: () => Said;
  /** Takes the actions as they become. */
  write: (actions: string[]) => void;
  /** Whether a rule lights up with what is pointed at. */
  isLit: (pattern: string | null, permission: string | null) => boolean;
  /** Takes the rule that is pointed at; null for none. */
  point: (rule: string | null) => void;
}

export function RuleList(props: RuleListProps): JSX.Element {
  const [shown, setShown] = createSignal(PAGE);
  const said = createMemo(() => props.said());
  // A line that is as it was is not drawn again.
  const lines = createMemo<Line[]>((before) => kept(before, linesOf(props.actions, said(), shown())), []);
  const texts = createMemo(() => new Set(unwrap(props.actions)));
  let list: HTMLOListElement | undefined;

  /** The focus goes to the next rule, or to where one is added. */
  function remove(removed: number) {
    const editor = list?.closest(".rule-editor");
    props.point(null);
    props.write(props.actions.toSpliced(removed, 1));
    const buttons = [...(editor?.querySelectorAll<HTMLElement>(".rule .remove") ?? [])];
    (buttons[removed] ?? buttons.at(-1) ?? editor?.querySelector<HTMLElement>("form input"))?.focus();
  }

  const ofTheMap = () => said().findings.filter((finding) => finding.rule === null);

  return (
    <>
      <For each={ofTheMap()}>
        {(finding) => (
          <p classList={{ problem: finding.error, remark: !finding.error }}>
            <Sentence text={sentence(finding.message)} />
          </p>
        )}
      </For>
      <Show
        when={props.actions.length > 0}
        fallback={
          <p class="muted">
            No rules yet{props.isNamed ? ", so nothing is allowed" : ""}. Add a rule, or paste a scope map.
          </p>
        }
      >
        <ol class="rules" classList={{ long: lines().length > FEW }} ref={list}>
          <Index each={lines()}>
            {(line) => (
              <RuleLine
                line={line()}
                mends={(finding) => {
                  const { index, report } = line();
                  return mend(finding, unwrap(props.actions), texts(), index, report?.pattern ?? "") ?? undefined;
                }}
                isLit={props.isLit(line().report?.pattern ?? null, line().report?.permission ?? null)}
                point={(isPointed) => props.point(isPointed ? line().text : null)}
                write={(actions) => {
                  props.write(actions);
                  announce("Scope map updated.");
                }}
                remove={() => remove(line().index)}
              />
            )}
          </Index>
        </ol>
      </Show>
      <ShowMore
        all={props.actions.length}
        shown={shown()}
        page={PAGE}
        of="rules"
        show={() => setShown(shown() + PAGE)}
        end={() => list?.querySelector<HTMLElement>("li:last-child .remove")?.focus()}
      />
    </>
  );
}

function RuleLine(props: {
  line: Line;
  isLit: boolean;
  point: (isPointed: boolean) => void;
  remove: () => void;
  mends: (finding: Finding) => Mend | undefined;
  write: (actions: string[]) => void;
}): JSX.Element {
  const problem = () => props.line.report?.problem ?? null;
  return (
    <li
      classList={{ invalid: problem() !== null, lit: props.isLit }}
      onPointerEnter={() => props.point(true)}
      onPointerLeave={() => props.point(false)}
      onFocusIn={() => props.point(true)}
      onFocusOut={() => props.point(false)}
    >
      <div class="rule">
        <Show when={props.line.report?.pattern} fallback={<span class="mono">{props.line.text}</span>}>
          <span class="mono">
            <span class="dim">repositories/</span>
            <span class="pattern">{props.line.report?.pattern}</span>
            <span class="dim">/</span>
            <span class="permission">{props.line.report?.permission}</span>
          </span>
        </Show>
        <button
          type="button"
          class="quiet remove"
          aria-label={`remove ${props.line.text}`}
          onClick={() => props.remove()}
        >
          ×
        </button>
      </div>
      <Show when={problem()}>
        {(problem) => (
          <p class="problem small">
            <Mark sign="denied" />
            <span>
              <Sentence text={problemText(problem())} /> (character {problem().position + 1})
            </span>
          </p>
        )}
      </Show>
      <For each={props.line.findings}>
        {(finding) => (
          <p class="small" classList={{ problem: finding.error, remark: !finding.error }}>
            <Mark sign="note" />
            <span>
              <Sentence text={sentence(finding.message)} />{" "}
              <Show when={props.mends(finding)}>
                {(mend) => (
                  <button type="button" class="quiet mend" onClick={() => props.write(mend().actions())}>
                    {mend().name}
                  </button>
                )}
              </Show>
            </span>
          </p>
        )}
      </For>
    </li>
  );
}

/** The lines of now, where they say the same as before those of before. */
function kept(before: Line[], now: Line[]): Line[] {
  return now.map((line, index) => {
    const earlier = before[index];
    return earlier && isSame(earlier, line) ? earlier : line;
  });
}

function isSame(one: Line, other: Line): boolean {
  return (
    one.text === other.text &&
    one.report === other.report &&
    one.findings.length === other.findings.length &&
    one.findings.every((finding, index) => finding.message === other.findings[index]?.message)
  );
}

/** Findings count the rules; what is not a rule is not among them. */
function linesOf(actions: string[], { reports, findings }: Said, shown: number): Line[] {
  const byRule = Map.groupBy(findings, (finding) => finding.rule);
  let rule = 0;
  return actions.slice(0, shown).map((text, index) => {
    const report = reports[index];
    const isRule = report !== undefined && report.problem === null;
    return { index, text, report, findings: isRule ? (byRule.get(rule++) ?? []) : [] };
  });
}
