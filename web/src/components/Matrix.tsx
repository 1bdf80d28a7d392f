/** What the page's maps or its token open, and where repositories are added. */

import { createMemo, createUniqueId, type JSX, Show } from "solid-js";
import { readScopes } from "../engine";
import { hostAsked } from "../state/model";
import type { Playground } from "../state/playground";
import { MAX_NAMED } from "../state/rows";
import { answered } from "../state/words";
import { AccessMatrix } from "./AccessMatrix";
import { More } from "./More";
import { RepositoryField } from "./RepositoryField";

export function Matrix(props: { playground: Playground }): JSX.Element {
  const title = createUniqueId();
  const refused = createMemo(() => refusedIn(props.playground));
  const asked = createMemo(() => {
    const { question } = props.playground.model;
    return question.kind === "scope" ? question.text : "";
  });

  return (
    <section class="card" aria-labelledby={title}>
      <h2 id={title}>Repositories</h2>
      <AccessMatrix
        rows={props.playground.rows()}
        actions={props.playground.actions}
        labelledBy={title}
        isAsked={(name, action) => asked() === scope(name, action)}
        isRefused={(name, action) => refused().has(`${name} ${action}`)}
        ask={(name, action) => ask(props.playground, name, action)}
        remove={(name) => props.playground.removeRepositories([name])}
      />
      <Show when={props.playground.rows().length === 0}>
        <p class="muted">This token lists no repository.</p>
      </Show>
      <Show when={isComplete(props.playground)}>
        <p class="muted small">These rows cover every repository there could be.</p>
      </Show>
      <More all={props.playground.model.repositories.length} shown={MAX_NAMED} />
      <RepositoryField playground={props.playground} />
    </section>
  );
}

/**
 * Whether each repository that the rules tell apart has a row. A map that is known in part may have
 * rules that are not here.
 */
function isComplete({ rows, more, model }: Playground): boolean {
  const hasRules = model.whose === "maps" && model.maps.some(({ actions }) => actions.length > 0);
  const isWhole = model.maps.every(({ known }) => known === undefined);
  return hasRules && isWhole && more().length === 0 && rows().some(({ standsFor }) => standsFor === "*");
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
