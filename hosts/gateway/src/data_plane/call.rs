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
    /// The repository that a blob is mounted from, where it is another one.
    pub(crate) source: Option<String>,
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
    /// Whether a request at `/v2` is one for the data plane, which holds the lock of the repository
    /// for it: a write of a manifest, the deletion of a blob, or a mount. Other requests go on to
    /// the registry, with bodies of any length.
    #[must_use]
    pub(crate) fn is_held(method: &str, endpoint: Endpoint, target: &str) -> bool {
        match endpoint {
            Endpoint::Manifest => !matches!(method, "GET" | "HEAD"),
            Endpoint::Blob => method == "DELETE",
            Endpoint::StartUpload => {
                let query = target.split_once('?').map_or("", |(_, query)| query);
                let mut keys = form_urlencoded::parse(query.as_bytes()).map(|(key, _)| key);
                keys.any(|key| matches!(&*key, "mount" | "from"))
            }
            _ => false,
        }
    }

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
            source: route.scopes.get(1).map(|scope| scope.name.clone().into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_requests_hold_the_lock() {
        use Endpoint::{Blob, Manifest, StartUpload, Upload};
        for (method, endpoint, target, expected) in [
            ("PUT", Manifest, "/v2/a/manifests/v1", true),
            ("DELETE", Manifest, "/v2/a/manifests/v1", true),
            ("GET", Manifest, "/v2/a/manifests/v1", false),
            ("DELETE", Blob, "/v2/a/blobs/sha256:0", true),
            ("HEAD", Blob, "/v2/a/blobs/sha256:0", false),
            ("POST", StartUpload, "/v2/a/blobs/uploads/", false),
            ("POST", StartUpload, "/v2/a/blobs/uploads/?digest=sha256:0", false),
            ("POST", StartUpload, "/v2/a/blobs/uploads/?mount=sha256:0&from=b", true),
            ("POST", StartUpload, "/v2/a/blobs/uploads/?%6dount=sha256:0", true),
            ("POST", StartUpload, "/v2/a/blobs/uploads/?x=1&from=b", true),
            ("PUT", Upload, "/v2/a/blobs/uploads/1?digest=sha256:0", false),
        ] {
            assert_eq!(Call::is_held(method, endpoint, target), expected, "{method} {target}");
        }
    }
}
