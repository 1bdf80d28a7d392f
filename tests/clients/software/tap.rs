//! An upstream that keeps every request byte by byte, and answers each as a registry that has begun
//! an upload.

use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::wire::{read_head, take_body};

/// Listens until the process ends.
pub(crate) struct Tap {
    port: u16,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Tap {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || answer_all(&stream, &kept));
            }
        });
        Self { port, requests }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What has come since one asked last.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

/// Answers until the other side hangs up.
fn answer_all(mut stream: &TcpStream, kept: &Mutex<Vec<Vec<u8>>>) -> Option<()> {
    let mut reader = Copying { reader: BufReader::new(stream), copied: Vec::new() };
    loop {
        let (line, headers) = read_head(&mut reader)?;
        take_body(&mut reader, &headers, &mut io::sink())?;
        kept.lock().unwrap().push(std::mem::take(&mut reader.copied));
        let status = if line.starts_with("POST ") { "202 Accepted" } else { "200 OK" };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").ok()?;
    }
}

/// A reader that keeps what was read from it.
struct Copying<R> {
    reader: R,
    copied: Vec<u8>,
}

impl<R: BufRead> Read for Copying<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.copied.extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Copying<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // Consuming comes behind `fill_buf`, so the bytes are there.
        if let Ok(bytes) = self.reader.fill_buf() {
            self.copied.extend_from_slice(&bytes[..amount]);
        }
        self.reader.consume(amount);
    }
}
