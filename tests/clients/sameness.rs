//! Generated cases through every proxy, as raw bytes over HTTP: each answers as the engine does,
//! and the digests of the answers are the same.
//!
//! The cases are those that the engine's hosts without a proxy answer, as far as a request line can
//! carry them. What came with a request is a token that holds what the case says, signed with the
//! key of the token server that the proxy trusts. A million of them take two to ten minutes through
//! each; `SAMENESS_CASES` says how many there are, and by default it is what a minute is good for.
//!
//! | an answer | is written down as |
//! |---|---|
//! | of the registry | the request line that the registry heard, and the type of the body |
//! | of the proxy, to a client that may have it | `allowed`: the lists of the gateway, and `/v2/` |
//! | a challenge | the status and the challenge, without the address of the token server; the body is the engine's too, where a proxy has it |
//! | to a request that the API does not have | `unreadable`: an HTTP library may have refused it before our code saw it, each in words of its own |

use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use scopegate_api::access::AccessEntry;
use scopegate_api::claims::PrincipalKind;
use scopegate_core::admission::{self, Admission, Authority, Request, admit};
use scopegate_core::route::{Endpoint, Settings as RouteSettings};
use scopegate_core::verify::Grant;
use scopegate_server::testing::domain::issue::{Issuer, Subject};
use scopegate_server::testing::domain::keys::Keeper;
use scopegate_server::testing::store;
use scopegate_tests::sameness::answers::headers;
use scopegate_tests::sameness::{Case, Credential, Digest, groups};

use crate::edge::{self, ALL};
use crate::software::gateway::Gateway;
use crate::software::mirror::Mirror;
use crate::software::proxy::{Kind, Proxy};
use crate::software::server::{ISSUER, Server, Settings, seed};
use crate::software::wire::{read_head, take_body, value};
use crate::software::workerd::Workerd;

/// How many cases there are by default.
const FEW: usize = 100_000;
/// The digest of those, the same for each proxy.
const EXPECTED: &str = "57242 f5d495e7d63a092c3a4bd3cf5170fe4b448afc3c59c64b9496e8cec15f0fafd3";
const WITH_BODIES: bool = true;
const WITHOUT_BODIES: bool = false;
/// How many requests are on their way at once.
const AT_ONCE: usize = 8;

#[test]
fn through_the_gateway() {
    same("gateway", WITH_BODIES, |mirror, server| {
        let gateway =
            Gateway::before(mirror.port(), server, "passwords: false\nlog: {decisions: false}\n");
        (gateway.port(), gateway)
    });
}

#[test]
fn through_the_worker() {
    same("workerd", WITH_BODIES, |mirror, server| {
        let worker = Workerd::before(mirror.port(), server);
        (worker.port(), worker)
    });
}

#[test]
fn through_envoy() {
    same("Envoy", WITH_BODIES, |mirror, server| {
        let envoy = Proxy::filter(mirror.port(), server);
        (envoy.port(), envoy)
    });
}

#[test]
fn through_nginx() {
    // `auth_request` takes over the status and headers of a refusal, and a body of nginx's own
    // comes with it.
    same("nginx", WITHOUT_BODIES, |mirror, server| {
        let nginx = Proxy::before(Kind::Nginx, mirror.port(), server);
        (nginx.port(), nginx)
    });
}

/// Sends the cases through a proxy, which lives as long as what `start` gives beside its port.
#[track_caller]
fn same<P>(host: &str, has_bodies: bool, start: impl FnOnce(&Mirror, &Server) -> (u16, P)) {
    let (server, passwords) = Server::with(Settings::asked_without_end(), &seed(&[("*", ALL)]));
    let mirror = Mirror::start();
    let (port, _proxy) = start(&mirror, &server);
    let signer = Signer::of(&server);
    edge::decides(port, &server, &passwords[0]);
    let count = std::env::var("SAMENESS_CASES").map_or(FEW, |count| count.parse().unwrap());
    let (mut expected, mut answered) = (Digest::default(), Digest::default());
    let begun = Instant::now();
    for group in groups(count) {
        let cases: Vec<Case> = group.cases.into_iter().filter(can_be_sent).collect();
        let said: Vec<Said> = cases.iter().map(|case| signer.expected(case)).collect();
        let answers = ask_all(port, &cases, &signer);
        for ((case, said), answer) in cases.iter().zip(&said).zip(&answers) {
            assert_eq!(answer.line, said.line, "{host}: {case:?}");
            assert!(!has_bodies || answer.body == said.body, "{host}: {case:?} {answer:?}");
        }
        expected.add(said.iter().map(|said| &said.line));
        answered.add(answers.iter().map(|answer| &answer.line));
    }
    let (expected, answered) = (expected.finish(), answered.finish());
    println!("{host}: {answered}, in {} s", begun.elapsed().as_secs());
    assert_eq!(answered, expected, "{host}");
    assert!(count != FEW || answered == EXPECTED, "{host}: {answered}");
}

