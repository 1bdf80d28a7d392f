//! Bodies that are read whole before anything behind the gateway is asked: within a length and a
//! time, so that a client which sends slowly holds nothing but its own connection.
//!
//! Left out: how many of them one client may have at a time, which is
//! [`Peers`](scopegate_host::peers)'s; bodies for the registry, which go on as they come.

use bytes::Bytes;
use http::header;
use pingora_core::Result;
use pingora_proxy::Session;
use tokio::time::timeout;

use crate::config::Timeouts;

/// How many bodies there are at one time that take more than a little memory, and of one client.
pub(crate) const AT_ONCE: [usize; 2] = [64, 8];

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is too long.
    TooLong,
    /// It does not come in time.
    Slow,
}

/// The whole body of a request.
///
/// # Errors
///
/// When the client goes away; the inner one is to be answered.
pub(crate) async fn read(
    session: &mut Session,
    longest: usize,
    timeouts: Timeouts,
) -> Result<std::result::Result<Bytes, BodyError>> {
    match timeout(timeouts.client, whole(session, longest)).await {
        Ok(Ok(Some(body))) => Ok(Ok(body)),
        Ok(Ok(None)) => Ok(Err(BodyError::TooLong)),
        Ok(Err(error)) => Err(error),
        Err(_) => Ok(Err(BodyError::Slow)),
    }
}

/// Nothing when it is too long.
async fn whole(session: &mut Session, longest: usize) -> Result<Option<Bytes>> {
    let expects = session.req_header().headers.get(header::EXPECT);
    if expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        session.as_downstream_mut().write_continue_response().await?;
        // What comes behind is asked no more.
        session.req_header_mut().remove_header(&header::EXPECT);
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
