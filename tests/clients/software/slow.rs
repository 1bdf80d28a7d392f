//! A relay before a registry that holds some requests, read whole, for a while.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::process::eventually;
use super::wire::{read_head, take_body, value};

/// Listens until the process ends.
pub(crate) struct Slow {
    port: u16,
    held: Arc<Mutex<Held>>,
}

/// What is held, and how much of it came.
#[derive(Default)]
struct Held {
    words: Vec<String>,
    time: Duration,
    count: usize,
}

impl Slow {
    pub(crate) fn before(registry: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let held = Arc::new(Mutex::new(Held::default()));
        let shared = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let held = Arc::clone(&shared);
                std::thread::spawn(move || relay(&stream, registry, &held));
            }
        });
        Self { port, held }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Holds the requests from now on whose first line has all of these words.
    pub(crate) fn hold(&self, words: &[&str], time: Duration) {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        *self.held.lock().unwrap() = Held { words, time, count: 0 };
    }

    /// Waits until one of them is held.
    pub(crate) fn wait(&self) {
        eventually(Duration::from_secs(10), || {
            let count = self.held.lock().unwrap().count;
            if count > 0 { Ok(()) } else { Err("nothing is held") }
        });
    }
}

/// Passes one request on, and its answer back.
fn relay(mut client: &TcpStream, registry: u16, held: &Mutex<Held>) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (line, headers) = read_head(&mut reader)?;
    let mut body = Vec::new();
    take_body(&mut reader, &headers, &mut body)?;
    let length = value(&headers, "content-length").map(|length| length.parse().unwrap());
    if length.is_some_and(|length: usize| length != body.len()) {
        return None;
    }
    let time = {
        let mut held = held.lock().unwrap();
        let is_held =
            !held.words.is_empty() && held.words.iter().all(|word| line.contains(word.as_str()));
        held.count += usize::from(is_held);
        if is_held { held.time } else { Duration::ZERO }
    };
    std::thread::sleep(time);
    let mut head = format!("{line}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    let dropped = ["connection", "content-length", "transfer-encoding", "expect"];
    let is_kept =
        |header: &&String| header.split_once(':').is_some_and(|(name, _)| !dropped.contains(&name));
    for header in headers.iter().filter(is_kept) {
        head += &format!("{header}\r\n");
    }
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, registry)).ok()?;
    stream.write_all(&[head.as_bytes(), b"\r\n", &body].concat()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()?;
    client.shutdown(Shutdown::Both).ok()
}
