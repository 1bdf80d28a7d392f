/** Repositories by actions: each cell says allowed or denied, and asks why when it is pressed. */

import { createMemo, createSignal, For, Index, type JSX, Show } from "solid-js";
import { permissionFor, problemText, readScopes } from "../engine";
import { hostAsked } from "../state/model";
import type { Playground } from "../state/playground";
import { MAX_NAMED, type Row } from "../state/rows";
import { answered } from "../state/words";
import { announce } from "./announce";
import { Mark, type Sign } from "./Mark";
import { More } from "./More";
import { RepositoryField } from "./RepositoryField";

export function Matrix(props: { playground: Playground }): JSX.Element {
  const [focused, setFocused] = createSignal({ row: 0, column: 0 });
  const rows = () => props.playground.rows();
  const refused = createMemo(() => refusedIn(props.playground));
  let table: HTMLTableElement | undefined;

  function move(event: KeyboardEvent) {
    const steps: Record<string, [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const row = clamp(focused().row + step[0], rows().length);
    const column = clamp(focused().column + step[1], props.playground.actions.length);
    setFocused({ row, column });
    table?.querySelector<HTMLElement>(`[data-cell="${row}-${column}"]`)?.focus();
  }

  return (
    <section class="card" aria-labelledby="matrix-title">
      <div class="row spread">
        <h2 id="matrix-title">Repositories</h2>
        <span class="muted small">select a cell to see why; arrow keys move</span>
      </div>
      <div class="scroll rows">
        <table class="matrix" ref={table} role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th scope="col" role="columnheader" class="visually-hidden">
                repository
              </th>
              <For each={props.playground.actions}>
                {(action) => (
                  <th scope="col" role="columnheader">
                    <span class="action">{action.replace("_", " ")}</span>
                    <span class="permission">{permissionFor(action)}</span>
                  </th>
                )}
              </For>
            </tr>
          </thead>
          <tbody role="rowgroup" onKeyDown={move}>
            {/* By index: a row that says something else now is not made again, only what differs in it. */}
            <Index each={rows()}>
              {(row, index) => (
                <MatrixRow
                  playground={props.playground}
                  row={row()}
                  isRefused={(action) => refused().has(`${row().name} ${action}`)}
                  isStop={(column) => isStop(focused(), index, column, rows().length)}
                  index={index}
                  reach={(column) => setFocused({ row: index, column })}
                />
              )}
            </Index>
          </tbody>
        </table>
      </div>
      <Show when={rows().length === 0}>
        <p class="muted">This token lists no repository.</p>
      </Show>
      <More all={props.playground.model.repositories.length} shown={MAX_NAMED} />
      <RepositoryField playground={props.playground} />
    </section>
  );
}

function MatrixRow(props: {
  playground: Playground;
  row: Row;
  /** Whether the action was asked for, and is denied. */
  isRefused: (action: string) => boolean;
  index: number;
  isStop: (column: number) => boolean;
  reach: (column: number) => void;
}): JSX.Element {
  return (
    <tr role="row" classList={{ proposed: props.row.proposed }}>
      <th scope="row" role="rowheader">
        <div class="row-name">
          <span class="grow">
            <Show when={classOf(props.row)} fallback={<span class="mono name">{props.row.name}</span>}>
              {(name) => (
                <>
                  <em class="name">{name()}</em>
                  <span class="muted small stands-for">
                    such as <span class="mono">{props.row.name}</span>
                  </span>
                </>
              )}
            </Show>
            <Show when={props.row.problem}>
              {(problem) => <span class="problem small">{problemText(problem()).replaceAll("`", "")}</span>}
            </Show>
          </span>
          <Show when={!props.row.proposed}>
            <button
              type="button"
              class="quiet remove"
              aria-label={`remove ${props.row.name}`}
              onClick={() => {
                // Once it is removed, the row is the next one's.
                const { name } = props.row;
                props.playground.removeRepositories([name]);
                announce(`${name} removed`);
              }}
            >
              ×
            </button>
          </Show>
        </div>
      </th>
      <For each={props.playground.actions}>
        {(action, column) => (
          <td role="cell">
            <button
              type="button"
              class="cell"
              data-cell={`${props.index}-${column()}`}
              data-verdict={verdict(props.row, action)}
              aria-disabled={props.row.problem !== null}
              tabIndex={props.isStop(column()) ? 0 : -1}
              aria-pressed={isAsked(props.playground, props.row.name, action)}
              aria-label={`${spoken(props.row)} ${action.replace("_", " ")}: ${words[verdict(props.row, action)]}`}
              onFocus={() => props.reach(column())}
              onClick={() => {
                if (props.row.problem === null) ask(props.playground, props.row.name, action);
              }}
            >
              <Mark sign={sign(verdict(props.row, action), props.isRefused(action))} />
            </button>
          </td>
        )}
      </For>
    </tr>
  );
}

/** A cell is about the registry that was asked before. */
function ask(playground: Playground, name: string, action: string): void {
  const registry = hostAsked(playground.model.question);
  playground.ask({ kind: "scope", text: `repository:${name}:${action}`, registry });
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

/** What is asked and denied, as names and actions. */
function refusedIn({ answer }: Playground): Set<string> {
  const given = answer();
  const scopes =
    given.kind === "answer" ? given.explanations.flatMap((explanation) => answered(explanation, false)) : [];
  return new Set(
    scopes.flatMap((scope) =>
      readScopes(scope).scopes.flatMap(({ name, actions }) => actions.map((action) => `${name} ${action}`)),
    ),
  );
}

function isAsked(playground: Playground, name: string, action: string): boolean {
  const { question } = playground.model;
  return question.kind === "scope" && question.text === `repository:${name}:${action}`;
}

/** One cell is a stop for the tab key, wherever the rows have gone meanwhile. */
function isStop(focused: { row: number; column: number }, row: number, column: number, rows: number): boolean {
  return clamp(focused.row, rows) === row && focused.column === column;
}

function clamp(value: number, length: number): number {
  return Math.max(0, Math.min(value, length - 1));
}

/** What a row is of that no person has named: all repositories that the rules do not tell apart. */
function classOf({ standsFor }: Row): string | null {
  if (standsFor === "*") return "All other repositories";
  return standsFor?.endsWith("/*") ? `Others below ${standsFor.slice(0, -1)}` : null;
}

function spoken(row: Row): string {
  const name = classOf(row);
  return name === null ? row.name : `${name}, such as ${row.name},`;
}
