//! A front before a registry that reads a query as Go did until 1.17: a semicolon stands between
//! two parameters as an ampersand does.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::wire::{read_head, take_body};

/// Listens until the process ends.
pub(crate) struct OldGo {
    port: u16,
}

impl OldGo {
    pub(crate) fn before(registry: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(&stream, registry));
            }
        });
        Self { port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// Answers one request, which is the last of its connection.
fn answer(mut stream: &TcpStream, registry: u16) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (line, headers) = read_head(&mut reader)?;
    let mut body = Vec::new();
    take_body(&mut reader, &headers, &mut body)?;
    let (path, query) = line.split_once('?').unwrap_or((&line, ""));
    let line =
        if query.is_empty() { line.clone() } else { format!("{path}?{}", query.replace(';', "&")) };
    let kept = headers.iter().filter(|header| {
        let of_connection = ["connection:", "content-length:", "transfer-encoding:"];
        !of_connection.iter().any(|name| header.starts_with(name))
    });
    let headers: String = kept.map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let mut upstream = TcpStream::connect((Ipv4Addr::LOCALHOST, registry)).ok()?;
    let head = format!("{line}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    upstream.write_all(head.as_bytes()).ok()?;
    upstream.write_all(&body).ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    stream.write_all(&answer).ok()
}
