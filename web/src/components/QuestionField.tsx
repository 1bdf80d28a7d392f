/** What is asked: a scope to type, or an operation of a client. */

import { createUniqueId, type JSX, Show } from "solid-js";
import type { Question, Subject } from "../state/model";
import "./question.css";

export function QuestionField(props: {
  question: Question;
  /** The scopes that an operation needs, in place of those that one could type. */
  needed: string;
  /** Whose rights are looked at; null where there is no choice. */
  subject: Subject | null;
  ask: (scope: string) => void;
  look: (subject: Subject) => void;
  children?: JSX.Element;
}): JSX.Element {
  const operation = () => (props.question.kind === "operation" ? props.question : null);
  const id = createUniqueId();
  let field: HTMLInputElement | undefined;

  function ask(text: string) {
    props.ask(text);
    // What is above the field may have grown.
    requestAnimationFrame(() => field?.scrollIntoView({ block: "nearest" }));
  }

  return (
    <div class="question">
      <label for={id}>Check a scope</label>
      <input
        id={id}
        ref={field}
        class="mono"
        type="text"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        placeholder={(operation() && props.needed) || "repository:samples/nginx:pull,push"}
        value={props.question.kind === "scope" ? props.question.text : ""}
        onInput={(event) => ask(event.currentTarget.value)}
        aria-describedby={`${id}-about`}
      />
      <span id={`${id}-about`} class="muted small">
        <Show when={operation()} fallback="Format: type:name:actions. Separate several with spaces.">
          {(asked) => (
            <>
              From {asked().operation.replaceAll("-", " ")} {asked().target.repository}
            </>
          )}
        </Show>
      </span>
      <div class="row">
        <Show when={props.subject !== null}>
          <fieldset class="segments">
            <legend class="visually-hidden">Whose rights</legend>
            <Choice group={id} chosen={props.subject} subject="maps" name="Scope map" look={props.look} />
            <Choice group={id} chosen={props.subject} subject="token" name="Pasted token" look={props.look} />
          </fieldset>
        </Show>
        {props.children}
      </div>
    </div>
  );
}

function Choice(props: {
  group: string;
  chosen: Subject | null;
  subject: Subject;
  name: string;
  look: (subject: Subject) => void;
}): JSX.Element {
  return (
    <label class="segment">
      <input
        type="radio"
        name={props.group}
        checked={props.chosen === props.subject}
        onChange={() => props.look(props.subject)}
      />
      <span>{props.name}</span>
    </label>
  );
}
