/** Allowed or denied, as a sign and a word: colour is never alone. */

import type { JSX } from "solid-js";
import "./mark.css";

export type Sign = "allowed" | "denied" | "partly" | "note" | "step" | "waits" | "text" | "quiet";

const shapes: Record<Sign, string> = {
  allowed: "M4 10.5l4 4 8-9",
  denied: "M5 5l10 10M15 5L5 15",
  partly: "M4 10h12",
  note: "M10 5v6M10 14.5v.5",
  step: "M4 10h11M11 6l4 4-4 4",
  waits: "M10 9.5v1",
  quiet: "M7 10h6",
  text: "M5 6h10M5 10h10M5 14h6",
};

export function Mark(props: { sign: Sign; label?: string }): JSX.Element {
  return (
    <svg
      class={`mark ${props.sign}`}
      viewBox="0 0 20 20"
      role={props.label ? "img" : undefined}
      aria-label={props.label}
      aria-hidden={props.label ? undefined : "true"}
    >
      <path d={shapes[props.sign]} />
    </svg>
  );
}
