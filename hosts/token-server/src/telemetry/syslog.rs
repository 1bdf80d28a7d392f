//! Lines of the audit trail for a syslog server.
//!
//! Follows RFC 5424 (the message), RFC 5426 (UDP) and RFC 6587 (TCP, with the length before each
//! message). The message is the line of JSON; its facility is 13, log audit, its severity notice.
//!
//! No request waits for a syslog server: lines go through a bounded queue, and what does not fit is
//! counted and logged. The database has every row, so the reader of a log with a gap in the numbers
//! knows what to fetch. A connection that is lost or does not read is opened again.
//!
//! A row that does not fit into a datagram loses `before` and `after`, and its line says so in
//! `left_out`. If that is still too long, its number is logged. The rows after it go on.
//!
//! The library for it sends messages over TCP without a mark between them.
//!
//! Left out: TLS (RFC 5425), which an agent beside the server does.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, lookup_host};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};

use crate::config::SyslogTarget;

/// How many lines wait for the server.
const QUEUE: usize = 4096;
/// How long the server may take to read a line, or to answer a connection.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a new attempt waits.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);
/// The number of the error for a message that is longer than a datagram.
const EMSGSIZE: i32 = if cfg!(any(target_os = "linux", target_os = "android")) { 90 } else { 40 };
/// Facility 13 (log audit), severity 5 (notice).
const PRIORITY: u32 = 13 * 8 + 5;

/// Takes lines for a syslog server.
#[derive(Clone, Debug)]
pub(crate) struct Syslog {
    lines: Sender<String>,
    lost: Arc<AtomicU64>,
}

impl Syslog {
    /// A queue, and what empties it.
    pub(crate) fn new(target: SyslogTarget) -> (Self, impl Future<Output = ()> + Send) {
        let (lines, queue) = channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        (Self { lines, lost: Arc::clone(&lost) }, run(target, queue, lost))
    }

