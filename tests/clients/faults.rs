//! What goes wrong around a server, and what must not come of it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::software::postgres::Postgres;
use crate::software::process::eventually;
use crate::software::server::{Administrator, Server, Settings, access, seed};

/// How often the server is killed.
const KILLS: usize = 50;
/// How many scope maps are written in turn.
const MAPS: usize = 4;
/// Within what time a change through one server is obeyed by another.
const SOON: Duration = Duration::from_secs(1);
/// Enough for a slow machine to come back.
const TIMEOUT: Duration = Duration::from_secs(20);
const PULL: &str = "repository:team/hello:pull";

/// Killed at random moments under writes, a server never forgets what it acknowledged, nor who did
/// it.
#[test]
fn a_killed_server_forgets_nothing() {
    let mut server = Server::new(Settings::default());
    let (administrator, url) = (server.administrator(), server.url());
    let mut writer = Writer::new(&administrator);
    for _ in 0..KILLS {
        server.start();
        writer.check(&url);
        scope(|threads| {
            threads.spawn(|| writer.write_until_refused(&url));
            sleep(Duration::from_millis(random(400)));
            server.process().kill();
        });
    }
    server.start();
    writer.check(&url);
    assert!(writer.writes > KILLS, "hardly anything was written: {}", writer.writes);
    assert!(server.check_trail() >= writer.done, "a change has no row in the trail");
}

/// Writes scope maps over and over, and remembers what was acknowledged.
struct Writer<'a> {
    administrator: &'a Administrator,
    /// How many writes were tried.
    writes: usize,
    /// How many were acknowledged.
    done: u64,
    /// The last write of each map that was acknowledged.
    acknowledged: BTreeMap<String, usize>,
    /// The write that got no answer. It may have been done.
    unanswered: Option<usize>,
}

impl<'a> Writer<'a> {
    fn new(administrator: &'a Administrator) -> Self {
        Self { administrator, writes: 0, done: 0, acknowledged: BTreeMap::new(), unanswered: None }
    }

    fn write_until_refused(&mut self, url: &str) {
        while self.write(url) == Some(true) {}
    }

    /// Writes the next map. Gives whether it was done; nothing when no answer came.
    fn write(&mut self, url: &str) -> Option<bool> {
        self.writes += 1;
        let (write, map) = (self.writes, format!("written-{}", self.writes % MAPS));
        self.unanswered = Some(write);
        let change = map_of(&format!("write-{write}"));
        let path = format!("/scopeMaps/{map}");
        let (status, _) = self.administrator.ask("PUT", url, &path, Some(&change)).ok()?;
        self.unanswered = None;
        if !is_done(status) {
            return Some(false);
        }
        self.done += 1;
        self.acknowledged.insert(map, write);
        Some(true)
    }

    /// Every map must be as it was acknowledged, or as the write left it that got no answer.
    #[track_caller]
    fn check(&mut self, url: &str) {
        let (status, maps) = self.administrator.ask("GET", url, "/scopeMaps", None).unwrap();
        assert_eq!(status, 200, "{maps}");
        let mut found = BTreeMap::new();
        for map in maps["value"].as_array().unwrap() {
            let name = map["name"].as_str().unwrap();
            if name.starts_with("written-") {
                found.insert(name.to_owned(), write_of(map));
            }
        }
        if let Some(write) = self.unanswered.take() {
            let map = format!("written-{}", write % MAPS);
            if found.get(&map) == Some(&write) {
                self.acknowledged.insert(map, write);
            }
        }
        assert_eq!(found, self.acknowledged);
    }
}

/// The number of the write that a map's only action names.
fn write_of(map: &Value) -> usize {
    let action = map["properties"]["actions"][0].as_str().unwrap();
    let number = action.trim_start_matches("repositories/write-").trim_end_matches("/content/read");
    number.parse().unwrap_or_else(|_| panic!("{map}"))
}

