//! The endpoints of registry clients.
//!
//! | module | holds |
//! |---|---|
//! | [`base`] | `GET /v2/`: the challenge |
//! | [`token`] | `GET` and `POST /oauth2/token` |
//! | [`exchange`] | `POST /oauth2/exchange` |
//! | [`revoke`] | `POST /oauth2/revoke` |
//! | [`parameters`] | queries and forms |
//! | `oauth_error` | error responses of RFC 6749 |
//! | `tenant` | the tenant of a path, the audience of a scope |
//! | [`authority`] | tokens for `az login`, from client ids and secrets |
//! | [`login`] | the same for people, who sign in at their provider |

pub(crate) mod authority;
pub(crate) mod base;
pub(crate) mod exchange;
pub(crate) mod login;
mod oauth_error;
pub(crate) mod parameters;
pub(crate) mod revoke;
mod tenant;
pub(crate) mod token;

use std::time::Instant;

use axum::http::StatusCode;
use axum::response::Response;
use scopegate_api::claims::{Permissions, PrincipalKind};
use scopegate_runtime::ENGINE_SHA256;
use serde::Serialize;

use crate::app::App;
use crate::domain::issue::{Subject, token_id};
use crate::domain::principal::{Presented, Principal, Proven, kind_name};
use crate::http::answer::json;
use crate::http::context::Context;
use crate::http::error::RouteError;
use crate::telemetry::decision::{self, Decision};

/// The message for a request of another registry's tokens.
const ANOTHER_SERVICE: &str =
    "this server has no tokens for that service; send the one that the challenge of /v2/ names";

/// Signs a refresh token for a principal.
fn refresh_token(
    app: &App,
    principal: &Principal,
    rid: &str,
    now: i64,
) -> Result<String, RouteError> {
    let permissions = Permissions { actions: principal.summary(), not_actions: None };
    let subject = Subject { permissions: Some(&permissions), ..principal.to_subject() };
    Ok(app.issuer.refresh_token(&subject, rid, now)?)
}

/// What a client has proven, as the decision log names it.
pub(super) fn logged(proven: &Proven) -> decision::Principal<'_> {
    let Proven { kind, name, provider, .. } = proven;
    decision::Principal { kind: kind_name(*kind), name, provider: provider.as_deref() }
}

/// A request whose outcome is written to the decision log.
struct AuditedRequest<'a> {
    app: &'a App,
    context: &'a Context,
    began: Instant,
    scopes: &'a [&'a str],
    /// What the client presented, once verified.
    presented: Presented,
}

impl<'a> AuditedRequest<'a> {
    fn new(app: &'a App, context: &'a Context, scopes: &'a [&'a str]) -> Self {
        Self { app, context, began: Instant::now(), scopes, presented: Presented::default() }
    }

    fn decision(&self) -> Decision<'_> {
        let proven = self.presented.get();
        Decision {
            principal: proven.map(logged),
            presented_jti: proven.and_then(|proven| proven.jti.as_deref()),
            requested: self.scopes,
            address: Some(self.context.address),
            correlation_id: &self.context.correlation_id,
            engine: ENGINE_SHA256,
            duration: self.began.elapsed(),
            ..Decision::default()
        }
    }

    /// Logs an issued token, with the fields that `describe` adds, and answers with the body.
    fn granted(
        self,
        principal: &Principal,
        token: &str,
        body: &impl Serialize,
        describe: impl FnOnce(&mut Decision<'_>),
    ) -> Response {
        let jti = token_id(token);
        let mut decision = self.decision();
        decision.jti = jti.as_deref();
        decision.principal = Some(decision::Principal {
            kind: principal.kind_name(),
            name: &principal.subject,
            provider: principal.provider.as_deref(),
        });
        describe(&mut decision);
        if principal.kind != PrincipalKind::Anonymous {
            self.app.guard.prove(self.context.address);
        }
        json(StatusCode::OK, body)
    }

    /// Logs a refusal. Wrong credentials cost their address more than a request.
    fn refused(self, error: RouteError) -> RouteError {
        if matches!(error, RouteError::Unauthorized(_)) {
            self.app.guard.failed(self.context.address);
        }
        self.decision().refused(error.reason(), error.detail());
        error
    }
}
