//! Bindings beside tokens as providers write them: the cases of `tests/cases/oidc`.

use std::fs;
use std::path::PathBuf;

use scopegate_server::testing::config::providers::ProviderConfig;
use scopegate_server::testing::domain::identity::claims::Claims;
use scopegate_server::testing::domain::identity::{Bindings, Bound};
use serde::Deserialize;

/// The part of a configuration that is about providers.
#[derive(Deserialize)]
struct Config {
    providers: Vec<ProviderConfig>,
}

fn case(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/oidc");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// What the claims in a file open by the bindings of a provider.
fn bound(provider: &str, claims: &str) -> Bound {
    let config: Config = serde_saphyr::from_str(&case("server.yaml")).unwrap();
    let config = config.providers.iter().find(|config| config.name == provider).unwrap();
    let claims: Claims = serde_json::from_str(&case(claims)).unwrap();
    Bindings::read(&config.bindings).unwrap().bind(&claims)
}

#[track_caller]
fn opens(provider: &str, claims: &str, rules: &[&str], roles: &[&str]) {
    let bound = bound(provider, claims);
    let found: Vec<_> = bound.rules.iter().map(ToString::to_string).collect();
    assert_eq!(found, rules, "{claims}");
    let found: Vec<_> = bound.roles.iter().map(|role| role.as_str()).collect();
    assert_eq!(found, roles, "{claims}");
}

/// The bindings that nearly hold, and the rules that a claim did not fit.
#[track_caller]
fn says(provider: &str, claims: &str, near_misses: &[(usize, &str, &str)], left_out: &[&str]) {
    let bound = bound(provider, claims);
    let found: Vec<_> = bound
        .near_misses
        .iter()
        .map(|miss| (miss.binding, miss.claim.as_str(), miss.reason.as_str()))
        .collect();
    assert_eq!(found, near_misses, "{claims}");
    let found: Vec<_> = bound.left_out.iter().map(|left_out| left_out.reason.as_str()).collect();
    assert_eq!(found, left_out, "{claims}");
}

/// GitLab says `"ref_protected": "true"` as text, and a group of two levels is more than one
/// component.
#[test]
fn a_token_of_gitlab_opens_what_its_bindings_say() {
    opens("gitlab", "gl.json", &[], &[]);
    says(
        "gitlab",
        "gl.json",
        &[(
            0,
            "ref_protected",
            "the token has a text, the binding a boolean: write `true` with quotes",
        )],
        &[
            "claim `namespace_path` has a slash, and is more than one component: write `{+namespace_path}` where that is meant",
        ],
    );
}

#[test]
fn a_token_of_github_opens_what_its_bindings_say() {
    let rules =
        ["repositories/octo-org/*/content/read", "repositories/octo-org/octo-repo/content/write"];
    opens("github", "gh.json", &rules, &[]);
    says("github", "gh.json", &[], &[]);
    opens("github", "gh-upper.json", &[], &[]);
    says(
        "github",
        "gh-upper.json",
        &[],
        &["claim `repository_owner`: uppercase letter in the repository name"],
    );
}

#[test]
fn tokens_of_kubernetes_and_entra_open_what_their_bindings_say() {
    opens("aks", "k8s.json", &["repositories/team-a/*/content/read"], &[]);
    says("aks", "k8s.json", &[], &[]);
    opens("entra", "entra.json", &["repositories/ci/*/content/write"], &["AcrPull"]);
    says("entra", "entra.json", &[], &[]);
}
