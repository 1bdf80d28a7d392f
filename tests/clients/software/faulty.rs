//! A registry that is slow, or fails, when a test says so: a proxy before a real one.

use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use reqwest::blocking::Client;
use reqwest::redirect::Policy;

use super::wire::{read_head, take_body};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It reaches the registry later.
    Late(Duration),
    /// It does not, and is answered so: a status, more header lines, a body.
    Answered(u16, &'static str, String),
}

type Rule = Box<dyn Fn(&str) -> Option<Fault> + Send>;

/// A proxy before a registry, until the process ends.
pub(crate) struct Faulty {
    port: u16,
    rule: Arc<Mutex<Rule>>,
    seen: Arc<Mutex<Vec<String>>>,
}

/// What one connection needs.
struct Parts {
    upstream: u16,
    client: Client,
    rule: Arc<Mutex<Rule>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Faulty {
    /// It passes on what comes, for now.
    pub(crate) fn before(upstream: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Box::new(|_| None)));
        let seen = Arc::default();
        let client = Client::builder().redirect(Policy::none()).timeout(None).build().unwrap();
        let faulty = Self { port, rule: Arc::clone(&rule), seen: Arc::clone(&seen) };
        spawn(move || {
            for stream in listener.incoming().flatten() {
                let (client, rule, seen) = (client.clone(), Arc::clone(&rule), Arc::clone(&seen));
                spawn(move || pass(&stream, &Parts { upstream, client, rule, seen }));
            }
        });
        faulty
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on this is what happens to a request, by its method and target. Earlier
    /// requests are forgotten: they would end a wait for the like of them.
    pub(crate) fn on(&self, rule: impl Fn(&str) -> Option<Fault> + Send + 'static) {
        self.seen.lock().unwrap().clear();
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// Waits until a request has come, under the rule of now, whose method and target begin and
    /// end so.
    #[track_caller]
    pub(crate) fn wait_for(&self, begin: &str, end: &str) {
        super::process::eventually(Duration::from_secs(20), || {
            let seen = self.seen.lock().unwrap();
            let is_it = |request: &String| request.starts_with(begin) && request.ends_with(end);
            if seen.iter().any(is_it) { Ok(()) } else { Err(format!("{begin} {end}: {seen:?}")) }
        });
    }
}

/// Answers until the other side hangs up.
fn pass(mut stream: &TcpStream, parts: &Parts) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (line, headers) = read_head(&mut reader)?;
        let mut body = Vec::new();
        take_body(&mut reader, &headers, &mut body)?;
        let request = line.strip_suffix(" HTTP/1.1")?.to_owned();
        parts.seen.lock().unwrap().push(request.clone());
        let fault = parts.rule.lock().unwrap()(&request);
        match fault {
            Some(Fault::Answered(status, lines, body)) => {
                let length = body.len();
                let is_to_head = request.starts_with("HEAD ");
                let body = if is_to_head { "" } else { &body };
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
                )
                .ok()?;
                continue;
            }
            Some(Fault::Late(delay)) => sleep(delay),
            None => {}
        }
        let (method, target) = request.split_once(' ')?;
        let method = reqwest::Method::from_bytes(method.as_bytes()).ok()?;
        let mut forward =
            parts.client.request(method, format!("http://127.0.0.1:{}{target}", parts.upstream));
        for (name, value) in headers.iter().filter_map(|header| header.split_once(':')) {
            if !["connection", "transfer-encoding", "content-length"].contains(&name) {
                forward = forward.header(name, value.trim());
            }
        }
        let answer = forward.body(body).send().ok()?;
        let mut head = format!("HTTP/1.1 {} X\r\n", answer.status().as_u16());
        for (name, value) in answer.headers() {
            if !["connection", "transfer-encoding", "content-length"].contains(&name.as_str()) {
                head.push_str(&format!("{name}: {}\r\n", value.to_str().ok()?));
            }
        }
        let length = answer.headers().get("content-length").cloned();
        let body = answer.bytes().ok()?;
        let length = length.map_or_else(
            || body.len().to_string(),
            |length| length.to_str().unwrap_or_default().to_owned(),
        );
        head.push_str(&format!("Content-Length: {length}\r\n\r\n"));
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&body).ok()?;
    }
}
