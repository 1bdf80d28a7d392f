/** Secrets leave neither with what was found nor with the text that is kept. */

import { describe, expect, test } from "vitest";
import { recognise } from "./recognise";
import { COMMANDS } from "./samples/commands";
import { DOCUMENTS } from "./samples/documents";
import { ERRORS } from "./samples/errors";
import { rendered } from "./samples/sample";
import { TERMINALS } from "./samples/terminals";
import { withoutSecrets } from "./secrets";

const SAMPLES = [...COMMANDS, ...ERRORS, ...DOCUMENTS, ...TERMINALS];

/** The password in all samples; at the end of broken lines it is encoded. */
const SECRET = /hunter2|aHVudGVyMg/;

describe("samples", () => {
  test("hold secrets", () => {
    expect(SAMPLES.filter(({ text }) => SECRET.test(text)).length).toBeGreaterThan(10);
  });

  test.each(SAMPLES)("found without them: $text", ({ text }) => {
    const parts = recognise(text).filter(({ found }) => found.kind !== "jwt");
    expect(JSON.stringify(parts)).not.toMatch(SECRET);
  });

  test.each(SAMPLES)("kept without them, and with all that is to be found: $text", ({ text, found }) => {
    const kept = withoutSecrets(text);
    const plain = (lines: string[]) => lines.map((line) => line.replace(/^unknown \d+:/, "unknown"));
    expect(kept).not.toMatch(SECRET);
    expect(plain(rendered(recognise(kept)))).toEqual(plain(found));
    expect(withoutSecrets(kept)).toBe(kept);
  });
});

describe("texts", () => {
  test.each([
    ["docker login reg.io -u me -p hunter2", "docker login reg.io -u me -p …"],
    ["docker login reg.io -u me -phunter2", "docker login reg.io -u me -p…"],
    ["docker login -u me --password='two words' reg.io", "docker login -u me --password='…' reg.io"],
    ['docker login -u me --password "hun\\"ter" reg.io', 'docker login -u me --password "…" reg.io'],
    ["docker login -u me --password \\\n  hunter2", "docker login -u me --password \\\n  …"],
    ["docker login -u me -p $PASSWORD", "docker login -u me -p $PASSWORD"],
    ["docker login -u me --password-stdin <<< hunter2", "docker login -u me --password-stdin <<< …"],
    ["printf '%s' hunter2 | docker login --password-stdin", "printf '… | docker login --password-stdin"],
    ["skopeo inspect --creds me:hunter2 docker://a", "skopeo inspect --creds me:… docker://a"],
    ["curl -u me:hunter2 https://reg.io/v2/", "curl -u me:… https://reg.io/v2/"],
    ["https://me:hunter2@reg.io/v2/", "https://me:…@reg.io/v2/"],
    ["https://reg.io:5000/v2/@x", "https://reg.io:5000/v2/@x"],
    ["Authorization: Basic bWU6aHVudGVyMg==", "Authorization: Basic …"],
    [
      "  body: grant_type=password&username=me&password=hunter2&scope=a",
      "  body: grant_type=password&username=me&password=…&scope=a",
    ],
    [
      '{"auths":{"reg.io":{"auth":"aHVudGVyMg==","identitytoken":"abc"}}}',
      '{"auths":{"reg.io":{"auth":"…","identitytoken":"…"}}}',
    ],
    ['{"name":"password1","value":"hunter2"}', '{"name":"password1","value":"…"}'],
    ['{"value":[{"name":"a"}],"value":null}', '{"value":[{"name":"a"}],"value":null}'],
    ["- name: password1\n  value: hunter2", "- name: password1\n  value: …"],
    ["DOCKER_PASSWORD=hunter2 docker pull a", "DOCKER_PASSWORD=… docker pull a"],
    ["TOKEN_PWD=$(az acr token create)", "TOKEN_PWD=$(az acr token create)"],
    [
      "kubectl create secret docker-registry x --docker-password=hunter2",
      "kubectl create secret docker-registry x --docker-password=…",
    ],
    [
      '{"refresh_token":"opaque","access_token":"eyJhbGciOi.eyJqdGki.c2ln"}',
      '{"refresh_token":"…","access_token":"eyJhbGciOi.eyJqdGki.…"}',
    ],
    ["eyJhbGciOi.eyJqdGki.c2ln", "eyJhbGciOi.eyJqdGki.…"],
    ["repositories/token/content/read", "repositories/token/content/read"],
    ["repository:password:pull", "repository:password:pull"],
  ])("%s", (text, expected) => {
    expect(withoutSecrets(text)).toBe(expected);
  });
});
