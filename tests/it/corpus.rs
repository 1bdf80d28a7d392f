//! The corpus, through three executors: the engine natively, its WebAssembly module in wasmtime,
//! and the same module in Node's V8.
//!
//! Each executor turns the same files into a stream of lines, one a case. The streams are compared
//! byte by byte with what the files expect, and so with each other. `tests/cases/README.md`
//! specifies the files.
//!
//! Patterns are no part of the boundary, so they run natively alone.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use scopegate_api::abi::{pack_credential, pack_settings, write_access};
use scopegate_api::decision::DecisionReport;
use scopegate_core::admission::{Admission, Authority, Credential, Request, admit};
use scopegate_core::route::Settings as RouteSettings;
use scopegate_core::route::{Profile, Untag, route};
use scopegate_core::verify::Grant;
use scopegate_core::{
    Catalog, Error, ErrorKind, Pattern, ScopeList, ScopeMap, Settings, Table, claims,
};
use scopegate_edge::accept::LEEWAY;
use scopegate_edge::{Epoch, Expected, accept};
use scopegate_runtime::{Acceptance, ENGINE_WASM, Limits, Runtime};
use scopegate_tests::sameness::answers::parts;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecideFile {
    #[serde(rename = "about")]
    _about: String,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    map: Vec<String>,
    #[serde(default)]
    catalog: Option<String>,
    cases: Vec<DecideCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecideCase {
    why: String,
    scope: Vec<String>,
    access: Vec<String>,
    #[serde(default)]
    denied: Vec<String>,
    #[serde(default)]
    invalid: Vec<InvalidCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvalidCase {
    scope: String,
    error: String,
    position: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile<T> {
    #[serde(rename = "about")]
    _about: String,
    cases: Vec<T>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteCase {
    why: String,
    method: String,
    target: String,
    #[serde(default)]
    profile: Option<String>,
    #[serde(default)]
    untag: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    path: String,
    #[serde(default)]
    refused: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdmitCase {
    why: String,
    method: String,
    target: String,
    credential: CredentialCase,
    #[serde(default)]
    content_types: Vec<String>,
    #[serde(default)]
    profile: Option<String>,
    #[serde(default)]
    untag: Option<String>,
    #[serde(default)]
    forward: Option<String>,
    #[serde(default)]
    sends: Option<String>,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptFile {
    #[serde(rename = "about")]
    _about: String,
    payload: String,
    issuer: String,
    service: String,
    now: u64,
    cases: Vec<AcceptCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptCase {
    why: String,
    #[serde(default)]
    change: Vec<(String, String)>,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    now: Option<u64>,
    #[serde(default)]
    accepted: Option<Vec<String>>,
    #[serde(default)]
    until: u64,
    #[serde(default)]
    refused: Option<String>,
}

/// A case with what its file says for all.
struct Acceptable<'c> {
    case: &'c AcceptCase,
    payload: String,
    issuer: &'c str,
    service: &'c str,
    now: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CredentialCase {
    None(NoCredential),
    Entries(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum NoCredential {
    Absent,
    Invalid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternCase {
    why: String,
    pattern: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    position: usize,
}

/// The files of one kind, sorted by name.
fn files(kind: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(kind);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

fn parse<T: for<'de> Deserialize<'de>>(name: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// One line of a stream: what became of the case with this name. Whatever could end a line is
/// escaped.
fn line(stream: &mut String, name: &str, parts: &[String]) {
    let escaped: Vec<String> = parts.iter().map(|part| escape(part)).collect();
    writeln!(stream, "{name}\t{}", escaped.join("\t")).unwrap();
}

/// Everything but printable ASCII, and the backslash itself, as `\u{…}`.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' | '\u{7f}'.. | '\0'..'\u{20}' => {
                write!(escaped, "\\u{{{:x}}}", character as u32).unwrap();
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

fn error_text(error: Error) -> String {
    format!("{}@{}", error.kind().code(), error.position())
}

/// Calls `each` with the name, the group and the case of every decision.
fn each_decision(mut each: impl FnMut(&str, &Group, &DecideCase)) {
    for (file, text) in files("decide") {
        let parsed: DecideFile = parse(&file, &text);
        for (g, group) in parsed.groups.iter().enumerate() {
            for (c, case) in group.cases.iter().enumerate() {
                each(&format!("decide/{file}/{g}.{c}"), group, case);
            }
        }
    }
}

/// Calls `each` with the name and the case of every route.
fn each_route(mut each: impl FnMut(&str, &RouteCase)) {
    for (file, text) in files("route") {
        let parsed: CaseFile<RouteCase> = parse(&file, &text);
        for (c, case) in parsed.cases.iter().enumerate() {
            each(&format!("route/{file}/{c}"), case);
        }
    }
}

/// Calls `each` with the name and the case of every admission.
fn each_admission(mut each: impl FnMut(&str, &AdmitCase)) {
    for (file, text) in files("admit") {
        let parsed: CaseFile<AdmitCase> = parse(&file, &text);
        for (c, case) in parsed.cases.iter().enumerate() {
            each(&format!("admit/{file}/{c}"), case);
        }
    }
}

/// Calls `each` with the name and the case of every acceptance.
fn each_acceptance(mut each: impl FnMut(&str, &Acceptable<'_>)) {
    for (file, text) in files("accept") {
        let parsed: AcceptFile = parse(&file, &text);
        for (c, case) in parsed.cases.iter().enumerate() {
            let mut payload = parsed.payload.clone();
            for (from, to) in &case.change {
                assert!(payload.contains(from), "{file}/{c}: {from}");
                payload = payload.replacen(from, to, 1);
            }
            let acceptable = Acceptable {
                case,
                payload,
                issuer: case.issuer.as_deref().unwrap_or(&parsed.issuer),
                service: case.service.as_deref().unwrap_or(&parsed.service),
                now: case.now.unwrap_or(parsed.now),
            };
            each(&format!("accept/{file}/{c}"), &acceptable);
        }
    }
}

/// Where the clients of the corpus get their tokens.
const AUTHORITY: Authority<'_> =
    Authority { realm: "https://registry.example/oauth2/token", service: "registry.example" };

fn settings(group: &Group) -> Settings {
    let catalog =
        group.catalog.as_deref().map_or(Catalog::Root, |name| Catalog::parse(name).unwrap());
    Settings { catalog }
}

fn route_settings(profile: Option<&str>, untag: Option<&str>) -> RouteSettings {
    let profile = profile.map(|name| Profile::parse(name).unwrap());
    let untag = untag.map(|name| Untag::parse(name).unwrap());
    RouteSettings { profile: profile.unwrap_or_default(), untag: untag.unwrap_or_default() }
}

/// What the files say.
fn expected() -> String {
    let mut stream = String::new();
    each_decision(|name, _, case| {
        assert!(!case.why.is_empty(), "{name} says no why");
        let invalid: Vec<String> = case
            .invalid
            .iter()
            .map(|invalid| format!("{}@{}:{}", invalid.error, invalid.position, invalid.scope))
            .collect();
        line(&mut stream, name, &[case.access.join(" "), case.denied.join(" "), invalid.join(" ")]);
    });
    each_route(|name, case| {
        assert!(!case.why.is_empty(), "{name} says no why");
        let answer = match &case.refused {
            Some(code) => vec![format!("refused {code}")],
            None => vec![case.path.clone(), case.scopes.join(" ")],
        };
        line(&mut stream, name, &answer);
    });
    each_admission(|name, case| {
        assert!(!case.why.is_empty(), "{name} says no why");
        let answer = match &case.forward {
            Some(target) => {
                ["200".to_owned(), target.clone(), case.sends.clone().unwrap_or_default()]
            }
            None => [case.status.to_string(), case.challenge(), String::new()],
        };
        line(&mut stream, name, &answer);
    });
    each_acceptance(|name, Acceptable { case, .. }| {
        assert!(!case.why.is_empty(), "{name} says no why");
        let answer = match (&case.accepted, &case.refused) {
            (Some(access), None) => accepted(case.until, access.join("\n").as_str()),
            (None, Some(code)) => vec![code.clone()],
            _ => panic!("{name} is neither accepted nor refused"),
        };
        line(&mut stream, name, &answer);
    });
    stream
}

fn accepted(until: u64, access: &str) -> Vec<String> {
    vec!["accepted".to_owned(), until.to_string(), access.lines().collect::<Vec<_>>().join(" ")]
}

impl AdmitCase {
    /// The challenge that the case expects: nothing but a 401 has one.
    fn challenge(&self) -> String {
        if self.status != 401 {
            return String::new();
        }
        let Authority { realm, service } = AUTHORITY;
        let mut challenge = format!(r#"Bearer realm="{realm}",service="{service}""#);
        for (key, value) in [("scope", &self.scope), ("error", &self.error)] {
            if let Some(value) = value {
                write!(challenge, r#",{key}="{value}""#).unwrap();
            }
        }
        challenge
    }

    fn request(&self) -> Request<'_, impl Iterator<Item = (&[u8], &[u8])>> {
        let headers =
            self.content_types.iter().map(|value| (&b"Content-Type"[..], value.as_bytes()));
        Request { method: &self.method, target: &self.target, headers }
    }

    /// The access entries as the boundary takes them, one a line.
    fn credential(&self) -> Credential<String> {
        match &self.credential {
            CredentialCase::None(NoCredential::Absent) => Credential::Absent,
            CredentialCase::None(NoCredential::Invalid) => Credential::Invalid,
            CredentialCase::Entries(entries) => Credential::Valid(entries.join("\n")),
        }
    }
}

fn native() -> String {
    let mut stream = String::new();
    each_decision(|name, group, case| {
        let map = ScopeMap::parse(group.map.iter().map(String::as_str)).unwrap();
        let table = Table::compile([&map]).unwrap();
        let request = ScopeList::parse(case.scope.iter().map(String::as_str)).unwrap();
        let claims = claims([&table], &request, &settings(group));
        line(&mut stream, name, &parts(&DecisionReport::new(&request, &claims)));
    });
    each_route(|name, case| {
        let answer = match route(
            &case.method,
            &case.target,
            &route_settings(case.profile.as_deref(), case.untag.as_deref()),
        ) {
            Ok(route) => vec![route.path.to_string(), route.to_string()],
            Err(error) => vec![format!("refused {}", error.kind().code())],
        };
        line(&mut stream, name, &answer);
    });
    each_admission(|name, case| {
        let credential = case.credential();
        let credential = match &credential {
            Credential::Absent => Credential::Absent,
            Credential::Invalid => Credential::Invalid,
            Credential::Valid(entries) => {
                Credential::Valid(entries.lines().filter_map(Grant::read))
            }
        };
        let settings = route_settings(case.profile.as_deref(), case.untag.as_deref());
        let answer = match admit(case.request(), credential, AUTHORITY, &settings) {
            Admission::Forward(forward) => [
                "200".to_owned(),
                forward.target.into_owned(),
                forward.content_type.unwrap_or_default().to_owned(),
            ],
            Admission::Refusal(refusal) => {
                let challenge = refusal.challenge.unwrap_or_default();
                [refusal.status.to_string(), challenge, String::new()]
            }
        };
        line(&mut stream, name, &answer);
    });
    each_acceptance(|name, acceptable| {
        let Acceptable { payload, issuer, service, now, .. } = acceptable;
        let expected = Expected { issuer, service, epoch: Epoch::Unknown, now: *now };
        let answer = match accept(payload.as_bytes(), &expected) {
            Ok(claims) => accepted(claims.exp + LEEWAY, &write_access(&claims.access)),
            Err(error) => vec![error.code().to_owned()],
        };
        line(&mut stream, name, &answer);
    });
    stream
}

fn in_wasmtime() -> String {
    let runtime =
        Runtime::with_cache(Path::new(env!("CARGO_TARGET_TMPDIR")), Limits::default()).unwrap();
    let mut stream = String::new();
    each_decision(|name, group, case| {
        let table = runtime.compile("", group.map.iter().map(String::as_str)).unwrap();
        let scopes: Vec<&str> = case.scope.iter().map(String::as_str).collect();
        let report = runtime.claims(&[&table], &scopes, &settings(group)).unwrap();
        line(&mut stream, name, &parts(&report));
    });
    each_route(|name, case| {
        let answer = match runtime.route(
            &case.method,
            &case.target,
            &route_settings(case.profile.as_deref(), case.untag.as_deref()),
        ) {
            Ok(route) => vec![route.path, route.scopes],
            Err(scopegate_runtime::Error::Refused(scopegate_api::abi::Failure::Refused(error))) => {
                vec![format!("refused {}", error.kind().code())]
            }
            Err(error) => panic!("{name}: {error}"),
        };
        line(&mut stream, name, &answer);
    });
    each_admission(|name, case| {
        let credential = case.credential();
        let credential = match &credential {
            Credential::Absent => Credential::Absent,
            Credential::Invalid => Credential::Invalid,
            Credential::Valid(entries) => Credential::Valid(entries.as_str()),
        };
        let settings = route_settings(case.profile.as_deref(), case.untag.as_deref());
        let admitted = runtime.admit(case.request(), credential, AUTHORITY, &settings).unwrap();
        let answer = match admitted {
            scopegate_runtime::Admission::Forward { target, content_type, .. } => {
                ["200".to_owned(), target, content_type.unwrap_or_default()]
            }
            scopegate_runtime::Admission::Refusal { status, challenge, .. } => {
                [status.to_string(), challenge.unwrap_or_default(), String::new()]
            }
        };
        line(&mut stream, name, &answer);
    });
    each_acceptance(|name, acceptable| {
        let Acceptable { payload, issuer, service, now, .. } = acceptable;
        let answer = runtime.accept_claims(payload.as_bytes(), issuer, service, *now).unwrap();
        let answer = match answer {
            Acceptance::Accepted { until, access } => accepted(until, &access),
            Acceptance::Refused(code) => vec![code],
        };
        line(&mut stream, name, &answer);
    });
    stream
}

/// The module's raw boundary from JavaScript, which shares no code with any of ours.
fn in_node() -> String {
    let mut cases = Vec::new();
    each_decision(|name, group, case| {
        let settings = pack_settings(&settings(group), &RouteSettings::default());
        cases.push(
            json!({ "name": name, "map": group.map, "scope": case.scope, "settings": settings }),
        );
    });
    each_route(|name, case| {
        let settings = pack_settings(
            &Settings::default(),
            &route_settings(case.profile.as_deref(), case.untag.as_deref()),
        );
        let (method, target) = (&case.method, &case.target);
        cases.push(
            json!({ "name": name, "method": method, "target": target, "settings": settings }),
        );
    });
    each_admission(|name, case| {
        let settings = route_settings(case.profile.as_deref(), case.untag.as_deref());
        let credential = case.credential();
        let number = pack_credential(&credential);
        let access =
            if let Credential::Valid(entries) = credential { entries } else { String::new() };
        cases.push(json!({
            "name": name,
            "method": case.method,
            "target": case.target,
            "content_types": case.content_types,
            "access": access,
            "realm": AUTHORITY.realm,
            "service": AUTHORITY.service,
            "credential": number,
            "settings": pack_settings(&Settings::default(), &settings),
        }));
    });
    each_acceptance(|name, acceptable| {
        let Acceptable { payload, issuer, service, now, .. } = acceptable;
        cases.push(json!({
            "name": name, "payload": payload, "issuer": issuer, "service": service, "now": now,
        }));
    });
    let codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| (kind.number(), kind.code())).collect();
    let wasm = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scopegate.wasm");
    fs::write(&wasm, ENGINE_WASM).unwrap();
    run_node(&json!({ "wasm": wasm, "codes": codes, "cases": cases }).to_string())
}

fn run_node(job: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/corpus.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is not installed: run `cargo xtask setup`");
    let mut input = node.stdin.take().unwrap();
    let job = job.to_owned();
    let writer = std::thread::spawn(move || input.write_all(job.as_bytes()));
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "node failed");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn same(executor: &str, stream: &str) {
    let expected = expected();
    for (expected, got) in expected.lines().zip(stream.lines()) {
        assert_eq!(expected, got, "{executor}");
    }
    assert_eq!(expected, stream, "{executor}");
}

#[test]
fn natively() {
    same("native", &native());
}

#[test]
fn through_wasmtime() {
    same("wasmtime", &in_wasmtime());
}

#[test]
fn in_v8() {
    same("V8", &in_node());
}

#[test]
fn patterns() {
    for (file, text) in files("pattern") {
        let parsed: CaseFile<PatternCase> = parse(&file, &text);
        for case in parsed.cases {
            assert!(!case.why.is_empty(), "{file}");
            let answer = match Pattern::parse(&case.pattern) {
                Ok(Pattern::Root) => "root".to_owned(),
                Ok(Pattern::Prefix(_)) => "prefix".to_owned(),
                Ok(Pattern::Exact(_)) => "exact".to_owned(),
                Err(error) => error_text(error),
            };
            let error = case.error.map(|code| format!("{code}@{}", case.position));
            assert_eq!(case.kind.or(error), Some(answer), "{file}: {:?}", case.pattern);
        }
    }
}

/// The corpus cannot shrink by accident.
#[test]
fn the_corpus_is_large_enough() {
    let mut decisions = 0;
    each_decision(|_, _, _| decisions += 1);
    let mut routes = 0;
    each_route(|_, _| routes += 1);
    let mut admissions = 0;
    each_admission(|_, _| admissions += 1);
    assert!(decisions >= 800, "{decisions}");
    assert!(routes >= 450, "{routes}");
    assert!(admissions >= 60, "{admissions}");
    let mut acceptances = 0;
    each_acceptance(|_, _| acceptances += 1);
    assert!(acceptances >= 70, "{acceptances}");
}
