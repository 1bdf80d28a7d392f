/**
 * Repositories by actions, as a grid: each cell says allowed or denied, and asks why when it is
 * pressed.
 *
 * Follows the grid pattern of the ARIA practices: one stop of the tab key, and keys that move. Of
 * many lines only those in view are drawn.
 */

import { createMemo, createSignal, createUniqueId, For, Index, type JSX, Match, Show, Switch } from "solid-js";
import { permissionFor } from "../engine";
import type { Row } from "../state/rows";
import { found, sections } from "../state/sections";
import { createBlocks, TableBlock } from "./blocks";
import { clamp, moved, type Place } from "./grid-keys";
import { HeadingLine, type Questions, REMOVAL, RowLine } from "./MatrixLine";
import "./matrix.css";

/** From this number of rows on a filter pays. */
const FILTERED_FROM = 13;

/** A line of the grid, as keys move over them. */
type Line = { kind: "heading"; heading: string; count: number } | { kind: "row"; row: Row };

export function AccessMatrix(
  props: Questions & {
    rows: Row[];
    actions: readonly string[];
    /** The id of what names the grid. */
    labelledBy: string;
    hint: string;
    /** Takes the cell that is pointed at, by whatever means; null for none. */
    point: (cell: { name: string; action: string } | null) => void;
    /** Says that a row is not wanted. */
    remove: (name: string) => void;
  },
): JSX.Element {
  const [text, setText] = createSignal("");
  const [closed, setClosed] = createSignal<ReadonlySet<string>>(new Set());
  const [focused, setFocused] = createSignal<Place>({ line: 0, column: 0 });
  const hint = createUniqueId();
  const hasFilter = () => props.rows.length >= FILTERED_FROM;
  const wanted = () => (hasFilter() ? text() : "");
  const shown = createMemo(() => found(props.rows, wanted()));
  const isOpen = (heading: string) => wanted().trim() !== "" || !closed().has(heading);
  const lines = createMemo(() => linesOf(shown(), isOpen));
  const blocks = createBlocks(lines);
  const line = () => clamp(focused().line, lines().length);
  let grid: HTMLDivElement | undefined;

  function move(event: KeyboardEvent) {
    const to = moved(event, focused(), lines().length, props.actions.length);
    if (!to) return;
    event.preventDefault();
    const next = bounded(to, lines(), props.actions.length);
    // It is drawn then.
    setFocused(next);
    const cell = lines()[next.line]?.kind === "heading" ? 0 : next.column;
    const at = grid?.querySelector<HTMLElement>(`[data-cell="${next.line}-${cell}"]`);
    at?.focus({ preventScroll: true });
    if (at) keepInView(at);
  }

  function point(target: Element) {
    const [index = "", column = ""] = target.closest<HTMLElement>(".cell")?.dataset.cell?.split("-") ?? [];
    const line = lines()[Number(index)];
    const action = props.actions[Number(column)];
    props.point(line?.kind === "row" && action && index !== "" ? { name: line.row.name, action } : null);
  }

  function toggle(heading: string) {
    const next = new Set(closed());
    if (!next.delete(heading)) next.add(heading);
    setClosed(next);
  }

  return (
    <>
      <div class="row spread">
        <Show when={hasFilter()}>
          <Filter text={text()} write={setText} found={shown().length} all={props.rows.length} />
        </Show>
        <span class="muted small" id={hint}>
          {props.hint}
        </span>
      </div>
      <div class="scroll rows" ref={(element) => blocks.scroller(element)}>
        <div
          class="matrix"
          ref={grid}
          role="grid"
          aria-labelledby={props.labelledBy}
          aria-describedby={hint}
          aria-rowcount={lines().length + 1}
          onKeyDown={move}
          onPointerOver={(event) => point(event.target)}
          onPointerLeave={() => props.point(null)}
          onFocusIn={(event) => point(event.target)}
          onFocusOut={() => props.point(null)}
        >
          <Head actions={props.actions} />
          {/* By index: what says something else now is not made again, only what differs in it. */}
          <Index each={blocks.all()}>
            {(block) => (
              <TableBlock block={block()} blocks={blocks} hasFocus={holds(block(), line())}>
                <Index each={block().lines}>
                  {(at, place) => {
                    const index = () => block().first + place;
                    const isStop = (column: number) => line() === index() && focused().column === column;
                    const reach = (column: number) => setFocused({ line: index(), column });
                    return (
                      <Switch>
                        <Match when={heading(at())}>
                          {(heading) => (
                            <HeadingLine
                              heading={heading().heading}
                              count={heading().count}
                              index={index()}
                              isOpen={isOpen(heading().heading)}
                              isStop={line() === index()}
                              reach={() => reach(0)}
                              toggle={() => toggle(heading().heading)}
                            />
                          )}
                        </Match>
                        <Match when={row(at())}>
                          {(row) => (
                            <RowLine
                              row={row()}
                              actions={props.actions}
                              index={index()}
                              isAsked={props.isAsked}
                              isRefused={props.isRefused}
                              isLit={props.isLit}
                              ask={props.ask}
                              isStop={isStop}
                              reach={reach}
                              remove={() => props.remove(row().name)}
                            />
                          )}
                        </Match>
                      </Switch>
                    );
                  }}
                </Index>
              </TableBlock>
            )}
          </Index>
        </div>
      </div>
      <Show when={props.rows.length > 0 && shown().length === 0}>
        <p class="muted">No repository here matches the filter.</p>
      </Show>
    </>
  );
}

