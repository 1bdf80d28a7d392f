/**
 * The same fix below a prefix of the repository's name, with all that it would allow beside what
 * was asked. Loaded with the first fix.
 */

import { createMemo, For, type JSX } from "solid-js";
import { actions, type Edit, permissionFor } from "../engine";
import type { WholeMap } from "../fixes";
import { exported } from "../fixes/exports";
import { grants, type Offer } from "../state/grant";
import type { Row } from "../state/rows";
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
  const wider = createMemo(() => {
    const [, ...also] = actionsOf(props.edit);
    return grants(props.map.actions, props.rows, cell(), also).filter(({ pattern }) => pattern !== props.edit.pattern);
  });
  const isChosen = ({ pattern }: Offer) => props.chosen === pattern;

  return (
    <ul class="plain wider">
      <For each={wider()}>
        {(offer) => (
          <li>
            <button
              type="button"
              class="quiet"
              aria-pressed={isChosen(offer)}
              onClick={() => props.choose(isChosen(offer) ? props.edit : onPattern(props.edit, props.map, offer))}
            >
              <Sentence text={`Allow it on ${called(offer.pattern ?? "", cell())}`} />
            </button>{" "}
            <span class="muted small">
              <Sentence text={reach(cell(), offer)} />
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
function onPattern(edit: Edit, map: WholeMap, { pattern }: Offer): Edit {
  const added = edit.permissions.map((permission) => `repositories/${pattern}/${permission}`);
  return {
    ...edit,
    pattern: pattern ?? edit.pattern,
    actions: added,
    command: exported({ ...map, actions: added }, "update"),
  };
}
