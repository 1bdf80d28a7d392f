/** Only a model is a model. */

import { expect, test } from "vitest";
import { blank } from "./model";
import { isModel } from "./schema";

test("a blank model is one", () => {
  expect(isModel(blank())).toBe(true);
});

test("whatever is changed to something of another kind, it is none", () => {
  for (const field of Object.keys(blank())) {
    expect(isModel({ ...blank(), [field]: 7 }), field).toBe(false);
    expect(isModel({ ...blank(), [field]: undefined }), field).toBe(false);
  }
  for (const wrong of [
    { maps: [] },
    { maps: [{ name: "", registry: "", description: "", actions: [1] }] },
    { maps: [{ name: "" }] },
    { old: {} },
    { compare: { before: 0 } },
    { compare: { before: "0", after: null } },
    { compare: { before: -2, after: null } },
    { catalog: "sometimes" },
    { profile: "other" },
    { question: { kind: "scope" } },
    { question: { kind: "scope", text: "", registry: 1 } },
    { question: { kind: "operation", operation: "docker-push", target: {} } },
    { token: { name: "a", scopeMap: "", registry: "", clock: "0", state: "enabled" } },
    { token: { name: "a", scopeMap: "", registry: "", clock: 0, state: "asleep" } },
    { token: { ...blank().token, facts: { status: "asleep", passwords: null } } },
    { token: { ...blank().token, facts: { status: "enabled", passwords: [{ name: "password1" }] } } },
    { locks: [{ registry: null, repository: "a", tag: null, digest: null, read: null, write: "no", delete: null }] },
    { maps: [{ name: "", registry: "", description: "", actions: [], known: "well" }] },
    { assertions: [{ permit: "a" }] },
    { panel: "other" },
    { reported: { meaning: "denied", repository: null } },
    { reported: { meaning: "refused", repository: null, asked: "" } },
  ]) {
    expect(isModel({ ...blank(), ...wrong }), JSON.stringify(wrong)).toBe(false);
  }
  for (const value of [null, undefined, 1, "text", []]) expect(isModel(value)).toBe(false);
});
