//! The access entries of a token, from all the scopes of a request.
//!
//! Follows
//! <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>: asking
//! for more than one may have is no error, the token just holds the intersection. An entry without
//! actions is left out; request order is kept.
//!
//! Left out: every other claim (issuer, times, identity), which the `scopegate-api` crate has.

use alloc::vec::Vec;

use crate::access::{Access, Requested};
use crate::decide::{Decision, Settings, decide};
use crate::scope::{MergedScope, ResourceName, ScopeList};
use crate::table::Table;

/// What a request gets, and what it asked for in vain.
#[derive(Clone, Debug, Default)]
pub struct Claims<'a> {
    /// The entries of the token, each with at least one action.
    pub access: Vec<AccessEntry<'a>>,
    /// What was refused, each with at least one action. It goes to the decision log, never into the
    /// token.
    pub denied: Vec<DeniedEntry<'a>>,
}

/// What a token may do with one resource, in the order of the request.
pub type AccessEntry<'a> = Access<ResourceName<'a>>;

/// What a token may not do with one resource, though it was asked for.
pub type DeniedEntry<'a> = MergedScope<'a>;

/// Decides every scope of a request over the tables of one principal.
///
/// ```
/// use scopegate_core::{ScopeList, ScopeMap, Settings, Table, claims};
///
/// let map = ScopeMap::parse(["repositories/samples/*/content/read"])?;
/// let table = Table::compile([&map])?;
/// let request = ScopeList::parse(["repository:samples/nginx:pull,push", "repository:other:pull"])?;
/// let claims = claims([&table], &request, &Settings::default());
/// assert_eq!(claims.access.len(), 1);
/// assert_eq!(claims.access[0].to_string(), "repository:samples/nginx:pull");
/// assert_eq!(claims.denied[1].to_string(), "repository:other:pull");
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[must_use]
pub fn claims<'a, 't, B, T>(tables: T, request: &ScopeList<'a>, settings: &Settings) -> Claims<'a>
where
    B: AsRef<[u8]> + 't,
    T: IntoIterator<Item = &'t Table<B>> + Clone,
{
    let mut claims = Claims::default();
    for scope in &request.scopes {
        let (resource_type, name) = (scope.resource_type, scope.name);
        let Decision { granted, denied } = decide(tables.clone(), scope, settings);
        if !granted.is_empty() {
            claims.access.push(Access { resource_type, name, actions: granted });
        }
        let unknown = &scope.actions.unknown;
        if !denied.is_empty() || !unknown.is_empty() {
            let actions = Requested { known: denied, unknown: unknown.clone() };
            claims.denied.push(Access { resource_type, name, actions });
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope_map::ScopeMap;
    use alloc::string::{String, ToString};

    #[track_caller]
    fn gives(parameters: &[&str], access: &[&str], denied: &[&str]) {
        let map = ScopeMap::parse([
            "repositories/a/content/read",
            "repositories/b/*/content/read",
            "repositories/b/*/content/write",
        ]);
        let table = Table::compile([&map.unwrap()]).unwrap();
        let request = ScopeList::parse(parameters.iter().copied()).unwrap();
        let claims = claims([&table], &request, &Settings::default());
        let granted: Vec<String> = claims.access.iter().map(ToString::to_string).collect();
        let refused: Vec<String> = claims.denied.iter().map(ToString::to_string).collect();
        assert_eq!(
            (granted.as_slice(), refused.as_slice()),
            (
                access.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(),
                denied.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(),
            )
        );
    }

    #[test]
    fn requests() {
        gives(&[], &[], &[]);
        gives(&["repository:a:"], &[], &[]);
        gives(&["repository:a:pull"], &["repository:a:pull"], &[]);
        gives(
            &["repository:b/x:push,pull repository:a:fly,push", "repository:a:pull"],
            &["repository:b/x:push,pull", "repository:a:pull"],
            &["repository:a:push,fly"],
        );
        gives(&["repository:c:pull"], &[], &["repository:c:pull"]);
    }
}
