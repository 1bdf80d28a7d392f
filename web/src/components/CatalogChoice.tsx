/** Who can list repositories: a file of assertions says it, and so does the page. */

import { For, type JSX } from "solid-js";
import type { Catalog } from "../engine";

const CATALOGS: [Catalog, string][] = [
  ["root", "Anyone with metadata/read on *"],
  ["never", "No one"],
  ["filtered", "Everyone (only what they can read)"],
];

export function CatalogChoice(props: { value: Catalog; choose: (catalog: Catalog) => void }): JSX.Element {
  const choose = (text: string) => {
    const chosen = CATALOGS.find(([catalog]) => catalog === text);
    if (chosen) props.choose(chosen[0]);
  };
  return (
    <div class="fields">
      <label>
        <span>Who can list repositories</span>
        <select value={props.value} onChange={(event) => choose(event.currentTarget.value)}>
          <For each={CATALOGS}>{([catalog, who]) => <option value={catalog}>{who}</option>}</For>
        </select>
      </label>
    </div>
  );
}