/// While PostgreSQL is gone tokens are issued and nothing can be changed; when it is back
/// everything works, without a restart.
#[test]
fn a_database_that_goes_away_and_comes_back() {
    let postgres = Postgres::start();
    let (server, password) = on(&postgres, &seed(&[("team/hello", &["content/read"])]));
    let (administrator, url) = (server.administrator(), server.url());
    let write = |name| {
        let path = format!("/scopeMaps/{name}");
        administrator.ask("PUT", &url, &path, Some(&map_of("team/hello"))).unwrap().0
    };
    assert!(is_done(write("before")));
    let (ended, issued, refused) =
        (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let count = match access(&url, "MyToken", &password, PULL).as_deref() {
                        Some(PULL) => &issued,
                        _ => &refused,
                    };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Whatever fails below, the load must end, or the scope never does.
        let _end = OnDrop(&ended);
        for _ in 0..2 {
            postgres.stop();
            eventually(TIMEOUT, || expect(503, write("during")));
            eventually(TIMEOUT, || expect("degraded".to_owned(), ready(&url)));
            let before = issued.load(Ordering::Relaxed);
            sleep(Duration::from_millis(500));
            assert!(issued.load(Ordering::Relaxed) > before, "no token without the database");
            postgres.resume();
            eventually(TIMEOUT, || expect_done(write("after")));
            eventually(TIMEOUT, || expect("ready".to_owned(), ready(&url)));
        }
    });
    assert_eq!(refused.into_inner(), 0, "of {}", issued.into_inner());
}

/// Sets a flag when it goes out of scope, also by a panic.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Two servers on one database have the same keys, and obey each other's changes within a second.
#[test]
fn two_servers_on_one_database() {
    let postgres = Postgres::start();
    let (first, password) = on(&postgres, &seed(&[("team/hello", &["content/read"])]));
    let mut second = Server::new(database(&postgres));
    second.start();
    let administrator = first.administrator();
    let keys = |server: &Server| {
        let url = format!("{}/.well-known/jwks.json", server.url());
        reqwest::blocking::get(url).unwrap().text().unwrap()
    };
    assert_eq!(keys(&first), keys(&second));

    let change = |server: &Server, method: &str, path: &str, body: &Value| {
        let (status, answer) = administrator.ask(method, &server.url(), path, Some(body)).unwrap();
        assert!(is_done(status), "{answer}");
    };
    let held =
        |server: &Server| access(&server.url(), "MyToken", &password, "repository:team/more:pull");
    assert_eq!(held(&second).as_deref(), Some(""));
    let mut took = Vec::new();
    for (writer, reader, status, expected) in [
        (&first, &second, "disabled", None),
        (&second, &first, "enabled", Some("repository:team/more:pull")),
        (&first, &second, "disabled", None),
    ] {
        change(writer, "PUT", "/scopeMaps/MyScopeMap", &map_of("team/more"));
        change(writer, "PATCH", "/tokens/MyToken", &json!({ "properties": { "status": status } }));
        let start = Instant::now();
        eventually(TIMEOUT, || match held(reader).as_deref() == expected {
            true => Ok(()),
            false => Err("the other server does not obey"),
        });
        took.push(start.elapsed());
        // The servers' connections to the database are gone, and the listener for changes has to be
        // set up again.
        postgres.stop();
        postgres.resume();
        for server in [&first, &second] {
            let probe = || {
                administrator.ask("PUT", &server.url(), "/scopeMaps/probe", Some(&map_of("probe")))
            };
            eventually(TIMEOUT, || expect_done(probe().unwrap().0));
        }
    }
    // One of three may have met another test that has the machine to itself for a moment.
    took.sort();
    assert!(took[1] < SOON, "obeyed after {took:?}");
}

/// On a full disk tokens are issued and a change is refused; nothing that was acknowledged is lost,
/// and with room again all goes on.
#[test]
fn a_full_disk() {
    let (mut server, passwords) =
        Server::with(Settings::default(), &seed(&[("team/hello", &["content/read"])]));
    let (administrator, url) = (server.administrator(), server.url());
    let mut writer = Writer::new(&administrator);
    assert_eq!(writer.write(&url), Some(true));
    // What is made once only, the compiled engine for example, is there before the disk is full.
    server.process().ask_to_end();
    assert!(server.process().wait(), "{}", server.process().log());
    server.limit_files(Some(256));
    server.start();
    let start = Instant::now();
    while writer.write(&url).expect("the server is gone") {
        assert!(start.elapsed() < Duration::from_secs(60), "the disk is never full");
    }
    assert_eq!(access(&url, "MyToken", &passwords[0], PULL).as_deref(), Some(PULL));
    writer.check(&url);
    server.lift_limit();
    for _ in 0..10 {
        assert_eq!(
            writer.write(&url),
            Some(true),
            "there is room again, and nobody has to restart"
        );
    }
    server.process().kill();
    server.start();
    writer.check(&url);
    assert!(server.check_trail() >= writer.done, "a change has no row in the trail");
}

