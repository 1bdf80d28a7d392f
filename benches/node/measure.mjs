// Our engine in V8, and the peers that run there: the same questions as everybody's, after the same
// comparison. Prints lines of CSV.
//
// node measure.mjs QUESTIONS.json ENGINE.wasm PACKAGE BATCH_MS ROUNDS [OPA]

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [file, enginePath, packagePath, batchMs, rounds, opa] = process.argv.slice(2);
const { maps, steps } = JSON.parse(readFileSync(file, "utf8"));
const engineBytes = readFileSync(enginePath);
const encoder = new TextEncoder();
/** Milliseconds that a case is called before it is measured. */
const WARM_MS = 200;
/** The high half of a result that is an error. */
const FAILED = 0xffffffffn;
/** The handle of the table that is loaded first, as the engine reads it. */
const HANDLE = new Uint8Array(4);
/** Bytes of the input. */
const INPUT = 1 << 17;
const remark = (text) => console.log(`# ${text}`);

/**
 * Every engine: what it is called, and how it is prepared for a map; that gives a function from a
 * question to whether it may.
 */
const engines = [
  ["scopegate", "node", ours],
  ["scopegate", "node package", ourPackage],
  ...(await cedar()),
  ...(await regoInWasm()),
];

/** The engine with a map's table, whose handle is 0, and how texts come to it. */
function engineWith(actions) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(engineBytes), {});
  // Asked for once, for as much as anything here needs. The memory may grow, and then its old
  // buffer is empty.
  const place = exports.scopegate_input(INPUT) >>> 0;
  const view = () => new Uint8Array(exports.memory.buffer, place, INPUT);
  let input = view();
  const room = () => (input.length === INPUT ? input : (input = view()));
  const engine = {
    exports,
    view,
    /** Puts a text into the input, behind what is there, and gives its length. */
    write: (text, behind = 0) => encoder.encodeInto(text, behind === 0 ? room() : room().subarray(behind)).written,
    writeBytes: (bytes) => (room().set(bytes), bytes.length),
    /** What a call gave that may be refused, which here nothing is. */
    checked(result) {
      if (result >> 32n === FAILED) throw new Error(`the engine refuses: ${result.toString(16)}`);
      return result;
    },
    /** The bytes that a call gave. */
    taken(result) {
      const [address, length] = [Number(engine.checked(result) >> 32n), Number(result & 0xffffffffn)];
      return new Uint8Array(exports.memory.buffer, address, length).slice();
    },
  };
  engine.table = engine.taken(exports.scopegate_table_compile(engine.write(actions.join("\n"))));
  if (exports.scopegate_table_load(0, engine.writeBytes(engine.table)) !== 0n) throw new Error("another handle");
  return engine;
}

/** The granted actions come back as nibbles. */
function ours(map) {
  const { exports, view } = engineWith(map.actions);
  // A decision takes no memory, so one view of the input serves every question.
  const input = view();
  const nibble = { pull: 1, push: 2 };
  return (question) => {
    const { written } = encoder.encodeInto(question.scope, input);
    for (let granted = exports.scopegate_granted(0, written, 0); granted !== 0; granted >>>= 4) {
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

/**
 * Cedar, with policies that were parsed beforehand: `stateful` in its words. Entities travel with
 * each call; there is no other way.
 */
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
function time({ run, asked }, calls) {
  const begun = process.hrtime.bigint();
  for (let call = 0; call < calls; call++) run(asked[call % asked.length]);
  return Number(process.hrtime.bigint() - begun) / 1e6;
}

/**
 * How many calls take so long. Before they are counted V8 has compiled them well, which it does
 * beside them, on the same core.
 */
function calibrate(each) {
  for (let warm = 0; warm < WARM_MS; ) warm += time(each, 100);
  let calls = 1;
  for (;;) {
    const took = time(each, calls);
    if (took >= Number(batchMs)) return calls;
    calls = Math.max(calls + 1, Math.floor(calls * Math.min(100, (Number(batchMs) / took) * 1.1)));
  }
}

/** Measures each case in every round, in turn. */
function inTurns(cases) {
  const measured = cases.map((each) => ({ ...each, calls: calibrate(each), samples: [] }));
  for (let round = 0; round < Number(rounds); round++) {
    for (const each of measured) each.samples.push((time(each, each.calls) * 1e6) / each.calls);
  }
  return measured;
}

function print({ row, samples }) {
  console.log(`${row},${samples.map((sample) => sample.toFixed(2)).join(" ")}`);
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
    cases.push({ row: `decide,${name},${how},${map.rules}`, run: may, asked: timed });
  }
  for (const each of inTurns(cases)) print(each);
}

/** The steps that `hosts.rs` takes natively and in wasmtime, by the engine's exports. */
function byExports({ actions, scopes, together, method, target, access, required }) {
  const { exports, write, writeBytes, checked, taken, table } = engineWith(actions);
  // A number of what is granted alone does not tell a refusal from nothing, so that is asked
  // beforehand.
  for (const scope of scopes) checked(exports.scopegate_decide(0, write(scope), 0));
  const writeHandle = () => writeBytes(HANDLE);
  const text = actions.join("\n");
  return {
    decide: (scope) => exports.scopegate_granted(0, write(scope), 0),
    "decide 20 in one call": () => taken(exports.scopegate_decide_batch(0, write(together), 0)),
    "claims of 20 scopes": () => taken(exports.scopegate_claims(1, write(together, writeHandle()), 0)),
    explain: (scope) => taken(exports.scopegate_explain(1, write(scope, writeHandle()), 0)),
    route() {
      const length = write(method);
      return taken(exports.scopegate_route(length, write(target, length), 0));
    },
    verify() {
      const length = write(access);
      return taken(exports.scopegate_verify(length, write(required, length), 0));
    },
    compile: () => taken(exports.scopegate_table_compile(write(text))),
    load() {
      const handle = checked(exports.scopegate_table_load(0, writeBytes(table)));
      return checked(exports.scopegate_table_drop(Number(handle)));
    },
  };
}

/**
 * The same by the package, which gives objects. What it adds is compiled and loaded at once, and
 * it has no decision without everything about it.
 */
async function byPackage({ actions, together, method, target, access, required }) {
  const { Principal, route, verify } = await import(pathToFileURL(join(packagePath, "node.js")));
  const principal = new Principal();
  principal.add("my-map", actions);
  const [entries, needed] = [access.split("\n"), [required]];
  return {
    decide: (scope) => principal.claims(scope),
    "claims of 20 scopes": () => principal.claims(together),
    explain: (scope) => principal.explain(scope),
    route: () => route(method, target, "acr"),
    verify: () => verify(entries, needed, "acr"),
    compile() {
      const other = new Principal();
      other.add("my-map", actions);
      other.free();
    },
  };
}

/** What a call of the engine takes before it is a call: a text becomes bytes in memory. */
function encoding() {
  const input = new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer);
  return (scope) => encoder.encodeInto(scope, input).written;
}

const groups = [
  ["place", "node", 500, byExports(steps)],
  ["place", "node package", 500, await byPackage(steps)],
  ["sandbox", "node", 0, { "the text of a scope into memory": encoding() }],
];
const cases = groups.flatMap(([group, how, rules, named]) =>
  Object.entries(named).map(([name, run]) => ({ row: `${group},${name},${how},${rules}`, run, asked: steps.scopes })),
);
for (const each of inTurns(cases)) print(each);

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
