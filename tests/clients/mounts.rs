//! A mount from another repository, named in every place that a registry may read one from: the
//! query, and the body of a form.
//!
//! A token for `team/app` must not come by a blob of `secret/vault`, with any edge before any
//! registry. CNCF distribution of two versions holds the blob, and one of them once more behind a
//! front that reads `;` as Go did until 1.17. What was sent on is read once more by Go's own
//! `http.ReadRequest` and `FormValue`, which is what distribution reads with.
//!
//! Left out: a registry that verifies tokens itself, to which none of this matters.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scopegate_core::admission::Admission;
use scopegate_tests::sameness::answers::admitted;
use scopegate_tests::sameness::{Case, groups};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::edge::{self, ALL};
use crate::software::gateway::Gateway;
use crate::software::old_go::OldGo;
use crate::software::proxy::{Kind, Proxy};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, is_installed, seed};
use crate::software::tap::Tap;
use crate::software::wire::{ask, ask_raw};
use crate::software::workerd::Workerd;

const BLOB: &[u8] = b"what nobody else may read";
const SOURCE: &str = "secret/vault";
const UPLOADS: &str = "/v2/team/app/blobs/uploads/";

/// The digest of the blob.
fn digest() -> String {
    let hex: String = Sha256::digest(BLOB).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A request that asks for the blob, as it is written, without its token.
struct Place {
    line: String,
    headers: String,
    body: Vec<u8>,
}

impl Place {
    fn post(query: &str) -> Self {
        Self::new("POST", query, "Content-Length: 0\r\n", b"")
    }

    fn new(method: &str, query: &str, headers: &str, body: &[u8]) -> Self {
        let query = query.replace('D', &digest()).replace('S', SOURCE);
        let line = format!("{method} {UPLOADS}{query} HTTP/1.1");
        Self { line, headers: headers.to_owned(), body: body.to_vec() }
    }

    /// A form of this type, with a query beside it.
    fn form(query: &str, types: &[&str]) -> Self {
        let body = format!("mount={}&from={SOURCE}", digest());
        Self::body("POST", query, types, body.as_bytes())
    }

    /// A form in parts.
    fn parts(query: &str, types: &[&str]) -> Self {
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body =
            [part("mount", &digest()), part("from", SOURCE), "--x--\r\n".to_owned()].concat();
        Self::body("POST", query, types, body.as_bytes())
    }

    fn body(method: &str, query: &str, types: &[&str], body: &[u8]) -> Self {
        let types: String =
            types.iter().map(|value| format!("Content-Type: {value}\r\n")).collect();
        Self::new(method, query, &format!("{types}Content-Length: {}\r\n", body.len()), body)
    }

    fn with(mut self, headers: &str) -> Self {
        self.headers += headers;
        self
    }

    /// The same, where these header fields are said to be the connection's.
    fn named_by_connection(mut self, names: &str) -> Self {
        self.headers += &format!("Connection: {names}\r\n");
        self
    }

    /// The same with a body in pieces.
    fn chunked(mut self) -> Self {
        let kept = self.headers.split_inclusive("\r\n").filter(|line| !line.contains("Length"));
        self.headers = kept.collect::<String>() + "Transfer-Encoding: chunked\r\n";
        let size = format!("{:x}\r\n", self.body.len());
        self.body = [size.as_bytes(), &self.body, b"\r\n0\r\n\r\n"].concat();
        self
    }

    fn bytes(&self, bearer: &str) -> Vec<u8> {
        let Self { line, headers, body } = self;
        let head = format!(
            "{line}\r\nHost: registry.test\r\nConnection: close\r\n{bearer}\r\n{headers}\r\n"
        );
        [head.as_bytes(), body].concat()
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=x";
const OCTETS: &str = "application/octet-stream";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Where a mount can be named.
fn places() -> Vec<Place> {
    let queries = [
        "?mount=D&from=S",
        "?from=S&mount=D",
        "?mount=D",
        "?mount=D&from=",
        "?mount=D&from=S&from=team/app",
        "?mount=D&from=team/app&from=S",
        "?%6dount=D&%66rom=S",
        "?mount=D&from=secret%2Fvault",
        "?mount=D&from=secret%2fvaul%74",
        "?mount=D&from=secret%252Fvault",
        "?mount=D&from=%zz&from=S",
        "?mount=D&from=/S",
        "?mount=D&from=S/",
        "?mount=D&from=./S",
        "?mount=D&from=S%00",
        "?mount=D&from=SECRET/VAULT",
        "?x=1;mount=D;from=S",
        "?x;mount=D;from=S",
        "?mount=D;from=S",
        "?mount=D&x=1;from=S",
        "?mount=D&from=team/app;from=S",
        "?x=%3Bmount=D;from=S",
        "?mount=D&from=S&origin=registry.test",
        "?mount=D&from=S#x",
        "?mount=D&&from=S",
        "?&mount=D&from=S&",
        "?mount=D%26from=S",
        "?MOUNT=D&FROM=S",
        "?_method=POST&mount=D&from=S",
    ];
    let types: [&[&str]; 17] = [
        &[FORM],
        &["application/x-www-form-urlencoded; charset=utf-8"],
        &["application/x-www-form-urlencoded;charset=utf-16"],
        &["APPLICATION/X-WWW-FORM-URLENCODED"],
        &["Application/X-Www-Form-Urlencoded ; a=b; c=d"],
        &["application/x-www-form-urlencoded;"],
        &["application/x-www-form-urlencoded; bad"],
        &[" \tapplication/x-www-form-urlencoded"],
        &["application/x-www-form-urlencoded, text/plain"],
        &["text/plain, application/x-www-form-urlencoded"],
        &[FORM, OCTETS],
        &[OCTETS, FORM],
        &["", FORM],
        &[FORM, FORM],
        &[MANIFEST, FORM],
        &[FORM, MANIFEST],
        &["application/x-url-encoded"],
    ];
    let parts: [&[&str]; 9] = [
        &[PARTS],
        &["MULTIPART/FORM-DATA; boundary=x"],
        &["multipart/form-data; boundary=\"x\""],
        &["multipart/form-data; boundary*=utf-8''x"],
        &["multipart/form-data; boundary*0=\"x\""],
        &["multipart/form-data; charset=utf-8; boundary=x"],
        &["multipart/mixed; boundary=x"],
        &[PARTS, OCTETS],
        &[OCTETS, PARTS],
    ];
    let mut places: Vec<Place> = queries.map(Place::post).into();
    places.extend(types.map(|types| Place::form("", types)));
    places.extend(parts.map(|types| Place::parts("", types)));
    places.extend([
        Place::form("?mount=D", &[FORM]),
        Place::form("?mount=D&from=team/app", &[FORM]),
        Place::form("?from=team/app", &[FORM]),
        Place::form("?from=team/app&mount=D", &[PARTS]),
        Place::parts("?mount=D", &[PARTS]),
        Place::parts("?from=team/app", &[PARTS]),
        Place::form("", &[FORM]).chunked(),
        Place::parts("", &[PARTS]).chunked(),
        Place::form("", &[FORM]).with("Content-Encoding: identity\r\n"),
        Place::form("", &[]).with("Content_Type: application/x-www-form-urlencoded\r\n"),
        Place::form("", &[OCTETS]).with("X-HTTP-Method-Override: POST\r\n"),
        Place::form("", &[OCTETS]).with("X-Scopegate-Content-Type: application/octet-stream\r\n"),
        Place::form("", &[FORM]).with("X-Scopegate-Content-Type: application/octet-stream\r\n"),
        Place::form("", &[FORM]).with("X-Scopegate-Content-Type: none\r\n"),
        Place::form("", &[]).with("X-Original-URI: /v2/\r\nX-Forwarded-Uri: /v2/\r\n"),
        Place::form("", &[FORM]).with("X-Original-Method: GET\r\nX-Forwarded-Method: GET\r\n"),
        Place::form("", &[FORM]).named_by_connection("Content-Type"),
        Place::parts("", &[PARTS]).named_by_connection("close, Content-Type"),
        Place::form("", &[FORM]).named_by_connection("X-Scopegate-Content-Type"),
    ]);
    places
}

/// An edge: how it is started before an upstream, and the port that it has then. It lives as long
/// as what comes with that.
pub(crate) type Start = fn(u16, &Server) -> (u16, Box<dyn std::any::Any>);

pub(crate) const EDGES: [(&str, Start); 6] = [
    ("gateway", |upstream, server| {
        let gateway = Gateway::with_policy(upstream, server, "");
        (gateway.port(), Box::new(gateway))
    }),
    ("filter", |upstream, server| {
        let envoy = Proxy::filter(upstream, server);
        (envoy.port(), Box::new(envoy))
    }),
    ("Worker", |upstream, server| {
        let worker = Workerd::before(upstream, server);
        (worker.port(), Box::new(worker))
    }),
    ("nginx", |upstream, server| asking(Kind::Nginx, upstream, server)),
    ("Caddy", |upstream, server| asking(Kind::Caddy, upstream, server)),
    ("Envoy", |upstream, server| asking(Kind::Envoy, upstream, server)),
];

fn asking(kind: Kind, upstream: u16, server: &Server) -> (u16, Box<dyn std::any::Any>) {
    let proxy = Proxy::before(kind, upstream, server);
    (proxy.port(), Box::new(proxy))
}

/// A token server, and a header with a token for `team/app`.
fn server() -> (Server, String, String) {
    let rules = [("team/app", ALL), ("team/base", ALL)];
    let (server, passwords) = Server::with(Settings::asked_by_proxies(), &seed(&rules));
    let bearer = edge::bearer(&server, &passwords[0], "repository:team/app:pull,push");
    (server, passwords[0].clone(), bearer)
}

/// Puts the blob into a repository of a registry without authentication.
#[track_caller]
fn fill(registry: &Registry, repository: &str) {
    let client = reqwest::blocking::Client::new();
    let url = format!("http://{}/v2/{repository}/blobs/uploads/", registry.host());
    let begun = client.post(url).send().unwrap();
    let mut location = reqwest::Url::parse(begun.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs_mut().append_pair("digest", &digest());
    let put = client.put(location).header("Content-Type", OCTETS).body(BLOB).send().unwrap();
    assert_eq!(put.status(), 201);
}

/// Whether a registry gives the blob away in the token's repository.
fn leaks(registry: &Registry) -> bool {
    let target = format!("/v2/team/app/blobs/{}", digest());
    ask(registry.port(), "GET", &target, &[]).status != 404
}

/// Tries every place at an edge before an upstream; gives how many were answered at all.
#[track_caller]
fn attack(edge: &str, port: u16, bearer: &str, registry: &Registry) -> usize {
    assert!(!leaks(registry), "{edge}");
    let mut answered = 0;
    for place in places() {
        let answer = ask_raw(port, &place.bytes(bearer));
        let about = format!("{edge}: {} {:?}: {answer:?}", place.line, place.headers);
        assert!(answer.as_ref().is_none_or(|answer| answer.status != 201), "{about}");
        assert!(!leaks(registry), "{about}");
        answered += usize::from(answer.is_some());
    }
    answered
}

#[test]
fn the_blob_of_another_repository_stays_where_it_is() {
    assert!(places().len() >= 50, "{}", places().len());
    let (server, password, bearer) = server();
    let second = Registry::open();
    let registries = [Some(Registry::open()), Registry::open_of_version_3()];
    let old_go = OldGo::before(second.port());
    let mut upstreams: Vec<(u16, &Registry)> = vec![(old_go.port(), &second)];
    upstreams.extend(registries.iter().flatten().map(|registry| (registry.port(), registry)));
    for (_, registry) in &upstreams {
        fill(registry, SOURCE);
    }
    for (upstream, registry) in upstreams {
        for (name, start) in EDGES {
            let (port, _edge) = start(upstream, &server);
            edge::decides(port, &server, &password);
            let answered = attack(name, port, &bearer, registry);
            assert!(answered > 50, "{name}: {answered}");
        }
    }
}

/// The test itself can fail: without an edge, the same requests come by the blob.
#[test]
fn without_an_edge_the_blob_is_there_for_all() {
    for (upstream, registry) in [(None, Registry::open()), (Some(()), Registry::open())] {
        fill(&registry, SOURCE);
        let old_go = OldGo::before(registry.port());
        let port = if upstream.is_some() { old_go.port() } else { registry.port() };
        let mut leaking = 0;
        for place in places() {
            let answer = ask_raw(port, &place.bytes("X: y"));
            if answer.is_some_and(|answer| answer.status == 201) {
                leaking += 1;
            }
            let target = format!("/v2/team/app/blobs/{}", digest());
            ask(registry.port(), "DELETE", &target, &[]);
        }
        assert!(leaking >= 15, "{leaking}");
    }
}

/// Mounts that may be go through, at those edges that can rewrite and at those that cannot.
#[test]
fn a_mount_that_may_be_is_one() {
    let (server, password, _) = server();
    let scopes = "repository:team/app:pull,push repository:team/base:pull";
    let bearer = edge::bearer(&server, &password, scopes);
    for (name, start) in EDGES {
        let registry = Registry::open();
        fill(&registry, "team/base");
        let (port, _edge) = start(registry.port(), &server);
        edge::decides(port, &server, &password);
        let query = format!("?mount={}&from=team/base", digest());
        let answer = ask_raw(port, &Place::post(&query).bytes(&bearer));
        assert_eq!(answer.map(|answer| answer.status), Some(201), "{name}");
        assert!(leaks(&registry), "{name}");
    }
}

/// What Go read.
#[derive(Debug, Deserialize)]
struct Reading {
    path: String,
    form: BTreeMap<String, Vec<String>>,
    /// The same with `;` between two parameters of the query.
    old: BTreeMap<String, Vec<String>>,
}

impl Reading {
    /// Every source of a mount that the registry reads.
    fn sources(&self) -> impl Iterator<Item = &str> {
        let of_both = [&self.form, &self.old].into_iter().filter_map(|form| form.get("from"));
        of_both.flatten().map(String::as_str)
    }
}

/// Reads requests with Go's own reader; nothing where there is no Go.
#[track_caller]
fn read_by_go(requests: &[Vec<u8>]) -> Option<Vec<Reading>> {
    if !is_installed("go") {
        println!("mounts: there is no go to read with");
        return None;
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reader");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/reader");
    let built =
        Command::new("go").arg("build").arg("-o").arg(&program).current_dir(source).status();
    assert!(built.unwrap().success(), "the reader does not build");
    let mut go =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = go.stdin.take().unwrap();
    let lines: String = requests.iter().map(|text| STANDARD.encode(text) + "\n").collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = go.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the reader failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let readings: Vec<Reading> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(readings.len(), requests.len());
    Some(readings)
}

/// Go reads nothing else from what an edge sends on than was decided.
#[test]
fn what_every_edge_sends_on_says_no_more_to_go() {
    let (server, password, bearer) = server();
    for (name, start) in EDGES {
        let tap = Tap::start();
        let (port, _edge) = start(tap.port(), &server);
        edge::decides(port, &server, &password);
        tap.requests();
        for place in places() {
            ask_raw(port, &place.bytes(&bearer));
        }
        let requests = tap.requests();
        assert!(requests.len() > 15, "{name}: {}", requests.len());
        for (reading, request) in read_by_go(&requests).into_iter().flatten().zip(&requests) {
            let about = format!("{name}: {reading:?} in {}", String::from_utf8_lossy(request));
            assert_eq!(reading.path, UPLOADS, "{about}");
            assert!(reading.sources().all(|source| source == "team/app"), "{about}");
            let has_source = reading.form.contains_key("from");
            assert!(has_source || !reading.form.contains_key("mount"), "{about}");
        }
    }
}

/// The same of generated requests, each with a form for a body: whatever is sent on needs no more
/// than was decided.
#[test]
fn generated_requests_say_no_more_to_go() {
    let (mut requests, mut granted) = (Vec::new(), Vec::new());
    for case in groups(100_000).flat_map(|group| group.cases) {
        if let Some((text, sources)) = sent_on(&case) {
            requests.push(text);
            granted.push(sources);
        }
    }
    assert!(requests.len() > 2_000, "{}", requests.len());
    let Some(readings) = read_by_go(&requests) else { return };
    let mut mounts = 0;
    for ((reading, sources), request) in readings.iter().zip(&granted).zip(&requests) {
        if !reading.path.ends_with("/blobs/uploads/") {
            continue;
        }
        for source in reading.sources() {
            let is_granted = source.is_empty() || sources.iter().any(|granted| granted == source);
            assert!(is_granted, "{reading:?} in {}", String::from_utf8_lossy(request));
            mounts += 1;
        }
    }
    assert!(mounts > 30, "{mounts}");
}

/// A case as it is sent on, and the names of what was decided.
fn sent_on(case: &Case) -> Option<(Vec<u8>, Vec<String>)> {
    let Admission::Forward(forward) = admitted(case) else { return None };
    let content_type = forward.content_type.map(|value| format!("Content-Type: {value}\r\n"));
    let body = "mount=sha256:0&from=secret/vault";
    let text = format!(
        "{} {} HTTP/1.1\r\nHost: r\r\n{}Content-Length: {}\r\n\r\n{body}",
        case.method,
        forward.target,
        content_type.unwrap_or_default(),
        body.len()
    );
    let names = forward.route.scopes.iter().map(|scope| scope.name.to_string()).collect();
    Some((text.into_bytes(), names))
}
