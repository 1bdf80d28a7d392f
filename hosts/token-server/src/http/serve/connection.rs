//! One connection: counted, and closed when nothing moves on it, or nobody asks for anything.
//!
//! The library for HTTP waits without end for the bytes by which it tells HTTP/1 from HTTP/2, and
//! for the next frame of HTTP/2. So the clock is below it, and below TLS. Whether somebody asks, it
//! learns from the service ([`activity`](super::activity)).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use scopegate_host::peers::{Peers, Place};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::Bounds;
use super::activity::{Activity, Noting};

/// The bytes by which versions of HTTP differ. Until they are there the clock is not set back,
/// however slowly they come.
const PREFACE: usize = 24;

/// Lets so many connections in, each with a clock.
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
            let place = Arc::clone(&bounded.peers).admit(peer).await;
            let place = place.ok_or_else(|| io::Error::other("too many connections"))?;
            // Answers are one packet, which need not wait for another. A socket that cannot do that
            // is as good.
            let _ = stream.set_nodelay(true);
            let activity = Arc::new(Activity::new());
            let leaving = place.leaving();
            let asked: Asked = Box::pin(async move { leaving.asked().await });
            let stream = Watched::new(stream, &bounded, Arc::clone(&activity), (asked, place));
            Ok((stream, Noting { service, activity }))
        })
    }
}

/// Resolves when a connection is to leave.
type Asked = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A stream that fails when nothing has moved on it for too long, or no request has come.
pub(super) struct Watched<S, H = Place> {
    stream: S,
    /// Resolves when its place is somebody else's; nothing once it has.
    asked: Option<Asked>,
    idle: Duration,
    quiet: Duration,
    activity: Arc<Activity>,
    moved_at: Instant,
    arrived: usize,
    clock: Pin<Box<Sleep>>,
    _held: H,
}

impl<S, H> Watched<S, H> {
    fn new(
        stream: S,
        bounded: &Bounded,
        activity: Arc<Activity>,
        (asked, held): (Asked, H),
    ) -> Self {
        Self {
            stream,
            asked: Some(asked),
            idle: bounded.idle,
            quiet: bounded.first_within,
            activity,
            moved_at: Instant::now(),
            arrived: 0,
            clock: Box::pin(sleep(bounded.first_within)),
            _held: held,
        }
    }

    fn moved(&mut self) {
        if self.arrived >= PREFACE {
            self.moved_at = Instant::now();
        }
    }

    /// How much longer the connection may last as it is.
    fn left(&self) -> Duration {
        let idle = if self.arrived >= PREFACE { self.idle } else { self.quiet };
        let unmoved = idle.saturating_sub(self.moved_at.elapsed());
        unmoved.min(self.quiet.saturating_sub(self.activity.quiet_for()))
    }

    /// Whether its place is somebody else's.
    fn is_to_leave(&mut self, context: &mut Context<'_>) -> bool {
        if self.asked.as_mut().is_some_and(|asked| asked.as_mut().poll(context).is_ready()) {
            self.asked = None;
        }
        self.asked.is_none()
    }

    /// The end of a connection that has lasted too long as it is. Else its clock is set to when it
    /// will have.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.is_to_leave(context) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        loop {
            let left = self.left();
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.clock.as_mut().reset(Instant::now() + left);
            if self.clock.as_mut().poll(context).is_pending() {
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
        let asked: Asked = Box::pin(std::future::pending());
        (Watched::new(near, &bounded, Arc::clone(&activity), (asked, ())), far, activity)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_bytes_do_not_set_the_clock_back() {
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

    /// Audit 4a: a PING now and then kept a connection of HTTP/2 on which nobody asked for
    /// anything.
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
    async fn a_connection_leaves_whose_place_is_somebody_elses() {
        let (mut near, _far, activity) = watched();
        let _underway = Underway::begin(&activity);
        let read = tokio::time::timeout(Duration::from_secs(1), near.read_u8()).await;
        assert!(read.is_err(), "nobody asked for it");
        near.asked = Some(Box::pin(std::future::ready(())));
        assert_eq!(near.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_need_read_either() {
        let (mut near, _far, _) = watched();
        let error = near.write_all(&[b'x'; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
