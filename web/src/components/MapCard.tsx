/**
 * One scope map: its name, its registry, its rules with what lint says about each, and the editor
 * when one wants it.
 */

import { createSignal, type JSX, lazy, Show, Suspense } from "solid-js";
import type { Said } from "../editor/editor";
import { checkScopeMapName, problemText } from "../engine";
import type { ExportForm } from "../fixes/exports";
import { comparedName } from "../state/compared";
import type { Model, ScopeMapDraft } from "../state/model";
import type { Playground } from "../state/playground";
import { systemMap } from "../state/system";
import { copyAndSay } from "./Code";
import { Menu } from "./Menu";
import { RuleField } from "./RuleField";
import { RuleList } from "./RuleList";

const RulesEditor = lazy(() => import("../editor/RulesEditor"));

export function MapCard(props: { playground: Playground; map: ScopeMapDraft; index: number }): JSX.Element {
  const [editing, setEditing] = createSignal(false);
  const title = () => `map-title-${props.index}`;
  const write = (field: "name" | "registry") => (event: { currentTarget: HTMLInputElement }) => {
    const text = event.currentTarget.value.trim();
    props.playground.set("maps", props.index, field, text);
    // A map of the registry's own is known by its name.
    const known = field === "name" && props.map.actions.length === 0 ? systemMap(text) : null;
    if (known) props.playground.write(props.index, known.actions);
  };
  const nameProblem = () =>
    props.map.name === "" || props.map.name.startsWith("_") ? null : checkScopeMapName(props.map.name);

  return (
    <section class="card map" aria-labelledby={title()}>
      <div class="row spread">
        <h2 id={title()} class="break">
          {called(props.playground.model, props.index)}
        </h2>
        <div class="row">
          <Show when={props.map.actions.length > 0}>
            <Menu name="Export" items={FORMS} choose={(form) => copyAs(props.map, form)} />
          </Show>
          <button type="button" class="quiet" aria-expanded={editing()} onClick={() => setEditing(!editing())}>
            {editing() ? "Done" : "Edit as text"}
          </button>
          <Show when={props.playground.model.maps.length > 1}>
            <button type="button" class="quiet" onClick={() => remove(props.playground, props.index)}>
              Remove
            </button>
          </Show>
        </div>
      </div>
      <div class="fields">
        <label>
          <span>Name</span>
          <input
            type="text"
            class="mono"
            value={props.map.name}
            spellcheck={false}
            autocapitalize="off"
            onInput={write("name")}
            placeholder="MyScopeMap"
            aria-invalid={nameProblem() !== null}
          />
        </label>
        <label>
          <span>Registry</span>
          <input
            type="text"
            class="mono"
            value={props.map.registry}
            spellcheck={false}
            autocapitalize="off"
            onInput={write("registry")}
            placeholder="myregistry"
          />
        </label>
      </div>
      <Show when={nameProblem()}>
        {(problem) => <p class="problem small">{problemText(problem()).replaceAll("`", "")}</p>}
      </Show>
      <Show when={editing()} fallback={<RuleList playground={props.playground} map={props.map} index={props.index} />}>
        <Suspense fallback={<p class="muted">loading the editor …</p>}>
          <RulesEditor
            actions={props.map.actions}
            said={said(props.playground, props.index)}
            write={(actions) => props.playground.write(props.index, actions, true)}
          />
        </Suspense>
      </Show>
      <RuleField
        id={`rule-${props.index}`}
        add={(rules) => props.playground.write(props.index, [...props.map.actions, ...rules])}
      />
    </section>
  );
}

export const FORMS: { id: ExportForm; name: string; about: string }[] = [
  { id: "create", name: "az create", about: "the command that makes this map" },
  { id: "update", name: "az update", about: "the command that adds these rules to a map" },
  { id: "arm", name: "ARM", about: "a resource of a template" },
  { id: "bicep", name: "Bicep", about: "a resource in its registry" },
  { id: "terraform", name: "Terraform", about: "a block of azurerm" },
  { id: "json", name: "JSON", about: "name, description and actions" },
  { id: "yaml", name: "YAML", about: "the same for files of tests" },
];

/** Copies the map; the writers are loaded when one is wanted. */
export async function copyAs({ name, registry, description, actions }: ScopeMapDraft, form: (typeof FORMS)[number]) {
  const map = { name, registry: registry || null, description, actions: [...actions] };
  await copyAndSay(
    async () => (await import("../fixes/exports")).exported(map, form.id),
    `the scope map as ${form.name}`,
  );
}

/** Each of several maps has a name of its own on the page. */
function called(model: Model, index: number): string {
  const isAlone = model.maps.length === 1 && model.maps[0]?.name === "";
  return isAlone ? "Scope map" : `Scope map: ${comparedName(model, index)}`;
}

/** What the engine says of the rules that are there now, read on demand. */
function said(playground: Playground, index: number): () => Said {
  const { principal, reports } = playground.compiled();
  return () => ({ reports: reports(index), findings: principal.lint(index) });
}

function remove(playground: Playground, index: number): void {
  playground.replaceMaps(
    playground.model.maps.filter((_, other) => other !== index).map((map) => ({ ...map, actions: [...map.actions] })),
  );
}
