//! An upstream that notes what reaches it, byte by byte, and takes or gives bodies of any size
//! without keeping them.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::wire::{read_head, take_body};

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
    /// Answers every GET with a number of bytes, and everything else with none.
    pub(crate) fn start(size: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                // Who hangs up is not heard, and that is no matter.
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(&stream);
                    while answer(&mut reader, size, &notes).is_some() {}
                });
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

/// What a browser would obey, in every answer.
const OBEYED: &str = "Set-Cookie: a=b\r\nClear-Site-Data: \"*\"\r\nRefresh: 0;url=/\r\nService-Worker-Allowed: /\r\nAlt-Svc: h3=\":1\"\r\nStrict-Transport-Security: max-age=9\r\nNEL: {}\r\nReport-To: {}\r\nReporting-Endpoints: a=\"https://a\"\r\nAccess-Control-Allow-Origin: *\r\n";

/// Answers one request; nothing when there is none, and no other to come.
fn answer(reader: &mut BufReader<&TcpStream>, size: u64, notes: &Mutex<Vec<Heard>>) -> Option<()> {
    let (line, headers) = read_head(reader)?;
    let body = take_body(reader, &headers, &mut std::io::sink())?;
    let gives = if line.starts_with("GET ") { size } else { 0 };
    let headers = headers.iter().map(|header| header.to_ascii_lowercase()).collect();
    notes.lock().unwrap().push(Heard { line, headers, body });
    let mut writer = *reader.get_ref();
    write!(writer, "HTTP/1.1 200 OK\r\n{OBEYED}Content-Length: {gives}\r\n\r\n").ok()?;
    std::io::copy(&mut std::io::repeat(b'x').take(gives), &mut writer).ok().map(drop)
}
