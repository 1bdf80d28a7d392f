/** A line of the matrix: a repository with its cells, or the heading of those that begin alike. */

import { createUniqueId, For, type JSX, Show } from "solid-js";
import { problemText } from "../engine";
import type { Row } from "../state/rows";
import { classOf } from "../state/sections";
import { Mark, type Sign } from "./Mark";

/** The column of the button that removes a row. */
export const REMOVAL = -1;

/** What is asked of cells, and of which. */
export interface Questions {
  isAsked: (name: string, action: string) => boolean;
  /** Whether it was asked for, and is denied. */
  isRefused: (name: string, action: string) => boolean;
  /** Whether it lights up with what is pointed at. */
  isLit: (name: string, action: string) => boolean;
  ask: (name: string, action: string) => void;
}

export function HeadingLine(props: {
  heading: string;
  count: number;
  index: number;
  isOpen: boolean;
  isStop: boolean;
  reach: () => void;
  toggle: () => void;
}): JSX.Element {
  return (
    <div role="row" aria-rowindex={props.index + 2} class="section">
      <div role="rowheader">
        <button
          type="button"
          class="quiet"
          data-cell={`${props.index}-0`}
          aria-expanded={props.isOpen}
          tabIndex={props.isStop ? 0 : -1}
          onFocus={() => props.reach()}
          onClick={() => props.toggle()}
        >
          <span class="mono">{props.heading}</span> <span class="muted small">{props.count}</span>
        </button>
      </div>
    </div>
  );
}

export function RowLine(
  props: Questions & {
    row: Row;
    actions: readonly string[];
    index: number;
    isStop: (column: number) => boolean;
    reach: (column: number) => void;
    remove: () => void;
  },
): JSX.Element {
  const name = createUniqueId();
  return (
    <div role="row" aria-rowindex={props.index + 2} classList={{ proposed: props.row.proposed }}>
      <div role="rowheader" aria-labelledby={name}>
        <div class="row-name">
          <span class="grow">
            <RowName row={props.row} id={name} />
            <Show when={props.row.problem}>
              {(problem) => <span class="problem small">{problemText(problem()).replaceAll("`", "")}</span>}
            </Show>
          </span>
          <Show when={!props.row.proposed}>
            <button
              type="button"
              class="quiet remove"
              data-cell={`${props.index}-${REMOVAL}`}
              tabIndex={props.isStop(REMOVAL) ? 0 : -1}
              aria-label={`remove ${props.row.name}`}
              onFocus={() => props.reach(REMOVAL)}
              onClick={() => props.remove()}
            >
              ×
            </button>
          </Show>
        </div>
      </div>
      <For each={props.actions}>
        {(action, column) => (
          <div role="gridcell" aria-selected={props.isAsked(props.row.name, action)}>
            <button
              type="button"
              class="cell"
              classList={{ lit: props.isLit(props.row.name, action) }}
              data-cell={`${props.index}-${column()}`}
              data-verdict={verdict(props.row, action)}
              aria-disabled={props.row.problem !== null}
              tabIndex={props.isStop(column()) ? 0 : -1}
              aria-label={`${spoken(props.row)} ${action.replace("_", " ")}: ${words[verdict(props.row, action)]}`}
              onFocus={() => props.reach(column())}
              onClick={() => {
                if (props.row.problem === null) props.ask(props.row.name, action);
              }}
            >
              <Mark sign={sign(verdict(props.row, action), props.isRefused(props.row.name, action))} />
            </button>
          </div>
        )}
      </For>
    </div>
  );
}

function RowName(props: { row: Row; id: string }): JSX.Element {
  return (
    <Show
      when={classOf(props.row)}
      fallback={
        <span class="mono name" id={props.id}>
          {props.row.name}
        </span>
      }
    >
      {(name) => (
        <>
          <em class="name" id={props.id}>
            {name()}
          </em>
          <span class="muted small stands-for">
            such as <span class="mono">{props.row.name}</span>
          </span>
        </>
      )}
    </Show>
  );
}

type Verdict = "allowed" | "denied" | "unsure";

/** Without a map, and where the maps that a token may have differ, nothing is certain. */
function verdict(row: Row, action: string): Verdict {
  if (row.unsure.includes(action)) return "unsure";
  return row.actions.includes(action) ? "allowed" : "denied";
}

const words: Record<Verdict, string> = { allowed: "allowed", denied: "denied", unsure: "not certain" };
const signs: Record<Verdict, Sign> = { allowed: "allowed", denied: "quiet", unsure: "note" };

/** What is denied and was not asked for is quiet: most of a narrow map is. */
function sign(verdict: Verdict, isRefused: boolean): Sign {
  return verdict === "denied" && isRefused ? "denied" : signs[verdict];
}

function spoken(row: Row): string {
  const name = classOf(row);
  return name === null ? row.name : `${name}, such as ${row.name},`;
}
