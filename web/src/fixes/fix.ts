/**
 * A change to a scope map in the three ways in which people keep one: `az`, an ARM template,
 * Terraform.
 *
 * The command adds to the map; the other two hold the map as a whole, since that is what they
 * write. Quoting is each language's own.
 */

import type { Edit } from "../engine";
import { armResource } from "./arm";
import type { WholeMap } from "./map";
import { terraformBlock } from "./terraform";

export interface Fix {
  /** What is not in the map yet. */
  readonly added: readonly string[];
  readonly az: string;
  readonly arm: string;
  readonly terraform: string;
}

export function fix(edit: Edit, map: WholeMap): Fix {
  const known = new Set(map.actions);
  const added = edit.actions.filter((action) => !known.has(action));
  const changed = { ...map, actions: [...map.actions, ...added] };
  return { added, az: edit.command, arm: armResource(changed), terraform: terraformBlock(changed, added) };
}
