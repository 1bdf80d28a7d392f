/**
 * A scope map in a field of its own, in any form: what is written is read at each key, and several
 * maps at once are refused.
 */

import { createSignal, createUniqueId, type JSX, Show } from "solid-js";
import { loadYaml } from "../recognise";
import { readMap } from "../state/actions";
import type { ScopeMapDraft } from "../state/model";

export function MapField(props: {
  label: string;
  placeholder: string;
  map: ScopeMapDraft | null;
  /** Takes the map; null where the field is empty, or has several. */
  write: (map: ScopeMapDraft | null) => void;
  /** Buttons beside the label. */
  children?: JSX.Element;
}): JSX.Element {
  const id = createUniqueId();
  /** What is being typed; what is kept of it are its rules. */
  const [typed, setTyped] = createSignal<string | null>(null);
  /** The names of several maps in the field, none of which is taken. */
  const [several, setSeveral] = createSignal<string[]>([]);

  function read(text: string) {
    const found = readMap(text);
    setSeveral(found.kind === "several" ? found.names : []);
    props.write(
      found.kind === "map" ? { name: found.name, registry: "", description: "", actions: found.actions } : null,
    );
  }

  function write(text: string) {
    read(text);
    const written = props.map;
    // A text that is YAML waits for its reader, and what was written meanwhile stays.
    void loadYaml().then(
      () => props.map === written && read(text),
      () => undefined,
    );
  }

  /** What was typed goes with a map that is removed. */
  const shown = () => (props.map === null && several().length === 0 ? null : typed());

  return (
    <>
      <div class="row spread">
        <label for={id}>{props.label}</label>
        <div class="row">{props.children}</div>
      </div>
      <textarea
        id={id}
        class="mono"
        rows="5"
        spellcheck={false}
        placeholder={props.placeholder}
        value={shown() ?? (props.map?.actions ?? []).join("\n")}
        aria-invalid={several().length > 0}
        aria-describedby={several().length > 0 ? `${id}-several` : undefined}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          write(event.currentTarget.value);
        }}
        onChange={() => several().length === 0 && setTyped(null)}
        onPaste={(event) => {
          const text = event.clipboardData?.getData("text");
          if (!text || event.currentTarget.value !== "") return;
          event.preventDefault();
          setTyped(null);
          write(text);
          if (several().length > 0) setTyped(text);
        }}
      />
      <Show when={several().length > 0}>
        <p class="problem small" id={`${id}-several`}>
          This text has {several().length.toLocaleString("en")} scope maps. A token has one of them: keep one here.
        </p>
      </Show>
    </>
  );
}
