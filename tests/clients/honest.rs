//! What honest clients send goes through every edge, and comes back as from the registry itself:
//! curl's own type of a body, uploads in pieces that go on where they were left, ranges, what has
//! not changed, referrers, and what crane writes and how signatures are kept.
//!
//! The same walk is taken at the registry itself and through each edge, and its statuses are
//! compared. The registry itself is told the type of a piece: it refuses curl's own.

use sha2::{Digest as _, Sha256};

use crate::drivers::curl::Curl;
use crate::edge::{self, ALL};
use crate::mounts::EDGES;
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const SIGNATURE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const CONFIG: &str = "{}";

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A walk through one repository, as lines of what was asked and how it was answered.
struct Walk<'a> {
    curl: Curl<'a>,
    /// What curl is told of a piece beside the piece.
    typed: &'a [&'a str],
    lines: Vec<String>,
}

impl Walk<'_> {
    /// Asks, and gives the value of a header field of the answer, if it has it.
    #[track_caller]
    fn ask(&mut self, about: &str, request: [&str; 2], more: &[&str], wanted: &str) -> String {
        let [method, target] = request;
        let answer = self.curl.ask(method, target, more);
        self.lines.push(format!("{about}: {}", answer.status));
        answer.header(wanted).unwrap_or_default().to_owned()
    }

    /// Where an upload goes on, with a digest at its end.
    fn ending(location: &str, digest: &str) -> String {
        let separator = if location.contains('?') { '&' } else { '?' };
        format!("{location}{separator}digest={digest}")
    }

    /// In two pieces, the second one after a look at where the first ended.
    fn in_pieces(&mut self, uploads: &str, [first, second]: [&str; 2], headers: &[&str]) {
        let begun = self.ask("begin", ["POST", uploads], &["--data", ""], "location");
        let typed = self.typed;
        let piece = |content, range| {
            [&["--data-binary", content, "--header", range], headers, typed].concat()
        };
        let sent = piece(first, "Content-Range: 0-4");
        let location = self.ask("first piece", ["PATCH", &begun], &sent, "location");
        let range = self.ask("how far", ["GET", &location], &[], "range");
        assert!(range.ends_with("0-4"), "{range} {:?}", self.lines);
        let sent = piece(second, "Content-Range: 5-10");
        let location = self.ask("second piece", ["PATCH", &location], &sent, "location");
        let whole = digest([first, second].concat().as_bytes());
        let end = Self::ending(&location, &whole);
        self.ask("end", ["PUT", &end], &["--data", ""], "");
    }

    /// In one piece, as crane and cosign begin it, and with a body in chunks.
    fn at_once(&mut self, uploads: &str, content: &str) {
        let json = ["--header", "Content-Type: application/json", "--data", ""];
        let begun = self.ask("begin as crane", ["POST", uploads], &json, "location");
        let chunked = ["--header", "Transfer-Encoding: chunked", "--data-binary", content];
        let chunked = [&chunked, self.typed].concat();
        let location = self.ask("in chunks", ["PATCH", &begun], &chunked, "location");
        let end = Self::ending(&location, &digest(content.as_bytes()));
        self.ask("end", ["PUT", &end], &["--data", ""], "");
    }

    fn manifest(&mut self, repository: &str, tag: &str, layer: [&str; 2]) -> String {
        let [media_type, content] = layer;
        let descriptor = |media_type: &str, content: &str| {
            format!(
                r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#,
                digest(content.as_bytes()),
                content.len()
            )
        };
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{}]}}"#,
            descriptor("application/vnd.oci.image.config.v1+json", CONFIG),
            descriptor(media_type, content)
        );
        let typed = format!("Content-Type: {MANIFEST}");
        let sent = ["--header", &typed, "--data-binary", &manifest];
        let target = format!("/v2/{repository}/manifests/{tag}");
        self.ask("manifest", ["PUT", &target], &sent, "docker-content-digest")
    }
}

/// Everything that an honest client does, in one repository.
fn walk(curl: Curl<'_>, typed: &[&str], repository: &str) -> Vec<String> {
    let body = curl.body.to_owned();
    let mut walk = Walk { curl, typed, lines: Vec::new() };
    let uploads = format!("/v2/{repository}/blobs/uploads/");
    walk.in_pieces(&uploads, ["hello", " world"], &[]);
    walk.in_pieces(&uploads, ["HELLO", " WORLD"], &["--header", "Transfer-Encoding: chunked"]);
    walk.at_once(&uploads, CONFIG);
    let image =
        walk.manifest(repository, "v1", ["application/vnd.oci.image.layer.v1.tar", "hello world"]);
    assert_eq!(image.len(), 71, "{:?}", walk.lines);
    walk.at_once(&uploads, "signed");
    // Where cosign keeps the signatures of an image.
    let tag = format!("{}.sig", image.replace(':', "-"));
    walk.manifest(repository, &tag, [SIGNATURE, "signed"]);

    let accept = format!("Accept: {MANIFEST}");
    let target = format!("/v2/{repository}/manifests/v1");
    let tagged = walk.ask("get", ["GET", &target], &["--header", &accept], "etag");
    let unchanged = format!("If-None-Match: {tagged}");
    let again = ["--header", &accept, "--header", &unchanged];
    walk.ask("has not changed", ["GET", &target], &again, "");
    walk.ask("head", ["HEAD", &target], &["--header", &accept], "");
    let blob = format!("/v2/{repository}/blobs/{}", digest(b"hello world"));
    let range = walk.ask("a range", ["GET", &blob], &["--range", "6-8"], "content-range");
    assert_eq!(range, "bytes 6-8/11");
    assert_eq!(std::fs::read_to_string(&body).unwrap(), "wor");
    let referrers = format!("/v2/{repository}/referrers/{image}?artifactType=a%2Fb");
    walk.ask("referrers", ["GET", &referrers], &[], "");
    let abandoned = walk.ask("begin", ["POST", &uploads], &["--data", ""], "location");
    walk.ask("abandon", ["DELETE", &abandoned], &[], "");
    walk.lines
}

#[test]
fn honest_requests_go_through_every_edge() {
    let (server, passwords) =
        Server::with(Settings::asked_by_proxies(), &seed(&[("honest/*", ALL)]));
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("body");
    let registries = [Some(Registry::open()), Registry::open_of_version_3()];
    for registry in registries.iter().flatten() {
        let direct = Curl { host: &registry.host(), header: "X: y", body: &body };
        let octets = ["--header", "Content-Type: application/octet-stream"];
        let expected = walk(direct, &octets, "honest/direct");
        for (name, start) in EDGES {
            let (port, _edge) = start(registry.port(), &server);
            edge::decides(port, &server, &passwords[0]);
            let repository = format!("honest/{}", name.to_lowercase());
            let scopes = format!("repository:{repository}:pull,push,delete,metadata_read");
            let bearer = edge::bearer(&server, &passwords[0], &scopes);
            let host = format!("127.0.0.1:{port}");
            let curl = Curl { host: &host, header: &bearer, body: &body };
            let lines = walk(curl, &[], &repository);
            assert_eq!(lines, expected, "{name}");
        }
        println!("{expected:?}");
    }
}
