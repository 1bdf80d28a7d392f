/**
 * Which of the scope maps on the page decide about what is asked.
 *
 * A token of Azure Container Registry has one scope map, in the registry that it is of. Where it is
 * known which, the others do not count.
 */

import type { Model, ScopeMapDraft } from "./model";
import { hostAsked } from "./model";
import { isNameOf, labelOf } from "./registry";

export function applicable({
  maps,
  token,
  profile,
  question,
}: Pick<Model, "maps" | "token" | "profile" | "question">): ScopeMapDraft[] {
  const label = labelOf(hostAsked(question));
  const ofRegistry = maps.filter(({ registry }) => registry === "" || isNameOf(registry, label));
  const here = label === "" || ofRegistry.length === 0 ? maps : ofRegistry;
  const wanted = token.scopeMap.toLowerCase();
  const isOfToken = (registry: string) =>
    token.registry === "" || registry === "" || isNameOf(registry, token.registry);
  const named = here.filter(({ name }) => name.toLowerCase() === wanted);
  const ofToken = named.filter(({ registry }) => isOfToken(registry.toLowerCase()));
  return profile === "acr" && wanted !== "" && ofToken.length > 0 ? ofToken : here;
}
