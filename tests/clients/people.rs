//! People who sign in with unmodified `az` at a real provider, in a real browser and with device
//! codes, through the one address of the registry and the token server.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::drivers::az::Az;
use crate::edge::ALL;
use crate::software::authority::Authority;
use crate::software::gateway::Gateway;
use crate::software::process::{eventually, free_port, run};
use crate::software::provider::{Provider, browse};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};
use crate::software::wire::ask;

/// A provider of people, and a token server, a registry and a gateway at one address.
struct Scene {
    provider: Provider,
    server: Server,
    gateway: Gateway,
    authority: Authority,
    _registry: Registry,
}

impl Scene {
    fn new() -> Self {
        let port = free_port();
        let url = format!("https://localhost:{port}");
        let back = format!("{url}/common/oauth2/v2.0/return");
        let provider = Provider::sending_people_to(&back);
        let settings = Settings {
            service: Some(format!("localhost:{port}")),
            public_url: Some(url),
            config: Some(provider.for_people()),
            ..Settings::default()
        };
        let (server, _) = Server::with(settings, &seed(&[("*", ALL)]));
        let (registry, authority) = (Registry::open(), Authority::new());
        let gateway = Gateway::for_both(port, registry.port(), &server, &authority, "");
        Self { provider, server, gateway, authority, _registry: registry }
    }

    fn az(&self) -> Az {
        let az = Az::trusting(&self.authority.certificate());
        az.choose(&format!("https://localhost:{}", self.gateway.port()));
        az
    }

    /// Enters the code of a device as a person.
    #[track_caller]
    fn enter(shown: &str, person: &str) {
        let word_after = |before: &str| {
            let rest = shown.split(before).nth(1).unwrap_or_else(|| panic!("{shown}"));
            rest.split(' ').next().unwrap().to_owned()
        };
        browse(&word_after("open the page "), person, &word_after("enter the code "));
    }
}

/// What a person can do who reads and pulls.
#[track_caller]
fn works(az: &Az) {
    let shown = az.run(&["account", "show"]).unwrap();
    assert_eq!(shown["user"], json!({"name": "octo@people.test", "type": "user"}), "{shown}");
    az.acr(&["login", "-n", "registry", "--expose-token"]).unwrap();
    let listed = az.acr(&["repository", "list", "-n", "registry"]).unwrap();
    assert_eq!(listed, json!([]));
    let shown = az.acr(&["show", "-n", "registry"]).unwrap();
    assert_eq!(shown["adminUserEnabled"], json!(false), "{shown}");
    let update = ["update", "-n", "registry", "--admin-enabled", "true"];
    let refused = az.acr(&update).unwrap_err();
    assert!(refused.contains("this needs the role Contributor or Owner"), "{refused}");
}

#[test]
fn in_a_browser() {
    let scene = Scene::new();
    let (az, tenant) = (scene.az(), scene.server.administrator().tenant);
    for arguments in [&[][..], &["--tenant", &tenant]] {
        let accounts = az.log_in_by_browser(arguments, |address| {
            let page = browse(address, "octo", "");
            assert!(page.contains("You have logged into"), "{page}");
        });
        let accounts = accounts.unwrap();
        assert_eq!(accounts[0]["tenantId"], json!(tenant), "{accounts}");
        works(&az);
        az.run(&["logout"]).unwrap();
        let refused = az.acr(&["repository", "list", "-n", "registry"]).unwrap_err();
        assert!(refused.contains("az login"), "{refused}");
    }
    let page = |person: &str, expected: &str| {
        let refused = az.log_in_by_browser(&[], |address| {
            let page = browse(address, person, "");
            assert!(page.contains(expected), "{page}");
        });
        let refused = refused.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    };
    page("stranger", "this person has no rights at this registry");
    page("deny", "the sign-in was refused at the provider");
}

