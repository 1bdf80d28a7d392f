// Our engine in V8, and the peers that run there: the same questions as everybody's, after the same comparison. Prints lines of CSV.
//
// node measure.mjs QUESTIONS.json ENGINE.wasm PACKAGE BATCH_MS ROUNDS [OPA]

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [file, enginePath, packagePath, batchMs, rounds, opa] = process.argv.slice(2);
const maps = JSON.parse(readFileSync(file, "utf8"));
const engineBytes = readFileSync(enginePath);
const encoder = new TextEncoder();
const remark = (text) => console.log(`# ${text}`);

/** Every engine: what it is called, and how it is prepared for a map; that gives a function from a question to whether it may. */
const engines = [
  ["scopegate", "node", ours],
  ["scopegate", "node package", ourPackage],
  ...(await cedar()),
  ...(await regoInWasm()),
];

/** A scope's bytes go into the engine's input, and the granted actions come back as nibbles. */
function ours(map) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(engineBytes), {});
  const write = (...texts) => {
    const bytes = texts.map((text) => (typeof text === "string" ? encoder.encode(text) : text));
    let address = exports.scopegate_input(bytes.reduce((sum, part) => sum + part.length, 0)) >>> 0;
    for (const part of bytes) {
      new Uint8Array(exports.memory.buffer).set(part, address);
      address += part.length;
    }
    return bytes.map((part) => part.length);
  };
  const compiled = exports.scopegate_table_compile(...write(map.actions.join("\n")));
  const [address, length] = [Number(compiled >> 32n), Number(compiled & 0xffffffffn)];
  const table = new Uint8Array(exports.memory.buffer).slice(address, address + length);
  const handle = Number(exports.scopegate_table_load(...write("", table)) & 0xffffffffn);
  // The memory grows no more, so one view of the input serves every question.
  const input = new Uint8Array(exports.memory.buffer, exports.scopegate_input(4096) >>> 0, 4096);
  const nibble = { pull: 1, push: 2 };
  return (question) => {
    const { written } = encoder.encodeInto(question.scope, input);
    for (let granted = exports.scopegate_granted(handle, written, 0); granted !== 0; granted >>>= 4) {
      if ((granted & 15) === nibble[question.action]) return true;
    }
    return false;
  };
}

/** The package, whose answer is an object with everything about the request. */
async function ourPackage(map) {
  const { Principal } = await import(pathToFileURL(join(packagePath, "node.js")));
  const principal = new Principal();
  principal.add("my-map", map.actions);
  return (question) => {
    const { access } = principal.claims(question.scope);
    return access.some((entry) => entry.actions.includes(question.action));
  };
}

/** Cedar, with policies that were parsed beforehand: `stateful` in its words. Entities travel with each call; there is no other way. */
async function cedar() {
  let wasm;
  try {
    wasm = await import("@cedar-policy/cedar-wasm/nodejs");
  } catch {
    remark("cedar-wasm: missing");
    return [];
  }
  const uid = (type, id) => ({ type, id });
  const ask = (id, question, attrs, token) => {
    const answer = wasm.statefulIsAuthorized({
      principal: uid("Token", "t"),
      action: uid("Action", question.action),
      resource: uid("Repository", question.name),
      context: {},
      preparsedPolicySetId: id,
      entities: [
        { uid: uid("Token", "t"), attrs: token, parents: [] },
        { uid: uid("Repository", question.name), attrs, parents: [] },
      ],
    });
    if (answer.type !== "success") throw new Error(JSON.stringify(answer));
    return answer.response.decision === "allow";
  };
  const preparse = (id, text) => {
    const answer = wasm.preparsePolicySet(id, { staticPolicies: text });
    if (answer.type !== "success") throw new Error(JSON.stringify(answer));
  };
  const natural = (map) => {
    const policies = rulesOf(map).map(({ pattern, action }) => {
      const scope = `principal, action == Action::"${action}", resource`;
      return pattern.endsWith("/*")
        ? `permit(${scope}) when { resource.name like "${pattern}" };`
        : `permit(${scope} == Repository::"${pattern}");`;
    });
    preparse(`natural-${map.rules}`, policies.join("\n"));
    return (question) => ask(`natural-${map.rules}`, question, { name: question.name }, {});
  };
  // The patterns stand in the policies: as an entity they would travel with each call.
  const best = (map) => {
    const policies = ["pull", "push"].map((action) => {
      const patterns = rulesOf(map).filter((rule) => rule.action === action).map((rule) => rule.pattern);
      return `permit(principal, action == Action::"${action}", resource) when { resource.keys.containsAny(${JSON.stringify([...new Set(patterns)])}) };`;
    });
    preparse(`best-${map.rules}`, policies.join("\n"));
    return (question) => ask(`best-${map.rules}`, question, { keys: question.keys }, {});
  };
  return [
    ["cedar-wasm", "natural", natural],
    ["cedar-wasm", "best", best],
  ];
}