/// Whether a request can carry the case as it is: a method that clients send, a target that is one
/// word without a fragment, and one line of `Content-Type`, because some proxies make one of two
/// before anybody is asked.
fn can_be_sent(case: &Case) -> bool {
    let is_sent = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if case.content_types.len() > 1 {
        return false;
    }
    matches!(&*case.method, "GET" | "HEAD" | "PUT" | "POST" | "PATCH" | "DELETE")
        && case.target.starts_with('/')
        && case.target.bytes().all(is_sent)
}

/// An answer as it is written down, and the body of a challenge.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    line: String,
    body: Option<String>,
}

impl Said {
    fn line(line: impl Into<String>) -> Self {
        Self { line: line.into(), body: None }
    }
}

/// Signs the tokens of the cases, and knows what the engine says.
struct Signer {
    issuer: Issuer,
    service: String,
    realm: String,
}

impl Signer {
    fn of(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (ring, registry) = runtime.block_on(async {
            let store = store::open(&server.data(), None).await.unwrap();
            let registry = store.read().await.unwrap().registry().await.unwrap();
            (Keeper::read(&store).await.unwrap(), registry)
        });
        let service = server.service().to_owned();
        let issuer = Issuer::new(ISSUER.to_owned(), service.clone(), false, ring);
        issuer.replace_epoch(&registry.epoch);
        Self { issuer, service, realm: server.url() + "/oauth2/token" }
    }

    /// The header of a case; a signature that was changed makes a token that is no good.
    fn header(&self, case: &Case) -> String {
        let now = jiff::Timestamp::now().as_second();
        let access: Vec<_> = case.access.lines().filter_map(entry).collect();
        let subject = Subject::new("MyToken", PrincipalKind::Token, 1 << 40);
        let token = self.issuer.access_token(&subject, "rid", access, 3600, now).unwrap();
        match case.credential {
            Credential::Absent => String::new(),
            Credential::Valid => format!("Authorization: Bearer {token}\r\n"),
            Credential::Invalid => {
                let (message, signature) = token.rsplit_once('.').unwrap();
                let other = if signature.starts_with('A') { "B" } else { "A" };
                format!("Authorization: Bearer {message}.{other}{}\r\n", &signature[1..])
            }
        }
    }

    /// The line that the engine's own answer to a case gives.
    fn expected(&self, case: &Case) -> Said {
        let grants = case.access.lines().filter_map(Grant::read);
        let credential = match case.credential {
            Credential::Absent => admission::Credential::Absent,
            Credential::Invalid => admission::Credential::Invalid,
            Credential::Valid => admission::Credential::Valid(grants),
        };
        let authority = Authority { realm: &self.realm, service: &self.service };
        let settings = RouteSettings::default();
        let request =
            Request { method: &case.method, target: &case.target, headers: headers(case) };
        match admit(request, credential, authority, &settings) {
            Admission::Forward(forward) if is_answered(case, forward.route.endpoint) => {
                Said::line("allowed")
            }
            Admission::Forward(forward) => {
                let content_type = forward.content_type.unwrap_or("none");
                Said::line(format!("{} {} HTTP/1.1 {content_type}", case.method, forward.target))
            }
            Admission::Refusal(refusal) => {
                let challenge = refusal.challenge.as_deref();
                self.line(case, refusal.status, None, challenge, &refusal.body)
            }
        }
    }

