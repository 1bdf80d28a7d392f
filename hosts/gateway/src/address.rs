//! Which requests go to the token server, where the gateway is the one address of both.
//!
//! | path | for |
//! |---|---|
//! | `/oauth2/…`, `/.well-known/…` | clients of the registry |
//! | `/metadata/endpoints`, `//metadata/endpoints`, `/tenants`, `/subscriptions`, `/subscriptions/…`, `/registries/…`, `/openapi.json` | management; `az` asks with two slashes |
//! | `/{tenant}/oauth2/…`, `/{tenant}/v2.0/…` | `az login`; a tenant is a GUID, or one of two words |
//! | `/`, `/index.html`, `/assets/…` and the few files beside | the playground |
//!
//! Anything else is the registry's, and the engine's to decide about: `/v2`, `/acr/v1`, `/helm/v1`,
//! and every path that does not exist. No path of the list begins as one of the registry's, so a
//! request has one owner.
//!
//! The path is compared byte by byte, and not decoded: what is on the list and holds an escape, a
//! dot segment, an empty segment or anything else that a reader could take for another path is
//! refused. The query is not read.
//!
//! Left out: `/authz`, `/healthz`, `/readyz` and `/metrics` of the token server, which are not for
//! clients of this address; methods, which are the token server's to refuse.

/// What a path of the token server is for, and so the form of its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// Tokens and keys: errors are those of a registry.
    Tokens,
    /// Management: errors are those of Azure Resource Manager.
    Management,
    /// `az login`: errors are those of OAuth.
    Authority,
    /// The playground: errors are text.
    Page,
}

/// Whose a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The registry's, or unknown: the engine decides.
    Registry,
    /// The token server's.
    TokenServer(Area),
    /// The token server's, in a spelling that another reader could take for another path.
    Ambiguous,
}

/// Beginnings of paths.
const PREFIXES: [(&str, Area); 5] = [
    ("/oauth2/", Area::Tokens),
    ("/.well-known/", Area::Tokens),
    ("/subscriptions/", Area::Management),
    ("/registries/", Area::Management),
    ("/assets/", Area::Page),
];
/// Whole paths.
const PATHS: [(&str, Area); 12] = [
    ("/subscriptions", Area::Management),
    ("/tenants", Area::Management),
    ("/metadata/endpoints", Area::Management),
    ("//metadata/endpoints", Area::Management),
    ("/openapi.json", Area::Management),
    ("/", Area::Page),
    ("/index.html", Area::Page),
    ("/sw.js", Area::Page),
    ("/manifest.webmanifest", Area::Page),
    ("/icon.svg", Area::Page),
    ("/icon-192.png", Area::Page),
    ("/icon-512.png", Area::Page),
];
/// Tenants that are not a GUID: what `az login` calls the one that it does not know yet.
const ANY_TENANT: [&str; 2] = ["common", "organizations"];
/// What edges read below `/registries/{registry}/`.
const FEEDS: [&str; 2] = ["generations", "bundle"];
/// The longest path that is passed. The longest of `az` has about 300 bytes.
const MAX_PATH: usize = 2048;

/// Whose a request with this target is. `has_management` is whether management is passed: of a
/// token server that has it on an address of its own only the feeds of edges are.
#[must_use]
pub(crate) fn owner(target: &str, has_management: bool) -> Owner {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    match area(path) {
        None => Owner::Registry,
        Some(Area::Management | Area::Authority) if !has_management && !is_feed(path) => {
            Owner::Registry
        }
        Some(area) if is_plain(path) && !target.contains('#') => Owner::TokenServer(area),
        Some(_) => Owner::Ambiguous,
    }
}

/// The row of the list that a path is in.
fn area(path: &str) -> Option<Area> {
    let whole = PATHS.iter().find(|(own, _)| *own == path);
    let found = whole.or_else(|| PREFIXES.iter().find(|(prefix, _)| path.starts_with(prefix)));
    found.map(|(_, area)| *area).or_else(|| is_authority(path).then_some(Area::Authority))
}

fn is_authority(path: &str) -> bool {
    let Some((tenant, rest)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        return false;
    };
    let is_tenant = is_guid(tenant) || ANY_TENANT.contains(&tenant);
    is_tenant && (rest.starts_with("oauth2/") || rest.starts_with("v2.0/"))
}

