//! A call of the data plane as it comes: its body whole, and the header fields that go on with it.
//!
//! Left out: what is done with it ([`data_plane`](crate::data_plane)).

use std::borrow::Cow;

use bytes::Bytes;
use http::header;
use pingora_core::Result;
use pingora_proxy::Session;
use scopegate_core::route::Endpoint;
use scopegate_host::correlation;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::config::Timeouts;
use crate::data_plane::{Call, MAX_MANIFEST, Reply, Sent};
use crate::headers;

/// What a client calls its request.
const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";
/// The longest body that changes attributes, in bytes.
const MAX_ATTRIBUTES: usize = 64 * 1024;
/// How many bodies there are at one time, so that they take a bounded amount of memory.
static BODIES: Semaphore = Semaphore::const_new(64);

/// What came with a call.
#[derive(Debug)]
pub(crate) struct Received {
    /// The header fields and the body.
    pub(crate) sent: Sent,
    /// Its share of the memory for bodies.
    _permit: Option<SemaphorePermit<'static>>,
}

/// Reads the body of a call. The inner error is an answer.
///
/// # Errors
///
/// When the client does not send it.
pub(crate) async fn receive(
    session: &mut Session,
    call: &Call,
    sent: headers::Sent<'_>,
    timeouts: Timeouts,
) -> Result<std::result::Result<Received, Reply>> {
    let longest = match call.method.as_str() {
        "PUT" => MAX_MANIFEST,
        "PATCH" => MAX_ATTRIBUTES,
        _ => return Ok(Ok(Received { sent: Sent::default(), _permit: None })),
    };
    let headers = headers::with_body(session.req_header(), sent)?;
    let Ok(permit) = timeout(timeouts.client, BODIES.acquire()).await else {
        return Ok(Err(Reply::error(429, "TOOMANYREQUESTS", "too many requests, try again later")));
    };
    let read = timeout(timeouts.client, body(session, longest)).await;
    Ok(match read {
        Ok(Ok(Some(body))) => Ok(Received { sent: Sent { headers, body }, _permit: permit.ok() }),
        Ok(Ok(None)) => Err(Reply::error(413, "SIZE_INVALID", "the body is too long")),
        Ok(Err(error)) => return Err(error),
        Err(_) => Err(Reply::error(408, "UNSUPPORTED", "the request does not come in time")),
    })
}

/// The whole body of a request; nothing when it is too long.
async fn body(session: &mut Session, longest: usize) -> Result<Option<Bytes>> {
    let expects = session.req_header().headers.get(header::EXPECT);
    if expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        session.as_downstream_mut().write_continue_response().await?;
    }
    let mut whole = Vec::new();
    while let Some(piece) = session.as_downstream_mut().read_request_body().await? {
        if whole.len().saturating_add(piece.len()) > longest {
            return Ok(None);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(Some(whole.into()))
}

/// What the service adds to its answers to writes below `/acr/v1`: an id of its own, and the
/// client's.
#[must_use]
pub(crate) fn headers_of_writes(
    session: &Session,
    call: &Call,
) -> Vec<(Cow<'static, str>, String)> {
    let is_read = matches!(call.method.as_str(), "GET" | "HEAD");
    if is_read || call.endpoint == Endpoint::Manifest {
        return Vec::new();
    }
    let id = correlation::id(&http::HeaderMap::new()).to_string();
    let own = session.req_header().headers.get(CLIENT_REQUEST_ID);
    let own = own.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    vec![("x-ms-request-id".into(), id), (CLIENT_REQUEST_ID.into(), own)]
}
