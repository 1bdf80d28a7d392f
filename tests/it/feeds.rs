//! The corpus of tokens in their parts, of key sets and of revocations, natively and through the
//! Worker's module in wasmtime; the Worker's own tests run the same files in V8.
//! `tests/cases/README.md` specifies them.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scopegate_api::abi::Failure;
use scopegate_edge::accept;
use scopegate_edge::jwks::{KeySetError, Material, issuer_keys};
use scopegate_edge::jws::{Jws, decode};
use scopegate_edge::revocation::{FeedError, Revocations, read};
use serde_json::{Value, json};
use wasmtime::{Engine, Instance, Memory, Module, Store};

/// The cases of a folder.
fn cases(kind: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(kind);
    let mut cases = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let text = fs::read(entry.unwrap().path()).unwrap();
        let mut file: Value = serde_json::from_slice(&text).unwrap();
        cases.append(file["cases"].as_array_mut().unwrap());
    }
    assert!(cases.iter().all(|case| case["why"].is_string()));
    cases
}

/// The claims of a token with these beside the ones that every token has.
fn payload(own: &Value) -> Vec<u8> {
    let mut claims = json!({ "jti": "j", "sub": "t", "nbf": 1, "iat": 1, "exp": 2, "iss": "i", "aud": "r", "version": "1.0",
        "rid": "0", "access": [], "roles": [], "grant_type": "access_token" });
    let own = own.as_object().unwrap().clone();
    claims.as_object_mut().unwrap().extend(own);
    claims.to_string().into_bytes()
}

/// Who answers about tokens, sets and feeds.
trait Executor {
    /// Algorithm, id of the key, payload and signature.
    fn parts(&mut self, token: &str) -> Option<[Vec<u8>; 4]>;
    /// The keys that verify, or the word for why there is none.
    fn keys(&mut self, set: &str) -> Result<Value, String>;
    /// Begins with nothing known.
    fn start(&mut self);
    /// What became of an answer of the feed, and the revision that is known then.
    fn ingest(&mut self, feed: &str) -> (String, u64);
    fn is_revoked(&mut self, payload: &[u8]) -> bool;
}

fn run(executor: &mut dyn Executor) {
    let sets = cases("keys");
    assert!(sets.len() >= 50, "{} sets", sets.len());
    for case in &sets {
        let expected = match case.get("keys") {
            Some(keys) => Ok(keys.clone()),
            None => Err(case["refused"].as_str().unwrap().to_owned()),
        };
        assert_eq!(executor.keys(case["set"].as_str().unwrap()), expected, "{}", case["why"]);
    }
    for case in cases("jws") {
        let parts = executor.parts(case["token"].as_str().unwrap());
        let expected = case.get("refused").is_none().then(|| parts_of(&case));
        assert_eq!(parts, expected, "{}", case["why"]);
    }
    for case in cases("revocation") {
        executor.start();
        for step in case["steps"].as_array().unwrap() {
            let name = format!("{} {}", case["why"], step["feed"]);
            let (outcome, revision) = executor.ingest(step["feed"].as_str().unwrap());
            assert_eq!(
                (json!(outcome), json!(revision)),
                (step["outcome"].clone(), step["revision"].clone()),
                "{name}"
            );
            for (list, expected) in [("revoked", true), ("good", false)] {
                for claims in step.get(list).and_then(Value::as_array).into_iter().flatten() {
                    assert_eq!(executor.is_revoked(&payload(claims)), expected, "{name} {claims}");
                }
            }
        }
    }
}

/// The parts that a case expects.
fn parts_of(case: &Value) -> [Vec<u8>; 4] {
    let text = |name: &str| case[name].as_str().unwrap().as_bytes().to_vec();
    let signature = URL_SAFE_NO_PAD.decode(text("signature")).unwrap();
    [text("algorithm"), text("kid"), text("payload"), signature]
}

#[derive(Default)]
struct Native(Revocations);

impl Executor for Native {
    fn parts(&mut self, token: &str) -> Option<[Vec<u8>; 4]> {
        let jws = Jws::read(token).ok()?;
        let (payload, signature) = (jws.payload()?, decode(jws.signature)?);
        Some([jws.algorithm.into_bytes(), jws.kid?.into_bytes(), payload, signature])
    }

    fn keys(&mut self, set: &str) -> Result<Value, String> {
        let keys =
            issuer_keys(set.as_bytes()).map_err(|error: KeySetError| error.code().to_owned())?;
        Ok(keys
            .into_iter()
            .map(|(kid, algorithm, material)| {
                let alg = algorithm.name();
                match material {
                    Material::P256 { x, y } => {
                        json!({ "kid": kid, "alg": alg, "kty": "EC", "crv": "P-256", "x": x, "y": y })
                    }
                    Material::Rsa { n, e } => json!({ "kid": kid, "alg": alg, "kty": "RSA", "n": n, "e": e }),
                    Material::Ed25519 { x } => {
                        json!({ "kid": kid, "alg": alg, "kty": "OKP", "crv": "Ed25519", "x": x })
                    }
                    Material::P384 { .. } => panic!("no algorithm of ours"),
                }
            })
            .collect())
    }

    fn start(&mut self) {
        self.0 = Revocations::default();
    }

