/**
 * The page's address: it holds the page while the page is what the link says, and holds nothing as
 * soon as something is changed.
 *
 * Otherwise a reload would replace what was written since with the link.
 */

import { createEffect, createSignal, on, onCleanup, onMount } from "solid-js";
import { unwrap } from "solid-js/store";
import type { Memory } from "./memory";
import type { Playground } from "./playground";
import { pack, unpack } from "./share";

export type Address = ReturnType<typeof createAddress>;

/** Where "Skip to answer" of earlier versions led: a part of the page, and not a link. */
const SKIPPED = "#answer";

export function createAddress(playground: Playground, memory: Memory) {
  /** What the page itself has to say, such as a link that it cannot read. */
  const [notice, setNotice] = createSignal("");
  /** Whether what is here is that of a link, opened since the page was. */
  const [isOpened, setIsOpened] = createSignal(false);
  /** How often the model had been changed when the address was last true. */
  let trueAt = playground.changes();

  async function open() {
    if (location.hash === SKIPPED) return;
    const [opened] = await Promise.all([unpack(location.hash), memory.ready]);
    setNotice(opened.kind === "refused" ? opened.message : "");
    // What the link itself changes is heard of while it is loaded.
    trueAt = Number.POSITIVE_INFINITY;
    if (opened.kind === "model") memory.replace(opened.model);
    if (opened.kind === "model") setIsOpened(true);
    trueAt = playground.changes();
  }

  const listener = () => void open();
  onMount(() => {
    listener();
    addEventListener("hashchange", listener);
    onCleanup(() => removeEventListener("hashchange", listener));
  });
  createEffect(
    on(playground.changes, (changes) => {
      if (changes > trueAt && location.hash !== "") write("");
    }),
  );

  return {
    notice,
    isOpened,
    dismiss: () => setNotice(""),
    /** Writes a link to the page into its address, and gives it. */
    async share(): Promise<string> {
      const fragment = await pack(unwrap(playground.model));
      trueAt = playground.changes();
      write(`#${fragment}`);
      return location.href;
    },
  };
}

function write(fragment: string): void {
  history.replaceState(null, "", location.pathname + location.search + fragment);
}
