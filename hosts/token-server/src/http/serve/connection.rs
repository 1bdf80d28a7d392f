//! One connection: counted, and closed when it has no bytes or no requests for too long.
//!
//! The HTTP library waits without end for the bytes that distinguish HTTP/1 from HTTP/2, and for
//! the next frame of HTTP/2. So the timer is below it, and below TLS. The service reports requests
//! to it ([`activity`](super::activity)).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use scopegate_host::peers::{Peers, Slot};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::Bounds;
use super::activity::{Activity, Noting};

/// The bytes that distinguish the versions of HTTP. Until all of them have arrived the timer is not
/// reset, however slowly they come.
const PREFACE: usize = 24;

/// Accepts connections within the limits, each with a timer.
#[derive(Clone, Debug)]
pub(super) struct Bounded {
    peers: Arc<Peers>,
    first_within: Duration,
    idle: Duration,
}

impl Bounded {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let peers = Arc::clone(&bounds.peers);
        Self { peers, first_within: bounds.head_within, idle: bounds.idle }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Bounded {
    type Stream = Watched<TcpStream>;
    type Service = Noting<S>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Noting<S>)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let bounded = self.clone();
        Box::pin(async move {
            let peer = stream.peer_addr()?.ip();
            let slot = Arc::clone(&bounded.peers).admit(peer).await;
            let slot = slot.ok_or_else(|| io::Error::other("too many connections"))?;
            // Answers are one packet, which should not wait for another. A failure to set this does
            // not matter.
            let _ = stream.set_nodelay(true);
            let activity = Arc::new(Activity::new());
            let leaving = slot.leaving();
            let leave_request: Leaving = Box::pin(async move { leaving.asked().await });
            let stream =
                Watched::new(stream, &bounded, Arc::clone(&activity), (leave_request, slot));
            Ok((stream, Noting { service, activity }))
        })
    }
}

/// Resolves when a connection is asked to close.
type Leaving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A stream that fails after too long without bytes or without a request.
pub(super) struct Watched<S, H = Slot> {
    stream: S,
    /// Resolves when its slot is given to another connection; `None` afterwards.
    leave_request: Option<Leaving>,
    idle: Duration,
    quiet: Duration,
    activity: Arc<Activity>,
    moved_at: Instant,
    arrived: usize,
    timer: Pin<Box<Sleep>>,
    _slot: H,
}

impl<S, H> Watched<S, H> {
    fn new(
        stream: S,
        bounded: &Bounded,
        activity: Arc<Activity>,
        (leave_request, slot): (Leaving, H),
    ) -> Self {
        Self {
            stream,
            leave_request: Some(leave_request),
            idle: bounded.idle,
            quiet: bounded.first_within,
            activity,
            moved_at: Instant::now(),
            arrived: 0,
            timer: Box::pin(sleep(bounded.first_within)),
            _slot: slot,
        }
    }

    fn moved(&mut self) {
        if self.arrived >= PREFACE {
            self.moved_at = Instant::now();
        }
    }

    /// The time until the connection is closed, without further activity.
    fn left(&self) -> Duration {
        let idle = if self.arrived >= PREFACE { self.idle } else { self.quiet };
        let unmoved = idle.saturating_sub(self.moved_at.elapsed());
        unmoved.min(self.quiet.saturating_sub(self.activity.quiet_for()))
    }

    /// Whether its slot was given to another connection.
    fn is_to_leave(&mut self, context: &mut Context<'_>) -> bool {
        if self
            .leave_request
            .as_mut()
            .is_some_and(|request| request.as_mut().poll(context).is_ready())
        {
            self.leave_request = None;
        }
        self.leave_request.is_none()
    }

    /// Fails an idle connection. Otherwise sets the timer to its deadline.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.is_to_leave(context) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        loop {
            let left = self.left();
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.timer.as_mut().reset(Instant::now() + left);
            if self.timer.as_mut().poll(context).is_pending() {
                return Ok(());
            }
        }
    }
}

impl<S: AsyncRead + Unpin, H: Unpin> AsyncRead for Watched<S, H> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(read) => {
                self.arrived = self.arrived.saturating_add(buffer.filled().len() - before);
                self.moved();
                Poll::Ready(read)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin, H: Unpin> AsyncWrite for Watched<S, H> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.after_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.after_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S, H> Watched<S, H> {
    fn after_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.moved();
        } else {
            self.check(context)?;
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;
    use crate::http::serve::activity::Underway;

    fn watched() -> (Watched<DuplexStream, ()>, DuplexStream, Arc<Activity>) {
        let (near, far) = duplex(64);
        let bounded = Bounded {
            peers: Arc::default(),
            first_within: Duration::from_secs(10),
            idle: Duration::from_secs(60),
        };
        let activity = Arc::new(Activity::new());
        let leave_request: Leaving = Box::pin(std::future::pending());
        (Watched::new(near, &bounded, Arc::clone(&activity), (leave_request, ())), far, activity)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_bytes_do_not_reset_the_timer() {
        let (mut near, mut far, _) = watched();
        for _ in 0..9 {
            far.write_all(b"P").await.unwrap();
            near.read_u8().await.unwrap();
            advance(Duration::from_secs(1)).await;
        }
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_for_a_request_goes_on() {
        let (mut near, mut far, activity) = watched();
        let underway = Underway::begin(&activity);
        for _ in 0..9 {
            far.write_all(&[b'x'; PREFACE]).await.unwrap();
            near.read_exact(&mut [0; PREFACE]).await.unwrap();
            advance(Duration::from_secs(50)).await;
        }
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(underway);
    }

    /// Audit 4a: an occasional PING kept an HTTP/2 connection without requests open.
    #[tokio::test(start_paused = true)]
    async fn what_moves_for_no_request_ends() {
        let (mut near, mut far, activity) = watched();
        drop(Underway::begin(&activity));
        let begun = Instant::now();
        loop {
            far.write_all(&[b'x'; PREFACE]).await.unwrap();
            if near.read_exact(&mut [0; PREFACE]).await.is_err() {
                break;
            }
            advance(Duration::from_secs(1)).await;
        }
        assert!(begun.elapsed() <= Duration::from_secs(11), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_closes_after_its_slot_is_given_away() {
        let (mut near, _far, activity) = watched();
        let _underway = Underway::begin(&activity);
        let read = tokio::time::timeout(Duration::from_secs(1), near.read_u8()).await;
        assert!(read.is_err(), "no request to close");
        near.leave_request = Some(Box::pin(std::future::ready(())));
        assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_need_read_either() {
        let (mut near, _far, _) = watched();
        let error = near.write_all(&[b'x'; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
