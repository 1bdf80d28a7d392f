//! An upstream that notes what reaches it, byte by byte, and takes or gives bodies of any size without keeping them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The request line.
    pub(crate) line: String,
    /// The headers, in lower case.
    pub(crate) headers: Vec<String>,
    /// How many bytes of body there were.
    pub(crate) body: u64,
}

/// Listens until the process ends.
pub(crate) struct Echo {
    port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Echo {
    /// Answers every GET with so many bytes, and everything else with none.
    pub(crate) fn start(size: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                // Who hangs up is not heard, and that is no matter.
                std::thread::spawn(move || while answer(&stream, size, &notes).unwrap_or(false) {});
            }
        });
        Self { port, heard }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What has come since one asked last.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

/// Answers one request; tells whether there may be another.
fn answer(stream: &TcpStream, size: u64, notes: &Mutex<Vec<Heard>>) -> std::io::Result<bool> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(false);
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim_end() {
            "" => break,
            header => headers.push(header.to_ascii_lowercase()),
        }
    }
    let value = |name: &str| headers.iter().find_map(|header| header.strip_prefix(name));
    let length = value("content-length:").and_then(|value| value.trim().parse().ok());
    let body = match length {
        Some(length) => std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink())?,
        None if value("transfer-encoding:").is_some() => chunked(&mut reader)?,
        None => 0,
    };
    let line = line.trim_end().to_owned();
    let gives = if line.starts_with("GET ") { size } else { 0 };
    notes.lock().unwrap().push(Heard { line, headers, body });
    let mut writer = stream;
    write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {gives}\r\n\r\n")?;
    std::io::copy(&mut std::io::repeat(b'x').take(gives), &mut writer)?;
    Ok(true)
}

fn chunked(reader: &mut impl std::io::BufRead) -> std::io::Result<u64> {
    let mut total = 0;
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
        std::io::copy(&mut reader.by_ref().take(size + 2), &mut std::io::sink())?;
        total += size;
        if size == 0 {
            return Ok(total);
        }
    }
}