    /// Sends a line, unless the queue is full.
    pub(crate) fn send(&self, line: String) {
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends lines until the queue is closed and empty.
async fn run(target: SyslogTarget, mut queue: Receiver<String>, lost: Arc<AtomicU64>) {
    let mut connection = None;
    while let Some(line) = queue.recv().await {
        if send_until_taken(&target, &mut connection, &line).await.is_err() {
            send_shortened(&target, &mut connection, &line).await;
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(lost, "the syslog server was too slow; the trail has every row");
        }
    }
}

/// A line does not fit into a datagram, now or later.
struct TooLong;

/// Sends a line, however often it takes.
async fn send_until_taken(
    target: &SyslogTarget,
    connection: &mut Option<Connection>,
    line: &str,
) -> Result<(), TooLong> {
    let message = message(line);
    loop {
        match timeout(TIMEOUT, deliver(target, connection, &message)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if error.raw_os_error() == Some(EMSGSIZE) => return Err(TooLong),
            Ok(Err(error)) => tracing::warn!(%error, "the syslog server does not take lines"),
            Err(_) => tracing::warn!("the syslog server does not read"),
        }
        *connection = None;
        sleep(BETWEEN_ATTEMPTS).await;
    }
}

/// Sends a line that is too long without what makes it long.
async fn send_shortened(target: &SyslogTarget, connection: &mut Option<Connection>, line: &str) {
    let (number, shortened) = shorten(line);
    if send_until_taken(target, connection, &shortened).await.is_ok() {
        tracing::warn!(
            number,
            "a row is too long for the syslog server: its line omits `before` and `after`, which the trail has"
        );
    } else {
        tracing::warn!(
            number,
            "a row is too long for the syslog server and was not sent; the trail has it"
        );
    }
}

/// The number of a row, and its line without `before` and `after`.
fn shorten(line: &str) -> (i64, String) {
    let mut fields: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
    let number = fields.get("number").and_then(Value::as_i64).unwrap_or_default();
    let left_out: Vec<Value> = ["before", "after"]
        .into_iter()
        .filter(|name| fields.remove(*name).is_some())
        .map(Value::from)
        .collect();
    fields.insert("left_out".into(), left_out.into());
    (number, Value::Object(fields).to_string())
}

/// A connection to a syslog server.
enum Connection {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Unix(UnixDatagram),
}

async fn deliver(
    target: &SyslogTarget,
    connection: &mut Option<Connection>,
    message: &str,
) -> io::Result<()> {
    if connection.is_none() {
        *connection = Some(connect(target).await?);
    }
    match connection {
        Some(Connection::Udp(socket)) => socket.send(message.as_bytes()).await.map(drop),
        Some(Connection::Unix(socket)) => socket.send(message.as_bytes()).await.map(drop),
        Some(Connection::Tcp(stream)) => {
            stream.write_all(format!("{} {message}", message.len()).as_bytes()).await
        }
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}

async fn connect(target: &SyslogTarget) -> io::Result<Connection> {
    match target {
        SyslogTarget::Udp(address) => {
            let server = lookup_host(address).await?.next();
            let server = server.ok_or(io::ErrorKind::AddrNotAvailable)?;
            let own: SocketAddr = match server {
                SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
            };
            let socket = UdpSocket::bind(own).await?;
            socket.connect(server).await?;
            Ok(Connection::Udp(socket))
        }
        SyslogTarget::Tcp(address) => TcpStream::connect(address).await.map(Connection::Tcp),
        SyslogTarget::Unix(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.connect(path)?;
            Ok(Connection::Unix(socket))
        }
    }
}

/// A message of RFC 5424. The time is in the line, and the receiver has a clock of its own.
fn message(line: &str) -> String {
    format!("<{PRIORITY}>1 - - scopegate-server {} audit - {line}", std::process::id())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn lines_over_tcp_have_their_length_before_them() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = SyslogTarget::Tcp(listener.local_addr().unwrap().to_string());
        let (syslog, run) = Syslog::new(target);
        syslog.send(r#"{"number":1}"#.into());
        syslog.send(r#"{"number":2}"#.into());
        drop(syslog);
        let receive = async {
            let mut text = String::new();
            listener.accept().await.unwrap().0.read_to_string(&mut text).await.unwrap();
            text
        };
        let (text, ()) = tokio::join!(receive, run);
        let expected: String = [1, 2]
            .iter()
            .map(|number| message(&format!("{{\"number\":{number}}}")))
            .map(|message| format!("{} {message}", message.len()))
            .collect();
        assert_eq!(text, expected);
        assert!(expected.contains("<109>1 - - scopegate-server "), "{expected}");
    }

    #[tokio::test]
    async fn one_that_does_not_read_holds_nobody_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (syslog, run) =
            Syslog::new(SyslogTarget::Tcp(listener.local_addr().unwrap().to_string()));
        let sending = tokio::spawn(run);
        for _ in 0..10 * QUEUE {
            syslog.send("x".repeat(1000));
        }
        assert!(syslog.lost.load(Ordering::Relaxed) > 0);
        sending.abort();
    }

    /// Sends a long row, a row that is too long however short, and a short one.
    async fn send_long_rows(target: SyslogTarget) {
        let (syslog, run) = Syslog::new(target);
        let long = "x".repeat(300_000);
        syslog.send(json!({ "number": 1, "before": long, "after": "{}" }).to_string());
        syslog.send(json!({ "number": 2, "object": long }).to_string());
        syslog.send(json!({ "number": 3, "after": "{}" }).to_string());
        drop(syslog);
        timeout(TIMEOUT, run).await.expect("a long row stops the others");
    }

    const ARRIVE: [&str; 2] =
        [r#"{"left_out":["before","after"],"number":1}"#, r#"{"after":"{}","number":3}"#];

    #[tokio::test]
    async fn a_row_longer_than_a_datagram_stops_no_other_over_udp() {
        let siem = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        send_long_rows(SyslogTarget::Udp(siem.local_addr().unwrap().to_string())).await;
        let mut datagram = [0; 1000];
        for line in ARRIVE {
            let length = timeout(TIMEOUT, siem.recv(&mut datagram)).await.unwrap().unwrap();
            assert_eq!(std::str::from_utf8(&datagram[..length]).unwrap(), message(line));
        }
    }

    #[tokio::test]
    async fn a_row_longer_than_a_datagram_stops_no_other_over_a_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let siem = UnixDatagram::bind(&path).unwrap();
        send_long_rows(SyslogTarget::Unix(path)).await;
        let mut datagram = [0; 1000];
        for line in ARRIVE {
            let length = timeout(TIMEOUT, siem.recv(&mut datagram)).await.unwrap().unwrap();
            assert_eq!(std::str::from_utf8(&datagram[..length]).unwrap(), message(line));
        }
    }
}
