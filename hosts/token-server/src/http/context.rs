//! The context of a request: its client address, and its id in logs and answers.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;

use crate::app::Listener;
use crate::domain::principal::Holder;
use crate::domain::reason::Reason;

/// The context of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    /// The client's address, as far as it can be trusted.
    pub address: IpAddr,
    /// Whether it came through a trusted proxy or gateway.
    pub is_forwarded: bool,
    /// The listener that it came to.
    pub listener: Listener,
    /// The holder of the client's certificate, or why it is no credential; `None` without one.
    pub certificate: Option<Result<Arc<Holder>, Reason>>,
    /// A GUID; it is in `X-Ms-Correlation-Request-Id` and in every log line.
    pub correlation_id: Arc<str>,
}

impl Default for Context {
    /// A request without a connection, which only tests have.
    fn default() -> Self {
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let correlation_id = Arc::from(uuid::Uuid::nil().to_string());
        let listener = Listener::Public;
        Self { address, is_forwarded: false, listener, certificate: None, correlation_id }
    }
}

impl Context {
    /// The context that [`complete`](crate::http::headers::complete) has added to a request.
    #[must_use]
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}
