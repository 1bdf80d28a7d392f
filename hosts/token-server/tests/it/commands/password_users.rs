//! User names whose password is a token: which are refused at the start, and what there is to say
//! about a scope-map token that has one.

use crate::support::basic;

use super::{Data, texts};

const SCOPE: &str = "/oauth2/token?scope=repository:app:pull";

/// A configuration with a provider that has these lines more.
fn config(more: &str) -> String {
    format!(
        "registry: {{name: MyRegistry}}
providers:
  - name: company
    issuer: https://127.0.0.1:1/
{more}
    bindings:
      - match: {{team: core}}
        roles: [AcrPull]
"
    )
}

fn listing(users: &str) -> String {
    config(&format!("    audiences: [registry.example.com]\n    passwordUsers: {users}"))
}

#[test]
fn names_and_audiences_that_mean_something_else_are_refused_at_the_start() {
    let data = Data::new();
    let with_audience =
        |it: &str| config(&format!("    audiences: [{it}]\n    passwordUsers: [token]"));
    for (text, says) in [
        (listing("[myregistry]"), "`MyRegistry` is the registry's own name"),
        (listing("['']"), "passwordUsers: ``: write 1 to 50"),
        (listing("['a:b']"), "passwordUsers: `a:b`: write 1 to 50"),
        (listing("[\"a\\u001b[31m\"]"), "`a\\u{1b}[31m`: write 1 to 50"),
        (listing("[00000000-0000-0000-0000-000000000000]"), "its password is a token"),
        (listing("[3f2504e0-4f89-41d3-9a0c-0305e82c3301]"), "this is how client ids look"),
        (listing("[Administrator]"), "this is how client ids look"),
        (listing("[jwt, JWT]"), "listed twice"),
        (listing(&format!("[{}]", "x".repeat(51))), "write 1 to 50"),
        (with_audience("https://kubernetes.default.svc"), "open the cluster or the provider"),
        (
            with_audience("registry.example.com, https://kubernetes.default.svc.cluster.local"),
            "open the cluster or the provider",
        ),
        (with_audience("https://127.0.0.1:1"), "open the cluster or the provider"),
    ] {
        let path = data.write("config.yaml", &text).display().to_string();
        let error = data.refused(&["serve"], &["--config", &path, "--listen", "127.0.0.1:0"]);
        assert!(error.contains(says) && error.contains("`company`"), "{text}: {error}");
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}

#[test]
fn no_token_is_created_under_such_a_name() {
    let data = Data::new();
    let config = data.write("config.yaml", &listing("[oauth2accesstoken]")).display().to_string();
    for name in ["oauth2accesstoken", "OAuth2AccessToken", "token", "Token"] {
        let seed = data.write("seed.yaml", &format!("tokens: [{{name: {name}}}]"));
        let seed = seed.display().to_string();
        let error = data.refused(&["apply"], &["--config", &config, &seed]);
        assert!(error.contains(name) && error.contains("choose another name"), "{error}");
        let flags = ["--config", &config, "--seed", &seed, "--listen", "127.0.0.1:0"];
        let error = data.refused(&["serve"], &flags);
        assert!(error.contains(name) && error.contains("choose another name"), "{error}");
    }
    // Where no provider lists it, one is an ordinary name.
    let seed = data.write("seed.yaml", "tokens: [{name: oauth2accesstoken}]");
    data.stdout(&["apply"], &[&seed.display().to_string()]);
}

#[test]
fn a_token_that_has_such_a_name_keeps_it_with_a_warning() {
    let data = Data::new();
    let taken = "tokens:
  - name: OAuth2AccessToken
    scopeMap: reader-map
    passwords: [{name: password1, sha256: ea77193cc4e6f18656f3130e296203880c4b9b3772afc855211b82fdd46e9185}]
";
    let seed = data.write("taken.yaml", &format!("{}\n{taken}", map())).display().to_string();
    data.stdout(&["apply"], &[&seed]);
    let config =
        data.write("config.yaml", &listing("[jwt, oauth2accesstoken]")).display().to_string();
    let says = "the scope-map token `OAuth2AccessToken` has a user name whose password";
    let server = data.serve(&["--config", &config]);
    let log = std::fs::read_to_string(data.path("log")).unwrap();
    assert_eq!(log.matches(says).count(), 1, "{log}");
    assert_eq!(server.get(SCOPE, &basic("oauth2accesstoken", "secret-one")).0, 200);
    let token = data.write("token", &server.token()).display().to_string();
    let out = data.stdout(&["doctor"], &["--config", &config, &token]);
    assert!(out.contains("worth a look") && out.contains(says), "{out}");
    // One may still be changed, and a backup brings it back.
    data.stdout(&["apply"], &["--config", &config, &seed]);
    let backup = data.path("backup").display().to_string();
    data.stdout(&["backup"], &["--config", &config, &backup]);
    drop(server);
    let flags = ["--config", &config, "--replace", &backup];
    let output = data.run(&["restore"], &flags);
    let (_, error) = texts(&output);
    assert!(output.status.success() && error.contains(says), "{error}");
}

fn map() -> &'static str {
    "scopeMaps: [{name: reader-map, actions: [repositories/app/content/read]}]"
}
