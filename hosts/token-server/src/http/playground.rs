//! The playground: the page of `web/`, at `/`, out of the program itself.
//!
//! It decides in the browser and asks this server for nothing, which [`POLICY`] makes sure of.
//! Files are sent as they were compressed when the page was built, and each form of a file has an
//! entity tag of its own (RFC 9110, section 8.8.3). What the page's build has put a digest into the
//! name of is kept for a year; everything else is asked about each time, and not sent again when it
//! is the same.
//!
//! Left out: ranges, which nobody wants of files this small, and quality values but 0, since
//! whoever takes brotli is best served by it.

mod file;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use rust_embed::Embed;

use file::File;

/// What the page may do: run its own scripts and the engine, and open no connection. `index.html`
/// says the same of itself, but for the frames, which only a header can forbid.
pub const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'none'; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What the service worker may do: fetch the page, and nothing else.
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

/// A route for each file, so that every other path is answered as it is without them.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, (path, file)| {
        router.route(path, get(async |headers: HeaderMap| answer(path, file, &headers)))
    })
}

/// Whether a route is that of a file.
pub(crate) fn has(route: &str) -> bool {
    FILES.contains_key(route)
}

fn answer(path: &str, file: &File, asked: &HeaderMap) -> Response {
    let policy = if path == WORKER { WORKER_POLICY } else { POLICY };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cached(path))),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (OPENER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (headers, file.answer(asked)).into_response()
}

fn cached(path: &str) -> &'static str {
    if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}
