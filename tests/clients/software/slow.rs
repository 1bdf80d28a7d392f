//! A registry that takes its time: it reads a request about a manifest by one method whole, and
//! does it later, whether its client waits for the answer or not. Everything else goes on at once.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::wire::{read_head, take_body};

/// Listens until the process ends.
pub(crate) struct Slow {
    port: u16,
    begun: Arc<AtomicUsize>,
}

impl Slow {
    /// Before the registry at a port.
    pub(crate) fn before(registry: u16, method: &'static str, delay: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let count = Arc::clone(&count);
                std::thread::spawn(move || pass(&stream, registry, (method, delay), &count));
            }
        });
        Self { port, begun }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many of the delayed requests it has read.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

/// Passes one request on, on a connection of its own.
fn pass(
    mut client: &TcpStream,
    registry: u16,
    (method, delay): (&str, Duration),
    begun: &AtomicUsize,
) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (line, headers) = read_head(&mut reader)?;
    let mut body = Vec::new();
    take_body(&mut reader, &headers, &mut body)?;
    if line.starts_with(method) && line.contains("/manifests/") {
        begun.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(delay);
    }
    let own = ["connection:", "transfer-encoding:", "content-length:"];
    let kept = headers.iter().filter(|header| !own.iter().any(|name| header.starts_with(name)));
    let kept: String = kept.map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let head = format!("{line}\r\n{kept}connection: close\r\ncontent-length: {length}\r\n\r\n");
    let mut upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, registry)).ok()?;
    upstream.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()
}
