/**
 * The smallest change that would allow what is denied: as a command, as ARM, as Terraform; to copy,
 * or to try.
 */

import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import type { Edit } from "../engine";
import { type Fix, fix, type WholeMap } from "../fixes";
import type { ScopeMapDraft } from "../state/model";
import { announce } from "./announce";
import { Code } from "./Code";
import { Tabs } from "./Tabs";

type Form = "az" | "arm" | "terraform";

const forms: { id: Form; name: string }[] = [
  { id: "az", name: "az" },
  { id: "arm", name: "ARM" },
  { id: "terraform", name: "Terraform" },
];

export function Fixes(props: { edits: Edit[]; maps: ScopeMapDraft[]; tryIt: () => void }): JSX.Element {
  const [form, setForm] = createSignal<Form>("az");
  const fixes = createMemo(() => byMap(props.edits, props.maps));

  function tryIt() {
    props.tryIt();
    // The button goes with what it did.
    document.getElementById("answer")?.focus();
    announce("Scope map updated.");
  }

  return (
    <div class="fixes">
      <div class="row spread">
        <h3>How to fix it</h3>
        <Tabs label="Format" tabs={forms} chosen={form()} choose={setForm} panel="fix" />
      </div>
      <div id="fix" role="tabpanel" aria-labelledby={`fix-tab-${form()}`}>
        <For each={fixes()}>
          {(written, index) => (
            <Code text={written[form()]} label={`the fix as ${form()}`}>
              <Show when={index() === 0}>
                <button type="button" onClick={tryIt}>
                  Apply to this map
                </button>
              </Show>
            </Code>
          )}
        </For>
      </div>
    </div>
  );
}

/** The changes to each map together: a document says a map whole. */
function byMap(edits: Edit[], maps: ScopeMapDraft[]): Fix[] {
  const names = [...new Set(edits.map((edit) => edit.scopeMap))];
  return names.flatMap((name) => {
    const [first, ...others] = edits.filter((edit) => edit.scopeMap === name);
    if (!first) return [];
    const map = maps.find((map) => map.name === name);
    return [fix(others.reduce(together, first), whole(name, map))];
  });
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
