//! What an HTTP request needs, as data.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use scopegate_core::route as core_route;
use serde::Serialize;

/// What an HTTP request needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Route {
    /// The path in its one spelling, with the query.
    pub path: String,
    /// The required scopes, in the order of the challenge.
    pub scopes: Vec<String>,
}

impl From<core_route::Route<'_>> for Route {
    fn from(route: core_route::Route<'_>) -> Self {
        Self {
            scopes: route.scopes.iter().map(ToString::to_string).collect(),
            path: route.path.into_owned(),
        }
    }
}
