/** Secrets leave neither with what was found nor with the text that is kept. */

import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../tests/samples/commands";
import { DOCUMENTS } from "../../tests/samples/documents";
import { ERRORS } from "../../tests/samples/errors";
import { rendered } from "../../tests/samples/sample";
import { TERMINALS } from "../../tests/samples/terminals";
import { recognise } from "./recognise";
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
    const withoutPositions = (lines: string[]) => lines.map((line) => line.replace(/^unknown \d+:/, "unknown"));
    expect(kept).not.toMatch(SECRET);
    expect(withoutPositions(rendered(recognise(kept)))).toEqual(withoutPositions(found));
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
    ["docker run -p 8080:80 a", "docker run -p 8080:80 a"],
    ["docker run -d -p hunter2 a", "docker run -d -p hunter2 a"],
    ["docker login -p 8080:hunter2 a", "docker login -p … a"],
    ["mkdir -p ~/.docker && docker login -u me -p hunter2 a", "mkdir -p ~/.docker && docker login -u me -p … a"],
    // Headers, in every form that clients print.
    [
      "headers=map[Authorization:[Basic aHVudGVyMg==] Accept:[*/*]]",
      "headers=map[Authorization:[Basic …] Accept:[*/*]]",
    ],
    ['http.Header{"Authorization":[]string{"Basic aHVudGVyMg=="}}', 'http.Header{"Authorization":[]string{"Basic …"}}'],
    ["{'Authorization': 'Basic aHVudGVyMg==', 'Accept': 'a'}", "{'Authorization': 'Basic …', 'Accept': 'a'}"],
    ["[('authorization', 'Basic aHVudGVyMg==')]", "[('authorization', 'Basic …')]"],
    ["$h['Authorization'] = \"Basic aHVudGVyMg==\"", "$h['Authorization'] = \"Basic …\""],
    ["@{ Authorization = 'Basic aHVudGVyMg==' }", "@{ Authorization = 'Basic …' }"],
    ['{"Proxy-Authorization": ["Bearer hunter2"]}', '{"Proxy-Authorization": ["Bearer …"]}'],
    ['{"name":"Authorization","value":"Bearer hunter2"}', '{"name":"Authorization","value":"…"}'],
    ["Authorization: hunter2hunter2", "Authorization: …"],
    ["authorization: access was denied", "authorization: access was denied"],
    ["Cookie:[session=hunter2] Accept:[a]", "Cookie:[…] Accept:[a]"],
    ["{'Cookie': 'a=hunter2; b=c', 'Accept': 'a'}", "{'Cookie': '…', 'Accept': 'a'}"],
    // Base64 of any JSON begins so.
    ["  .dockerconfigjson: eyJhdXRocyI6e319", "  .dockerconfigjson: …"],
    ['{".dockerconfigjson":"eyJhdXRocyI6e319"}', '{".dockerconfigjson":"…"}'],
    ["DOCKER_PASSWORD=eyJhdXRocyI6e319", "DOCKER_PASSWORD=…"],
    ["docker login -p eyJhdXRocyI6e319 a", "docker login -p … a"],
    ["found bWU6aHVudGVyMmh1bnRlcjI= there", "found … there"],
    [`echo ${btoa('{"password":"hunter2"}')}`, "echo …"],
    [`{"header":"${btoa('{"scope":"repository:a:pull"}')}"}`, `{"header":"${btoa('{"scope":"repository:a:pull"}')}"}`],
    // Secrets of Kubernetes.
    [
      "kind: Secret\nmetadata:\n  name: a\ndata:\n  tls.key: aHVudGVyMg==\n  registry: cmVn\ntype: Opaque",
      "kind: Secret\nmetadata:\n  name: a\ndata:\n  tls.key: …\n  registry: cmVn\ntype: Opaque",
    ],
    [
      "stringData:\n  any: |\n    hunter2\n    hunter2\n  url: reg.io\nkind: Secret",
      "stringData:\n  any: |\n    …\n    …\n  url: reg.io\nkind: Secret",
    ],
    [
      '{"kind":"Secret","data":{"any":"aHVudGVyMg==","username":"bWU="},"type":"Opaque"}',
      '{"kind":"Secret","data":{"any":"…","username":"bWU="},"type":"Opaque"}',
    ],
    ["kind: ConfigMap\ndata:\n  any: thing", "kind: ConfigMap\ndata:\n  any: thing"],
    ["kind: ExternalSecret\ndata:\n  any: thing", "kind: ExternalSecret\ndata:\n  any: thing"],
    // Assignments, options, forms and connections.
    ["ACR_PASSWORD=a,hunter2;hunter2", "ACR_PASSWORD=…"],
    ["refresh_token=hunter2&scope=a", "refresh_token=…&scope=a"],
    ["AccountName=a;AccountKey=aHVudGVyMg==;EndpointSuffix=b", "AccountName=a;AccountKey=…;EndpointSuffix=b"],
    ["--set image.password=hunter2,replicas=2", "--set image.password=…,replicas=2"],
    [
      "--from-literal=username=me --from-literal=password=hunter2",
      "--from-literal=username=me --from-literal=password=…",
    ],
    [
      "Connect-AzContainerRegistry -UserName me -Password 'hunter2'",
      "Connect-AzContainerRegistry -UserName me -Password '…'",
    ],
    ["{'auth': ('me', 'hunter2'), 'url': 'a'}", "{'auth': ('me', '…'), 'url': 'a'}"],
    ['req.SetBasicAuth("me", "hunter2")', 'req.SetBasicAuth("me", "…")'],
    ['AUTH_REGISTRIES="reg.io:me:hunter2"', 'AUTH_REGISTRIES="reg.io:me:…"'],
    ["oci://me:hunter2@reg.io/a", "oci://me:…@reg.io/a"],
    ["machine reg.io login me password hunter2", "machine reg.io login me password …"],
    ["htpasswd -Bbn me hunter2 > file", "htpasswd -Bbn me …> file"],
    ['{"registrytoken": "hunter2"}', '{"registrytoken": "…"}'],
    // What commands print.
    ["terraform output -raw acr_password\nhunter2hunter2\n", "terraform output -raw acr_password\n…\n"],
    [
      "kubectl get secret a -o jsonpath='{.data.any}'\naHVudGVyMg==\n$ docker pull a",
      "kubectl get secret a -o jsonpath='{.data.any}'\n…\n$ docker pull a",
    ],
    ["echo 'aHVudGVyMg==' | base64 -d\nhunter2", "echo '…' | base64 -d\n…"],
    ["##vso[task.setvariable variable=a;issecret=true]hunter2", "##vso[task.setvariable variable=a;issecret=true]…"],
    ["-----BEGIN PRIVATE KEY-----\nhunter2\n-----END", "-----BEGIN PRIVATE KEY-----…-----END"],
    ['$ terraform output acr_password\n"hunter2hunter2"\n', '$ terraform output acr_password\n"…"\n'],
    ["+ echo hunter2\n+ docker login --password-stdin a", "+ echo …\n+ docker login --password-stdin a"],
    ["+ docker login --password-stdin a\n+ echo hunter2", "+ docker login --password-stdin a\n+ echo …"],
    [
      "az acr token show -n a -r r --query scopeMapId -o tsv\n/subscriptions/a/b",
      "az acr token show -n a -r r --query scopeMapId -o tsv\n/subscriptions/a/b",
    ],
    // Lists of words, and line ends in two letters.
    ['["login","-u","me","-p","hunter2","reg.io"]', '["login","-u","me","-p","…","reg.io"]'],
    ["args:\n  - --password\n  - hunter2", "args:\n  - --password\n  - …"],
    ["b'Host: a\\r\\nAuthorization: Bearer hunter2\\r\\n'", "b'Host: a\\r\\nAuthorization: Bearer …\\r\\n'"],
    ['{"log":"a\\npassword=hunter2\\n"}', '{"log":"a\\npassword=…"}'],
    ["password%3Dhunter2&a", "password%3D…&a"],
    ["a%26password%3Dhunter2&b", "a%26password%3D…&b"],
    ["https://a/#access_token=hunter2&x=1", "https://a/#access_token=…&x=1"],
    ['{"name":"Cookie","value":"a=hunter2"}', '{"name":"Cookie","value":"…"}'],
    ["{Username:me Password:hunter2 Auth:bWU6}", "{Username:me Password:… Auth:…"],
    [
      "kubectl create secret generic a --from-literal=any=hunter2 --from-literal=url=reg.io",
      "kubectl create secret generic a --from-literal=any=… --from-literal=url=reg.io",
    ],
    ["kubectl create configmap a --from-literal=any=thing", "kubectl create configmap a --from-literal=any=thing"],
    // Values that are not secrets, or hidden already.
    ['"parameters": {"reg": {"value": "contoso"}}', '"parameters": {"reg": {"value": "contoso"}}'],
    ['"parameters": {"acrPassword": {"value": "hunter2"}}', '"parameters": {"acrPassword": {"value": "…"}}'],
    ['"a": {"sensitive": true, "value": "hunter2"}', '"a": {"sensitive": true, "value": "…"}'],
    ["password: ***", "password: ***"],
    ['password: ""', 'password: ""'],
    ["+ value = (sensitive value)", "+ value = (sensitive value)"],
    ["password: {{ .Values.password }}", "password: {{ .Values.password }}"],
    ["imagePullSecret: acr-pull", "imagePullSecret: acr-pull"],
    ['Www-Authenticate: Basic realm="a"', 'Www-Authenticate: Basic realm="a"'],
    ["secretKeyRef: {name: acr-creds, key: password}", "secretKeyRef: {name: acr-creds, key: password}"],
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

