//! Sign-ins to management, noted for the audit trail without waiting.

use super::context::Context;
use crate::app::App;
use crate::clock;
use crate::domain::audit::sign_ins::SignIn;
use crate::model::audit::Actor;

/// Notes who signed in.
pub(crate) fn signed_in(app: &App, actor: Actor, context: &Context) {
    note(app, actor, None, context);
}

/// Notes that a sign-in failed. The name is kept only if there is such a client: people type
/// passwords into the wrong field.
pub(crate) fn refused(app: &App, client_id: &str, reason: &'static str, context: &Context) {
    let actor = match app.policy().service_principal(client_id) {
        Some(known) => Actor::service_principal(&known.name),
        None => Actor::unknown(),
    };
    note(app, actor, Some(reason), context);
}

/// Notes that the sign-in of a person failed, who is named once its provider has said who it is.
pub(crate) fn refused_person(app: &App, actor: Actor, reason: &'static str, context: &Context) {
    note(app, actor, Some(reason), context);
}

fn note(app: &App, actor: Actor, refused: Option<&'static str>, context: &Context) {
    let actor = actor.by_request(context.address, &context.correlation_id);
    app.sign_ins.add(SignIn { actor, refused, at: clock::now() });
}
