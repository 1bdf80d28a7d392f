//! Access entries × required scopes → allowed, or what is missing: the resource server's side.
//!
//! Follows
//! <https://github.com/distribution/distribution/blob/main/registry/auth/token/accesscontroller.go>:
//! entries for one name add up, and the action `*` stands for every action on that resource. From
//! Azure Container Registry comes the name `*`, which stands for every repository under
//! [its profile](Profile::Acr): its anonymous tokens hold nothing else. To distribution it is a
//! name as any other.
//!
//! Left out: whether the token is genuine, in time, and meant for this service. Ask that first.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::access::{Access, RequiredScope, ResourceType, spelled_out};
use crate::action::{Action, ActionSet};
use crate::decide::{Settings, granted_on};
use crate::route::Profile;
use crate::scope::ResourceName;
use crate::table::Table;

/// One access entry of a verified token, with its name as it is there. Unknown actions grant
/// nothing and are not in the set.
pub type Grant<'a> = Access<&'a str, ActionSet>;

impl<'a> Grant<'a> {
    /// Reads an access entry; `None` for an unknown type.
    pub fn parse<'w>(
        resource_type: &str,
        name: &'a str,
        actions: impl IntoIterator<Item = &'w str>,
    ) -> Option<Self> {
        let resource_type = ResourceType::parse(resource_type)?;
        let actions = actions.into_iter().filter_map(Action::parse).collect();
        Some(Self { resource_type, name, actions })
    }

    /// Reads an access entry that is written as a scope. Its name may be one that no scope has: it
    /// is compared, not parsed.
    #[must_use]
    pub fn read(entry: &'a str) -> Option<Self> {
        let (resource_type, rest) = entry.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        Self::parse(resource_type, name, actions.split(','))
    }

    /// What is left of the entry where these tables decide now: what a token was given, as far as
    /// its holder may still have it.
    ///
    /// ```
    /// use scopegate_core::verify::Grant;
    /// use scopegate_core::{ScopeMap, Settings, Table};
    ///
    /// let table = Table::compile([&ScopeMap::parse(["repositories/team/*/content/read"])?])?;
    /// let left = |entry| Grant::read(entry).unwrap().narrowed([&table], &Settings::default()).actions.to_string();
    /// assert_eq!(left("repository:team/app:pull,push"), "pull");
    /// assert_eq!(left("repository:app:pull"), "");
    /// # Ok::<(), scopegate_core::Error>(())
    /// ```
    #[must_use]
    pub fn narrowed<'t, B: AsRef<[u8]> + 't>(
        self,
        tables: impl IntoIterator<Item = &'t Table<B>>,
        settings: &Settings,
    ) -> Self {
        // A name that no scope has was never granted by a table.
        let Ok(name) = ResourceName::parse(self.name) else {
            return Self { actions: ActionSet::NONE, ..self };
        };
        let tables = tables.into_iter().map(Table::view);
        let granted = granted_on(tables, self.resource_type, name, settings);
        let held = spelled_out(self.resource_type, self.actions.into()).set();
        Self { actions: held.intersection(granted), ..self }
    }

    fn on(self, required: &RequiredScope<'_>, profile: Profile) -> ActionSet {
        let everywhere = profile == Profile::Acr
            && self.name == "*"
            && required.resource_type == ResourceType::Repository;
        let same_name = self.name == required.name || everywhere;
        if self.resource_type == required.resource_type && same_name {
            self.actions
        } else {
            ActionSet::NONE
        }
    }
}

