/** The editor in the colours of the page, whose custom properties reach into its shadow. */

import { EditorView } from "@codemirror/view";

export const theme = EditorView.theme({
  "&": {
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
    background: "var(--surface)",
    color: "var(--ink)",
    minHeight: "120px",
    maxHeight: "480px",
  },
  "&.cm-focused": { outline: "2px solid var(--accent)" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "13px" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-gutters": { border: "0", background: "var(--raised)", color: "var(--muted)" },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-tooltip": { border: "1px solid var(--line-strong)", background: "var(--surface)", color: "var(--ink)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--partly)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--denied)" },
});
