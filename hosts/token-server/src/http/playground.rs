//! The playground: the page of `web/`, at `/`, out of the program itself.
//!
//! It decides in the browser and makes no requests to this server, which [`POLICY`] enforces. Files
//! are served as compressed by the page's build, and each encoding of a file has an entity tag of
//! its own (RFC 9110, section 8.8.3). Files with a digest in their name are cached for a year; all
//! others are revalidated each time.
//!
//! Left out: ranges, since the files are small, and quality values but 0, since brotli is the best
//! choice for every client that accepts it.

mod file;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use rust_embed::Embed;

use file::File;

/// The content security policy of the page: it may run its own scripts and the engine, and open no
/// connection. `index.html` has the same policy, except for frames, which only a header can forbid.
pub const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'none'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The content security policy of the service worker: it may only fetch the page.
const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";
const WORKER: &str = "/sw.js";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

#[derive(Embed)]
#[folder = "../../target/web"]
struct Built;

/// The files by their paths.
static FILES: LazyLock<BTreeMap<String, File>> = LazyLock::new(|| {
    let mut files: BTreeMap<_, _> =
        Built::iter().filter_map(|name| Some((format!("/{name}"), File::of(&name)?))).collect();
    let page = files.get("/index.html").cloned();
    files.extend(page.map(|page| ("/".to_owned(), page)));
    files
});

/// A route for each file, so that all other paths are unaffected.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, (path, file)| {
        router.route(path, get(async |headers: HeaderMap| answer(path, file, &headers)))
    })
}

/// Whether a route is that of a file.
pub(crate) fn has(route: &str) -> bool {
    FILES.contains_key(route)
}

fn answer(path: &str, file: &File, request_headers: &HeaderMap) -> Response {
    let policy = if path == WORKER { WORKER_POLICY } else { POLICY };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cached(path))),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (OPENER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (headers, file.answer(request_headers)).into_response()
}

fn cached(path: &str) -> &'static str {
    if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}
