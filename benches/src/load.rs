//! Load over keep-alive connections, from one core: as fast as it goes, or at a fixed rate.
//!
//! One thread looks at all connections in turn and never sleeps. A thread that sleeps has to be woken by the server's core whenever an
//! answer comes, which took a fifth of the server's time when it was tried; and it wakes late.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::server::{LOAD_CORE, Server};

/// `token-00000:secret`
const REQUEST: &[u8] =
    b"GET /oauth2/token?service=registry.example&scope=repository:team1/svc/a:pull HTTP/1.1\r\n\
    Host: registry.example\r\nAuthorization: Basic dG9rZW4tMDAwMDA6c2VjcmV0\r\n\r\n";

/// Load on a server.
pub(crate) struct Load {
    connections: Vec<Connection>,
}

/// How long answers took, in microseconds.
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// The 99th percentile of the median window of [`WINDOW`]: what the server does while the machine does nothing else. A machine that
    /// is shared stops a core for milliseconds many times a second, which is in `p99`.
    pub(crate) p99_of_window: f64,
}

/// Shorter than what usually lies between two stops of a shared machine, and long enough for a thousand answers.
const WINDOW: Duration = Duration::from_millis(50);

impl Load {
    pub(crate) fn new(server: &Server, connections: usize) -> Self {
        let open = |_| Connection::open(server.port);
        Self { connections: (0..connections).map(open).collect() }
    }

    /// Requests in a second when each connection sends its next one as soon as it has the answer.
    pub(crate) fn closed(&mut self, long: Duration) -> f64 {
        pin();
        let (begun, mut answered) = (Instant::now(), 0_u32);
        for connection in &mut self.connections {
            connection.send(begun);
        }
        while begun.elapsed() < long {
            for connection in &mut self.connections {
                if connection.poll().is_some() {
                    answered += 1;
                    connection.send(begun);
                }
            }
        }
        let rate = f64::from(answered) / begun.elapsed().as_secs_f64();
        self.drain();
        rate
    }

    /// Latencies when so many requests a second are due, whatever becomes of those before. An answer is late from the moment at which
    /// its request was due, also when that had to wait for a connection.
    pub(crate) fn open(&mut self, rate: f64, long: Duration) -> Latency {
        pin();
        let (begun, every) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
        let (mut due, mut windows) = (begun, Vec::<Vec<Duration>>::new());
        while begun.elapsed() < long {
            let window = usize::try_from(begun.elapsed().as_millis() / WINDOW.as_millis()).unwrap();
            windows.resize_with(windows.len().max(window + 1), Vec::new);
            for connection in &mut self.connections {
                windows[window].extend(connection.poll());
                if connection.asked.is_none() && Instant::now() >= due {
                    connection.send(due);
                    due += every;
                }
            }
        }
        self.drain();
        let mut of_windows: Vec<f64> =
            windows.iter().filter(|took| took.len() >= 100).map(|took| at(took, 99)).collect();
        of_windows.sort_by(f64::total_cmp);
        let all = windows.concat();
        let p99_of_window = of_windows[of_windows.len() / 2];
        Latency { p50: at(&all, 50), p99: at(&all, 99), p99_of_window }
    }

    /// Waits for the answers that are still to come.
    fn drain(&mut self) {
        for connection in &mut self.connections {
            while connection.asked.is_some() {
                connection.poll();
            }
        }
    }
}

/// A percentile, in microseconds.
fn at(took: &[Duration], percent: usize) -> f64 {
    let mut took = took.to_vec();
    took.sort();
    took[took.len() * percent / 100].as_secs_f64() * 1e6
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    length: usize,
    /// Since when an answer is awaited.
    asked: Option<Instant>,
}

impl Connection {
    fn open(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { stream, buffer: vec![0; 16 * 1024], length: 0, asked: None }
    }

    fn send(&mut self, due: Instant) {
        // A request is smaller than what any socket takes at once.
        self.stream.write_all(REQUEST).unwrap();
        (self.length, self.asked) = (0, Some(due));
    }

    /// How long the answer took, when it has come whole.
    fn poll(&mut self) -> Option<Duration> {
        let asked = self.asked?;
        match self.stream.read(&mut self.buffer[self.length..]) {
            Ok(0) => panic!("the server hung up"),
            Ok(read) => self.length += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => panic!("{error}"),
        }
        if !is_whole(&self.buffer[..self.length]) {
            return None;
        }
        self.asked = None;
        Some(asked.elapsed())
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = std::str::from_utf8(answer).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    assert!(head.starts_with("HTTP/1.1 200"), "{text}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() == length.parse::<usize>().unwrap()
}

fn pin() {
    assert!(core_affinity::set_for_current(LOAD_CORE), "the core cannot be had");
}
