//! A registry of any size, which is made up as it is asked: repositories with some tags each, every
//! tag an image of its own. It counts what it is asked, and takes its time where it is told to.
//!
//! Left out: writes, and pages of tags: as in CNCF distribution 2.8 a list has all of them.

use std::collections::HashMap;
use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::wire::{read_head, take_body};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Listens until the process ends.
pub(crate) struct Large {
    port: u16,
    registry: Arc<Registry>,
}

/// What it is like.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) repositories: usize,
    /// In each of them.
    pub(crate) tags: usize,
    /// Whether it lists its repositories.
    pub(crate) is_listed: bool,
    /// How long each answer takes.
    pub(crate) delay: Duration,
}

struct Registry {
    size: Size,
    /// The image of a digest that it has told.
    told: Mutex<HashMap<String, (usize, usize)>>,
    requests: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A status, header fields and a body.
type Answer = (&'static str, String, Vec<u8>);

impl Large {
    pub(crate) fn start(size: Size) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let [requests, now, most] = [(); 3].map(|()| AtomicUsize::new(0));
        let registry = Arc::new(Registry { size, told: Mutex::default(), requests, now, most });
        let shared = Arc::clone(&registry);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let registry = Arc::clone(&shared);
                std::thread::spawn(move || registry.answer_all(&stream));
            }
        });
        Self { port, registry }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The name of a repository.
    pub(crate) fn repository(number: usize) -> String {
        format!("r/{number:06}")
    }

    /// How many requests there were, and at most at one time.
    pub(crate) fn asked(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        (of(&self.registry.requests), of(&self.registry.most))
    }
}

impl Registry {
    /// Answers until the other side hangs up.
    fn answer_all(&self, mut stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        stream.set_nodelay(true).ok()?;
        loop {
            let (line, headers) = read_head(&mut reader)?;
            self.requests.fetch_add(1, Ordering::SeqCst);
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            take_body(&mut reader, &headers, &mut std::io::sink())?;
            if !self.size.delay.is_zero() {
                std::thread::sleep(self.size.delay);
            }
            let (method, target) = line.split_once(' ')?;
            let target = target.split(' ').next()?;
            let answer = self.answer(target);
            let (status, headers, body) =
                answer.unwrap_or(("404 Not Found", String::new(), b"{}".to_vec()));
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
            let body = if method == "HEAD" { &[] } else { body.as_slice() };
            // Before its client can send the next one.
            self.now.fetch_sub(1, Ordering::SeqCst);
            stream.write_all(&[head.as_bytes(), body].concat()).ok()?;
        }
    }

    fn answer(&self, target: &str) -> Option<Answer> {
        let path = target.strip_prefix("/v2/")?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if path == "_catalog" {
            return Some(self.catalog(query));
        }
        let number: usize = path.get(2..8)?.parse().ok()?;
        let is_there = path.starts_with("r/") && number < self.size.repositories;
        let rest = path.get(9..).filter(|_| is_there)?;
        if rest == "tags/list" {
            let tags: Vec<_> = (0..self.size.tags).map(|tag| format!("t{tag:06}")).collect();
            let body = json!({ "name": Large::repository(number), "tags": tags });
            return Some(("200 OK", String::new(), body.to_string().into_bytes()));
        }
        let (kind, reference) = rest.split_once('/')?;
        let (of, tag) = match reference.strip_prefix('t') {
            Some(tag) => (number, tag.parse().ok().filter(|tag| *tag < self.size.tags)?),
            None => *self.told.lock().unwrap().get(reference)?,
        };
        let image = Image::new(of, tag);
        Some(match kind {
            "blobs" => ("200 OK", String::new(), image.config.into_bytes()),
            _ => {
                let own = digest(&image.manifest);
                let headers = format!("Content-Type: {IMAGE}\r\nDocker-Content-Digest: {own}\r\n");
                let mut told = self.told.lock().unwrap();
                told.insert(own, (of, tag));
                told.insert(digest(&image.config), (of, tag));
                ("200 OK", headers, image.manifest.into_bytes())
            }
        })
    }

    fn catalog(&self, query: &str) -> Answer {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
        };
        let n = value("n").and_then(|n| n.parse().ok()).unwrap_or(100);
        let last = value("last").and_then(|last| last.get(last.len() - 6..)?.parse::<usize>().ok());
        let first = last.map_or(0, |last| last + 1);
        let all = if self.size.is_listed { self.size.repositories } else { 0 };
        let end = all.min(first + n);
        let names: Vec<_> = (first..end).map(Large::repository).collect();
        let link = if end < all { "Link: </v2/_catalog?last=x>; rel=\"next\"\r\n" } else { "" };
        let body = json!({ "repositories": names }).to_string();
        ("200 OK", link.to_owned(), body.into_bytes())
    }
}

struct Image {
    config: String,
    manifest: String,
}

impl Image {
    fn new(repository: usize, tag: usize) -> Self {
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "2023-04-05T06:07:08Z",
            "config": { "Labels": { "image": format!("{repository}/{tag}") } },
        });
        let config = config.to_string();
        let descriptor = |kind: &str, text: &str, size: usize| json!({ "mediaType": kind, "digest": digest(text), "size": size });
        let layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", "layer", 1000);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": IMAGE,
            "config": descriptor(CONFIG, &config, config.len()),
            "layers": [layer],
        });
        Self { config, manifest: manifest.to_string() }
    }
}

fn digest(text: &str) -> String {
    let hex: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
