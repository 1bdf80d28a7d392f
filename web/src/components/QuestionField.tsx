/** What is asked: a scope that one can type, or an operation of a client. */

import { type JSX, Show } from "solid-js";
import type { Playground } from "../state/playground";

export function QuestionField(props: { playground: Playground }): JSX.Element {
  const question = () => props.playground.model.question;
  const text = () => {
    const asked = question();
    return asked.kind === "scope" ? asked.text : "";
  };
  const operation = () => {
    const asked = question();
    return asked.kind === "operation" ? asked : null;
  };
  /** The scopes that the operation needs, instead of those that one could type. */
  const needed = () => {
    const answer = props.playground.answer();
    return operation() && answer.kind === "answer" ? answer.scopes : "";
  };

  return (
    <div class="question">
      <label for="question">Scope</label>
      <input
        id="question"
        class="mono"
        type="text"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        placeholder={needed() || "repository:samples/nginx:pull,push"}
        value={text()}
        onInput={(event) => props.playground.ask({ kind: "scope", text: event.currentTarget.value })}
        aria-describedby="question-about"
      />
      <span id="question-about" class="muted small">
        <Show when={operation()} fallback="type:name:actions, several separated by spaces">
          {(asked) => (
            <>
              asked by a client: {asked().operation.replaceAll("-", " ")} {asked().target.repository}
            </>
          )}
        </Show>
      </span>
      <Show when={props.playground.model.held !== ""}>
        <fieldset class="segments">
          <legend class="visually-hidden">whose rights</legend>
          <Choice playground={props.playground} subject="maps" name="What the scope map grants" />
          <Choice playground={props.playground} subject="token" name="What the pasted token holds" />
        </fieldset>
      </Show>
    </div>
  );
}

function Choice(props: { playground: Playground; subject: "maps" | "token"; name: string }): JSX.Element {
  return (
    <label class="segment">
      <input
        type="radio"
        name="whose"
        checked={props.playground.model.whose === props.subject}
        onChange={() => props.playground.set("whose", props.subject)}
      />
      <span>{props.name}</span>
    </label>
  );
}
