//! What the tests share: a server over a real database and the real engine, without a port; an
//! identity provider on loopback; forged tokens.

#![allow(dead_code, unused_imports, reason = "each test program uses some of it")]

mod answer;
pub(crate) mod database;
pub(crate) mod management;
mod provider;
mod server;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scopegate_server::testing::config::{Limits, Rate};

pub(crate) use self::answer::{Answer, access, claims};
pub(crate) use self::provider::{Key, Provider, part, sign_hs256};
pub(crate) use self::server::{Server, Setup, authorized, seed};

/// The audience of the server's tokens.
pub(crate) const SERVICE: &str = "r.test";
pub(crate) const ISSUER: &str = "test-issuer";
pub(crate) const PUBLIC_URL: &str = "https://r.test";
/// The audience of a provider's tokens.
pub(crate) const AUDIENCE: &str = "https://containerregistry.azure.net";
/// Another audience of a provider's tokens, where it has two.
pub(crate) const OTHER_AUDIENCE: &str = "https://r.test/other";
pub(crate) const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";
/// Service principals: one that owns the registry, one that may pull, one that is disabled.
pub(crate) const OWNER: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
pub(crate) const PULLER: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3302";
pub(crate) const DISABLED: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3303";
/// The token endpoint, and the short path of management.
pub(crate) const TOKEN: &str = "/oauth2/token";
pub(crate) const REGISTRY: &str = "/registries/registry";
/// What the token `Reader` may do.
pub(crate) const PULL: &str = "repository:samples/a:pull";

/// Tests that try everything must not be limited before the end; the tests of limits set their own.
pub(crate) fn unlimited() -> Limits {
    let rate = Rate { rate: 0.0, burst: 1 };
    Limits { per_address: rate, per_principal: rate, ..Limits::default() }
}

pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
