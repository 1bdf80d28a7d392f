/**
 * Components that are loaded when they are wanted, because the first answer needs none of them.
 *
 * Left out: a second try. A browser remembers that a script could not be loaded, so the page says
 * to reload it.
 */

import { type Component, lazy } from "solid-js";

export function later<Props extends Record<string, unknown>>(load: () => Promise<Component<Props>>): Component<Props> {
  return lazy(async () => ({ default: await load().catch(() => Missing as Component<Props>) }));
}

function Missing() {
  return <p class="problem">This part of the page couldn't be loaded. Reload the page to try again.</p>;
}
