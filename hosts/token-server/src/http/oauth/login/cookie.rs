//! The cookie between `authorize` and the return.
//!
//! It binds the return to the browser that began. Over TLS its name begins with `__Host-`, so no
//! other host and no page without TLS can set it. It is not for scripts, and no other site's page
//! sends it but by a navigation. A second sign-in in the same browser replaces the first.

use axum::http::{HeaderMap, HeaderValue, header};

use super::RETURN;
use crate::app::App;
use crate::domain::login::request::LIFETIME;

/// The longest value, in bytes: browsers keep 4096 with the name.
const MAX: usize = 4000;

/// The header that sets the cookie; `None` for a value that a browser would not keep.
#[must_use]
pub(super) fn set(app: &App, value: &str) -> Option<HeaderValue> {
    let cookie = HeaderValue::try_from(text(app, value, LIFETIME)).ok()?;
    (value.len() <= MAX).then_some(cookie)
}

/// The header that ends it.
#[must_use]
pub(super) fn end(app: &App) -> Option<HeaderValue> {
    HeaderValue::try_from(text(app, "", 0)).ok()
}

/// The value of the one cookie of this name. Of two, one may be another's.
#[must_use]
pub(super) fn get<'h>(app: &App, headers: &'h HeaderMap) -> Option<&'h str> {
    let name = name(app);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut own = pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    own.next().filter(|_| own.next().is_none())
}

fn is_secure(app: &App) -> bool {
    app.settings.management_url().starts_with("https://")
}

fn name(app: &App) -> &'static str {
    if is_secure(app) { "__Host-scopegate-login" } else { "scopegate-login" }
}

fn text(app: &App, value: &str, max_age: i64) -> String {
    let name = name(app);
    let path = if is_secure(app) { "/; Secure" } else { RETURN };
    format!("{name}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Lax")
}
