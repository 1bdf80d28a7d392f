/**
 * The rules of a map: as a list with what lint says about each, or as text, and a field that adds
 * to them.
 */

import { type JSX, lazy, Show, Suspense } from "solid-js";
import { RuleField } from "./RuleField";
import { RuleList, type RuleListProps } from "./RuleList";
import "./rules.css";

const RulesEditor = lazy(() => import("../editor/RulesEditor"));

export interface RuleEditorProps extends RuleListProps {
  /** Whether the rules are shown as text. */
  isEditing: boolean;
  /** The same as for the list; what is typed is undone as a whole. */
  write: (actions: string[], isTyped?: boolean) => void;
}

export function RuleEditor(props: RuleEditorProps): JSX.Element {
  return (
    <div class="rule-editor">
      <Show
        when={props.isEditing}
        fallback={
          <RuleList
            actions={props.actions}
            isNamed={props.isNamed}
            said={props.said}
            write={props.write}
            isLit={props.isLit}
            point={props.point}
          />
        }
      >
        <Suspense fallback={<p class="muted">Loading editor…</p>}>
          <RulesEditor actions={props.actions} said={props.said} write={(actions) => props.write(actions, true)} />
        </Suspense>
      </Show>
      <RuleField add={(rules) => props.write([...props.actions, ...rules])} />
    </div>
  );
}
