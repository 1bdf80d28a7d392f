//! A call of the data plane as it is received: its body whole, and the header fields that go on
//! with it.
//!
//! Left out: what is done with it ([`data_plane`](crate::data_plane)).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use pingora_core::Result;
use pingora_proxy::Session;
use scopegate_core::route::Endpoint;
use scopegate_host::correlation;
use scopegate_host::peers::{Peers, Slot};

use crate::body::{self, BodyError};
use crate::config::Timeouts;
use crate::data_plane::{Call, MAX_MANIFEST, Reply, Sent};
use crate::headers;

/// What a client calls its request.
const CLIENT_REQUEST_ID: &str = "x-ms-client-request-id";
/// The longest body that changes attributes, in bytes.
const MAX_ATTRIBUTES: usize = 64 * 1024;
/// What came with a call.
#[derive(Debug)]
pub(crate) struct Received {
    /// The header fields and the body.
    pub(crate) sent: Sent,
    /// Its share of the memory for bodies.
    _slot: Option<Slot>,
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
    bodies: Arc<Peers>,
    timeouts: Timeouts,
) -> Result<std::result::Result<Received, Reply>> {
    let longest = match call.method.as_str() {
        "PUT" => MAX_MANIFEST,
        "PATCH" => MAX_ATTRIBUTES,
        // A mount has no body.
        "POST" => {
            let headers = headers::with_body(session.req_header(), sent)?;
            let sent = Sent { headers, body: Bytes::new() };
            return Ok(Ok(Received { sent, _slot: None }));
        }
        _ => return Ok(Ok(Received { sent: Sent::default(), _slot: None })),
    };
    let address = sent.origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let headers = headers::with_body(session.req_header(), sent)?;
    let Some(slot) = bodies.admit(address).await else {
        return Ok(Err(Reply::error(429, "TOOMANYREQUESTS", "too many requests, try again later")));
    };
    Ok(match body::read(session, longest, timeouts).await? {
        Ok(body) => Ok(Received { sent: Sent { headers, body }, _slot: Some(slot) }),
        Err(BodyError::TooLong) => Err(Reply::error(413, "SIZE_INVALID", "the body is too long")),
        Err(BodyError::Slow) => {
            Err(Reply::error(408, "UNSUPPORTED", "the request does not come in time"))
        }
    })
}

/// What the service adds to its answers to writes below `/acr/v1`: an id of its own, and the
/// client's.
#[must_use]
pub(crate) fn headers_of_writes(
    session: &Session,
    call: &Call,
) -> Vec<(Cow<'static, str>, String)> {
    let is_read = matches!(call.method.as_str(), "GET" | "HEAD");
    let is_below_v2 =
        matches!(call.endpoint, Endpoint::Manifest | Endpoint::Blob | Endpoint::StartUpload);
    if is_read || is_below_v2 {
        return Vec::new();
    }
    let id = correlation::new_id().to_string();
    let own = session.req_header().headers.get(CLIENT_REQUEST_ID);
    let own = own.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    vec![("x-ms-request-id".into(), id), (CLIENT_REQUEST_ID.into(), own)]
}