/// A server that is asked to end answers requests that have begun, and no others.
#[test]
fn a_stopped_server_finishes_what_it_began() {
    let (mut server, passwords) =
        Server::with(Settings::default(), &seed(&[("team/hello", &["content/read"])]));
    let form = format!("grant_type=password&username=MyToken&password={}", passwords[0]);
    let (begun, rest) = form.split_at(20);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    let length = form.len();
    write!(stream, "POST /oauth2/token HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n")
        .unwrap();
    write!(stream, "Connection: close\r\n\r\n{begun}").unwrap();
    sleep(Duration::from_millis(200));
    server.process().ask_to_end();
    eventually(TIMEOUT, || match TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())) {
        Ok(_) => Err("it still takes connections"),
        Err(_) => Ok(()),
    });
    write!(stream, "{rest}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"access_token\""), "{answer}");
    assert!(server.process().wait(), "{}", server.process().log());
}

/// Clients that send their form byte by byte delay no other client, and are cut off.
#[test]
fn slow_bodies() {
    slow(
        "POST /oauth2/token HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\ngrant_type=password",
    );
}

/// The same for those that never come to the end of their headers.
#[test]
fn slow_headers() {
    slow("GET /oauth2/token HTTP/1.1\r\nHost: h\r\nX-");
}

/// Many clients that begin like this and go on with one byte at a time.
#[track_caller]
fn slow(beginning: &str) {
    let (server, passwords) =
        Server::with(Settings::default(), &seed(&[("team/hello", &["content/read"])]));
    let begin = |_| {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
        stream.write_all(beginning.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        stream
    };
    let mut slow: Vec<_> = (0..100).map(begin).collect();
    let start = Instant::now();
    while !slow.is_empty() {
        assert!(start.elapsed() < 2 * TIMEOUT, "{} slow clients are not cut off", slow.len());
        let asked = Instant::now();
        let held = access(&server.url(), "MyToken", &passwords[0], PULL);
        assert_eq!(held.as_deref(), Some(PULL));
        assert!(asked.elapsed() < Duration::from_secs(5), "slow clients hold others up");
        slow.retain_mut(|stream| !is_cut_off(stream));
        sleep(Duration::from_millis(500));
    }
}

/// Sends one more byte, and looks whether there is an answer or an end.
fn is_cut_off(stream: &mut TcpStream) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    if stream.write_all(b"x").is_err() {
        return true;
    }
    let read = stream.read(&mut [0; 512]);
    !matches!(read, Err(error) if matches!(error.kind(), TimedOut | WouldBlock))
}

/// A server on a cluster, and the password of its one token.
#[track_caller]
fn on(postgres: &Postgres, seed: &str) -> (Server, String) {
    let (server, passwords) = Server::with(database(postgres), seed);
    (server, passwords.into_iter().next().expect("no password was generated"))
}

fn database(postgres: &Postgres) -> Settings {
    // All that a test asks for comes from one address, and in one name.
    let config = "limits: {perAddress: {rate: 0, burst: 1}, perPrincipal: {rate: 0, burst: 1}}\n";
    let config = Some(config.to_owned());
    Settings { database_url: Some(postgres.url()), config, ..Settings::default() }
}

/// A scope map that opens one repository for reading, as the management API takes it.
fn map_of(repository: &str) -> Value {
    json!({ "properties": { "actions": [format!("repositories/{repository}/content/read")] } })
}

/// What a server says of itself: `ready`, or `degraded` while it issues tokens without the
/// database.
fn ready(url: &str) -> String {
    let answer = reqwest::blocking::get(format!("{url}/readyz")).unwrap();
    assert_eq!(answer.status(), 200, "balancers must go on sending");
    let said: serde_json::Value = answer.json().unwrap();
    said["status"].as_str().unwrap().to_owned()
}

fn is_done(status: u16) -> bool {
    matches!(status, 200 | 201)
}

fn expect_done(status: u16) -> Result<(), String> {
    if is_done(status) { Ok(()) } else { Err(format!("{status}")) }
}

fn expect<T: PartialEq + Display>(expected: T, said: T) -> Result<(), String> {
    if said == expected { Ok(()) } else { Err(format!("{said} and not {expected}")) }
}

/// Anything below `limit`. The standard library seeds its hashers at random, which is all the
/// randomness that a moment needs.
fn random(limit: u64) -> u64 {
    RandomState::new().hash_one(()) % limit
}
