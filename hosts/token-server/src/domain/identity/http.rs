//! Requests to a provider: bounded in time and in size, without redirects.
//!
//! Two seconds to connect, five for all of it, 256 KiB of answer, no redirect, no compression.
//! Errors name the address and the failure; they are for the log, and quote neither the request nor
//! the answer.

use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode};
use serde::de::DeserializeOwned;
use url::{Host, Url};

/// The timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout of a request, with its whole answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// The HTTP client for one provider.
#[derive(Clone, Debug)]
pub(crate) struct Http(Client);

impl Http {
    /// A client for the provider at `issuer`, which trusts the authorities in `ca_file` alone, or
    /// else those of the system.
    ///
    /// # Errors
    ///
    /// When the file is not readable or holds no certificate.
    pub(crate) fn new(issuer: &Url, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("scopegate/", env!("CARGO_PKG_VERSION")));
        if is_loopback(issuer) {
            // Loopback addresses are reached without a proxy.
            builder = builder.no_proxy();
        }
        if let Some(path) = ca_file {
            builder = builder.tls_certs_only(read_certificates(path)?);
        }
        builder.build().map(Self).context("cannot prepare TLS")
    }

    /// The JSON document at an address.
    ///
    /// # Errors
    ///
    /// When it cannot be fetched, or is not such a document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, String> {
        let request = self.0.get(url.clone()).header(ACCEPT, JSON);
        let (status, body) = send(request).await.map_err(|reason| format!("{url}: {reason}"))?;
        if status != StatusCode::OK {
            return Err(format!("{url}: the answer is {status}"));
        }
        // The parser's message may quote the answer, which must not be logged.
        serde_json::from_slice(&body)
            .map_err(|_| format!("{url}: the answer is not the JSON expected"))
    }

    /// Posts a form; returns the status and the body of any answer.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is too long.
    pub(crate) async fn post(
        &self,
        url: &Url,
        authorization: Option<HeaderValue>,
        form: String,
    ) -> Result<(StatusCode, Vec<u8>), String> {
        let mut request = self
            .0
            .post(url.clone())
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        send(request).await.map_err(|reason| format!("{url}: {reason}"))
    }
}

const JSON: &str = "application/json";

/// Whether an address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn read_certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .with_context(|| format!("{} is not a PEM file", path.display()))?;
    anyhow::ensure!(
        !certificates.is_empty(),
        "{} holds no certificate: write the authority's certificate into it, in PEM",
        path.display()
    );
    Ok(certificates)
}

async fn send(request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), String> {
    let response = request.send().await.map_err(in_one_line)?;
    let status = response.status();
    read(response).await.map(|body| (status, body))
}

async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(in_one_line)? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(format!("the answer is longer than {MAX_ANSWER} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error and its causes. The address is left out, because the caller names it.
fn in_one_line(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_this_machine() {
        for (url, loopback) in [
            ("http://127.0.0.1:7000", true),
            ("http://127.1.2.3", true),
            ("http://127.1", true),
            ("http://[::1]:7000/", true),
            ("http://localhost", true),
            ("http://LOCALHOST", true),
            ("http://localhost.example", false),
            ("http://127.0.0.1.example", false),
            ("http://10.0.0.1", false),
            ("http://[::2]", false),
            ("http://169.254.169.254", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), loopback, "{url}");
        }
    }
}
