/** What an error alone does not say: which command was run, and with which image. */

import { createSignal, createUniqueId, For, type JSX, lazy, Show, Suspense } from "solid-js";
import { operations } from "../clients";
import { attempt, problemText, readReference } from "../engine";
import { commandChoices } from "./command-choices";
import type { Choice } from "./matching";
import { Sentence } from "./Sentence";

/** What is asked of one image. */
const CHOICES = operations.filter(({ needs }) => needs.includes("repository") && !needs.includes("source"));
const COMMANDS = commandChoices(CHOICES);

/** Where it cannot be loaded, the plain list stays. */
const Combobox = lazy(async () => ({
  default: await import("./Combobox").then(
    (loaded) => loaded.Combobox<Choice>,
    () => PlainChoice,
  ),
}));

export function CommandForm(props: {
  /** What a command needs, in a sentence, where that can be said without an image. */
  needed: (operation: string) => string | null;
  ask: (operation: string, image: string) => void;
}): JSX.Element {
  const [operation, setOperation] = createSignal("docker-push");
  const [image, setImage] = createSignal("");
  const [problem, setProblem] = createSignal("");
  const id = createUniqueId();

  function explain(event: SubmitEvent) {
    event.preventDefault();
    const read = attempt(() => readReference(image().trim()));
    if (read.kind === "value") props.ask(operation(), image().trim());
    else setProblem(image().trim() === "" ? "Write the image that the command was about." : problemText(read.problem));
  }

  return (
    <>
      <form class="command-form" onSubmit={explain}>
        <Suspense
          fallback={<PlainChoice label="Command" choices={COMMANDS} value={operation()} choose={setOperation} />}
        >
          <Combobox label="Command" choices={COMMANDS} value={operation()} choose={setOperation} />
        </Suspense>
        <label class="grow">
          Image
          <input
            type="text"
            class="mono"
            placeholder="myregistry.azurecr.io/samples/nginx:v1"
            spellcheck={false}
            autocapitalize="off"
            autocomplete="off"
            value={image()}
            onInput={(event) => {
              setImage(event.currentTarget.value);
              setProblem("");
            }}
            aria-invalid={problem() !== ""}
            aria-describedby={id}
          />
        </label>
        <button type="submit" class="primary">
          Explain
        </button>
      </form>
      <Show when={props.needed(operation())}>
        {(needed) => (
          <p>
            <Sentence text={needed()} />
          </p>
        )}
      </Show>
      <p class="small muted">
        <Sentence text={CHOICES.find(({ id }) => id === operation())?.about ?? ""} />
      </p>
      <p class="problem small" id={id} role="alert">
        <Sentence text={problem()} />
      </p>
      <Show when={problem() === ""}>
        <details class="reasons">
          <summary>The usual causes, the most frequent first</summary>
          <ol class="checks">
            <For each={CAUSES}>{(cause) => <li>{cause}</li>}</For>
          </ol>
        </details>
      </Show>
    </>
  );
}

/** Until the field that filters is loaded. */
function PlainChoice(props: {
  label: string;
  choices: readonly Choice[];
  value: string;
  choose: (id: string) => void;
}): JSX.Element {
  return (
    <label>
      {props.label}
      <select value={props.value} onChange={(event) => props.choose(event.currentTarget.value)}>
        <For each={props.choices}>{({ id, name }) => <option value={id}>{name}</option>}</For>
      </select>
    </label>
  );
}

const CAUSES = [
  "The token's scope map has no rule for this repository, or none for this action. A push needs content/read and content/write.",
  "You aren't logged in to this registry, or with another token than you think.",
  "The image is named without its registry, so the client asks Docker Hub.",
  "The token is disabled, or its password has expired.",
  "The repository's name is misspelt: a registry denies what doesn't exist, too.",
];
