/**
 * What a link and the browser keep of each text that holds a secret,
 * `tests/cases/playground/secrets`.
 */

import { createRoot } from "solid-js";
import { unwrap } from "solid-js/store";
import { describe, expect, test } from "vitest";
import { allCases, casesOfKind, piecesOf, textOf } from "../../tests/cases.ts";
import { rendered } from "../../tests/samples/sample";
import { recognise } from "../recognise";
import { blank, type Model } from "./model";
import { createPaste } from "./paste";
import { createPlayground } from "./playground";
import { clean } from "./share";

/** The page after a text was pasted into it. */
function pasted(text: string): Model {
  return createRoot((dispose) => {
    const playground = createPlayground(blank());
    createPaste(playground).write(text);
    const model = structuredClone(unwrap(playground.model));
    dispose();
    return model;
  });
}

describe.each(casesOfKind("secret"))("$file: $why", (one) => {
  const { secrets = [], keeps = [] } = one;
  const text = textOf("secrets", one);

  test("nothing of the page keeps the secret", () => {
    const kept = JSON.stringify(clean(pasted(text)));
    expect(secrets.filter((secret) => kept.includes(JSON.stringify(secret).slice(1, -1)))).toEqual([]);
  });

  test("what is near it stays", () => {
    const { pasted: kept } = clean({ ...blank(), pasted: text });
    expect(keeps.filter((near) => !kept.includes(near))).toEqual([]);
    expect(clean({ ...blank(), pasted: kept }).pasted).toBe(kept);
  });
});

/** The reader of a link gets the same answer. */
test.each(allCases().filter(({ kind }) => kind !== "secret"))("what is kept of $file says the same", (one) => {
  const found = (text: string) => rendered(recognise(text)).map((line) => line.replace(/^unknown \d+:/, "unknown"));
  for (const text of piecesOf(one)) {
    expect(found(clean({ ...blank(), pasted: text }).pasted)).toEqual(found(text));
  }
});
