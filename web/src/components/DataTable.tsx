/**
 * Rows of data in columns, which are put in the order of a column by its head, and drawn a part at
 * a time.
 *
 * Follows the sortable table of the ARIA practices. Left out: filters, which know the data; cells
 * that are edited.
 */

import { createEffect, createMemo, createSignal, For, type JSX, on, Show } from "solid-js";
import { announce } from "./announce";
import { ShowMore } from "./ShowMore";
import "./data-table.css";

export interface Column<R> {
  name: string;
  cell: (row: R) => JSX.Element;
  /** Which of two rows is first; left out where the column has no order. */
  order?: (one: R, other: R) => number;
  /** Whether its cells are the heads of their rows. */
  isHead?: boolean;
  class?: string;
}

type Direction = "ascending" | "descending";

/** The number of rows that are drawn at first, and of those that each press adds. */
const PAGE = 200;

export function DataTable<R>(props: {
  caption: string;
  columns: Column<R>[];
  /** In the order in which they are shown at first. */
  rows: readonly R[];
}): JSX.Element {
  const [sorted, setSorted] = createSignal<{ name: string; direction: Direction } | null>(null);
  const [shown, setShown] = createSignal(PAGE);
  const rows = createMemo(() => {
    const by = sorted();
    const order = props.columns.find(({ name }) => name === by?.name)?.order;
    if (!by || !order) return props.rows;
    const sign = by.direction === "ascending" ? 1 : -1;
    return props.rows.toSorted((one, other) => sign * order(one, other));
  });
  let table: HTMLTableElement | undefined;
  const directionOf = (name: string) => (sorted()?.name === name ? sorted()?.direction : undefined);

  /** Up, down, and as they were. */
  function sort(name: string) {
    const before = directionOf(name);
    const next = before === undefined ? "ascending" : before === "ascending" ? "descending" : null;
    setSorted(next && { name, direction: next });
    announce(next ? `Sorted by ${name}, ${next}.` : "In the first order.");
  }

  // Other rows are shown from their first part on.
  createEffect(
    on(
      () => props.rows,
      () => setShown(PAGE),
      { defer: true },
    ),
  );

  function showMore() {
    setShown((count) => count + PAGE);
    announce(`${Math.min(shown(), rows().length).toLocaleString("en")} rows shown.`);
  }

  return (
    <>
      <table class="data-table" ref={table} tabIndex={-1}>
        <caption class="visually-hidden">{props.caption}</caption>
        <thead>
          <tr>
            <For each={props.columns}>
              {(column) => (
                <th scope="col" aria-sort={directionOf(column.name)}>
                  <Show when={column.order} fallback={column.name}>
                    <button type="button" class="quiet" onClick={() => sort(column.name)}>
                      {column.name}
                    </button>
                  </Show>
                </th>
              )}
            </For>
          </tr>
        </thead>
        <tbody>
          <For each={rows().slice(0, shown())}>
            {(row) => (
              <tr>
                <For each={props.columns}>
                  {(column) =>
                    column.isHead ? (
                      <th scope="row" class={column.class}>
                        {column.cell(row)}
                      </th>
                    ) : (
                      <td class={column.class}>{column.cell(row)}</td>
                    )
                  }
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <ShowMore all={rows().length} shown={shown()} page={PAGE} of="rows" show={showMore} end={() => table?.focus()} />
    </>
  );
}
