/**
 * Names of Azure registries, and the hosts that have them: `NAME.azurecr.io`, or
 * `NAME-HASH.azurecr.io`, and other clouds' endings.
 */

/**
 * The first label of the host of an Azure registry, or its bare name; nothing for any other host.
 */
export function labelOf(host: string): string {
  if (/\.azurecr\.[a-z]+$/i.test(host)) return host.split(".")[0]?.toLowerCase() ?? "";
  return isBareName(host) ? host.toLowerCase() : "";
}

/** Whether this is no host at all, but a name as `az` takes it. */
export function isBareName(host: string): boolean {
  return /^[a-z0-9]{5,50}$/i.test(host) && host !== "localhost";
}

/**
 * Whether a registry of this name has the label. A hash may follow the name, and a name has no
 * hyphen of its own.
 */
export function isNameOf(name: string, label: string): boolean {
  const own = name.toLowerCase();
  return label === own || label.startsWith(`${own}-`);
}
