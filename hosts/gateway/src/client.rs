//! Asking the token server: bounded in time and in size, and never led elsewhere.
//!
//! Errors name the address and what went wrong; they are for the log, and hold nothing of what was
//! sent or answered.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode};
use url::{Host, Url};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer, in bytes: the generations of 50,000 tokens are five million.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// A client that trusts the system's authorities, and those of a file.
///
/// # Errors
///
/// When the file is not readable or holds no certificate.
pub fn client(for_url: &Url, authorities: Option<&Path>) -> anyhow::Result<Client> {
    let mut builder = Client::builder()
        .connect_timeout(TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("scopegate-gateway/", env!("CARGO_PKG_VERSION")));
    if is_loopback(for_url) {
        // A proxy is on the way to others, not to ourselves.
        builder = builder.no_proxy();
    }
    if let Some(path) = authorities {
        let pem = std::fs::read(path).with_context(|| path.display().to_string())?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .with_context(|| format!("{}: no certificates", path.display()))?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().context("cannot prepare TLS")
}

/// Whether an address is within this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Sends a request; gives the status and the body.
///
/// # Errors
///
/// When there is no answer, or one that is too long.
pub async fn send(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), String> {
    let response = request.send().await.map_err(said)?;
    Ok((response.status(), body(response).await?))
}

/// The body of an answer.
///
/// # Errors
///
/// When it breaks off, or is too long.
pub async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(said)? {
        if body.len().saturating_add(piece.len()) > MAX_BODY {
            return Err("the answer is too long".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// What went wrong, without the address, which the caller has.
pub fn said(error: reqwest::Error) -> String {
    error.without_url().to_string()
}
