//! Which tokens a real registry trusts, and whether the doctor knows it.
//!
//! CNCF distribution 2.8 is asked always (`docker-registry`, which `cargo xtask setup` installs),
//! version 3 when the variable `REGISTRY_3` holds the path of its program. Every row is a token and
//! a configuration; the registry's answer and the doctor's must agree.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};
use scopegate_api::claims::PrincipalKind;
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::doctor::{Registry, Server, Verdict, diagnose};
use scopegate_server::testing::domain::issue::{Issuer, Subject};
use scopegate_server::testing::domain::keys::signing_key::Times;
use scopegate_server::testing::domain::keys::{
    Algorithm, Authority, KeyRecord, Ring, RsaSize, SigningKey,
};
use scopegate_server::testing::domain::lifetimes::ACCESS_LIFETIME;
use scopegate_server::testing::free_address;
use serde_json::json;

/// The keys of a token server: one of each algorithm.
struct Keys {
    authority: String,
    records: Vec<KeyRecord>,
}

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa];

impl Keys {
    fn new(certified_until: i64) -> Self {
        let authority =
            Authority::read(&Authority::generate("test", clock::now() - 100_000).unwrap()).unwrap();
        let now = clock::now() - 100_000;
        let times = Times { created_at: now, signs_from: now, certified_until };
        let generate = |algorithm| {
            SigningKey::generate(algorithm, RsaSize::Bits2048, times, &authority).unwrap()
        };
        let records = ALGORITHMS.map(generate).to_vec();
        Self { authority: authority.certificate().to_owned(), records }
    }

    fn ring(&self) -> Ring {
        Ring::read(&self.records, &self.authority).unwrap()
    }

    fn token(&self, algorithm: Algorithm, x5c: bool, names: (&str, &str), at: i64) -> String {
        let record = self.records.iter().find(|key| key.algorithm == algorithm).unwrap();
        let ring = Ring::read(std::slice::from_ref(record), &self.authority).unwrap();
        let issuer = Issuer::new(names.0.into(), names.1.into(), x5c, ring);
        let subject = Subject::new("somebody", PrincipalKind::Token, 0);
        issuer.access_token(&subject, "rid", Vec::new(), ACCESS_LIFETIME, at).unwrap()
    }

    /// A token of each algorithm, by `kid` and by `x5c`.
    fn tokens(&self) -> Vec<(String, String)> {
        let token = |algorithm, x5c| {
            let by = if x5c { "x5c" } else { "kid" };
            let token = self.token(algorithm, x5c, ("i", "s"), clock::now());
            (format!("{algorithm} by {by}"), token)
        };
        ALGORITHMS.into_iter().flat_map(|it| [token(it, false), token(it, true)]).collect()
    }
}

/// What a registry is configured with.
#[derive(Clone, Copy, Default)]
struct Files<'a> {
    bundle: Option<&'a str>,
    jwks: Option<&'a str>,
    algorithms: &'a [&'a str],
}

/// A registry that ends with its test.
struct Running {
    child: Child,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// `None` when it ends instead of answering.
    fn start(program: &str, folder: &Path, files: Files<'_>) -> (Option<Self>, Registry) {
        let port = free_address().port();
        let mut token =
            json!({ "realm": "http://127.0.0.1:1/oauth2/token", "issuer": "i", "service": "s" });
        for (option, file, content) in
            [("rootcertbundle", "bundle.pem", files.bundle), ("jwks", "jwks.json", files.jwks)]
        {
            if let Some(content) = content {
                fs::write(folder.join(file), content).unwrap();
                token[option] = json!(folder.join(file));
            }
        }
        if !files.algorithms.is_empty() {
            token["signingalgorithms"] = json!(files.algorithms);
        }
        let config = json!({
            "version": "0.1",
            "log": { "level": "error" },
            "storage": { "inmemory": {} },
            "http": { "addr": format!("127.0.0.1:{port}") },
            "auth": { "token": token },
        });
        let path = folder.join("registry.yml");
        fs::write(&path, config.to_string()).unwrap();
        let child = Command::new(program)
            .arg("serve")
            .arg(&path)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|_| panic!("{program} is not installed: run `cargo xtask setup`"));
        let running = Self { child, port }.wait();
        (running, Registry::read(&path).unwrap())
    }

    fn wait(mut self) -> Option<Self> {
        for _ in 0..500 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Some(self);
            }
            if self.child.try_wait().unwrap().is_some() {
                return None;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("the registry does not answer");
    }

    fn accepts(&self, token: &str) -> bool {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        write!(
            stream,
            "GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.starts_with("HTTP/1.1 200 ")
    }
}

