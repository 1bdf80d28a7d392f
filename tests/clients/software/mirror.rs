//! An upstream that answers each request with the request line that it heard, so that many may ask at once.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// What is said in every answer, beside the request line in `X-Heard`: a list of repositories and of tags, for whoever asks for one.
const LISTS: &str = r#"{"name":"a","repositories":[],"tags":[]}"#;

/// Listens until the process ends.
pub(crate) struct Mirror {
    port: u16,
}

impl Mirror {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer_all(&stream));
            }
        });
        Self { port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// Answers until the other side hangs up.
fn answer_all(mut stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (line, headers) = read_head(&mut reader)?;
        read_body(&mut reader, &headers)?;
        let body = if line.starts_with("HEAD ") { "" } else { LISTS };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nX-Heard: {line}\r\n\r\n",
            LISTS.len()
        );
        stream.write_all([head.as_str(), body].concat().as_bytes()).ok()?;
    }
}

/// The first line of a message, and its headers in lower case; nothing when the other side has hung up.
pub(crate) fn read_head(reader: &mut impl std::io::BufRead) -> Option<(String, Vec<String>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" if lines.is_empty() => return None,
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let first = lines.remove(0);
    let lower = |line: &String| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        format!("{}:{value}", name.to_ascii_lowercase())
    };
    Some((first, lines.iter().map(lower).collect()))
}

/// The value of a header.
pub(crate) fn value<'h>(headers: &'h [String], name: &str) -> Option<&'h str> {
    let values = headers.iter().filter_map(|header| header.split_once(':'));
    values.filter(|(own, _)| *own == name).map(|(_, value)| value.trim()).next()
}

/// The body that these headers speak of.
pub(crate) fn read_body(reader: &mut impl std::io::BufRead, headers: &[String]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if value(headers, "transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = u64::from_str_radix(size.trim(), 16).ok()?;
            let mut piece = Vec::new();
            reader.by_ref().take(size + 2).read_to_end(&mut piece).ok()?;
            piece.truncate(piece.len().saturating_sub(2));
            body.extend(piece);
            if size == 0 {
                return Some(body);
            }
        }
    }
    let length = value(headers, "content-length").and_then(|value| value.parse().ok());
    reader.take(length.unwrap_or(0)).read_to_end(&mut body).ok()?;
    Some(body)
}
