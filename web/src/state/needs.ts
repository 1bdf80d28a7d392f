/**
 * What a command needs, whichever image it is about: for who has named none yet.
 *
 * Left out: the operations that are about no repository, or about two.
 */

import { operation, simulate } from "../clients";
import { attempt, Principal, type Profile, permissionFor, readScopes } from "../engine";
import { listOf } from "./words";

/** Any will do: no rule is asked. */
const TARGET = { registry: "myregistry.azurecr.io", repository: "team/app", tag: "v1" };

/** A sentence with the permissions, or null where there is none to name. */
export function neededBy(id: string, profile: Profile): string | null {
  const chosen = operation(id);
  if (!chosen) return null;
  const permissions = permissionsFor(chosen, profile);
  if (permissions.length === 0) return null;
  return `\`${chosen.name}\` needs ${listOf(permissions.map((one) => `\`${one}\``))} on the image's repository.`;
}

function permissionsFor(chosen: NonNullable<ReturnType<typeof operation>>, profile: Profile): string[] {
  const powerless = new Principal();
  const simulated = attempt(() => simulate(chosen, TARGET, powerless, profile));
  powerless.free();
  if (simulated.kind === "problem") return [];
  const { scopes } = readScopes(simulated.value.needs.join(" "));
  const actions = scopes.filter(({ type }) => type === "repository").flatMap((scope) => scope.actions);
  return actions.flatMap((action) => permissionFor(action) ?? []);
}
