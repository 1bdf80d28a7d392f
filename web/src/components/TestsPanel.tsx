/** Assertions about the maps, checked as one types, and the file of them that runs in CI. */

import { createMemo, For, Index, type JSX, Show } from "solid-js";
import { unwrap } from "solid-js/store";
import type { Assertion, Catalog } from "../engine";
import { check } from "../state/assertions";
import { writtenMaps } from "../state/candidates";
import { assertionFile, toYaml } from "../state/export";
import type { Playground } from "../state/playground";
import { announce } from "./announce";
import { CopyButton } from "./Code";
import { Mark } from "./Mark";
import { More } from "./More";
import { Sentence } from "./Sentence";

/** More are checked and counted, and not drawn. */
const MAX_SHOWN = 200;

export function TestsPanel(props: { playground: Playground }): JSX.Element {
  const { playground } = props;
  const assertions = () => playground.model.assertions;
  const checks = createMemo(() => assertions().map((assertion) => check(assertion, playground.compiled().principal)));
  const failing = () => checks().filter((one) => one.kind !== "holds").length;
  const file = () => toYaml(assertionFile(unwrap(playground.model)));

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file()], { type: "application/yaml" }));
    link.download = "access.yaml";
    link.click();
    URL.revokeObjectURL(link.href);
    announce("access.yaml saved");
  }

  return (
    <div class="stack">
      <Show
        when={assertions().length > 0}
        fallback={
          <p class="muted">
            Ask a question and keep its answer as a test; or paste a file of assertions on the left. They are checked as
            you type, and run in CI with <code>scopegate test</code>.
          </p>
        }
      >
        <p>
          <strong>
            {assertions().length - failing()} of {assertions().length} hold
          </strong>
        </p>
        <Show when={writtenMaps(playground.model.maps).length > 1}>
          <p class="muted small">
            They are about all scope maps of this page together, as in <code>scopegate test</code>.
          </p>
        </Show>
        <ul class="plain tests">
          <Index each={assertions().slice(0, MAX_SHOWN)}>
            {(assertion, index) => (
              <li>
                <Mark
                  sign={checks()[index]?.kind === "holds" ? "allowed" : "denied"}
                  label={checks()[index]?.kind === "holds" ? "holds" : "fails"}
                />
                <div class="grow">
                  <p class="mono break">
                    <strong>{verb(assertion())}</strong> {scopeOf(assertion())}
                  </p>
                  <label class="why">
                    <span class="visually-hidden">why it matters</span>
                    <input
                      type="text"
                      placeholder="why it matters"
                      value={assertion().why ?? ""}
                      onInput={(event) => writeWhy(playground, index, event.currentTarget.value)}
                    />
                  </label>
                  <Show when={against(checks()[index])}>
                    {(why) => (
                      <p class="problem small">
                        <Sentence text={why()} />
                      </p>
                    )}
                  </Show>
                </div>
                <button
                  type="button"
                  class="quiet"
                  aria-label={`${otherVerb(assertion())} ${scopeOf(assertion())} instead`}
                  onClick={() => invert(playground, index)}
                >
                  {otherVerb(assertion())}
                </button>
                <button
                  type="button"
                  class="quiet remove"
                  aria-label={`remove ${scopeOf(assertion())}`}
                  onClick={() => playground.set("assertions", (all) => all.filter((_, other) => other !== index))}
                >
                  ×
                </button>
              </li>
            )}
          </Index>
        </ul>
        <More all={assertions().length} shown={MAX_SHOWN} />
        <div class="row">
          <CopyButton text={file()} label="the assertions as YAML" name="Copy as YAML" />
          <button type="button" onClick={download}>
            Save access.yaml
          </button>
        </div>
      </Show>
      <Listing playground={playground} />
    </div>
  );
}

const catalogs: Record<Catalog, string> = {
  root: "with metadata/read on the root wildcard",
  never: "No one",
  filtered: "everybody, each what they may read",
};

/** A file of assertions says who may list the repositories, and so does the page. */
function Listing(props: { playground: Playground }): JSX.Element {
  const choose = (text: string) => {
    const chosen = (Object.keys(catalogs) as Catalog[]).find((catalog) => catalog === text);
    if (chosen) props.playground.set("catalog", chosen);
  };
  return (
    <div class="fields">
      <label>
        <span>Who may list the repositories</span>
        <select value={props.playground.model.catalog} onChange={(event) => choose(event.currentTarget.value)}>
          <For each={Object.entries(catalogs)}>{([catalog, who]) => <option value={catalog}>{who}</option>}</For>
        </select>
      </label>
    </div>
  );
}

function verb(assertion: Assertion): string {
  return assertion.allow === undefined ? "deny" : "allow";
}

function otherVerb(assertion: Assertion): string {
  return assertion.allow === undefined ? "Allow" : "Deny";
}

function scopeOf(assertion: Assertion): string {
  return assertion.allow ?? assertion.deny ?? "";
}

function against(checked: ReturnType<typeof check> | undefined): string | undefined {
  return checked && checked.kind !== "holds" ? checked.why : undefined;
}

function writeWhy(playground: Playground, index: number, why: string): void {
  playground.set("assertions", (all) =>
    all.map((assertion, other) => (other === index ? withWhy(assertion, why) : assertion)),
  );
}

function withWhy({ allow, deny }: Assertion, why: string): Assertion {
  const kept = why.trim() === "" ? {} : { why };
  return allow !== undefined ? { allow, ...kept } : { deny: deny ?? "", ...kept };
}

function invert(playground: Playground, index: number): void {
  playground.set("assertions", (all) =>
    all.map((assertion, other) => (other === index ? inverted(assertion) : assertion)),
  );
}

function inverted({ allow, deny, why }: Assertion): Assertion {
  const kept = why === undefined ? {} : { why };
  return allow !== undefined ? { deny: allow, ...kept } : { allow: deny ?? "", ...kept };
}
