//! What the data plane costs: a page beside the registry's own list, locks, and an index of a
//! million tags. For a release, with a gateway that is built for one, the goals are held.
//!
//! Cases of one table take turns, so that other load on the machine affects all of them.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scene::{ALL, IMAGE, digest, figure, sized};
use crate::drivers::az::environment;
use crate::edge;
use crate::software::gateway::Gateway;
use crate::software::large::{Large, Size};
use crate::software::postgres::Postgres;
use crate::software::process::{eventually, run};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};
use crate::software::wire::Connection;

const TAGS: usize = 100;
/// From the beginning of the year 1 to that of 1970, as keys of lists count.
const YEAR_ONE: i64 = 621_355_968_000_000_000;

/// How many tags have the same time, as those of reproducible builds do.
const SAME: i64 = 100_000;

/// Something that is measured.
struct Case<'c> {
    name: &'c str,
    run: Box<dyn FnMut() + 'c>,
    micros: Vec<f64>,
}

impl<'c> Case<'c> {
    fn new(name: &'c str, run: impl FnMut() + 'c) -> Self {
        Self { name, run: Box::new(run), micros: Vec::new() }
    }

    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.micros.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() - 1) * percent / 100]
    }

    fn median(&self) -> f64 {
        self.percentile(50)
    }
}

