/** The tests of the page: its assertions, checked against all of its scope maps. */

import { createMemo, type JSX } from "solid-js";
import { unwrap } from "solid-js/store";
import { check } from "../state/assertions";
import { writtenMaps } from "../state/candidates";
import { assertionFile, toYaml } from "../state/export";
import type { Playground } from "../state/playground";
import { Assertions } from "./Assertions";
import { CatalogChoice } from "./CatalogChoice";

export function TestsOfPage(props: { playground: Playground }): JSX.Element {
  const model = () => props.playground.model;
  const checks = createMemo(() => {
    const { principal } = props.playground.policy();
    return model().assertions.map((assertion) => check(assertion, principal));
  });
  return (
    <div class="stack">
      <Assertions
        items={model().assertions}
        checks={checks()}
        note={writtenMaps(model().maps).length > 1 ? OF_ALL : ""}
        file={toYaml(assertionFile(unwrap(model())))}
        onChange={(items) => props.playground.set("assertions", items)}
      />
      <CatalogChoice value={model().catalog} choose={(catalog) => props.playground.set("catalog", catalog)} />
    </div>
  );
}

const OF_ALL = "Tests check all scope maps of this page together, as `scopegate test` does.";
