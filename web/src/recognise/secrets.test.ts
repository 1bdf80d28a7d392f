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
    ["docker login reg.io -u me -p 'hun ter2'", "docker login reg.io -u me -p '…'"],
    ["docker login -u me -p '$hunter2' reg.io", "docker login -u me -p '…' reg.io"],
    ["docker login -u me -p'two hunter2' reg.io", "docker login -u me -p'…' reg.io"],
    ["docker login -u me -p 'it'\\''hunter2' reg.io", "docker login -u me -p '…' reg.io"],
    ["docker login -u me -p a,hunter2 reg.io", "docker login -u me -p … reg.io"],
    ["docker login -u me -p “two hunter2” reg.io", 'docker login -u me -p "…" reg.io'],
    [
      "docker login -u me --password-stdin reg.io <<EOF\nhunter2\nEOF",
      "docker login -u me --password-stdin reg.io <<EOF\n…\nEOF",
    ],
    [
      "cat <<'END' | docker login --password-stdin\nhunter2\nEND",
      "cat <<'END' | docker login --password-stdin\n…\nEND",
    ],
    ["echo hunter2 | \\\n docker login --password-stdin", "echo … | \\\n docker login --password-stdin"],
    ['$env:ACR_PASSWORD = "hunter2"', '$env:ACR_PASSWORD = "…"'],
    ["PASS=hunter2", "PASS=…"],
    ["ACR_PASS=hunter2", "ACR_PASS=…"],
    ['-p (ConvertTo-SecureString "hunter2")', '-p (ConvertTo-SecureString "…")'],
    ["password: two hunter2", "password: …"],
    ["password: |\n  hunter2\nuser: a", "password: |\n…user: a"],
    ['curl --user "me:two hunter2" https://a', 'curl --user "me:…" https://a'],
    ["curl -ume:hunter2 https://a", "curl -ume:… https://a"],
    ["curl -su me:hunter2 https://a", "curl -su me:… https://a"],
    ["curl -H Authorization:Basic\\ bWU6aHVudGVyMg== https://a", "curl -H Authorization:Basic\\ … https://a"],
    [".dockerconfigjson: aHVudGVyMg==", ".dockerconfigjson: …"],
    ['{".dockerconfigjson":"aHVudGVyMg=="}', '{".dockerconfigjson":"…"}'],
    ["X-Registry-Auth: aHVudGVyMg==", "X-Registry-Auth: …"],
    ["https://me:a@hunter2@reg.io/v2/", "https://me:…@reg.io/v2/"],
    ['{"passphrase": "hunter2"}', '{"passphrase": "…"}'],
    ["<password>hunter2</password>", "<password>…</password>"],
    ["https://a/?x=1&sig=hunter2&y=2", "https://a/?x=1&sig=…&y=2"],
    ["Set-Cookie: session=hunter2; Path=/", "Set-Cookie: …"],
    [
      "USERNAME  PASSWORD  PASSWORD2\n--------  --------  ---------\ncontoso  hunter2  hunter2",
      "USERNAME  PASSWORD  PASSWORD2\n--------  --------  ---------\n…",
    ],
    [
      "az acr token credential generate -n T -r r --query 'passwords[0].value' -o tsv\nhunter2hunter2\n",
      "az acr token credential generate -n T -r r --query 'passwords[0].value' -o tsv\n…\n",
    ],
    ["\x1b[32meyJhbGciOi.eyJqdGki.hunter2\x1b[0m", "eyJhbGciOi.eyJqdGki.…"],
    ["eyJhbGciOi.\x1b[1meyJqdGki.\x1b[0mhunter2", "eyJhbGciOi.eyJqdGki.…"],
    ["eyJhbGciOi\u200b.eyJqdGki.\u200bhun\u200bter2", "eyJhbGciOi.eyJqdGki.…"],
    ["eyJhbGciOi.eyJqdGki.\nhunter2", "eyJhbGciOi.eyJqdGki.\n…"],
    ["eyJhbGciOi.eyJqdGki. hunter2", "eyJhbGciOi.eyJqdGki. …"],
    [`eyJhbGciOi.eyJqdGki.${"a".repeat(60)}\n  hunter2\nnext line`, "eyJhbGciOi.eyJqdGki.…\nnext line"],
    ["refresh_token%3DeyJhbGciOi.eyJqdGki.hunter2", "refresh_token%3DeyJhbGciOi.eyJqdGki.…"],
    ["eyJhbGciOi%2EeyJqdGki%2Ehunter2", "eyJhbGciOi%2EeyJqdGki%2E…"],
    ['{"log":"token\\neyJhbGciOi.eyJqdGki.hunter2"}', '{"log":"token\\neyJhbGciOi.eyJqdGki.…"}'],
    ["xeyJhbGciOi.eyJqdGki.hunter2", "xeyJhbGciOi.eyJqdGki.…"],
    ["the password is wrong, use another one", "the password is wrong, use another one"],
    ["docker run -p 8080:80 a", "docker run -p … a"],
    ["repositories/token/content/read", "repositories/token/content/read"],
    ["repository:password:pull", "repository:password:pull"],
  ])("%s", (text, expected) => {
    expect(withoutSecrets(text)).toBe(expected);
  });
});

test("no signature is taken for the claims of a token", () => {
  for (const text of [
    "xeyJhbGciOi.eyJqdGkiOiJ.hunter2hunter2",
    "%3DeyJhbGciOi.eyJqdGkiOiJ.hunter2",
    "token-eyJhbGciOi.eyJqdGkiOiJ.hunter2",
  ]) {
    const tokens = recognise(text).flatMap(({ found }) => (found.kind === "jwt" ? [found.token] : []));
    expect(tokens.map((token) => token.split(".").slice(0, 2).join("."))).toEqual(["eyJhbGciOi.eyJqdGkiOiJ"]);
  }
});
