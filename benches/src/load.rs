//! Load over keep-alive connections, from one core: as fast as it goes, or at a fixed rate.
//!
//! At a fixed rate a request is due whether or not earlier ones were answered. Its latency counts
//! from that moment, including the wait for a connection, so queueing behind a slow server is in
//! the figures.
//!
//! One thread polls all connections and never sleeps. A sleeping thread must be woken by the
//! server's core for every answer, which took a fifth of the server's time when it was tried; and
//! it wakes late.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use core_affinity::CoreId;

/// The measured server's core.
pub const SERVER_CORE: CoreId = CoreId { id: 0 };
/// The load's core.
pub const LOAD_CORE: CoreId = CoreId { id: 1 };

/// A request, and the expected status of its answer.
#[derive(Clone, Debug)]
pub struct Request {
    text: Vec<u8>,
    status: String,
    is_head: bool,
}

impl Request {
    /// A request that is answered with 200.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::answered(text, 200)
    }

    /// A request that is answered with another status.
    #[must_use]
    pub fn answered(text: &str, status: u16) -> Self {
        let is_head = text.starts_with("HEAD ");
        Self { text: text.into(), status: format!("HTTP/1.1 {status}"), is_head }
    }
}

/// Load on a server: some requests, repeated in order.
#[derive(Debug)]
pub struct Load {
    requests: Vec<Request>,
    next: usize,
    connections: Vec<Connection>,
}

/// Latencies, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The 99.9th percentile.
    pub p999: f64,
    /// The 99th percentile of the median 50 ms: the server without other load on the machine. A
    /// shared machine stops a core for milliseconds many times a second, which is in `p99`.
    pub p99_of_window: f64,
}

/// Shorter than the usual time between two stops of a shared machine, and long enough for a
/// thousand answers.
const WINDOW: Duration = Duration::from_millis(50);

impl Load {
    /// Opens connections to a port on loopback.
    ///
    /// # Panics
    ///
    /// When no server listens there. All methods panic when the server disconnects, or answers with
    /// an unexpected status.
    #[must_use]
    pub fn new(port: u16, requests: &[Request], connections: usize) -> Self {
        Self::over(&[port], requests, connections)
    }

    /// The same over several ports, each with its share of the connections.
    ///
    /// # Panics
    ///
    /// As [`Load::new`].
    #[must_use]
    pub fn over(ports: &[u16], requests: &[Request], connections: usize) -> Self {
        let ports = ports.iter().cycle().take(connections);
        let connections = ports.map(|port| Connection::open(*port)).collect();
        Self { requests: requests.to_vec(), next: 0, connections }
    }

    /// Sends the next request on the connection of this number.
    fn send(&mut self, connection: usize, due: Instant) {
        let request = &self.requests[self.next];
        self.next = (self.next + 1) % self.requests.len();
        self.connections[connection].send(request, due);
    }

    /// Latencies when every connection sends one request at the same time.
    pub fn burst(&mut self) -> Latency {
        pin();
        let (begun, mut all) = (Instant::now(), Vec::new());
        (0..self.connections.len()).for_each(|connection| self.send(connection, begun));
        while all.len() < self.connections.len() {
            all.extend(self.connections.iter_mut().filter_map(Connection::poll));
        }
        Latency::of(&all)
    }

    /// Requests in a second when each connection sends the next one after its answer.
    pub fn closed(&mut self, long: Duration) -> f64 {
        pin();
        let (begun, mut answered) = (Instant::now(), 0_u32);
        (0..self.connections.len()).for_each(|connection| self.send(connection, begun));
        while begun.elapsed() < long {
            for connection in 0..self.connections.len() {
                if self.connections[connection].poll().is_some() {
                    answered += 1;
                    self.send(connection, begun);
                }
            }
        }
        let rate = f64::from(answered) / begun.elapsed().as_secs_f64();
        self.drain();
        rate
    }

