//! What the server says over HTTP: the one room that knows statuses, headers and routes.
//!
//! A handler reads a request, hands what it holds to the domain by way of [`App`](crate::app::App),
//! and makes an answer of what comes back. Every refusal becomes a status in one place for each
//! form of answer: [`error`] for the registry's clients, [`management::error`] for Azure's.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`](mod@routes) | the routes |
//! | [`oauth`] | what clients of the registry talk to: `/v2/`, `/oauth2/token`, `/oauth2/exchange` |
//! | [`management`] | changing what the server knows, in the shape of Azure Resource Manager |
//! | [`authz`] | what other proxies ask: whether a request may go on |
//! | [`playground`] | the page at `/` |
//! | [`health`] | whether the server lives, and whether it can issue tokens |
//! | [`serve`](mod@serve) | listening, with or without TLS, within bounds, until the end |
//! | [`tls`] | the certificate, read again when it changes |
//! | [`limits`] | what a request may be before it is read |
//! | [`observe`](mod@observe) | every request as a span, a count and a time |
//! | [`context`] | where a request comes from, and the id that names it |
//! | [`address`] | the client's address behind proxies |
//! | [`gateways`] | whether a request comes from a gateway of ours, and so for a client |
//! | [`headers`] | the headers of every answer |
//! | [`authorization`](mod@authorization) | the one `Authorization` of a request |
//! | [`negotiate`] | what a client has already, and what it takes |
//! | [`answer`] | JSON that nobody may keep, and refusals |
//! | [`error`] | refusals, and their one mapping to status codes |

pub(crate) mod address;
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
pub(crate) mod tls;
