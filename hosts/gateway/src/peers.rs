//! How many connections one client may have, so that it does not have all there are.
//!
//! The rule is the token server's ([`scopegate_host::peers`]): a fixed number for an unknown
//! network, and half of all for one whose credentials were right in the last minute.

use std::sync::Arc;

use async_trait::async_trait;
use pingora_core::apps::ServerApp;
use pingora_core::protocols::Stream;
use pingora_core::server::ShutdownWatch;
use scopegate_host::peers::{Leaving, Peers};

tokio::task_local! {
    /// Tells when the slot of this task's connection was given to another client.
    pub(crate) static LEAVING: Leaving;
}

/// An application whose connections are counted by client.
#[derive(Debug)]
pub(crate) struct Counted<A> {
    /// The application.
    pub(crate) app: Arc<A>,
    /// The connections of each client.
    pub(crate) peers: Arc<Peers>,
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> ServerApp for Counted<A> {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let socket = stream.get_socket_digest()?;
        let peer = socket.peer_addr()?.as_inet()?.ip();
        let slot = Arc::clone(&self.peers).admit(peer).await?;
        LEAVING.scope(slot.leaving(), self.app.process_new(stream, shutdown)).await
    }

    async fn cleanup(&self) {
        self.app.cleanup().await;
    }
}