/**
 * Begins of places, without their content, and places that a backtracking reader would try
 * in many ways.
 */
const OPEN = [
  ...[
    "password: ",
    "PASSWORD=",
    '"value":"',
    "'value':'",
    '\\"auth\\":\\"',
    "a.b.c.password",
    "pass.",
    "x=",
    "[[",
    "{{",
  ],
  ...[
    "password\n--\n",
    "password\n--",
    "value\n-- -- -- -- --",
    "password: |\n a\n",
    "secret:",
    "***",
    "%w%",
    "(sensitive",
  ],
  ...["authorization: ", "a-authorization", "cookie: ", "cookie", "basic a", "auth('a',", "auth=a:", "AUTH_", "bearer"],
  ...[
    "docker run -p ",
    "mkdir ",
    "login -p",
    "login <<A\n",
    "echo a|",
    "<<<",
    "htpasswd -b a ",
    '-u "a',
    "machine a login b ",
  ],
  ...[
    "az token -o tsv\n",
    "terraform output -raw secret\n",
    "base64 -d\n",
    "kind: Secret\ndata:\n a: b\n",
    "kind: Secret {data:{",
  ],
  ...[
    "A".repeat(64),
    `${"A".repeat(64)}\n`,
    "eyJhbGciOiJFUzI1NiJ9\n",
    "eyJhbGciOiJFUzI1NiJ9.",
    "https://a:",
    "https://a",
    "a:b@",
  ],
];

test.each(["", "password=", '"password": "', "eyJhbGciOiJFUzI1NiJ9.eyJ", "Cookie: "])(
  "ten megabytes behind %j",
  { timeout: 120_000 },
  (before) => {
    for (const piece of ["x", "eyJ", `${"A".repeat(64)}\n`])
      withoutSecrets(before + piece.repeat((10 << 20) / piece.length));
  },
);

test.each(OPEN)("a megabyte of %j", { timeout: 120_000 }, (piece) => {
  const text = piece.repeat(Math.ceil((1 << 20) / piece.length));
  expect(withoutSecrets(text).length).toBeLessThanOrEqual(text.length + 1);
});