    /// How an answer is written down.
    fn line(
        &self,
        case: &Case,
        status: u16,
        heard: Option<&str>,
        challenge: Option<&str>,
        body: &str,
    ) -> Said {
        let may_be_answered = |heard: &str| {
            let path = heard.split(['?', ' ']).nth(1).unwrap_or_default();
            let is_list = path.ends_with("/_catalog") || path.ends_with("/tags/list");
            path == "/v2/" || (case.method == "GET" && is_list)
        };
        // The gateway makes pages, and so refuses the size of one; a client that may not list gets
        // no answer about sizes.
        let is_page = body.contains("PAGINATION_NUMBER_INVALID");
        match (heard, challenge) {
            (Some(heard), None) if may_be_answered(heard) => Said::line("allowed"),
            (Some(heard), None) => Said::line(heard),
            (None, None) if status == 200 || is_page => Said::line("allowed"),
            // nginx can pass on no other refusal of the token server than 401 and 403.
            (None, None) if matches!(status, 400 | 403 | 404 | 405) => Said::line("unreadable"),
            (None, Some(challenge)) => {
                let body = if case.method == "HEAD" { "" } else { body };
                let challenge = challenge.replace(&self.realm, "REALM");
                Said { line: format!("{status} {challenge}"), body: Some(body.to_owned()) }
            }
            _ => Said::line(format!("{status} {heard:?} {challenge:?} {body}")),
        }
    }
}

/// An access entry as the case has it, whatever it says.
fn entry(text: &str) -> Option<AccessEntry> {
    let (resource_type, rest) = text.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    Some(AccessEntry {
        resource_type: resource_type.to_owned(),
        name: name.to_owned(),
        actions: actions.split(',').map(ToOwned::to_owned).collect(),
    })
}

/// What a proxy may answer itself where the engine lets it through.
fn is_answered(case: &Case, endpoint: Endpoint) -> bool {
    endpoint == Endpoint::Base
        || (case.method == "GET" && matches!(endpoint, Endpoint::Catalog | Endpoint::TagsList))
}

/// Asks about all cases, and gives their lines in order.
fn ask_all(port: u16, cases: &[Case], signer: &Signer) -> Vec<Said> {
    let next = AtomicUsize::new(0);
    let ask = || {
        let mut connection = Connection::to(port);
        let mut answers = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(place) else { return answers };
            answers.push((place, connection.ask(case, signer)));
        }
    };
    let mut answers = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    answers.sort_unstable();
    answers.into_iter().map(|(_, said)| said).collect()
}

/// A connection that is made again when the other side has closed it.
struct Connection {
    port: u16,
    reader: Option<BufReader<TcpStream>>,
}

impl Connection {
    fn to(port: u16) -> Self {
        Self { port, reader: None }
    }

    fn ask(&mut self, case: &Case, signer: &Signer) -> Said {
        let Case { method, target, .. } = case;
        let length = if matches!(&**method, "GET" | "HEAD") { "" } else { "Content-Length: 0\r\n" };
        let types: String =
            case.content_types.iter().map(|value| format!("Content-Type: {value}\r\n")).collect();
        let header = signer.header(case);
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: registry.test\r\n{length}{types}{header}\r\n"
        );
        // A connection that was used may be closed, and a new one is not.
        let answer = self.send(&request, method).or_else(|| self.send(&request, method));
        let Some((status, headers, body)) = answer else { return Said::line("no answer") };
        let (heard, challenge) = (value(&headers, "x-heard"), value(&headers, "www-authenticate"));
        signer.line(case, status, heard, challenge, &String::from_utf8_lossy(&body))
    }

    fn send(&mut self, request: &str, method: &str) -> Option<(u16, Vec<String>, Vec<u8>)> {
        let reader = self.reader.get_or_insert_with(|| {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            stream.set_nodelay(true).unwrap();
            BufReader::new(stream)
        });
        let answer = exchange(reader, request, method);
        let goes_on = answer.as_ref().is_some_and(|(_, headers, _)| {
            value(headers, "connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"))
        });
        if !goes_on {
            self.reader = None;
        }
        answer
    }
}

fn exchange(
    reader: &mut BufReader<TcpStream>,
    request: &str,
    method: &str,
) -> Option<(u16, Vec<String>, Vec<u8>)> {
    reader.get_mut().write_all(request.as_bytes()).ok()?;
    let (line, headers) = read_head(reader)?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut body = Vec::new();
    if method != "HEAD" {
        take_body(reader, &headers, &mut body)?;
    }
    Some((status, headers, body))
}
