//! The endpoints of registry clients.
//!
//! | module | holds |
//! |---|---|
//! | [`base`] | `GET /v2/`: the challenge |
//! | [`token`] | `GET` and `POST /oauth2/token` |
//! | [`exchange`] | `POST /oauth2/exchange` |
//! | [`parameters`] | queries and forms |
//! | [`authority`] | tokens for `az login`, from client ids and secrets |

pub(crate) mod authority;
pub(crate) mod base;
pub(crate) mod exchange;
pub(crate) mod parameters;
pub(crate) mod token;

use std::time::Instant;

use axum::http::StatusCode;
use axum::response::Response;
use scopegate_api::claims::{Permissions, PrincipalKind};
use scopegate_runtime::ENGINE_SHA256;
use serde::Serialize;

use crate::app::App;
use crate::domain::issue::{Subject, token_id};
use crate::domain::principal::Principal;
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

/// A request whose outcome is written to the decision log.
#[derive(Clone, Copy)]
struct AuditedRequest<'a> {
    app: &'a App,
    context: &'a Context,
    began: Instant,
    scopes: &'a [&'a str],
}

impl<'a> AuditedRequest<'a> {
    fn new(app: &'a App, context: &'a Context, scopes: &'a [&'a str]) -> Self {
        Self { app, context, began: Instant::now(), scopes }
    }

    fn decision(&self) -> Decision<'a> {
        Decision {
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
            provider: principal.identity.as_ref().map(|identity| identity.provider.as_str()),
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