#[test]
fn with_a_device_code() {
    let scene = Scene::new();
    let (az, tenant) = (scene.az(), scene.server.administrator().tenant);
    for arguments in [&[][..], &["--tenant", &tenant]] {
        az.log_in_by_code(arguments, |shown| Scene::enter(shown, "octo")).unwrap();
        works(&az);
    }
    for (person, expected) in [
        ("stranger", "this person has no rights at this registry"),
        ("deny", "the sign-in was refused at the provider"),
    ] {
        let refused = az.log_in_by_code(&[], |shown| Scene::enter(shown, person)).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
    // A provider that is gone between the steps.
    let refused = az.log_in_by_code(&[], |_| scene.provider.process().freeze()).unwrap_err();
    assert!(refused.contains("try again") && !refused.contains("Traceback"), "{refused}");
    scene.provider.process().thaw();
}

/// The oldest `az` that works, for a person and for a service principal.
#[test]
fn the_oldest_az() {
    let scene = Scene::new();
    let az = Az::oldest(&scene.authority.certificate());
    let url = format!("https://localhost:{}", scene.gateway.port());
    az.choose(&url);
    // It does not read this one from the server.
    let suffix = ["--suffix-acr-login-server-endpoint", "localhost"];
    az.run(&[&["cloud", "update", "-n", "Scopegate"], &suffix[..]].concat()).unwrap();
    az.log_in_by_code(&[], |shown| Scene::enter(shown, "octo")).unwrap();
    works(&az);
    az.run(&["logout"]).unwrap();
    az.log_in(&scene.server.administrator());
    let update = ["update", "-n", "registry", "--admin-enabled", "true"];
    assert_eq!(az.acr(&update).unwrap()["adminUserEnabled"], json!(true));
    az.acr(&["login", "-n", "registry", "--expose-token"]).unwrap();
    assert_eq!(az.acr(&["repository", "list", "-n", "registry"]).unwrap(), json!([]));
}

/// A person who is revoked has to sign in, whatever `az` still has.
#[test]
fn until_it_is_revoked() {
    let scene = Scene::new();
    let az = scene.az();
    az.log_in_by_code(&[], |shown| Scene::enter(shown, "octo")).unwrap();
    works(&az);
    scene.server.revoke(&["identity", "corp", "octo"]);
    let show = || az.acr(&["show", "-n", "registry"]);
    eventually(Duration::from_secs(20), || match show() {
        Ok(shown) => Err(shown.to_string()),
        Err(refused) => Ok(refused),
    });
    // Or else `az` goes on with the token that it has for the tenant.
    az.run(&["logout"]).unwrap();
    az.log_in_by_code(&[], |shown| Scene::enter(shown, "octo")).unwrap();
    works(&az);
}

/// Every path that `az` asks for is passed by the gateway, and answers as at the token server.
#[test]
fn the_paths_of_az_are_passed() {
    let scene = Scene::new();
    let tenant = scene.server.administrator().tenant;
    let direct = scene.server.port();
    let tenants = [tenant.as_str(), "common", "organizations"];
    let per_tenant = tenants.iter().flat_map(|tenant| {
        ["v2.0/.well-known/openid-configuration", "oauth2/v2.0/authorize"]
            .map(|rest| ("GET", format!("/{tenant}/{rest}")))
            .into_iter()
            .chain(
                ["oauth2/v2.0/token", "oauth2/v2.0/devicecode"]
                    .map(|rest| ("POST", format!("/{tenant}/{rest}"))),
            )
    });
    let others = [
        "/metadata/endpoints?api-version=2022-09-01",
        "//metadata/endpoints?api-version=2022-09-01",
        "/tenants?api-version=2022-12-01",
        "/subscriptions?api-version=2022-12-01",
        "/common/oauth2/v2.0/return?code=a&state=b",
    ];
    for (method, target) in per_tenant.chain(others.map(|target| ("GET", target.to_owned()))) {
        let url = format!("https://localhost:{}{target}", scene.gateway.port());
        let mut curl = Command::new("curl");
        curl.args(["-s", "--path-as-is", "-X", method, "-w", "\n%{http_code}", &url]);
        let through = run(curl.env("CURL_CA_BUNDLE", scene.authority.certificate()));
        let own = ask(direct, method, &target, &[]);
        assert_eq!(through, format!("{}\n{}", own.body, own.status), "{method} {target}");
        assert!(matches!(own.status, 200 | 400 | 401), "{method} {target}: {own:?}");
    }
}
