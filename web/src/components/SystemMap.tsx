/** A system-defined map cannot be changed: its token is given another one. */

import type { JSX } from "solid-js";
import { Code } from "./Code";
import { named } from "./LoginChecks";
import { Sentence } from "./Sentence";

export function SystemMap(props: {
  /** The map that the token has. */
  map: string;
  /** The one to give it. */
  other: string;
  token: string;
  registry: string;
}): JSX.Element {
  const command = () =>
    `az acr token update --name ${named(props.token, "$TOKEN")} --registry ${named(props.registry, "$REGISTRY")} --scope-map ${props.other}`;
  return (
    <div class="stack">
      <p>
        <Sentence text={`\`${props.map}\` is built in and can't be edited. Assign \`${props.other}\` instead:`} />
      </p>
      <Code text={command()} label="the command that gives the token another scope map" />
    </div>
  );
}