/// Checks that `grants` hold every action of every required scope, by the rules of a profile.
///
/// ```
/// use scopegate_core::verify::{Grant, verify};
/// use scopegate_core::route::{Profile, Settings, route};
///
/// let grants = [Grant::parse("repository", "samples/nginx", ["pull"]).unwrap()];
/// let pull = route("GET", "/v2/samples/nginx/manifests/v1", &Settings::default())?;
/// assert!(verify(grants, &pull.scopes, Profile::Acr).is_ok());
/// let push = route("PUT", "/v2/samples/nginx/manifests/v1", &Settings::default())?;
/// let missing = verify(grants, &push.scopes, Profile::Acr).unwrap_err();
/// assert_eq!(missing[0].to_string(), "repository:samples/nginx:push");
/// # Ok::<(), scopegate_core::Error>(())
/// ```
///
/// # Errors
///
/// The missing actions of each scope that misses any.
pub fn verify<'a, 'g, G>(
    grants: G,
    required: &'a [RequiredScope<'a>],
    profile: Profile,
) -> Result<(), Vec<RequiredScope<'a>>>
where
    G: IntoIterator<Item = Grant<'g>> + Clone,
{
    let mut missing = Vec::new();
    for scope in required {
        let held = grants
            .clone()
            .into_iter()
            .fold(ActionSet::NONE, |held, grant| held.union(grant.on(scope, profile)));
        if held.contains(Action::Any) || held.is_superset(scope.actions.set()) {
            continue;
        }
        missing.push(RequiredScope {
            resource_type: scope.resource_type,
            name: Cow::Borrowed(&scope.name),
            actions: scope.actions.without(held),
        });
    }
    if missing.is_empty() { Ok(()) } else { Err(missing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Catalog;
    use crate::scope::Scope;
    use crate::scope_map::ScopeMap;
    use alloc::string::{String, ToString};

    fn entry(text: &str) -> Grant<'_> {
        let (rest, actions) = text.rsplit_once(':').unwrap();
        let (resource_type, name) = rest.split_once(':').unwrap();
        Grant::parse(resource_type, name, actions.split(',')).unwrap()
    }

    #[track_caller]
    fn missing(token: &[&str], required: &[&str], expected: &[&str]) {
        missing_by(Profile::Acr, token, required, expected);
    }

    #[track_caller]
    fn missing_by(profile: Profile, token: &[&str], required: &[&str], expected: &[&str]) {
        let grants: Vec<_> = token.iter().map(|text| entry(text)).collect();
        let required: Vec<_> = required
            .iter()
            .map(|text| {
                let scope = Scope::parse(text).unwrap();
                RequiredScope::from(scope)
            })
            .collect();
        let missing = verify(grants.iter().copied(), &required, profile).err().unwrap_or_default();
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        assert_eq!(missing, expected);
    }

    #[test]
    fn tokens() {
        let pull = "repository:a:pull";
        let push = "repository:a:pull,push";
        let catalog = "registry:catalog:*";
        missing(&[], &[], &[]);
        missing(&[], &[pull], &[pull]);
        missing(&[pull], &[pull], &[]);
        missing(&[pull], &[push], &["repository:a:push"]);
        missing(&["repository:a:push"], &[push], &["repository:a:pull"]);
        missing(&[pull, "repository:a:push"], &[push], &[]);
        missing(&["repository:b:pull,push"], &[push], &[push]);
        missing(&["repository:a:*"], &[push], &[]);
        missing(&["repository:*:pull"], &[pull, push], &["repository:a:push"]);
        missing(&[catalog], &[catalog], &[]);
        missing(&["registry:catalog:pull"], &[catalog], &[catalog]);
        missing(&["registry:*:*"], &[catalog], &[catalog]);
        missing(&["repository:*:*"], &[catalog], &[catalog]);
        missing(
            &["repository:repo:*"],
            &["artifact-repository:repo:pull"],
            &["artifact-repository:repo:pull"],
        );
        missing(
            &["artifact-repository:*:*"],
            &["artifact-repository:repo:pull"],
            &["artifact-repository:repo:pull"],
        );
        missing(&[push], &[push, "repository:s:pull"], &["repository:s:pull"]);
    }

    #[test]
    fn the_name_of_every_repository_is_one_of_a_profile() {
        let pull = "repository:a:pull";
        missing_by(Profile::Acr, &["repository:*:pull"], &[pull], &[]);
        missing_by(Profile::Distribution, &["repository:*:pull"], &[pull], &[pull]);
        missing_by(Profile::Distribution, &["repository:*:*"], &[pull], &[pull]);
        missing_by(Profile::Distribution, &["repository:a:*"], &[pull], &[]);
    }

    #[test]
    fn what_is_left_of_a_grant() {
        let map = ["repositories/a/content/read", "repositories/b/*/metadata/read"];
        let tables = map.map(|rule| Table::compile([&ScopeMap::parse([rule]).unwrap()]).unwrap());
        for (held, catalog, left) in [
            ("repository:a:pull", Catalog::Root, "pull"),
            ("repository:a:pull,push", Catalog::Root, "pull"),
            ("repository:a:push", Catalog::Root, ""),
            ("repository:a:*", Catalog::Root, "pull"),
            ("repository:b/c:*", Catalog::Root, "metadata_read"),
            ("repository:c:pull", Catalog::Root, ""),
            ("repository:*:pull", Catalog::Root, ""),
            ("repository:A:pull", Catalog::Root, ""),
            ("repository::pull", Catalog::Root, ""),
            ("artifact-repository:a:pull", Catalog::Root, ""),
            ("registry:catalog:*", Catalog::Root, ""),
            ("registry:catalog:*", Catalog::Filtered, "*"),
            ("registry:catalog:pull", Catalog::Filtered, ""),
        ] {
            let left_now = entry(held).narrowed(&tables, &Settings { catalog }).actions;
            assert_eq!(left_now.to_string(), left, "{held}");
        }
        let no_tables: [&Table<&[u8]>; 0] = [];
        let narrowed = entry("repository:a:*").narrowed(no_tables, &Settings::default());
        assert_eq!(narrowed.actions, ActionSet::NONE);
    }

    #[test]
    fn an_unknown_type_is_no_grant() {
        assert_eq!(Grant::parse("Repository", "a", ["pull"]), None);
    }
}
