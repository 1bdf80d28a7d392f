//! How long a client may take until the head of a request is there.
//!
//! Pingora bounds the time between two pieces of a head and not the whole, so a client that sends a
//! byte now and then would keep a connection for ever. Here the whole is bounded: a connection may
//! be idle for a while, and then its head must come. A client that does not send it is
//! disconnected; there is no request yet to answer.
//!
//! Left out: bodies, which may take as long as their pieces keep coming.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pingora_core::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use tokio::time::sleep;

use crate::config::Timeouts;
use crate::peers::LEAVING;

tokio::task_local! {
    /// Whether the head of the request of this task has been read.
    static IS_READ: Arc<AtomicBool>;
}

/// An application whose requests have heads that come in time.
#[derive(Debug)]
pub(crate) struct InTime<A> {
    /// The application.
    pub(crate) app: Arc<A>,
    /// How long a connection may be idle, and a head may take.
    pub(crate) timeouts: Timeouts,
}

/// Notes that the head of this task's request has been read.
pub(crate) fn note() {
    // A task without one has no deadline for its head, and needs no note.
    let _ = IS_READ.try_with(|is_read| is_read.store(true, Ordering::Relaxed));
}

#[async_trait]
impl<A: HttpServerApp + Send + Sync + 'static> HttpServerApp for InTime<A> {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let Timeouts { idle, client, .. } = self.timeouts;
        if !*shutdown.borrow() {
            session.set_keepalive(Some(idle.as_secs().max(1)));
        }
        let is_read = Arc::new(AtomicBool::new(false));
        let work = self.app.process_new_http(session, shutdown);
        tokio::select! {
            reused = IS_READ.scope(Arc::clone(&is_read), work) => reused,
            () = missed(&is_read, idle.saturating_add(client)) => None,
            () = left() => None,
        }
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.app.server_options()
    }

    async fn http_cleanup(&self) {
        self.app.http_cleanup().await;
    }
}

/// Ends when the connection's slot was given to another client.
async fn left() {
    match LEAVING.try_with(Clone::clone) {
        Ok(leaving) => leaving.asked().await,
        // This connection is not counted.
        Err(_) => std::future::pending().await,
    }
}

/// Ends when the head is not there in time, and otherwise never.
async fn missed(is_read: &AtomicBool, timeout: Duration) {
    sleep(timeout).await;
    if is_read.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}