/** Rego, compiled to WebAssembly by OPA, where there is one. */
async function regoInWasm() {
  let library;
  try {
    if (!opa) throw new Error("no compiler");
    library = await import("@open-policy-agent/opa-wasm");
  } catch {
    remark("opa-wasm: missing, it needs OPA to compile a policy, and that a Go to be built with");
    return [];
  }
  const { loadPolicy } = library.default ?? library;
  const compile = (policy) => {
    const folder = mkdtempSync(join(tmpdir(), "opa-"));
    try {
      writeFileSync(join(folder, "policy.rego"), policy);
      execFileSync(opa, ["build", "-t", "wasm", "-e", "registry/allow", "-o", "bundle.tar.gz", "policy.rego"], { cwd: folder });
      execFileSync("tar", ["xzf", "bundle.tar.gz", "/policy.wasm"], { cwd: folder, stdio: "ignore" });
      return readFileSync(join(folder, "policy.wasm"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const prepared = async (policy, data, input) => {
    const loaded = await loadPolicy(compile(`package registry\nimport rego.v1\ndefault allow := false\n${policy}`));
    loaded.setData(data);
    return (question) => loaded.evaluate(input(question))[0].result;
  };
  const natural = (map) =>
    prepared(
      `allow if {
  some rule in data.rules
  rule.action == input.action
  covers(rule.pattern, input.name)
}
covers(pattern, name) if pattern == name
covers(pattern, name) if {
  endswith(pattern, "/*")
  startswith(name, trim_suffix(pattern, "*"))
}`,
      { rules: rulesOf(map) },
      ({ name, action }) => ({ name, action }),
    );
  const best = (map) => {
    const patterns = { pull: {}, push: {}, metadata_read: {} };
    for (const { pattern, action } of rulesOf(map)) patterns[action][pattern] = true;
    return prepared(
      `allow if {
  some key in input.keys
  data.patterns[input.action][key]
}`,
      { patterns },
      ({ keys, action }) => ({ keys, action }),
    );
  };
  return [
    ["opa-wasm", "natural", natural],
    ["opa-wasm", "best", best],
  ];
}

/** The rules of a map, each with the action that tokens know. */
function rulesOf(map) {
  const actions = { "content/read": "pull", "content/write": "push", "metadata/read": "metadata_read" };
  return map.actions.map((text) => {
    const [, pattern, permission] = /^repositories\/(.*)\/(\w+\/\w+)$/.exec(text);
    return { pattern, action: actions[permission] };
  });
}

const withScopes = (questions) =>
  questions.map((question) => ({ ...question, scope: `repository:${question.name}:pull,push` }));

/** How long so many calls took, in milliseconds. */
function time(may, questions, calls) {
  const begun = process.hrtime.bigint();
  for (let call = 0; call < calls; call++) may(questions[call % questions.length]);
  return Number(process.hrtime.bigint() - begun) / 1e6;
}

function calibrate(may, questions) {
  let calls = 1;
  for (;;) {
    const took = time(may, questions, calls);
    if (took >= Number(batchMs)) return calls;
    calls = Math.max(calls + 1, Math.floor(calls * Math.min(100, (Number(batchMs) / took) * 1.1)));
  }
}

for (const map of maps) {
  const [compared, timed] = [withScopes(map.compared), withScopes(map.timed)];
  const cases = [];
  for (const [name, how, prepare] of engines) {
    const may = await prepare(map);
    const differs = compared.find((question) => may(question) !== question.may);
    if (differs) {
      console.error(`${name} ${how}: void: ${map.rules} rules, ${JSON.stringify(differs)}`);
      remark(`decide, ${name} ${how}, ${map.rules} rules: void, it differs about ${differs.action} of ${differs.name}`);
      continue;
    }
    cases.push({ name, how, may, calls: calibrate(may, timed), samples: [] });
  }
  for (let round = 0; round < Number(rounds); round++) {
    for (const each of cases) {
      each.samples.push((time(each.may, timed, each.calls) * 1e6) / each.calls);
    }
  }
  for (const { name, how, samples } of cases) {
    console.log(`decide,${name},${how},${map.rules},${samples.map((sample) => sample.toFixed(2)).join(" ")}`);
  }
}

/** What a call of the engine takes before it is a call: a text becomes bytes in memory. */
function encoding() {
  const timed = withScopes(maps.at(-1).timed);
  const input = new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer);
  const encode = (question) => encoder.encodeInto(question.scope, input).written > 0;
  const calls = calibrate(encode, timed);
  const samples = Array.from({ length: Number(rounds) }, () => (time(encode, timed, calls) * 1e6) / calls);
  console.log(`sandbox,the text of a scope into memory,node,0,${samples.map((sample) => sample.toFixed(2)).join(" ")}`);
}
encoding();

/** Bytes of a module: as it is, after gzip, after brotli. */
function size(name, path) {
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch {
    remark(`size of ${name}: missing`);
    return;
  }
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  console.log(`size,${name},module,0,${bytes.length} ${gzipSync(bytes, { level: 9 }).length} ${brotli.length}`);
}

const here = new URL(".", import.meta.url).pathname;
size("scopegate engine", enginePath);
size("scopegate package", join(packagePath, "scopegate_bg.wasm"));
size("scopegate filter for Envoy", join(here, "../../target/envoy-filter/scopegate.wasm"));
size("cedar-wasm", join(here, "node_modules/@cedar-policy/cedar-wasm/nodejs/cedar_wasm_bg.wasm"));
