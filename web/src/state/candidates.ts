/**
 * The maps that a token may have, each for itself.
 *
 * A token of Azure Container Registry has one scope map. As long as it is not known which, what the
 * maps grant is never added up: an answer holds where it is the same with each of them. Left out:
 * which map it is, `applicable` knows that where a text or a person said it.
 */

import { createMemo, onCleanup } from "solid-js";
import { unwrap } from "solid-js/store";
import { actions, attempt, Principal, type RepositoryGrant } from "../engine";
import type { Model, ScopeMapDraft } from "./model";

export interface Candidate {
  map: ScopeMapDraft;
  principal: Principal;
}

/** What may be done with a repository, for certain and with one of the maps. */
export interface Granted extends RepositoryGrant {
  unsure: string[];
}

/** The maps in which something is, or may be. */
export function writtenMaps(maps: ScopeMapDraft[]): ScopeMapDraft[] {
  return maps.filter(({ name, actions, known }) => name !== "" || actions.length > 0 || known !== undefined);
}

/** The maps between which it is open which one decides: at least two, or none. */
export function createCandidates(source: () => { model: Model; deciding: ScopeMapDraft[] }) {
  return createMemo<Candidate[]>(() => {
    const { model, deciding } = source();
    const maps = model.profile === "acr" ? writtenMaps(deciding) : [];
    if (maps.length < 2) return [];
    return maps.map((map) => {
      const principal = new Principal(model.catalog);
      onCleanup(() => principal.free());
      attempt(() => principal.add(map.name, unwrap(map.actions)));
      return { map, principal };
    });
  });
}

/** What all of the maps grant, and what only some of them do. */
export function grantedByEach(candidates: Candidate[], names: string[]): Granted[] {
  const [first = [], ...others] = candidates.map(({ map, principal }) =>
    withUncertainty(principal.granted(names), [map]),
  );
  return first.map((grant, index) => {
    const lists = [grant, ...others.map((list) => list[index])];
    const actions = grant.actions.filter((action) => lists.every((list) => list?.actions.includes(action)));
    const some = lists.flatMap((list) => [...(list?.actions ?? []), ...(list?.unsure ?? [])]);
    const unsure = [...new Set(some)].filter((action) => !actions.includes(action));
    return { ...grant, actions, unsure };
  });
}

/** What maps grant that are not certain, or known in part. */
export function withUncertainty(grants: RepositoryGrant[], maps: ScopeMapDraft[]): Granted[] {
  const isUncertain = maps.some(({ known }) => known === "not");
  const isOpen = isUncertain || maps.some(({ known }) => known === "partly");
  return grants.map((grant) => {
    const granted = isUncertain ? [] : grant.actions;
    const unsure = isOpen && !grant.problem ? actions().filter((action) => !granted.includes(action)) : [];
    return { ...grant, actions: granted, unsure };
  });
}

/**
 * Whether two texts may be of one map: a registry has one of each name, and a text may not say its
 * registry.
 */
export function isSameMap(one: ScopeMapDraft, other: ScopeMapDraft): boolean {
  const isHere = one.registry === "" || other.registry === "" || isSame(one.registry, other.registry);
  return isHere && isSame(one.name, other.name);
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** A name of a map for people. */
export function calledMap({ name }: Pick<ScopeMapDraft, "name">): string {
  return name === "" ? "the unnamed map" : `\`${name}\``;
}