    /// Latencies when only the first connection sends, each request after its answer.
    pub fn alone(&mut self, long: Duration) -> Latency {
        pin();
        let (begun, mut all) = (Instant::now(), Vec::new());
        while begun.elapsed() < long {
            self.send(0, Instant::now());
            loop {
                if let Some(took) = self.connections[0].poll() {
                    all.push(took);
                    break;
                }
            }
        }
        Latency::of(&all)
    }

    /// Latencies at a fixed rate. A latency counts from the moment at which its request was due,
    /// including the wait for a connection.
    pub fn open(&mut self, rate: f64, long: Duration) -> Latency {
        pin();
        let (begun, every) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
        let (mut due, mut windows) = (begun, Vec::<Vec<Duration>>::new());
        while begun.elapsed() < long {
            let window = usize::try_from(begun.elapsed().as_millis() / WINDOW.as_millis()).unwrap();
            windows.resize_with(windows.len().max(window + 1), Vec::new);
            for connection in 0..self.connections.len() {
                windows[window].extend(self.connections[connection].poll());
                if self.connections[connection].asked.is_none() && Instant::now() >= due {
                    self.send(connection, due);
                    due += every;
                }
            }
        }
        self.drain();
        let full = windows.iter().filter(|took| took.len() >= 100);
        let mut of_windows: Vec<f64> = full.map(|took| at(took, 0.99)).collect();
        of_windows.sort_by(f64::total_cmp);
        let all = Latency::of(&windows.concat());
        let p99_of_window = of_windows.get(of_windows.len() / 2).copied().unwrap_or(all.p99);
        Latency { p99_of_window, ..all }
    }

    /// Waits for the outstanding answers.
    fn drain(&mut self) {
        for connection in &mut self.connections {
            while connection.asked.is_some() {
                connection.poll();
            }
        }
    }
}

impl Latency {
    fn of(took: &[Duration]) -> Self {
        let p99 = at(took, 0.99);
        Self { p50: at(took, 0.5), p99, p999: at(took, 0.999), p99_of_window: p99 }
    }
}

/// A quantile, in microseconds.
fn at(took: &[Duration], part: f64) -> f64 {
    let mut took = took.to_vec();
    took.sort();
    took[(took.len() as f64 * part) as usize].as_secs_f64() * 1e6
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    length: usize,
    /// When the pending request was due.
    asked: Option<Instant>,
    /// The expected status, and whether the answer has no body.
    awaited: (String, bool),
}

impl Connection {
    fn open(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self {
            stream,
            buffer: vec![0; 16 * 1024],
            length: 0,
            asked: None,
            awaited: Default::default(),
        }
    }

    fn send(&mut self, request: &Request, due: Instant) {
        // A request fits into any socket's buffer.
        self.stream.write_all(&request.text).unwrap();
        (self.length, self.asked) = (0, Some(due));
        self.awaited.0.clone_from(&request.status);
        self.awaited.1 = request.is_head;
    }

    /// The latency of a complete answer.
    fn poll(&mut self) -> Option<Duration> {
        let asked = self.asked?;
        match self.stream.read(&mut self.buffer[self.length..]) {
            Ok(0) => panic!("the server hung up"),
            Ok(read) => self.length += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => panic!("{error}"),
        }
        let (status, is_head) = &self.awaited;
        if !is_whole(&self.buffer[..self.length], status, *is_head) {
            return None;
        }
        self.asked = None;
        Some(asked.elapsed())
    }
}

fn is_whole(answer: &[u8], status: &str, is_head: bool) -> bool {
    let text = std::str::from_utf8(answer).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    assert!(head.starts_with(status), "{status}: {text}");
    let length = head.lines().find_map(length_of).unwrap_or_default();
    is_head || body.len() == length
}

fn length_of(line: &str) -> Option<usize> {
    let (name, value) = line.split_once(": ")?;
    name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
}

fn pin() {
    assert!(core_affinity::set_for_current(LOAD_CORE), "the core cannot be had");
}
