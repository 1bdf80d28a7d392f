//! Requests as raw bytes, and answers as they come.

use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The head, with its status line.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Sends bytes on a connection of their own, and reads until the other side closes it or is silent
/// for a while.
pub(crate) fn send(port: u16, bytes: &[u8]) -> Vec<u8> {
    send_until(port, bytes, |_| false)
}

/// The same, and not longer than until the answer is whole.
fn send_until(port: u16, bytes: &[u8], is_whole: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // A server that refuses a request may close before it has read all of it.
    let _ = stream.write_all(bytes);
    let (mut answer, mut piece) = (Vec::new(), [0; 8192]);
    while !is_whole(&answer) {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => answer.extend_from_slice(&piece[..read]),
            _ => break,
        }
    }
    answer
}

/// Whether an answer is there with as much of a body as it says. Envoy closes a connection a second
/// later than it has said so.
fn is_whole(answer: &[u8], is_to_head: bool) -> bool {
    let Some(parsed) = parse(answer) else { return false };
    let length = parsed.header("content-length").and_then(|length| length.parse().ok());
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    match (length, end) {
        (Some(length), Some(end)) => is_to_head || answer.len() - end - 4 >= length,
        _ => false,
    }
}

/// Sends one request, and takes its answer apart.
#[track_caller]
pub(crate) fn ask(port: u16, method: &str, target: &str, headers: &[&str]) -> Answer {
    let is_whole = |answer: &[u8]| is_whole(answer, method == "HEAD");
    let answer = send_until(port, head(method, target, headers).as_bytes(), is_whole);
    parse(&answer)
        .unwrap_or_else(|| panic!("{method} {target}: {}", String::from_utf8_lossy(&answer)))
}

/// Sends one request as it is written, with `Connection: close` in it, and takes its answer apart;
/// nothing where the other side hung up.
pub(crate) fn ask_raw(port: u16, request: &[u8]) -> Option<Answer> {
    parse(&send_until(port, request, |answer| is_whole(answer, false)))
}

/// Sends one request with a body, and looks at the answer only when all of it is sent.
///
/// # Errors
///
/// When the other side hangs up on the rest of the body, or on its own answer.
pub(crate) fn ask_with(
    port: u16,
    method: &str,
    target: &str,
    headers: &[&str],
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(head(method, target, headers).as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| std::io::Error::other("no answer"))
}

fn head(method: &str, target: &str, headers: &[&str]) -> String {
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\nHost: registry.test\r\nConnection: close\r\n{lines}\r\n")
}

/// Takes an answer apart; `None` when it is none.
pub(crate) fn parse(answer: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// The first line of a message, and its headers with their names in lower case; nothing when the
/// other side has hung up.
pub(crate) fn read_head(reader: &mut impl BufRead) -> Option<(String, Vec<String>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let first = lines.next()?;
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        format!("{}:{value}", name.to_ascii_lowercase())
    });
    Some((first, headers.collect()))
}

/// The value of a header that [`read_head`] has read.
pub(crate) fn value<'h>(headers: &'h [String], name: &str) -> Option<&'h str> {
    let mut values = headers.iter().filter_map(|header| header.split_once(':'));
    values.find(|(own, _)| *own == name).map(|(_, value)| value.trim())
}

/// Writes the body that these headers speak of to `sink`, and gives its size.
pub(crate) fn take_body(
    reader: &mut impl BufRead,
    headers: &[String],
    sink: &mut impl Write,
) -> Option<u64> {
    if value(headers, "transfer-encoding").is_none() {
        let length = value(headers, "content-length").and_then(|value| value.parse().ok());
        return std::io::copy(&mut reader.take(length.unwrap_or(0)), sink).ok();
    }
    let mut total = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = u64::from_str_radix(line.trim(), 16).ok()?;
        total += std::io::copy(&mut reader.by_ref().take(size), sink).ok()?;
        // What ends a piece, and after the last of them the body.
        reader.read_line(&mut String::new()).ok()?;
        if size == 0 {
            return Some(total);
        }
    }
}

/// A connection that is kept, for measurements: nothing is done for a request that is not needed.
pub(crate) struct Connection {
    reader: BufReader<TcpStream>,
    headers: String,
}

impl Connection {
    /// One to a port on loopback, with lines that each request has.
    pub(crate) fn open(port: u16, lines: &[&str]) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let headers = format!("Host: registry.test\r\n{lines}");
        Self { reader: BufReader::new(stream), headers }
    }

    /// Sends a request with a body; gives the status and the body of the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let (length, headers) = (body.len(), &self.headers);
        let head =
            format!("{method} {target} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n");
        self.reader.get_mut().write_all(&[head.as_bytes(), body].concat()).unwrap();
        let (line, headers) = read_head(&mut self.reader).expect("no answer");
        let mut answer = Vec::new();
        take_body(&mut self.reader, &headers, &mut answer).expect("half an answer");
        (line.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }
}
