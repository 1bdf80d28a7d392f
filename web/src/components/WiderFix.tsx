/**
 * The same fix below a prefix of the repository's name, with all that it would allow beside what
 * was asked. Loaded with the first fix.
 */

import { createMemo, For, type JSX } from "solid-js";
import { actions, type Edit, permissionFor } from "../engine";
import type { WholeMap } from "../fixes";
import { exported } from "../fixes/exports";
import { grants, patternsOf } from "../state/grant";
import type { Row } from "../state/rows";
import { createSettled } from "../state/settled";
import { called, reach } from "./cell-texts";
import { Sentence } from "./Sentence";
import "./wider-fix.css";

export function WiderFix(props: {
  edit: Edit;
  map: WholeMap;
  rows: Row[];
  /** The pattern of the fix that is shown. */
  chosen: string;
  choose: (edit: Edit) => void;
}): JSX.Element {
  const cell = () => ({ name: props.edit.pattern, standsFor: null, action: actionsOf(props.edit)[0] ?? "" });
  const wider = () => patternsOf(cell()).filter((pattern) => pattern !== props.edit.pattern);
  // With 500 rules this costs milliseconds, and no key waits for it.
  const asked = createSettled(createMemo(() => ({ edit: props.edit, map: props.map, rows: props.rows })));
  const offers = createMemo(() => {
    const settled = asked();
    if (settled?.edit !== props.edit) return [];
    const [, ...also] = actionsOf(settled.edit);
    return grants(settled.map.actions, settled.rows, cell(), also);
  });
  const reachOf = (wanted: string) => {
    const offer = offers().find(({ pattern }) => pattern === wanted);
    return offer ? reach(cell(), offer) : "";
  };

  return (
    <ul class="plain wider">
      <For each={wider()}>
        {(pattern) => (
          <li>
            <button
              type="button"
              class="quiet"
              aria-pressed={props.chosen === pattern}
              onClick={() =>
                props.choose(props.chosen === pattern ? props.edit : onPattern(props.edit, props.map, pattern))
              }
            >
              <Sentence text={`Allow it on ${called(pattern)}`} />
            </button>{" "}
            <span class="muted small">
              <Sentence text={reachOf(pattern)} />
            </span>
          </li>
        )}
      </For>
    </ul>
  );
}

function actionsOf({ permissions }: Edit): string[] {
  return actions().filter((action) => permissions.includes(permissionFor(action) ?? ""));
}

/** The fix with another pattern: as its command, and as the rules. */
function onPattern(edit: Edit, map: WholeMap, pattern: string): Edit {
  const added = edit.permissions.map((permission) => `repositories/${pattern}/${permission}`);
  return {
    ...edit,
    pattern,
    actions: added,
    command: exported({ ...map, actions: added }, "update"),
  };
}
