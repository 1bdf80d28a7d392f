//! Header fields of answers, which every host sets alike.
//!
//! Registry clients look for `Docker-Distribution-Api-Version`, and browsers need
//! `Access-Control-Expose-Headers` to show any of the others.
//!
//! Left out: which answers get them, and what keeps a browser from obeying an answer, which is in
//! `scopegate_core::headers`.

use http::HeaderName;

/// What old clients look for.
pub const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// The version in it.
pub const REGISTRY_2: &str = "registry/2.0";
/// What scripts in browsers may read: `Access-Control-Expose-Headers`.
pub const EXPOSED: &str =
    "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id";
/// A year of HTTPS alone: `Strict-Transport-Security`.
pub const STRICT_TRANSPORT: &str = "max-age=31536000; includeSubDomains";