/// Which versions of the registry accept a token.
#[derive(Clone, Copy, PartialEq)]
enum Accepted {
    ByBoth,
    ByNone,
    Only2,
    Only3,
}

/// A token, and who accepts it.
struct Row {
    name: String,
    token: String,
    accepted: Accepted,
}

/// Asks both versions, and the doctor about each, for the tokens of one configuration.
fn check(name: &str, ring: &Ring, files: Files<'_>, rows: &[Row]) {
    let server =
        Server { issuer: "i", service: "s", public_url: "http://127.0.0.1:1", ring: Some(ring) };
    let version_3 = std::env::var("REGISTRY_3").ok();
    for (program, refuses, only) in [
        (Some("docker-registry"), Verdict::RefusedBy2, Accepted::Only2),
        (version_3.as_deref(), Verdict::RefusedBy3, Accepted::Only3),
    ] {
        let Some(program) = program else { continue };
        let folder = tempfile::tempdir().unwrap();
        let (running, registry) = Running::start(program, folder.path(), files);
        for Row { name: row, token, accepted } in rows {
            let expected = *accepted == Accepted::ByBoth || *accepted == only;
            let answer = running.as_ref().is_some_and(|registry| registry.accepts(token));
            assert_eq!(answer, expected, "{program}: {name}, {row}");
            let findings = diagnose(token, &server, Some(&registry), clock::now());
            let refused =
                findings.iter().any(|it| it.verdict == refuses || it.verdict == Verdict::Refused);
            let problems = findings.iter().map(|it| format!("\n{it}")).collect::<String>();
            assert_eq!(refused, !answer, "the doctor on {program}: {name}, {row}{problems}");
        }
    }
}

/// Every token of a server, with what 2.8 and 3 make of it: six pairs, by `kid` and by `x5c` for
/// ES256, RS256 and EdDSA.
fn rows(keys: &Keys, accepted: [Accepted; 6]) -> Vec<Row> {
    let tokens = keys.tokens().into_iter().zip(accepted);
    tokens.map(|((name, token), accepted)| Row { name, token, accepted }).collect()
}

const YES: Accepted = Accepted::ByBoth;
const NO: Accepted = Accepted::ByNone;
const ONLY_2: Accepted = Accepted::Only2;
const ONLY_3: Accepted = Accepted::Only3;

#[test]
fn the_doctor_agrees_with_a_registry_about_every_token() {
    let keys = Keys::new(clock::now() + 100_000);
    let ring = keys.ring();
    let jwks = ring.jwks().to_string();
    let bundle = Some(ring.bundle());
    let authority = Some(keys.authority.as_str());
    let jwks = Some(jwks.as_str());
    let files = Files { bundle, ..Files::default() };
    let accepted = [ONLY_2, YES, ONLY_2, YES, NO, ONLY_3];
    check("the bundle", &ring, files, &rows(&keys, accepted));

    let files = Files { bundle, jwks, algorithms: &[] };
    let accepted = [YES, YES, YES, YES, ONLY_3, ONLY_3];
    check("the bundle and the key set", &ring, files, &rows(&keys, accepted));

    let files = Files { bundle: authority, ..Files::default() };
    let accepted = [NO, YES, NO, YES, NO, ONLY_3];
    check("the authority alone", &ring, files, &rows(&keys, accepted));

    let files = Files { jwks, ..Files::default() };
    let accepted = [ONLY_3, NO, ONLY_3, NO, ONLY_3, NO];
    check("the key set alone", &ring, files, &rows(&keys, accepted));

    let files = Files { bundle, jwks, algorithms: &["RS256"] };
    let accepted = [ONLY_2, ONLY_2, YES, YES, NO, NO];
    check("one algorithm allowed", &ring, files, &rows(&keys, accepted));

    let others = Keys::new(clock::now() + 100_000).ring();
    let others_jwks = others.jwks().to_string();
    let files = Files { bundle: Some(others.bundle()), jwks: Some(&others_jwks), algorithms: &[] };
    check("files of another server", &ring, files, &rows(&keys, [NO; 6]));

    let ed25519 = format!("{}{}", ring.bundle(), keys.records[2].certificate);
    let files = Files { bundle: Some(&ed25519), jwks, algorithms: &[] };
    check("an Ed25519 certificate in the bundle", &ring, files, &rows(&keys, [ONLY_3; 6]));

    let bare = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let files = Files { bundle: Some(bare), ..Files::default() };
    check("a bare public key", &ring, files, &rows(&keys, [NO; 6]));
}

