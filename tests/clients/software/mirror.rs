//! An upstream that answers each request with the request line and the type of the body that it
//! heard, so that many may ask at once.

use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::wire::{read_head, take_body, value};

/// The body of every answer, beside the request line in `X-Heard`: a list of repositories and of
/// tags, for requests of lists.
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
        take_body(&mut reader, &headers, &mut std::io::sink())?;
        let body = if line.starts_with("HEAD ") { "" } else { LISTS };
        let content_type = value(&headers, "content-type").unwrap_or("none");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nX-Heard: {line} {content_type}\r\n\r\n",
            LISTS.len()
        );
        stream.write_all([head.as_str(), body].concat().as_bytes()).ok()?;
    }
}
