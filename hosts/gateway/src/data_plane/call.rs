//! A request to the data plane: what was decided about, and nothing else of what came in.
//!
//! Left out: whether it may be.

use bytes::Bytes;
use scopegate_core::route::{Endpoint, Route};
use scopegate_host::client::header::HeaderMap;

/// A request that was decided about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The method.
    pub(crate) method: String,
    /// Which row of the API.
    pub(crate) endpoint: Endpoint,
    /// The repository; empty for lists of repositories.
    pub(crate) repository: String,
    /// The last segment of the path: a tag, a digest, or the name of a list.
    pub(crate) last: String,
    /// The query.
    pub(crate) query: String,
}

/// What a request brings beside its head.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    /// The header fields that the registry is sent.
    pub(crate) headers: HeaderMap,
    /// The whole body.
    pub(crate) body: Bytes,
}

impl Call {
    /// The call that a route is.
    #[must_use]
    pub(crate) fn new(method: &str, route: &Route<'_>, target: &str) -> Self {
        let is_of_repository =
            !matches!(route.endpoint, Endpoint::Catalog | Endpoint::DeletedCatalog);
        let scope = route.scopes.first().filter(|_| is_of_repository);
        Self {
            method: method.to_owned(),
            endpoint: route.endpoint,
            repository: scope.map(|scope| scope.name.clone().into_owned()).unwrap_or_default(),
            last: route.path.rsplit('/').next().unwrap_or_default().to_owned(),
            query: target.split_once('?').map_or("", |(_, query)| query).to_owned(),
        }
    }
}
