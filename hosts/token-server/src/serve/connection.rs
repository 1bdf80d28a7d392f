//! One connection: counted, and closed when nothing moves on it.
//!
//! The library for HTTP waits without end for the bytes by which it tells HTTP/1 from HTTP/2, and for the next frame of HTTP/2. So the
//! clock is below it, and below TLS.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::Bounds;

/// The bytes by which versions of HTTP differ. Until they are there the clock is not set back, however slowly they come.
const PREFACE: usize = 24;

/// Lets so many connections in, each with a clock.
#[derive(Clone, Debug)]
pub(super) struct Bounded {
    permits: Arc<Semaphore>,
    first_within: Duration,
    idle: Duration,
}

impl Bounded {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let permits = Arc::new(Semaphore::new(bounds.connections.min(Semaphore::MAX_PERMITS)));
        Self { permits, first_within: bounds.head_within, idle: bounds.idle }
    }
}

impl<S> Accept<TcpStream, S> for Bounded {
    type Stream = Watched<TcpStream>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return ready(Err(io::Error::other("too many connections")));
        };
        // Answers are one packet, which need not wait for another. A socket that cannot do that is as good.
        let _ = stream.set_nodelay(true);
        ready(Ok((Watched::new(stream, self, permit), service)))
    }
}

/// A stream that fails when nothing has moved on it for too long.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    idle: Duration,
    arrived: usize,
    clock: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl<S> Watched<S> {
    fn new(stream: S, bounded: &Bounded, permit: OwnedSemaphorePermit) -> Self {
        let clock = Box::pin(sleep(bounded.first_within));
        Self { stream, idle: bounded.idle, arrived: 0, clock, _permit: permit }
    }

    fn moved(&mut self) {
        if self.arrived >= PREFACE {
            self.clock.as_mut().reset(Instant::now() + self.idle);
        }
    }

    /// What waiting comes to: more waiting, or the end.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.clock.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.wait(context),
            Poll::Ready(read) => {
                self.arrived = self.arrived.saturating_add(buffer.filled().len() - before);
                self.moved();
                Poll::Ready(read)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
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

impl<S> Watched<S> {
    fn after_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => self.wait(context),
            Poll::Ready(written) => {
                self.moved();
                Poll::Ready(written)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;

    async fn watched() -> (Watched<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(64);
        let permits = Arc::new(Semaphore::new(1));
        let bounded = Bounded {
            permits: Arc::clone(&permits),
            first_within: Duration::from_secs(10),
            idle: Duration::from_secs(60),
        };
        let permit = permits.acquire_owned().await.unwrap();
        (Watched::new(near, &bounded, permit), far)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_bytes_do_not_set_the_clock_back() {
        let (mut near, mut far) = watched().await;
        for _ in 0..9 {
            far.write_all(b"P").await.unwrap();
            near.read_u8().await.unwrap();
            advance(Duration::from_secs(1)).await;
        }
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_goes_on() {
        let (mut near, mut far) = watched().await;
        for _ in 0..9 {
            far.write_all(&[b'x'; PREFACE]).await.unwrap();
            near.read_exact(&mut [0; PREFACE]).await.unwrap();
            advance(Duration::from_secs(50)).await;
        }
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_need_read_either() {
        let (mut near, _far) = watched().await;
        let error = near.write_all(&[b'x'; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
