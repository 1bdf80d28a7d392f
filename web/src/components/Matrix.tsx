/** What the page's maps or its token open, and where repositories are added. */

import { createMemo, createUniqueId, type JSX, Show, Suspense } from "solid-js";
import { unwrap } from "solid-js/store";
import { readScopes } from "../engine";
import type { Cell } from "../state/grant";
import { hostAsked } from "../state/model";
import type { Playground } from "../state/playground";
import type { Pointing } from "../state/pointing";
import { MAX_OFFERED } from "../state/policy";
import { MAX_NAMED, type Row } from "../state/rows";
import { createSettled } from "../state/settled";
import { answered } from "../state/words";
import { AccessMatrix } from "./AccessMatrix";
import { announce } from "./announce";
import { later } from "./later";
import { More } from "./More";
import { RepositoryField } from "./RepositoryField";

const CellChange = later(async () => (await import("./CellChange")).CellChange);

export function Matrix(props: { playground: Playground; pointing: Pointing }): JSX.Element {
  const title = createUniqueId();
  const refused = createMemo(() => refusedIn(props.playground));
  const asked = createMemo(() => {
    const { question } = props.playground.model;
    return question.kind === "scope" ? question.text : "";
  });

  const changed = createMemo(() => changeable(props.playground));
  // With 500 rules offers cost milliseconds, and no key waits for them.
  const offered = createSettled(createMemo(() => offeredIn(props.playground, changed(), asked())));
  let card: HTMLElement | undefined;

  function write({ index, actions: before }: Offered, actions: string[]) {
    // What was offered for other rules is not meant for those of now.
    if (actionsOf(props.playground, index) !== before) return;
    props.playground.write(index, actions);
    announce("Scope map updated.");
    // The button goes with what it did.
    card?.querySelector<HTMLElement>('[aria-selected="true"] > .cell')?.focus();
  }

  return (
    <section class="card" aria-labelledby={title} ref={card}>
      <h2 id={title}>Repositories</h2>
      <AccessMatrix
        rows={props.playground.rows()}
        actions={props.playground.actions}
        labelledBy={title}
        hint={`Select a cell to see why${changed() === null ? "" : ", or to change it"}. Arrow keys move.`}
        isAsked={(name, action) => asked() === scope(name, action)}
        isRefused={(name, action) => refused().has(`${name} ${action}`)}
        ask={(name, action) => ask(props.playground, name, action)}
        isLit={props.pointing.isCellLit}
        point={(cell) => props.pointing.point(cell && { kind: "cell", ...cell })}
        remove={(name) => props.playground.removeRepositories([name])}
      />
      <Suspense>
        <Show when={offered()}>
          {(offer) => (
            <CellChange
              cell={offer().cell}
              rows={offer().rows}
              actions={offer().actions}
              write={(actions) => write(offer(), actions)}
            />
          )}
        </Show>
      </Suspense>
      <Show when={props.playground.rows().length === 0}>
        <p class="muted">This token lists no repository.</p>
      </Show>
      <Show when={isComplete(props.playground)}>
        <p class="muted small">These rows cover every repository there could be.</p>
      </Show>
      <More all={props.playground.model.repositories.length} shown={MAX_NAMED} />
      <RepositoryField
        proposed={props.playground.rows().flatMap(({ proposed, name }) => (proposed ? [name] : []))}
        more={props.playground.more() ?? []}
        hasOwn={props.playground.model.repositories.length > 0}
        add={(names) => props.playground.addRepositories(names)}
        clear={() => props.playground.set("repositories", [])}
      />
    </section>
  );
}

/**
 * Whether each repository that the rules tell apart has a row. A map that is known in part may have
 * rules that are not here.
 */
function isComplete({ rows, more, model, principal }: Playground): boolean {
  const hasRules = model.whose === "maps" && model.maps.some(({ actions }) => actions.length > 0);
  const isWhole = model.maps.every(({ known }) => known === undefined);
  if (!hasRules || !isWhole || more()?.length !== 0) return false;
  // A repository that was added is not all that it was an example of.
  const shown = new Set(rows().map(({ name, standsFor }) => standsFor ?? name));
  return principal()
    .repositories()
    .every(({ pattern }) => shown.has(pattern));
}

/** The cell that a scope asks about. */
function cellIn({ rows, actions }: Playground, scope: string): Cell | null {
  const [, name, action = ""] = /^repository:(.+):(\w+)$/.exec(scope) ?? [];
  const row = actions.includes(action) ? rows().find((one) => one.name === name && one.problem === null) : undefined;
  return row ? { name: row.name, standsFor: row.standsFor, action } : null;
}

/** What a cell can change: itself, in one map. */
interface Offered {
  cell: Cell;
  rows: Row[];
  /** The map, and its actions as they are. */
  index: number;
  actions: string[];
}

function offeredIn(playground: Playground, index: number | null, scope: string): Offered | null {
  const cell = index === null ? null : cellIn(playground, scope);
  if (index === null || cell === null) return null;
  return { cell, rows: playground.rows(), index, actions: actionsOf(playground, index) };
}

/** A list is replaced whole when it changes, so two are the same or differ. */
function actionsOf({ model }: Playground, index: number): string[] {
  return unwrap(model.maps[index]?.actions ?? []);
}

/** The map that a cell can change: the one that decides, unless it is built in or known in part. */
function changeable({ model, deciding }: Playground): number | null {
  const [map, ...others] = deciding();
  if (model.whose !== "maps" || !map || others.length > 0) return null;
  const isOpen = map.known === undefined && !map.name.startsWith("_") && map.actions.length <= MAX_OFFERED;
  return isOpen ? model.maps.indexOf(map) : null;
}

/** A cell is about the registry that was asked before. */
function ask(playground: Playground, name: string, action: string): void {
  playground.ask({ kind: "scope", text: scope(name, action), registry: hostAsked(playground.model.question) });
}

function scope(name: string, action: string): string {
  return `repository:${name}:${action}`;
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
