//! What has gone wrong in other registries and token servers, and what attackers try first: each
//! must come to nothing here.
//!
//! The advisories that a test is about are named beside it. What a client reads is compared whole:
//! status, headers and body.

mod addresses;
mod availability;
mod database;
mod decision_log;
mod escalation;
mod forgery;
mod guessing;
mod headers;
mod limits;
mod names;
mod parameters;
mod parsers;
mod password_users;
mod providers;
mod revocation;
mod revoking;
mod routes;
mod scopes;
mod token_kinds;
mod untag;
