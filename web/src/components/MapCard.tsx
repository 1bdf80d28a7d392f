/**
 * One scope map: its name, its registry, and its rules. Takes the map and says how it is changed.
 */

import { createSignal, createUniqueId, type JSX, Show } from "solid-js";
import { checkScopeMapName, problemText } from "../engine";
import type { ScopeMapDraft } from "../state/model";
import { copyAs, FORMS } from "./exporting";
import { Field } from "./Field";
import { Menu } from "./Menu";
import { RuleEditor, type RuleEditorProps } from "./RuleEditor";

type Named = Pick<ScopeMapDraft, "name" | "registry">;

export function MapCard(
  props: Omit<RuleEditorProps, "actions" | "isEditing" | "isNamed"> & {
    map: ScopeMapDraft;
    /** How the map is called on the page. */
    title: string;
    rename: (field: keyof Named, text: string) => void;
    /** Left out where the map is the only one. */
    remove?: (() => void) | undefined;
  },
): JSX.Element {
  const [isEditing, setEditing] = createSignal(false);
  const title = createUniqueId();
  const nameError = () => {
    const isFree = props.map.name === "" || props.map.name.startsWith("_");
    const problem = isFree ? null : checkScopeMapName(props.map.name);
    return problem === null ? undefined : problemText(problem).replaceAll("`", "");
  };

  return (
    <section class="card map" aria-labelledby={title}>
      <div class="row spread">
        <h2 id={title} class="break">
          {props.title}
        </h2>
        <div class="row">
          <Show when={props.map.actions.length > 0}>
            <Menu name="Export" items={FORMS} choose={(form) => copyAs(props.map, form)} />
          </Show>
          <button type="button" class="quiet" aria-expanded={isEditing()} onClick={() => setEditing(!isEditing())}>
            {isEditing() ? "Back to list" : "Edit as text"}
          </button>
          <Show when={props.remove}>
            {(remove) => (
              <button type="button" class="quiet" onClick={() => remove()()}>
                Remove map
              </button>
            )}
          </Show>
        </div>
      </div>
      <div class="fields">
        <Field
          label="Name"
          value={props.map.name}
          placeholder="MyScopeMap"
          error={nameError()}
          write={(text) => props.rename("name", text.trim())}
        />
        <Field
          label="Registry"
          value={props.map.registry}
          placeholder="myregistry"
          write={(text) => props.rename("registry", text.trim())}
        />
      </div>
      <RuleEditor
        actions={props.map.actions}
        isNamed={props.map.name !== ""}
        isEditing={isEditing()}
        said={props.said}
        write={props.write}
        isLit={props.isLit}
        point={props.point}
      />
    </section>
  );
}