function Filter(props: { text: string; write: (text: string) => void; found: number; all: number }): JSX.Element {
  return (
    <div class="row">
      <label class="row">
        <span class="small muted">Filter</span>
        <input
          type="search"
          class="mono"
          value={props.text}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          onInput={(event) => props.write(event.currentTarget.value)}
        />
      </label>
      <span class="muted small">
        {props.text.trim() === "" ? `${props.all} rows` : `${props.found} of ${props.all} rows`}
      </span>
    </div>
  );
}

function Head(props: { actions: readonly string[] }): JSX.Element {
  return (
    <div role="rowgroup" class="head">
      <div role="row" aria-rowindex={1}>
        <div role="columnheader" class="first">
          <span class="visually-hidden">repository</span>
        </div>
        <For each={props.actions}>
          {(action) => (
            <div role="columnheader">
              <span class="action">{action.replace("_", " ")}</span>
              <span class="permission">{permissionFor(action)}</span>
            </div>
          )}
        </For>
      </div>
    </div>
  );
}

/**
 * Scrolls it into view, with the head above it. What is drawn in the next frames may have another
 * height than was thought.
 */
function keepInView(element: HTMLElement, frames = 4): void {
  element.closest(".rows")?.scrollIntoView({ block: "nearest" });
  element.scrollIntoView({ block: "nearest" });
  if (frames > 0) requestAnimationFrame(() => keepInView(element, frames - 1));
}

function linesOf(rows: Row[], isOpen: (heading: string) => boolean): Line[] {
  return sections(rows).flatMap(({ heading, rows: of }): Line[] => {
    const lines = of.map((row) => ({ kind: "row" as const, row }));
    if (heading === null) return lines;
    return [{ kind: "heading", heading, count: of.length }, ...(isOpen(heading) ? lines : [])];
  });
}

function heading(line: Line) {
  return line.kind === "heading" ? line : null;
}

function row(line: Line): Row | null {
  return line.kind === "row" ? line.row : null;
}

/** The nearest place that there is. */
function bounded(to: Place, lines: Line[], columns: number): Place {
  const line = clamp(to.line, lines.length);
  const at = lines[line];
  const isRemovable = at?.kind === "row" && !at.row.proposed;
  return { line, column: Math.max(isRemovable ? REMOVAL : 0, Math.min(to.column, columns - 1)) };
}

function holds({ first, lines }: { first: number; lines: Line[] }, line: number): boolean {
  return line >= first && line < first + lines.length;
}
