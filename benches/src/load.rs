//! Load over keep-alive connections, from one core: as fast as it goes, or at a fixed rate.
//!
//! One thread looks at all connections in turn and never sleeps. A thread that sleeps has to be woken by the server's core whenever an
//! answer comes, which took a fifth of the server's time when it was tried; and it wakes late.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use core_affinity::CoreId;

/// The core of what is measured.
pub const SERVER_CORE: CoreId = CoreId { id: 0 };
/// The load's core.
pub const LOAD_CORE: CoreId = CoreId { id: 1 };

/// Load on a server: one request, again and again.
#[derive(Debug)]
pub struct Load {
    request: Vec<u8>,
    connections: Vec<Connection>,
}

/// How long answers took, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The 99th percentile of the median 50 ms: what the server does while the machine does nothing else. A machine that
    /// is shared stops a core for milliseconds many times a second, which is in `p99`.
    pub p99_of_window: f64,
}

/// Shorter than what usually lies between two stops of a shared machine, and long enough for a thousand answers.
const WINDOW: Duration = Duration::from_millis(50);

impl Load {
    /// Opens so many connections to a port on loopback.
    ///
    /// # Panics
    ///
    /// When nobody listens there. So do all of these when the server hangs up, or answers with anything but 200.
    #[must_use]
    pub fn new(port: u16, request: &str, connections: usize) -> Self {
        let open = |_| Connection::open(port);
        Self { request: request.into(), connections: (0..connections).map(open).collect() }
    }

    /// Requests in a second when each connection sends its next one as soon as it has the answer.
    pub fn closed(&mut self, long: Duration) -> f64 {
        pin();
        let (begun, mut answered) = (Instant::now(), 0_u32);
        for connection in &mut self.connections {
            connection.send(&self.request, begun);
        }
        while begun.elapsed() < long {
            for connection in &mut self.connections {
                if connection.poll().is_some() {
                    answered += 1;
                    connection.send(&self.request, begun);
                }
            }
        }
        let rate = f64::from(answered) / begun.elapsed().as_secs_f64();
        self.drain();
        rate
    }

    /// Latencies when the first connection sends its next request as soon as it has the answer, and the others are silent.
    pub fn alone(&mut self, long: Duration) -> Latency {
        pin();
        let (begun, mut all) = (Instant::now(), Vec::new());
        let Some(connection) = self.connections.first_mut() else { panic!("no connection") };
        while begun.elapsed() < long {
            connection.send(&self.request, Instant::now());
            loop {
                if let Some(took) = connection.poll() {
                    all.push(took);
                    break;
                }
            }
        }
        let p99 = at(&all, 99);
        Latency { p50: at(&all, 50), p99, p99_of_window: p99 }
    }

    /// Latencies when so many requests a second are due, whatever becomes of those before. An answer is late from the moment at which
    /// its request was due, also when that had to wait for a connection.
    pub fn open(&mut self, rate: f64, long: Duration) -> Latency {
        pin();
        let (begun, every) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
        let (mut due, mut windows) = (begun, Vec::<Vec<Duration>>::new());
        while begun.elapsed() < long {
            let window = usize::try_from(begun.elapsed().as_millis() / WINDOW.as_millis()).unwrap();
            windows.resize_with(windows.len().max(window + 1), Vec::new);
            for connection in &mut self.connections {
                windows[window].extend(connection.poll());
                if connection.asked.is_none() && Instant::now() >= due {
                    connection.send(&self.request, due);
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

#[derive(Debug)]
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

    fn send(&mut self, request: &[u8], due: Instant) {
        // A request is smaller than what any socket takes at once.
        self.stream.write_all(request).unwrap();
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
    let length = head.lines().find_map(length_of).unwrap();
    body.len() == length
}

fn length_of(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(": ")?;
    name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
}

fn pin() {
    assert!(core_affinity::set_for_current(LOAD_CORE), "the core cannot be had");
}
