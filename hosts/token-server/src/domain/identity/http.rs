//! Requests to a provider, bounded as [`scopegate_host::client`] does it.
//!
//! Errors name the address and the failure; they are for the log, and quote neither the request nor
//! the answer.

use std::path::Path;

use scopegate_host::client::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use scopegate_host::client::{Authorities, Client, MAX_DOCUMENT, Options, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

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
        let options = Options {
            user_agent: concat!("scopegate/", env!("CARGO_PKG_VERSION")),
            authorities: ca_file.map_or(Authorities::System, Authorities::Only),
            max_body: MAX_DOCUMENT,
        };
        Client::new(issuer, options).map(Self)
    }

    /// The JSON document at an address.
    ///
    /// # Errors
    ///
    /// When it cannot be fetched, or is not such a document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, String> {
        let request = self.0.get(url).header(ACCEPT, JSON);
        let answer = self.0.send(request).await.map_err(|reason| format!("{url}: {reason}"))?;
        if answer.status != StatusCode::OK {
            return Err(format!("{url}: the answer is {}", answer.status));
        }
        // The parser's message may quote the answer, which must not be logged.
        serde_json::from_slice(&answer.body)
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
            .post(url)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let answer = self.0.send(request).await.map_err(|reason| format!("{url}: {reason}"))?;
        Ok((answer.status, answer.body))
    }
}

const JSON: &str = "application/json";
