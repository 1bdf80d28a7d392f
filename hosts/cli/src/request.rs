//! The requested scopes, and whether all of them were granted.

use scopegate_core::claims::Claims;
use scopegate_core::scope::MergedScope;
use scopegate_core::{Error, ScopeList};

use crate::report::{BadInput, Status};

/// Refuses a request without actions, as a whole or in one of its scopes: it is likely an unset
/// variable, and "all of nothing is granted" would be a wrong answer.
pub(crate) fn check(request: &ScopeList<'_>) -> Result<(), BadInput> {
    has_scope(request)?;
    if let Some(scope) = request.scopes.iter().find(|scope| asks_for_nothing(scope)) {
        return Err(BadInput::new(format!("no action in `{scope}`"))
            .hint("use `type:name:actions`, for example `repository:samples/nginx:pull`"));
    }
    Ok(())
}

/// Refuses a request without any scope.
pub(crate) fn has_scope(request: &ScopeList<'_>) -> Result<(), BadInput> {
    if request.scopes.is_empty() && request.invalid.is_empty() {
        return Err(BadInput::new("no scope in the request")
            .hint("use `type:name:actions`, for example `repository:samples/nginx:pull`"));
    }
    Ok(())
}

/// Whether something was denied.
pub(crate) fn status(request: &ScopeList<'_>, claims: &Claims<'_>) -> Status {
    match claims.denied.is_empty() {
        _ if !request.invalid.is_empty() => Status::BadInput,
        true => Status::Yes,
        false => Status::No,
    }
}

/// Whether something was granted and nothing denied. A scope without actions is not a yes: the
/// token would have no access to its repository.
pub(crate) fn grants_all(request: &ScopeList<'_>, claims: &Claims<'_>) -> bool {
    let is_whole = !request.scopes.iter().any(asks_for_nothing);
    is_whole && claims.denied.is_empty() && !claims.access.is_empty()
}

/// Whether a scope has no action, known or unknown.
pub(crate) fn asks_for_nothing(scope: &MergedScope<'_>) -> bool {
    scope.actions.known.is_empty() && scope.actions.unknown.is_empty()
}

/// A text that the engine refuses, as an error.
pub(crate) fn refused(text: &str, error: Error) -> BadInput {
    BadInput::new(format!("{error} at byte {} of `{text}`", error.position()))
        .hint(error.kind().hint())
}