#[test]
fn an_ended_certificate_counts_in_x5c_only() {
    let keys = Keys::new(clock::now() - 10);
    let ring = keys.ring();
    let jwks = ring.jwks().to_string();
    let files = Files { bundle: Some(ring.bundle()), jwks: Some(&jwks), algorithms: &[] };
    check("ended", &ring, files, &rows(&keys, [YES, NO, YES, NO, ONLY_3, NO]));
}

/// Version 3 knows the keys of its bundle by the thumbprint of RFC 7638. Of an EC key version 3.0
/// computes it from the curve's base point, which is the same for every key, so no EC key is found
/// by its own.
#[test]
fn a_thumbprint_finds_rsa_keys_alone() {
    let keys = Keys::new(clock::now() + 100_000);
    let ring = keys.ring();
    let row = |algorithm: Algorithm, accepted| {
        let record = keys.records.iter().find(|key| key.algorithm == algorithm).unwrap();
        let pem = record.private_key.as_bytes();
        let key = match algorithm {
            Algorithm::Rs256 => EncodingKey::from_rsa_pem(pem),
            _ => EncodingKey::from_ec_pem(pem),
        };
        let mut header = Header::new(algorithm.as_str().parse().unwrap());
        header.kid = ring.find(&record.kid).unwrap().certificate().public_key.thumbprint();
        let exp = clock::now() + 60;
        let claims = json!({ "iss": "i", "aud": "s", "exp": exp });
        let token = encode(&header, &claims, &key.unwrap()).unwrap();
        Row { name: algorithm.to_string(), token, accepted }
    };
    let rows = [row(Algorithm::Es256, NO), row(Algorithm::Rs256, ONLY_3)];
    check("thumbprints", &ring, Files { bundle: Some(ring.bundle()), ..Files::default() }, &rows);
}

#[test]
fn the_doctor_agrees_about_names_and_times() {
    let keys = Keys::new(clock::now() + 100_000);
    let ring = keys.ring();
    let jwks = ring.jwks().to_string();
    let files = Files { bundle: Some(ring.bundle()), jwks: Some(&jwks), algorithms: &[] };
    let now = clock::now();
    let with = |name: &str, token: String, accepted| Row { name: name.to_owned(), token, accepted };
    let row = |name: &str, names, at, accepted| {
        with(name, keys.token(Algorithm::Es256, false, names, at), accepted)
    };
    let good = keys.token(Algorithm::Es256, false, ("i", "s"), now);
    let (message, _) = good.rsplit_once('.').unwrap();
    let (_, other) = keys
        .token(Algorithm::Es256, false, ("i", "s"), now)
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let rows = [
        row("good", ("i", "s"), now, YES),
        row("another issuer", ("I", "s"), now, NO),
        row("another service", ("i", "s "), now, NO),
        row("ended within the leeway", ("i", "s"), now - ACCESS_LIFETIME - 30, YES),
        row("ended", ("i", "s"), now - ACCESS_LIFETIME - 90, NO),
        row("ahead within the leeway", ("i", "s"), now + 30, YES),
        row("ahead", ("i", "s"), now + 90, NO),
        with("another signature", format!("{message}.{other}"), NO),
        with("cut off", message.to_owned(), NO),
    ];
    check("names and times", &ring, files, &rows);
}
