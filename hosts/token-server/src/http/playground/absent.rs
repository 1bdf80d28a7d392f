//! The playground of a program that is built without it: no file, and nothing at `/`.

use axum::Router;

/// No route.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
}

/// Whether a route is that of a file.
pub(crate) fn has(_route: &str) -> bool {
    false
}
