/**
 * The lines of a long table in blocks, of which only those in view are drawn: a block out of sight
 * keeps its place by its height.
 *
 * Left out: few lines, which are all drawn; and print, for which all are.
 */

import { createMemo, createSignal, type JSX, onCleanup, onMount, Show } from "solid-js";

/** So few are drawn at once. */
const FEW = 40;
const BLOCK = 20;
/** Pixels above and below the view in which blocks are drawn already. */
const MARGIN = 400;
/** The pixels of a line that was not drawn yet. */
const LINE = 42;

export interface Block<L> {
  index: number;
  /** The place of its first line among all. */
  first: number;
  lines: L[];
}

export type Blocks<L> = ReturnType<typeof createBlocks<L>>;

export function createBlocks<L>(lines: () => L[]) {
  const [inView, setInView] = createSignal<ReadonlySet<number>>(new Set([0]));
  const [isPrinted, setPrinted] = createSignal(false);
  const all = createMemo(() => blocksOf(lines()));
  let height = LINE;
  let observer: IntersectionObserver | undefined;

  function see(entries: IntersectionObserverEntry[]) {
    const next = new Set(inView());
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const index = Number((target as HTMLElement).dataset.block);
      const count = all()[index]?.lines.length ?? 0;
      if (next.has(index) && count > 0 && boundingClientRect.height > 0) height = boundingClientRect.height / count;
      if (isIntersecting) next.add(index);
      else next.delete(index);
    }
    setInView(next);
  }

  const print = () => setPrinted(true);
  const printed = () => setPrinted(false);
  addEventListener("beforeprint", print);
  addEventListener("afterprint", printed);
  onCleanup(() => {
    removeEventListener("beforeprint", print);
    removeEventListener("afterprint", printed);
    observer?.disconnect();
  });

  return {
    all,
    /** Takes the element in which the table scrolls. */
    scroller(root: HTMLElement) {
      observer = new IntersectionObserver(see, { root, rootMargin: `${MARGIN}px 0px` });
    },
    watch: (element: HTMLElement) => observer?.observe(element),
    unwatch: (element: HTMLElement) => observer?.unobserve(element),
    isDrawn: (index: number) => lines().length <= FEW || isPrinted() || inView().has(index),
    heightOf: (count: number) => count * height,
  };
}

function blocksOf<L>(lines: L[]): Block<L>[] {
  return Array.from({ length: Math.ceil(lines.length / BLOCK) }, (_, index) => ({
    index,
    first: index * BLOCK,
    lines: lines.slice(index * BLOCK, (index + 1) * BLOCK),
  }));
}

/** One block: its lines, or what keeps their place. The one with the focus is always drawn. */
export function TableBlock<L>(props: {
  block: Block<L>;
  blocks: Blocks<L>;
  hasFocus: boolean;
  children: JSX.Element;
}): JSX.Element {
  const isDrawn = () => props.hasFocus || props.blocks.isDrawn(props.block.index);
  let body: HTMLDivElement | undefined;
  onMount(() => body && props.blocks.watch(body));
  onCleanup(() => body && props.blocks.unwatch(body));
  return (
    <div role="rowgroup" ref={body} data-block={props.block.index} aria-hidden={isDrawn() ? undefined : "true"}>
      <Show
        when={isDrawn()}
        fallback={<div style={{ height: `${props.blocks.heightOf(props.block.lines.length)}px` }} />}
      >
        {props.children}
      </Show>
    </div>
  );
}