    fn ingest(&mut self, feed: &str) -> (String, u64) {
        let update = read(feed.as_bytes()).ok_or(FeedError::Unreadable);
        let taken = update.and_then(|update| self.0.ingest(update));
        let word = taken.map_or_else(FeedError::code, |()| "taken");
        (word.to_owned(), self.0.revision().try_into().unwrap())
    }

    fn is_revoked(&mut self, payload: &[u8]) -> bool {
        accept::read(payload).map_or(true, |claims| self.0.has_revoked(&claims))
    }
}

/// The module behind its raw boundary.
struct Boundary {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    handle: Option<u32>,
}

impl Boundary {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/engine/worker.wasm");
        let bytes =
            fs::read(path).expect("the Worker's module is not built: run `cargo xtask worker`");
        let engine = Engine::default();
        let module = Module::new(&engine, bytes).unwrap();
        assert_eq!(module.imports().count(), 0);
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Self { store, instance, memory, handle: None }
    }

    /// A call with a text, perhaps behind a handle.
    fn call(&mut self, name: &str, handle: Option<u32>, text: &[u8]) -> u64 {
        let (store, length) = (&mut self.store, u32::try_from(text.len()).unwrap());
        let input = self.instance.get_typed_func::<u32, u32>(&mut *store, "scopegate_input");
        let address = input.unwrap().call(&mut *store, length).unwrap();
        self.memory.write(&mut *store, address as usize, text).unwrap();
        let result = match handle {
            None => {
                let export = self.instance.get_typed_func::<u32, u64>(&mut *store, name);
                export.unwrap().call(&mut *store, length)
            }
            Some(handle) => {
                let export = self.instance.get_typed_func::<(u32, u32), u64>(&mut *store, name);
                export.unwrap().call(&mut *store, (handle, length))
            }
        };
        result.unwrap()
    }

    fn bytes(&self, result: u64) -> Vec<u8> {
        assert_eq!(Failure::unpack(result), None);
        let (address, len) = ((result >> 32) as usize, result as u32 as usize);
        self.memory.data(&self.store)[address..address + len].to_vec()
    }

    fn text(&self, result: u64) -> String {
        String::from_utf8(self.bytes(result)).unwrap()
    }

    fn known(&self) -> u32 {
        self.handle.unwrap()
    }
}

impl Executor for Boundary {
    fn parts(&mut self, token: &str) -> Option<[Vec<u8>; 4]> {
        let result = self.call("scopegate_signed_parts", None, token.as_bytes());
        let bytes = self.bytes(result);
        let (lengths, mut rest) = bytes.split_at_checked(12)?;
        let mut cut = |length: &[u8]| {
            let length = u32::from_le_bytes(length.try_into().unwrap());
            let (part, behind) = rest.split_at(length as usize);
            rest = behind;
            part.to_vec()
        };
        let parts = [cut(&lengths[..4]), cut(&lengths[4..8]), cut(&lengths[8..])];
        let [algorithm, kid, payload] = parts;
        Some([algorithm, kid, payload, rest.to_vec()])
    }

    fn keys(&mut self, set: &str) -> Result<Value, String> {
        let result = self.call("scopegate_verifying_keys", None, set.as_bytes());
        let text = self.text(result);
        if text.starts_with('[') { Ok(serde_json::from_str(&text).unwrap()) } else { Err(text) }
    }

    fn start(&mut self) {
        if let Some(handle) = self.handle.take() {
            let drop = self
                .instance
                .get_typed_func::<u32, u64>(&mut self.store, "scopegate_revocations_drop");
            let drop = drop.unwrap();
            assert_eq!(drop.call(&mut self.store, handle).unwrap(), 0);
            let again = drop.call(&mut self.store, handle).unwrap();
            assert_eq!(Failure::unpack(again), Some(Failure::NoTable));
        }
        let new =
            self.instance.get_typed_func::<(), u64>(&mut self.store, "scopegate_revocations_new");
        let handle = new.unwrap().call(&mut self.store, ()).unwrap();
        self.handle = Some(handle as u32);
    }

    fn ingest(&mut self, feed: &str) -> (String, u64) {
        let result = self.call("scopegate_revocations_ingest", Some(self.known()), feed.as_bytes());
        let text = self.text(result);
        let mut lines = text.splitn(3, '\n');
        let (word, revision) = (lines.next().unwrap(), lines.next().unwrap());
        assert!(lines.next().is_some(), "no line for the epoch: {text}");
        (word.to_owned(), revision.parse().unwrap())
    }

    fn is_revoked(&mut self, payload: &[u8]) -> bool {
        match self.call("scopegate_revocations_has", Some(self.known()), payload) {
            0 => false,
            1 => true,
            other => panic!("{other}"),
        }
    }
}

#[test]
fn natively() {
    run(&mut Native::default());
}

#[test]
fn through_the_workers_module() {
    run(&mut Boundary::new());
}

/// Of the module's goal of 140 KB, with all rules of an edge in it.
#[test]
fn the_workers_module_is_small() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/engine/worker.wasm");
    let bytes = fs::metadata(path).expect("run `cargo xtask worker`").len();
    assert!(bytes <= 140_000, "{bytes} bytes");
}