/// Whether a text has the form of a GUID: `7d3f1c2e-0000-4a5b-8c9d-0123456789ab`.
fn is_guid(text: &str) -> bool {
    const LENGTHS: [usize; 5] = [8, 4, 4, 4, 12];
    let is_part =
        |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_hexdigit());
    let mut parts = text.split('-');
    LENGTHS.iter().all(|len| parts.next().is_some_and(|part| is_part(part, *len)))
        && parts.next().is_none()
}

fn is_feed(path: &str) -> bool {
    let below = path.strip_prefix("/registries/").and_then(|rest| rest.split_once('/'));
    below.is_some_and(|(_, feed)| FEEDS.contains(&feed))
}

/// Whether every reader takes a path for the same: the letters of a segment (RFC 3986, 3.3)
/// without escapes and without `;`, and no segment that is empty or made of dots.
fn is_plain(path: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&b);
    let is_known = PATHS.iter().any(|(own, _)| *own == path);
    let mut segments = path.split('/').skip(1).peekable();
    let mut is_segment_plain = true;
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        is_segment_plain &= !matches!(segment, "." | "..") && (is_last || !segment.is_empty());
    }
    is_known || (path.len() <= MAX_PATH && path.bytes().all(is_letter) && is_segment_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "7d3f1c2e-0000-4a5b-8c9d-0123456789ab";

    #[test]
    fn what_is_passed() {
        use Area::{Authority, Management, Page, Tokens};
        for (target, expected) in [
            ("/oauth2/token", Tokens),
            ("/oauth2/token?scope=repository:a/b:pull&x=%2F..%2f;", Tokens),
            ("/oauth2/exchange", Tokens),
            ("/oauth2/", Tokens),
            ("/.well-known/jwks.json", Tokens),
            ("/.well-known/token-signing.pem", Tokens),
            ("/metadata/endpoints?api-version=2022-09-01", Management),
            ("//metadata/endpoints?api-version=2022-09-01", Management),
            ("/tenants?api-version=2022-12-01", Management),
            ("/subscriptions?api-version=2022-12-01", Management),
            (
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r",
                Management,
            ),
            ("/subscriptions/s/resources?$filter=resourceType%20eq%20'x'", Management),
            ("/registries/registry/scopeMaps/a", Management),
            ("/registries/registry/generations?since=0", Management),
            ("/registries/registry/bundle", Management),
            ("/openapi.json", Management),
            ("/TENANT/v2.0/.well-known/openid-configuration", Authority),
            ("/TENANT/oauth2/v2.0/token", Authority),
            ("/common/oauth2/v2.0/authorize?x", Authority),
            ("/organizations/v2.0/.well-known/openid-configuration", Authority),
            ("/", Page),
            ("/?x", Page),
            ("/index.html", Page),
            ("/assets/index-a1B2_c3-.js", Page),
        ] {
            let target = target.replace("TENANT", TENANT);
            assert_eq!(owner(&target, true), Owner::TokenServer(expected), "{target}");
        }
    }

    #[test]
    fn what_is_the_engines() {
        for target in [
            "/v2/",
            "/v2",
            "//v2/",
            "/v2/..%2foauth2",
            "/v2/../oauth2/token",
            "/v2/oauth2/manifests/v1",
            "/v2.0/",
            "/acr/v1/_catalog",
            "/helm/v1/repo/index.yaml",
            "/authz",
            "/authz/envoy",
            "/healthz",
            "/readyz",
            "/metrics",
            "/oauth2",
            "/oauth2?x",
            "/oauth2%2ftoken",
            "/OAUTH2/token",
            "/Oauth2/token",
            "/%6fauth2/token",
            "//oauth2/token",
            "/./oauth2/token",
            "/;/oauth2/token",
            "\\oauth2/token",
            "/registries",
            "/registriesX/",
            "/subscriptionsX",
            "/subscriptions;x",
            "/subscriptions%2f",
            "/tenants/",
            "/tenants/x",
            "/metadata/endpoints/",
            "///metadata/endpoints",
            "//metadata/endpoints/../../v2/",
            "/metadata",
            "/openapi.json/",
            "/.well-known",
            "/.",
            "/..",
            "/assets",
            "/sw.js.map",
            "/favicon.ico",
            "/v2/oauth2/v2.0/token",
            "/acr/oauth2/v2.0/token",
            "/helm/v2.0/x",
            "/TENANT",
            "/TENANT/",
            "/TENANT/v2/",
            "/TENANT/oauth2",
            "/TENANT0/oauth2/v2.0/token",
            "/TENANT%2foauth2/v2.0/token",
            "/7d3f1c2e00004a5b8c9d0123456789ab/oauth2/v2.0/token",
            "/contoso.example/oauth2/v2.0/token",
        ] {
            let target = target.replace("TENANT", TENANT);
            assert_eq!(owner(&target, true), Owner::Registry, "{target}");
        }
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways() {
        let long = format!("/oauth2/{}", "a".repeat(MAX_PATH));
        for target in [
            "/oauth2/../v2/",
            "/oauth2/..",
            "/oauth2/./token",
            "/oauth2/%2e%2e/v2/",
            "/oauth2/..%2fv2/",
            "/oauth2/%74oken",
            "/oauth2/token%00",
            "/oauth2//token",
            "/oauth2/token;x=y",
            "/oauth2/..;/v2/",
            "/oauth2/..\\v2\\",
            "/oauth2/t\u{f6}ken",
            "/oauth2/token#x",
            "/oauth2/token?x#y",
            "/?x#y",
            "/oauth2/to\"ken",
            "/registries/../v2/_catalog",
            "/registries/r/identities/ci/repo%3Aa/revoke",
            "/subscriptions/../authz",
            "/.well-known/../healthz",
            "/assets/../authz",
            "/assets/%2e%2e/metrics",
            "/TENANT/oauth2/../../v2/",
            "/common/v2.0/..%2f",
            &long,
        ] {
            let target = target.replace("TENANT", TENANT);
            assert_eq!(owner(&target, true), Owner::Ambiguous, "{target}");
        }
    }

    /// Of a token server with management on an address of its own only what edges read is passed.
    #[test]
    fn without_management() {
        for (target, is_passed) in [
            ("/registries/registry/generations?since=0", true),
            ("/registries/registry/bundle", true),
            ("/oauth2/token", true),
            ("/.well-known/jwks.json", true),
            ("/", true),
            ("/registries/registry", false),
            ("/registries/registry/tokens", false),
            ("/registries/registry/tokens/generations", false),
            ("/registries/registry/bundle/", false),
            ("/registries/registry/audit", false),
            ("/subscriptions", false),
            ("/subscriptions/s/resources", false),
            ("/tenants", false),
            ("/metadata/endpoints", false),
            ("//metadata/endpoints", false),
            ("/openapi.json", false),
            ("/TENANT/oauth2/v2.0/token", false),
            ("/common/oauth2/v2.0/token", false),
        ] {
            let target = target.replace("TENANT", TENANT);
            let is_theirs = matches!(owner(&target, false), Owner::TokenServer(_));
            assert_eq!(is_theirs, is_passed, "{target}");
            if !is_passed {
                assert_eq!(owner(&target, false), Owner::Registry, "{target}");
            }
        }
        assert_eq!(owner("/registries/../bundle", false), Owner::Ambiguous);
    }

    /// Whatever is passed is a path that the engine does not have, so a request has one owner.
    #[test]
    fn no_path_has_two_owners() {
        let settings = scopegate_core::route::Settings::default();
        let tenant = format!("/{TENANT}/oauth2/");
        let starts = PREFIXES.iter().chain(&PATHS).map(|(path, _)| *path).chain([tenant.as_str()]);
        for start in starts {
            for rest in ["", "v2/", "a/manifests/v1", "_catalog", "token"] {
                let target = format!("{start}{rest}");
                let is_routed = scopegate_core::route::route("GET", &target, &settings).is_ok();
                assert!(!is_routed || owner(&target, true) == Owner::Registry, "{target}");
            }
        }
    }

    /// The files beside the page that its build has no digest in the name of.
    #[test]
    fn every_file_of_the_playground_is_passed() {
        let public = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/public");
        let names = std::fs::read_dir(public).unwrap().map(|file| file.unwrap().file_name());
        for name in names.chain(["sw.js", "index.html"].map(Into::into)) {
            let target = format!("/{}", name.to_str().unwrap());
            assert_eq!(owner(&target, true), Owner::TokenServer(Area::Page), "{target}");
        }
    }
}
