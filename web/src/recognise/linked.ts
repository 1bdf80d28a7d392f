/**
 * Names in place of addresses: a block of Terraform says which other block it means, and that one
 * says its name.
 */

import type { Found, FoundPasswords, FoundToken, Part } from "./found";

export function linked(parts: Part[]): Part[] {
  const names = new Map<string, string | null>();
  for (const { found } of parts) note(names, found);
  return names.size === 0 ? parts : parts.map((part) => ({ ...part, found: foundWith(names, part.found) }));
}

type Names = Map<string, string | null>;

function note(names: Names, found: Found): void {
  if (found.kind === "scopeMap" && found.address) names.set(found.address, found.map.name);
  if (found.kind === "token" && found.address) names.set(found.address, found.name);
  if (found.kind === "unknown" && found.named) names.set(found.named.address, found.named.name);
}

function foundWith(names: Names, found: Found): Found {
  if (found.kind === "token") return tokenWith(names, found);
  return found.kind === "passwords" ? passwordsWith(names, found) : found;
}

function tokenWith(names: Names, token: FoundToken): FoundToken {
  const address = token.scopeMapAddress;
  return token.scopeMap !== null || !address ? token : { ...token, scopeMap: nameAt(names, address) };
}

function passwordsWith(names: Names, passwords: FoundPasswords): FoundPasswords {
  const address = passwords.tokenAddress;
  return passwords.token !== null || !address ? passwords : { ...passwords, token: names.get(address) ?? null };
}

/**
 * A map that is not in the text is another one than those that are here, so it keeps the name of
 * its block.
 */
function nameAt(names: Names, address: string): string | null {
  const isOfMap = [...names.keys()].some((other) => other.includes("scope_map"));
  return names.has(address) ? (names.get(address) ?? null) : isOfMap ? (address.split(".").at(-1) ?? null) : null;
}
