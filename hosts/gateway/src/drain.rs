//! Ending without cutting anything off: no new connections, idle ones closed, and requests in
//! flight are waited for.
//!
//! Pingora ends its runtimes at its shutdown signal, and every task with them at its next pause; of
//! its two times one is always slept out, and the other waits for blocking calls alone. So it
//! gets the signal only when what has begun is done, or after `DRAIN_TIMEOUT`.
//!
//! Left out: what runs beside the requests, which goes on until the last of them was answered.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora_core::apps::ServerApp;
use pingora_core::protocols::Stream;
use pingora_core::server::{ListenFds, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch};
use pingora_core::services::Service;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long requests in flight may take to end.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What has begun and is not done. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work(Arc<watch::Sender<usize>>);

/// A part of it, until this is dropped.
#[derive(Debug)]
pub(crate) struct Begun(Work);

impl Work {
    /// Counts something until it is dropped.
    #[must_use]
    pub(crate) fn begin(&self) -> Begun {
        self.0.send_modify(|count| *count = count.saturating_add(1));
        Begun(self.clone())
    }

    /// Ends when nothing is left.
    pub(crate) async fn done(&self) {
        // The other end is in `self`.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// An application whose connections are work.
#[derive(Debug)]
pub(crate) struct Working<A> {
    /// The application.
    pub(crate) app: Arc<A>,
    /// The work.
    pub(crate) work: Work,
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> ServerApp for Working<A> {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let _begun = self.work.begin();
        self.app.process_new(stream, shutdown).await
    }

    async fn cleanup(&self) {
        self.app.cleanup().await;
    }
}

/// A service that stops listening when the signal comes, and not when Pingora ends. As long as it
/// listens it is work.
pub(crate) struct Listening<S> {
    service: S,
    stop: ShutdownWatch,
    work: Work,
}

/// What waits for the signal.
#[derive(Debug)]
pub(crate) struct Signals {
    stop: watch::Sender<bool>,
    work: Work,
}

/// A service that ends as the signals say.
pub(crate) fn draining<S: Service>(service: S, work: Work) -> (Listening<S>, Signals) {
    let (sender, stop) = watch::channel(false);
    (Listening { service, stop, work: work.clone() }, Signals { stop: sender, work })
}

#[async_trait]
impl<S: Service> Service for Listening<S> {
    async fn start_service(
        &mut self,
        fds: Option<ListenFds>,
        _: ShutdownWatch,
        listeners_per_fd: usize,
    ) {
        let _begun = self.work.begin();
        self.service.start_service(fds, self.stop.clone(), listeners_per_fd).await;
    }

    fn name(&self) -> &str {
        self.service.name()
    }

    fn threads(&self) -> Option<usize> {
        self.service.threads()
    }

    fn listen_addresses(&self) -> Option<Vec<String>> {
        self.service.listen_addresses()
    }
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    /// SIGTERM and SIGQUIT wait for the work. SIGINT does not, also in the middle of it.
    async fn recv(&self) -> ShutdownSignal {
        let ended = async {
            tokio::select! {
                () = received(SignalKind::terminate()) => {}
                () = received(SignalKind::quit()) => {}
            }
            tracing::info!("ending, after the requests in flight");
            self.stop.send_replace(true);
            if timeout(DRAIN_TIMEOUT, self.work.done()).await.is_err() {
                tracing::warn!(
                    ?DRAIN_TIMEOUT,
                    "requests in flight are cut off: they take too long"
                );
            }
        };
        tokio::select! {
            () = ended => ShutdownSignal::GracefulTerminate,
            () = received(SignalKind::interrupt()) => ShutdownSignal::FastShutdown,
        }
    }
}

/// Ends at a signal.
async fn received(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(error) => {
            tracing::error!(%error, "a signal cannot be handled");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_when_its_last_part_is() {
        let work = Work::default();
        let is_done = async |work: &Work| timeout(Duration::ZERO, work.done()).await.is_ok();
        assert!(is_done(&work).await);
        let (one, two) = (work.begin(), work.clone().begin());
        drop(one);
        assert!(!is_done(&work).await);
        drop(two);
        assert!(is_done(&work).await);
    }
}
