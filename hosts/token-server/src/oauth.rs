//! What clients of the registry talk to.
//!
//! | module | holds |
//! |---|---|
//! | [`base`] | `GET /v2/`: the challenge |
//! | [`token`] | `GET` and `POST /oauth2/token` |
//! | [`exchange`] | `POST /oauth2/exchange` |
//! | [`parameters`] | queries and forms |

pub mod base;
pub mod exchange;
pub mod parameters;
pub mod token;

use scopegate_api::claims::Permissions;

use crate::app::App;
use crate::error::RouteError;
use crate::issue::Subject;
use crate::principal::Principal;

/// What a client reads that asks for another registry's tokens.
const ANOTHER_SERVICE: &str =
    "this server has no tokens for that service; send the one that the challenge of /v2/ names";

/// Signs a refresh token for whoever was authenticated.
fn refresh_token(
    app: &App,
    principal: &Principal,
    rid: &str,
    now: i64,
) -> Result<String, RouteError> {
    let permissions = Permissions { actions: principal.summary(), not_actions: None };
    let subject = Subject { permissions: Some(&permissions), ..principal.to_subject() };
    app.issuer.refresh_token(&subject, rid, now)
}
