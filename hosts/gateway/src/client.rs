//! Clients for the token server and the registry.

use std::path::Path;

use anyhow::Context as _;
use scopegate_host::client::{Authorities, Client, Options};
use url::Url;

/// The longest list of a registry and the longest feed of the token server, in bytes: the
/// generations of 50,000 tokens are five million.
pub(crate) const MAX_LIST: usize = 16 * 1024 * 1024;

/// A client that trusts the system's authorities, and those of the field `authorities`.
///
/// # Errors
///
/// When the file is not readable or holds no certificate.
pub(crate) fn client(
    url: &Url,
    authorities: Option<&Path>,
    max_body: usize,
) -> anyhow::Result<Client> {
    let options = Options {
        user_agent: concat!("scopegate-gateway/", env!("CARGO_PKG_VERSION")),
        authorities: authorities.map_or(Authorities::System, Authorities::SystemAnd),
        max_body,
    };
    Client::new(url, options).context("authorities")
}
