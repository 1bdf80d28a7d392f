/** A system-defined map cannot be changed: its token is given another one. */

import { createMemo, type JSX, Show } from "solid-js";
import { type GivenAnswer, scopesAsked } from "../state/answer";
import type { Playground } from "../state/playground";
import { narrowest } from "../state/system";
import { Code } from "./Code";
import { named } from "./LoginChecks";
import { Sentence } from "./Sentence";

export function SystemMap(props: { playground: Playground; answer: GivenAnswer }): JSX.Element {
  const { playground } = props;
  const map = () => playground.deciding()[0];
  const isSystem = () =>
    map()?.name.startsWith("_") &&
    !props.answer.isLogin &&
    playground.candidates().length === 0 &&
    props.answer.verdict !== "allowed" &&
    props.answer.edits.length === 0;
  const other = createMemo(() =>
    isSystem() && playground.model.whose === "maps"
      ? narrowest(scopesAsked(playground), playground.model.catalog)
      : null,
  );
  return (
    <Show when={other() !== map()?.name && other()}>
      {(name) => (
        <div class="stack">
          <p>
            <Sentence text={`\`${map()?.name}\` is built in and can't be edited. Assign \`${name()}\` instead:`} />
          </p>
          <Code
            text={`az acr token update --name ${named(playground.model.token.name, "$TOKEN")} --registry ${named(playground.registry(), "$REGISTRY")} --scope-map ${name()}`}
            label="the command that gives the token another scope map"
          />
        </div>
      )}
    </Show>
  );
}
