//! Removing a tag with `metadata/write`.
//!
//! `az acr repository untag` requests `delete` and nothing else, whatever a challenge says. So the
//! token server signs a claim of its own, `untag` ([`scopegate_api::claims`]), for a client that
//! requested `delete` and has `metadata/write`. With the setting `untag: metadata-write` the claim
//! counts here as `metadata_write` on its repositories, for `DELETE /acr/v1/{name}/_tags/{tag}` and
//! no other request. With a policy bundle it is narrowed as everything else that a token holds: to
//! what the token's holder may have now.
//!
//! Left out: the other enforcement points. None of them reads the claim.

use scopegate_api::claims::AccessClaims;
use scopegate_core::route::{Endpoint, Route, Settings, Untag, route};

use crate::token::Verified;

/// The claims by which a tag is removed: those of the token, with what its claim `untag` opens for
/// this request. `None` for every other request, and for a token without the claim.
#[must_use]
pub(crate) fn claims(
    verified: &Verified,
    method: &str,
    target: &str,
    settings: &Settings,
) -> Option<AccessClaims> {
    if verified.untag.untag.is_empty() {
        return None;
    }
    let route = route(method, target, settings).ok()?;
    removes_by_metadata_write(&route, method, settings).then(|| {
        let mut claims = verified.claims.clone();
        claims.access.extend(verified.untag.access());
        claims
    })
}

/// The scopes that a password is asked about for a request: those of its route. For the removal of
/// a tag `delete` is among them, so that the token has the claim.
#[must_use]
pub(crate) fn scopes(route: &Route<'_>, method: &str, settings: &Settings) -> Vec<String> {
    let more = if removes_by_metadata_write(route, method, settings) { ",delete" } else { "" };
    route.scopes.iter().map(|scope| format!("{scope}{more}")).collect()
}

/// Whether a request removes a tag, and this takes `metadata_write`.
fn removes_by_metadata_write(route: &Route<'_>, method: &str, settings: &Settings) -> bool {
    method == "DELETE"
        && route.endpoint == Endpoint::TagMetadata
        && settings.untag == Untag::MetadataWrite
}

#[cfg(test)]
mod tests {
    use scopegate_core::route::Profile;

    use super::*;

    const METADATA: Settings = Settings { profile: Profile::Acr, untag: Untag::MetadataWrite };
    const TAG: &str = "/acr/v1/team/app/_tags/v1";

    #[test]
    fn what_a_password_is_asked_about() {
        for (method, target, settings, expected) in [
            ("DELETE", TAG, METADATA, "repository:team/app:metadata_write,delete"),
            ("DELETE", TAG, Settings::default(), "repository:team/app:delete"),
            ("PATCH", TAG, METADATA, "repository:team/app:metadata_write"),
            ("GET", TAG, METADATA, "repository:team/app:metadata_read"),
            ("DELETE", "/acr/v1/team/app", METADATA, "repository:team/app:delete"),
            ("DELETE", "/v2/team/app/manifests/v1", METADATA, "repository:team/app:delete"),
        ] {
            let route = route(method, target, &settings).unwrap();
            assert_eq!(scopes(&route, method, &settings), [expected], "{method} {target}");
        }
    }
}
