/**
 * The smallest change that would allow what is denied: as a command, as ARM, as Terraform; to copy,
 * or to try. A wider one is there to choose.
 */

import { createEffect, createMemo, createSignal, createUniqueId, For, type JSX, on, Show, Suspense } from "solid-js";
import type { Edit } from "../engine";
import { type Fix, fix, type WholeMap } from "../fixes";
import type { ScopeMapDraft } from "../state/model";
import { MAX_OFFERED } from "../state/policy";
import type { Row } from "../state/rows";
import { Code } from "./Code";
import { later } from "./later";
import { Tabs } from "./Tabs";
import "./change-set.css";

const WiderFix = later(async () => (await import("./WiderFix")).WiderFix);

type Form = "az" | "arm" | "terraform";

const forms: { id: Form; name: string }[] = [
  { id: "az", name: "az" },
  { id: "arm", name: "ARM" },
  { id: "terraform", name: "Terraform" },
];

export function ChangeSet(props: {
  edits: Edit[];
  maps: ScopeMapDraft[];
  rows: Row[];
  /** The registry that is asked, where no map says its own. */
  registry: string;
  /** What is done with the change, on its button. */
  does: string;
  apply: (edits: Edit[]) => void;
}): JSX.Element {
  const panel = createUniqueId();
  const [form, setForm] = createSignal<Form>("az");
  const [wider, setWider] = createSignal<Edit | null>(null);
  const edits = () => [wider() ?? props.edits].flat();
  const fixes = createMemo(() => byMap(edits(), props.maps));
  /** Several changes at once are not widened together. */
  const only = () => (props.edits.length === 1 && areFew(props.maps) ? props.edits[0] : undefined);
  // What was chosen for one question is not meant for another.
  createEffect(on(only, () => setWider(null), { defer: true }));

  return (
    <div class="fixes">
      <div class="row spread">
        <h3>How to fix it</h3>
        <Tabs label="Format" tabs={forms} chosen={form()} choose={setForm} panel={panel} />
      </div>
      <div id={panel} role="tabpanel" aria-labelledby={`${panel}-tab-${form()}`}>
        <For each={fixes()}>
          {(written, index) => (
            <Code text={written[form()]} label={`the fix as ${form()}`}>
              <Show when={index() === 0}>
                <button type="button" onClick={() => props.apply(edits())}>
                  {props.does}
                </button>
              </Show>
            </Code>
          )}
        </For>
      </div>
      <Suspense>
        <Show when={only()}>
          {(edit) => (
            <WiderFix
              edit={edit()}
              map={inRegistry(whole(edit().scopeMap, mapOf(props.maps, edit())), props.registry)}
              rows={props.rows}
              chosen={edits()[0]?.pattern ?? ""}
              choose={setWider}
            />
          )}
        </Show>
      </Suspense>
    </div>
  );
}

/** What a wider change allows is asked of all rules. */
function areFew(maps: ScopeMapDraft[]): boolean {
  return maps.every(({ actions }) => actions.length <= MAX_OFFERED);
}

function inRegistry(map: WholeMap, registry: string): WholeMap {
  return { ...map, registry: map.registry ?? (registry === "" ? null : registry) };
}

/** The changes to each map together: a document says a map whole. */
function byMap(edits: Edit[], maps: ScopeMapDraft[]): Fix[] {
  const names = [...new Set(edits.map((edit) => edit.scopeMap))];
  return names.flatMap((name) => {
    const [first, ...others] = edits.filter((edit) => edit.scopeMap === name);
    if (!first) return [];
    return [fix(others.reduce(together, first), whole(name, mapOf(maps, first)))];
  });
}

function mapOf(maps: ScopeMapDraft[], { scopeMap }: Edit): ScopeMapDraft | undefined {
  return maps.find(({ name }) => name === scopeMap);
}

function together(one: Edit, other: Edit): Edit {
  return {
    ...one,
    actions: [...one.actions, ...other.actions],
    command: `${one.command}\n${other.command}`,
  };
}

function whole(name: string, map: ScopeMapDraft | undefined): WholeMap {
  return {
    name,
    description: map?.description ?? "",
    registry: map?.registry || null,
    actions: [...(map?.actions ?? [])],
  };
}
