//! The HTTP interface: the one module that knows statuses, headers and routes.
//!
//! A handler reads a request, calls the domain through [`App`](crate::app::App), and turns the
//! result into an answer. Every refusal becomes a status in one place for each form of answer:
//! [`error`] for the registry's clients, [`management::error`] for Azure's.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`](mod@routes) | the routes |
//! | [`oauth`] | the endpoints of registry clients: `/v2/`, `/oauth2/token`, `/oauth2/exchange` |
//! | [`management`] | the management API, in the shape of Azure Resource Manager |
//! | [`authz`] | decisions for other proxies: whether a request may be forwarded |
//! | [`playground`] | the page at `/` |
//! | [`health`] | whether the server lives, and whether it can issue tokens |
//! | [`serve`](mod@serve) | listening, with or without TLS, within bounds, until shutdown |
//! | [`tls`] | how the server speaks TLS |
//! | [`limits`] | limits that are checked before a request is read |
//! | [`observe`](mod@observe) | every request as a span, a count and a time |
//! | [`context`] | a request's client address and correlation id |
//! | [`sign_ins`] | sign-ins to management, noted for the audit trail |
//! | [`gateways`] | requests from our own gateways, on behalf of clients |
//! | [`headers`] | the headers of every answer |
//! | [`authorization`](mod@authorization) | the one `Authorization` of a request |
//! | [`negotiate`] | `If-None-Match` and `Accept` |
//! | [`answer`] | JSON that must not be stored, and refusals |
//! | [`error`] | refusals, and their one mapping to status codes |

pub(crate) mod answer;
pub(crate) mod authorization;
pub(crate) mod authz;
pub(crate) mod context;
pub(crate) mod error;
pub(crate) mod gateways;
pub(crate) mod headers;
pub mod health;
pub(crate) mod limits;
pub(crate) mod management;
pub(crate) mod negotiate;
pub(crate) mod oauth;
pub(crate) mod observe;
#[cfg_attr(not(feature = "playground"), path = "http/playground/absent.rs")]
pub(crate) mod playground;
pub(crate) mod routes;
pub(crate) mod serve;
pub(crate) mod sign_ins;
pub(crate) mod tls;