/// Measures the cases in turns, after some turns that do not count.
fn measure(cases: &mut [Case<'_>], rounds: usize) {
    for round in 0..rounds + 5 {
        for case in &mut *cases {
            let begun = Instant::now();
            (case.run)();
            if round >= 5 {
                case.micros.push(begun.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    for case in cases {
        let (p50, p95) = (case.median(), case.percentile(95));
        println!("  {:<44} {p50:>8.0} µs {p95:>8.0} µs", case.name);
    }
}

/// A goal of a release. What a test builds is not measured by it.
#[track_caller]
fn goal(what: &str, value: f64, most: f64) {
    let is_measured = sized(false, true);
    assert!(!is_measured || value <= most, "{what}: {value:.2}, and the goal is {most}");
}

/// A token server, and what a client of it sends.
struct Access {
    server: Server,
    authorization: String,
}

impl Access {
    fn new(scopes: &str) -> Self {
        let (server, passwords) = Server::with(Settings::default(), &seed(&[("*", ALL)]));
        let authorization = edge::bearer(&server, &passwords[0], scopes);
        Self { server, authorization }
    }

    fn connect(&self, port: u16) -> Connection {
        let accept = format!("Accept: {IMAGE}");
        let lines = [&self.authorization, &accept, "Content-Type: application/octet-stream"];
        Connection::open(port, &lines)
    }

    fn put(&self, port: u16) -> Connection {
        let content_type = format!("Content-Type: {IMAGE}");
        Connection::open(port, &[&self.authorization, &content_type])
    }
}

/// Puts a blob into a repository of a registry.
fn upload(registry: &Registry, text: &str) {
    let client = reqwest::blocking::Client::new();
    let url = format!("http://127.0.0.1:{}/v2/team/app/blobs/uploads/", registry.port());
    let begun = client.post(url).send().unwrap();
    let place = begun.headers()["location"].to_str().unwrap().to_owned();
    let separator = if place.contains('?') { '&' } else { '?' };
    let put = client.put(format!("{place}{separator}digest={}", digest(text)));
    let put = put.header("content-type", "application/octet-stream").body(text.to_owned());
    assert_eq!(put.send().unwrap().status(), 201);
}

/// An image of these blobs, of which there are many.
fn image(config: &str, layer: &str, number: usize) -> Vec<u8> {
    let blob = |kind: &str, text: &str| json!({ "mediaType": kind, "digest": digest(text), "size": text.len() });
    json!({
        "schemaVersion": 2, "mediaType": IMAGE,
        "config": blob("application/vnd.oci.image.config.v1+json", config),
        "layers": [blob("application/vnd.oci.image.layer.v1.tar+gzip", layer)],
        "annotations": { "number": number.to_string() },
    })
    .to_string()
    .into_bytes()
}

const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","created":"2023-04-05T06:07:08Z"}"#;
const LAYER: &str = "a layer";

/// A page of 100 tags beside the registry's own list of their names, which has a hundredth of it.
#[test]
fn a_page_beside_the_registry() {
    let access = Access::new("repository:team/app:pull,push,metadata_read");
    let registries = [Some(Registry::open_on_disk()), Registry::open_on_disk_of_version_3()];
    for (name, registry) in ["2.8.2", "3.1.1"].into_iter().zip(registries) {
        let Some(registry) = registry else { continue };
        let folder = tempfile::tempdir().unwrap();
        let index = format!("index: {{data: {}, freshFor: 1h}}\n", folder.path().display());
        let gateway = Gateway::before(registry.port(), &access.server, &index);
        // Its own first look, at nothing, would be the last one for an hour.
        eventually(Duration::from_secs(20), || {
            let has_looked = gateway.log().contains("the registry was looked through");
            if has_looked { Ok(()) } else { Err(gateway.log()) }
        });
        let mut behind = access.connect(registry.port());
        for blob in [CONFIG, LAYER] {
            upload(&registry, blob);
        }
        let mut put = access.put(registry.port());
        for number in 0..TAGS {
            let target = format!("/v2/team/app/manifests/t{number:03}");
            assert_eq!(put.ask("PUT", &target, &image(CONFIG, LAYER, number)).0, 201);
        }
        let [mut ours, mut list] = [(); 2].map(|()| access.connect(gateway.port()));
        let page = "/acr/v1/team/app/_tags?n=100";
        let begun = Instant::now();
        let (status, body) = ours.ask("GET", page, b"");
        let cold = begun.elapsed();
        let shown: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, shown["tags"].as_array().unwrap().len()), (200, TAGS));
        let mut cases = [
            Case::new("distribution, tags/list", || {
                let (status, body) = behind.ask("GET", "/v2/team/app/tags/list?n=100", b"");
                assert!(status == 200 && body.len() > TAGS * 6);
            }),
            Case::new("the gateway, tags/list", || {
                assert_eq!(list.ask("GET", "/v2/team/app/tags/list?n=100", b"").0, 200);
            }),
            Case::new("the gateway, a page of 100 tags", || {
                assert_eq!(ours.ask("GET", page, b"").0, 200);
            }),
        ];
        println!("{name}:");
        measure(&mut cases, sized(20, 500));
        let [own, list, page] = cases.each_ref().map(Case::median);
        figure(
            &format!("a page of 100 tags, CNCF distribution {name}"),
            &format!(
                "{page:.0} µs warm, {:.2} of its tags/list ({own:.0} µs; {list:.0} µs through the gateway); {} ms cold",
                page / own,
                cold.as_millis()
            ),
        );
        goal("a page beside the registry's list", page / own, 1.5);
    }
}

/// What an index, and so locks, add to pushing a manifest and to pulling a blob.
#[test]
fn what_locks_cost() {
    let access = Access::new("repository:team/app:pull,push,metadata_read");
    let (registry, postgres) = (Registry::open_on_disk(), Postgres::start());
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let index = |number: usize, more: &str| {
        format!("index: {{data: {}{more}}}\n", folders[number].path().display())
    };
    let shared = format!(", databaseUrl: \"{}\"", postgres.url());
    let gateways = ["", &index(0, ""), &index(1, &shared)]
        .map(|index| Gateway::before(registry.port(), &access.server, index));
    let layer = "x".repeat(10_000);
    for blob in [CONFIG, &layer] {
        upload(&registry, blob);
    }
    let ports = [registry.port(), gateways[0].port(), gateways[1].port(), gateways[2].port()];
    let names = ["the registry", "no index", "an index in SQLite", "an index in PostgreSQL"];
    let blob = format!("/v2/team/app/blobs/{}", digest(&layer));
    let mut number = 0;
    let mut next = || {
        number += 1;
        number
    };
    for what in ["a manifest pushed", "a blob pulled"] {
        let mut connections = ports.map(|port| access.put(port));
        let body = |number| image(CONFIG, &layer, number);
        let mut cases: Vec<Case<'_>> = Vec::new();
        let first = next() * 1_000_000;
        for ((name, connection), place) in names.into_iter().zip(&mut connections).zip(1..) {
            let (mut count, blob) = (first + place * 100_000, blob.as_str());
            cases.push(Case::new(name, move || {
                count += 1;
                let (status, expected) = if what == "a blob pulled" {
                    (connection.ask("GET", blob, b"").0, 200)
                } else {
                    let target = format!("/v2/team/app/manifests/t{}", count % 50);
                    (connection.ask("PUT", &target, &body(count)).0, 201)
                };
                assert_eq!(status, expected);
            }));
        }
        println!("{what}:");
        measure(&mut cases, sized(20, 500));
        let median = |place: usize| cases[place].median();
        figure(
            what,
            &format!(
                "{:.0} µs at the registry, {:.0} µs through a gateway, {:+.0} µs with an index in SQLite, {:+.0} µs in PostgreSQL",
                median(0),
                median(1),
                median(2) - median(1),
                median(3) - median(1)
            ),
        );
    }
}

/// Pages anywhere in a repository with very many tags, and what they take of memory.
#[test]
fn a_large_index() {
    let count = sized(20_000_i64, 1_000_000);
    let scopes = ["r/000000", "s"].map(|name| format!("repository:{name}:pull,metadata_read"));
    let access = Access::new(&scopes.join(" "));
    let size = Size { repositories: 0, tags: 0, is_listed: false, delay: Duration::ZERO };
    let large = Large::start(size);
    let folder = tempfile::tempdir().unwrap();
    let index = format!("index: {{data: {}, freshFor: 1h}}\n", folder.path().display());
    let mut gateway = Gateway::before(large.port(), &access.server, &index);
    gateway.crash();
    fill(&folder.path().join("index.db"), count);
    gateway.restart();
    let mut connection = access.connect(gateway.port());
    let same = count.min(SAME);
    let pages = [pages("r/000000", false, count), pages("s", true, same)].concat();
    let mut worst: (f64, &str) = (0.0, "");
    for page in &pages {
        let mut one = [Case::new(page, || {
            let (status, body) = connection.ask("GET", page, b"");
            assert!(status == 200 && body.len() > TAGS * 100, "{status} {page}");
        })];
        measure(&mut one, sized(3, 20));
        worst = if one[0].median() > worst.0 { (one[0].median(), page) } else { worst };
    }
    let (milliseconds, megabytes) = (worst.0 / 1e3, gateway.peak_memory() as f64 / 1024.0);
    println!("{} MB now", gateway.resident_memory() / 1024);
    figure(
        &format!("an index of {count} tags"),
        &format!(
            "{milliseconds:.1} ms for the slowest page of 100 ({}), {megabytes:.0} MB resident",
            worst.1
        ),
    );
    goal("a page in a large index, in ms", milliseconds, 5.0);
    goal("a large index, in MB", megabytes, 400.0);
}

/// The first page, one in the middle and the last one, in every order.
fn pages(repository: &str, is_same: bool, count: i64) -> Vec<String> {
    let mut pages = Vec::new();
    for list in ["_tags", "_manifests"] {
        for order in ["none", "timeasc", "timedesc"] {
            for place in [0, count / 2, count - 101] {
                // The item before the page, in the order of the list.
                let number =
                    if order == "timedesc" && !is_same { count - 1 - place } else { place };
                let name = match list {
                    "_tags" => format!("t{number:07}"),
                    _ => digest_of(number).replace(':', "%3A"),
                };
                let ticks = YEAR_ONE + if is_same { 1 << 54 } else { (1 << 54) + number };
                let key = if order == "timedesc" { i64::MAX - ticks } else { ticks };
                let last = if order == "none" { name } else { format!("{key}%26{name}") };
                let last = if place == 0 { String::new() } else { format!("&last={last}") };
                pages.push(format!("/acr/v1/{repository}/{list}?n=100&orderby={order}{last}"));
            }
        }
    }
    pages
}

/// Digests that come in the order of their numbers.
fn digest_of(number: i64) -> String {
    format!("sha256:{number:064x}")
}

/// Fills an index: a repository whose tags have a time each, and one where all have the same.
fn fill(file: &std::path::Path, count: i64) {
    let statements = [
        "pragma synchronous = off".to_owned(),
        "insert into repositories values ('r/000000', 1, 1, 1 << 60), ('s', 1, 1, 1 << 60)".to_owned(),
        format!("create temp table n as with recursive n(i) as (select 0 union all select i + 1 from n where i < {count} - 1) select i, printf('sha256:%064x', i) as digest from n"),
        "insert into facts select digest, 'application/vnd.oci.image.manifest.v1+json', 1000, 'application/vnd.oci.image.config.v1+json', 'amd64', 'linux', null, '[]' from n".to_owned(),
        "insert into tags select 'r/000000', printf('t%07d', i), digest, (1 << 54) + i, (1 << 54) + i, 1 << 60 from n".to_owned(),
        "insert into manifests select 'r/000000', digest, (1 << 54) + i, (1 << 54) + i, 1 << 60 from n".to_owned(),
        format!("insert into tags select 's', printf('t%07d', i), digest, 1 << 54, 1 << 54, 1 << 60 from n where i < {SAME}"),
        format!("insert into manifests select 's', digest, 1 << 54, 1 << 54, 1 << 60 from n where i < {SAME}"),
    ];
    let mut script =
        format!("import sqlite3\nindex = sqlite3.connect({:?})\n", file.display().to_string());
    for statement in statements {
        script += &format!("index.execute({statement:?})\n");
    }
    script += "index.commit()\n";
    run(Command::new(environment().join("bin/python")).args(["-c", &script]));
}
