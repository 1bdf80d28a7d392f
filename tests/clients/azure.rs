//! The Azure clients: `az` and the SDKs, unmodified, over HTTPS.
//!
//! They reach everything under one host, `localhost` and a port. Our server is behind it with all
//! that concerns tokens and management; the registry's own calls are answered by our gateway before
//! CNCF distribution.

mod content;
mod sdks;

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::drivers::az::Az;
use crate::drivers::docker::Docker;
use crate::drivers::sdk::{Credential, Sdk};
use crate::drivers::skopeo::Skopeo;
use crate::software::authority::Authority;
use crate::software::front::{Front, HTTPS, host};
use crate::software::image;
use crate::software::process::{attempt, free_port, is_free};
use crate::software::registry::{Registry, registries};
use crate::software::server::{Administrator, Server, Settings, access, is_installed, seed};

const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";
const ALL: &[&str] =
    &["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];

/// A server behind a front, with two images of one repository.
struct Scene {
    server: Server,
    front: Front,
    passwords: Vec<String>,
    // The certificate's file lives as long as it.
    _authority: Authority,
}

impl Scene {
    fn new(seed: &str, config: Option<String>) -> Self {
        Self::on(free_port(), seed, config)
    }

    fn on(port: u16, seed: &str, config: Option<String>) -> Self {
        Self::over(Registry::open(), port, seed, config)
    }

    fn over(registry: Registry, port: u16, seed: &str, config: Option<String>) -> Self {
        Self::through(registry, port, seed, config, "")
    }

    /// With more lines of the gateway's configuration.
    fn through(
        registry: Registry,
        port: u16,
        seed: &str,
        config: Option<String>,
        of_gateway: &str,
    ) -> Self {
        let settings = Settings {
            service: Some(host(port)),
            public_url: Some(format!("https://{}", host(port))),
            config,
            ..Settings::default()
        };
        let (server, passwords) = Server::with(settings, seed);
        let authority = Authority::new();
        let front = Front::with(registry, port, &authority, &server, of_gateway);
        for tag in ["v1", "v2"] {
            front.put("team/hello", tag);
        }
        front.put("team/other", "v1");
        Self { server, front, passwords, _authority: authority }
    }

    fn password(&self) -> &str {
        self.passwords.first().expect("no password was generated")
    }
}

/// Without a login `az` takes a token's name and password to the data plane itself.
#[test]
fn az_with_a_token_and_no_login() {
    let scene = Scene::new(&seed(&[("team/hello", ALL), ("team/other", &["content/read"])]), None);
    let az = Az::new(&scene.front, None);
    az.without_login(&scene.front);
    let repository = |arguments: &[&str]| {
        let who = ["-n", "local", "--username", "MyToken", "--password", scene.password()];
        az.acr(&[&["repository"], arguments, &who].concat())
    };
    let tags = repository(&["show-tags", "--repository", "team/hello"]).unwrap();
    assert_eq!(tags, json!(["v1", "v2"]));
    let shown = repository(&["show", "--image", "team/hello:v1"]).unwrap();
    assert_eq!(shown["name"], "v1");
    let refused = repository(&["show", "--repository", "team/other"]).unwrap_err();
    assert!(refused.contains("authentication required"), "{refused}");
    repository(&["list"]).unwrap_err();

    let lock = ["update", "--image", "team/hello:v1", "--write-enabled", "false"];
    let updated = repository(&lock).unwrap();
    assert_eq!(updated["changeableAttributes"]["writeEnabled"], json!(false));
    let refused = repository(&["untag", "--image", "team/hello:v1"]).unwrap_err();
    assert!(refused.contains("disallowed"), "{refused}");
    repository(&["untag", "--image", "team/hello:v2"]).unwrap();
    repository(&["delete", "--repository", "team/other", "--yes"]).unwrap_err();
    let all = ["delete", "--repository", "team/hello", "--yes"];
    let refused = repository(&all).unwrap_err();
    assert!(refused.contains("disallowed"), "{refused}");
    repository(&["update", "--image", "team/hello:v1", "--write-enabled", "true"]).unwrap();
    repository(&all).unwrap();
}

/// `az acr repository untag` requests `delete`, whatever removing a tag takes. With the gateway's
/// setting `metadata/write` is enough for it, as the documentation says, and for nothing else.
#[test]
fn az_untags_with_metadata_write() {
    let curator: &[&str] = &["metadata/write", "metadata/read"];
    for registry in registries() {
        let az = WithToken::new(registry, curator, "untag: metadata-write\n");
        let refused = az.repository(&["delete", "--image", "team/hello:v1", "--yes"]);
        let refused = refused.unwrap_err();
        assert!(refused.contains("authentication required"), "{refused}");
        let lock = ["update", "--image", "team/hello:v1", "--write-enabled", "false"];
        az.repository(&lock).unwrap();
        let refused = az.repository(&["untag", "--image", "team/hello:v1"]).unwrap_err();
        assert!(refused.contains("disallowed"), "{refused}");
        az.repository(&["untag", "--image", "team/hello:v2"]).unwrap();
        let tags = az.repository(&["show-tags", "--repository", "team/hello"]).unwrap();
        assert_eq!(tags, json!(["v1"]));
    }
    for (of_token, of_gateway, is_removed) in [
        (ALL, "untag: metadata-write\n", true),
        (&["content/delete"], "untag: metadata-write\n", false),
        (ALL, "", true),
        (&["content/delete"], "", true),
        (curator, "", false),
    ] {
        let az = WithToken::new(Registry::open(), of_token, of_gateway);
        let removed = az.repository(&["untag", "--image", "team/hello:v1"]);
        assert_eq!(removed.is_ok(), is_removed, "{of_token:?} {of_gateway}: {removed:?}");
    }
}

/// `az acr repository` with the name and password of a token.
struct WithToken {
    scene: Scene,
    az: Az,
}

impl WithToken {
    fn new(registry: Registry, permissions: &[&str], of_gateway: &str) -> Self {
        let seed = seed(&[("team/hello", permissions)]);
        Self::of(Scene::through(registry, free_port(), &seed, None, of_gateway))
    }

    fn of(scene: Scene) -> Self {
        let az = Az::new(&scene.front, None);
        az.without_login(&scene.front);
        Self { scene, az }
    }

    fn repository(&self, arguments: &[&str]) -> Result<Value, String> {
        let who = ["-n", "local", "--username", "MyToken", "--password", self.scene.password()];
        self.az.acr(&[&["repository"], arguments, &who].concat())
    }
}
#[test]
fn az_at_every_level() {
    let scene = Scene::new(&seed(&[("team/hello", ALL)]), None);
    let az = Az::new(&scene.front, None);
    az.without_login(&scene.front);
    let run = |line: &str| {
        let who = ["--username", "MyToken", "--password", scene.password()];
        let words: Vec<_> = line.split(' ').collect();
        az.acr(&[words.as_slice(), &who].concat())
    };
    let digest = scene.front.put("team/hello", "v1");
    let image = format!("team/hello@{digest}");
    for (what, flags) in [
        (
            "--repository team/hello".to_owned(),
            "list-enabled read-enabled write-enabled delete-enabled",
        ),
        ("--image team/hello:v1".to_owned(), "list-enabled write-enabled"),
        (format!("--image {image}"), "read-enabled delete-enabled"),
    ] {
        for flag in flags.split(' ') {
            for value in ["false", "true"] {
                let shown =
                    run(&format!("repository update -n local {what} --{flag} {value}")).unwrap();
                let name = flag.replace("-enabled", "Enabled");
                let expected = json!(value == "true");
                assert_eq!(shown["changeableAttributes"][name], expected, "{what} {flag}");
            }
        }
    }
    let shown = run("repository show -n local --repository team/hello").unwrap();
    assert_eq!((&shown["tagCount"], &shown["manifestCount"]), (&json!(2), &json!(2)), "{shown}");
    let shown = run(&format!("repository show -n local --image {image}")).unwrap();
    assert_eq!((&shown["digest"], &shown["tags"]), (&json!(digest), &json!(["v1"])), "{shown}");
    // Both were pushed behind the gateway: which of them it saw first is not known.
    let by_time = |order: &str| {
        let list = "repository show-tags -n local --repository team/hello --orderby";
        run(&format!("{list} {order}")).unwrap()
    };
    let (newest, oldest) = (by_time("time_desc"), by_time("time_asc"));
    assert_eq!((&newest[0], &newest[1]), (&oldest[1], &oldest[0]), "{newest}");
    assert_eq!(by_time("time_desc --top 1"), json!([newest[0]]));
    let detail = run("repository show-tags -n local --repository team/hello --detail").unwrap();
    assert_eq!(detail[0]["digest"], json!(digest), "{detail}");
    let listed = run("manifest list-metadata -r local -n team/hello").unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    let shown = run("manifest show-metadata -r local -n team/hello:v1").unwrap();
    assert_eq!(shown["digest"], json!(digest), "{shown}");
    let listed = run("manifest list -r local -n team/hello").unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");

    run("repository delete -n local --image team/hello:v1 --yes").unwrap();
    assert_eq!(
        run("repository show-tags -n local --repository team/hello").unwrap(),
        json!(["v2"])
    );
    let other = run("repository show -n local --image team/hello:v2").unwrap();
    let other = other["digest"].as_str().unwrap();
    run(&format!("manifest delete -r local -n team/hello@{other} --yes")).unwrap();
    let refused = run("repository show -n local --repository team/hello").unwrap_err();
    assert!(refused.contains("is not found"), "{refused}");
}

/// crane and oras say why a lock refuses them.
#[test]
fn go_clients_and_a_lock() {
    if !is_installed("go") {
        return;
    }
    let scene = Scene::new(&seed(&[("team/hello", ALL)]), None);
    let token = format!("MyToken:{}", scene.password());
    let lock: [&[&str]; 1] = [&["lock", "team/hello", "v1"]];
    let locked = Sdk::Python.call(&scene.front, &Credential::Token(&token), &lock);
    assert_eq!(locked, [Ok(json!(false))]);
    let go = GoClients::new(&scene);
    let image = format!("{}/team/hello", scene.front.host());
    for refused in [
        format!("crane tag {image}:v2 v1"),
        format!("oras push --plain-http=false {image}:v1 hello"),
    ] {
        let said = go.run(&refused).unwrap_err();
        assert!(said.to_lowercase().contains("the operation is disallowed"), "{refused}: {said}");
    }
    go.run(&format!("crane tag {image}:v2 v3")).unwrap();
    go.run(&format!("oras push --plain-http=false {image}:v2 hello")).unwrap();
    assert_eq!(go.run(&format!("crane ls {image}")).unwrap(), "v1\nv2\nv3\n");
}

/// crane and oras, with the name and password of a scene's token.
struct GoClients<'a> {
    scene: &'a Scene,
    folder: TempDir,
}

impl<'a> GoClients<'a> {
    fn new(scene: &'a Scene) -> Self {
        let (host, folder) = (scene.front.host(), tempfile::tempdir().unwrap());
        let auth = STANDARD.encode(format!("MyToken:{}", scene.password()));
        let login = json!({ "auths": { host: { "auth": auth } } });
        std::fs::write(folder.path().join("config.json"), login.to_string()).unwrap();
        std::fs::write(folder.path().join("hello"), "hello").unwrap();
        Self { scene, folder }
    }

    fn run(&self, line: &str) -> Result<String, String> {
        let (mut words, folder) = (line.split(' '), self.folder.path());
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/clients/go");
        let mut command = Command::new(program.join(words.next().unwrap()));
        command.env("DOCKER_CONFIG", folder).env("NO_PROXY", "localhost");
        command.env("SSL_CERT_FILE", self.scene.front.certificate()).current_dir(folder);
        attempt(command.args(words))
    }
}

/// With `compatibility: acr` at the token server and at the gateway the clients read what the
/// service answers, and find what they find without: `az` with a token and logged in, docker, the
/// SDKs, and those in Go.
#[test]
fn clients_read_the_answers_of_the_service() {
    const ACR: &str = "compatibility: acr\n";
    let of_server = || Some(ACR.to_owned());
    let rules: [(&str, &[&str]); 2] = [("team/hello", ALL), ("team/other", &["content/read"])];
    for sdk in Sdk::all() {
        let scene = Scene::through(Registry::open(), free_port(), &seed(&rules), of_server(), ACR);
        let token = format!("MyToken:{}", scene.password());
        sdks::sdk_walk(sdk, &scene, &Credential::Token(&token));
    }
    let scene = Scene::through(Registry::open(), free_port(), &seed(&rules), of_server(), ACR);
    let with_token = WithToken::of(scene);
    let tags = with_token.repository(&["show-tags", "--repository", "team/hello"]).unwrap();
    assert_eq!(tags, json!(["v1", "v2"]));
    with_token.repository(&["show", "--repository", "team/other"]).unwrap_err();
    with_token.repository(&["untag", "--image", "team/hello:v2"]).unwrap();
    let scene = &with_token.scene;
    if is_installed("go") {
        let go = GoClients::new(scene);
        let image = format!("{}/team/hello", scene.front.host());
        go.run(&format!("crane tag {image}:v1 v3")).unwrap();
        go.run(&format!("oras push --plain-http=false {image}:v4 hello")).unwrap();
        assert_eq!(go.run(&format!("crane ls {image}")).unwrap(), "v1\nv3\nv4\n");
    }
    logs_in_as_by_the_service(scene);
}

/// `az` logged in, and docker with what it got.
#[track_caller]
fn logs_in_as_by_the_service(scene: &Scene) {
    let docker = Docker::installed();
    let az = Az::new(&scene.front, docker.as_ref().map(Docker::for_az));
    az.sign_in(&scene.front.url(), &scene.server.administrator());
    let exposed = az.acr(&["login", "-n", "registry", "--expose-token"]).unwrap();
    let refresh = exposed["refreshToken"].as_str().unwrap();
    let opened = access(&scene.server.url(), NULL_GUID, refresh, "repository:team/hello:pull");
    assert_eq!(opened.as_deref(), Some("repository:team/hello:pull"));
    let listed = az.acr(&["repository", "list", "-n", "registry"]).unwrap();
    assert_eq!(listed, json!(["team/hello", "team/other"]));
    if docker.is_some() {
        az.acr(&["login", "-n", "registry"]).unwrap();
    }
}

/// `*` over the whole registry lists it; a wrong password gets nothing.
#[test]
fn az_lists_the_registry_with_the_right_to() {
    let scene = Scene::new(&seed(&[("*", ALL)]), None);
    let az = Az::new(&scene.front, None);
    az.without_login(&scene.front);
    let list = |password| {
        az.acr(&[
            "repository",
            "list",
            "-n",
            "local",
            "--username",
            "MyToken",
            "--password",
            password,
        ])
    };
    assert_eq!(list(scene.password()).unwrap(), json!(["team/hello", "team/other"]));
    let refused = list("wrong").unwrap_err();
    assert!(refused.contains("401"), "{refused}");
}

/// A day of a registry's administrator: `az` from its registration to the last deletion.
#[test]
fn az_manages_the_registry() {
    let scene = Scene::new("{}", None);
    let administrator = scene.server.administrator();
    let docker = Docker::installed();
    let az = Az::new(&scene.front, docker.as_ref().map(Docker::for_az));
    az.sign_in(&scene.front.url(), &administrator);
    let day = Day { scene: &scene, az: &az };
    day.looks_at_the_registry();
    day.makes_scope_maps();
    let password = day.makes_tokens();
    day.changes_a_token(&password);
    day.uses_the_data_plane();
    day.turns_the_administrator_on();
    if docker.is_some() {
        day.logs_docker_in();
    }
    day.takes_it_all_down();
}

/// Who may only pull or push logs in, and sees nothing else of management.
#[test]
fn az_logs_in_who_pulls_and_who_pushes() {
    let scene = Scene::new("{}", None);
    let administrator = scene.server.administrator();
    let docker = Docker::installed();
    for (role, client_id, access_expected) in [
        ("AcrPull", "00000000-0000-4000-8000-0000000000a1", "repository:team/hello:pull"),
        ("AcrPush", "00000000-0000-4000-8000-0000000000a2", "repository:team/hello:pull,push"),
    ] {
        let who = service_principal(&scene, &administrator, client_id, role);
        let az = Az::new(&scene.front, docker.as_ref().map(Docker::for_az));
        az.sign_in(&scene.front.url(), &who);
        let exposed = az.acr(&["login", "-n", "registry", "--expose-token"]).unwrap();
        assert_eq!(exposed["loginServer"], json!(scene.front.host()), "{role}: {exposed}");
        let refresh = exposed["refreshToken"].as_str().unwrap();
        let opened =
            access(&scene.server.url(), NULL_GUID, refresh, "repository:team/hello:pull,push");
        assert_eq!(opened.as_deref(), Some(access_expected), "{role}");
        if docker.is_some() {
            az.acr(&["login", "-n", "registry"]).unwrap();
        }
        let shown = az.acr(&["show", "-n", "registry"]).unwrap();
        assert_eq!(shown["loginServer"], json!(scene.front.host()), "{shown}");
        assert_eq!(shown["adminUserEnabled"], Value::Null, "{shown}");
        for refused in ["credential show -n registry", "token list -r registry"] {
            az.acr(&refused.split(' ').collect::<Vec<_>>()).unwrap_err();
        }
    }
}

/// The token that `az` has for itself, which it got for management, is exchanged for the registry,
/// until that is turned off.
#[test]
fn az_exchanges_its_own_token() {
    let scene = Scene::new("{}", None);
    let administrator = scene.server.administrator();
    let client_id = "00000000-0000-4000-8000-0000000000a3";
    let puller = service_principal(&scene, &administrator, client_id, "AcrPull");
    let [owner, az] = [(); 2].map(|()| Az::new(&scene.front, None));
    owner.sign_in(&scene.front.url(), &administrator);
    az.sign_in(&scene.front.url(), &puller);
    let shown = az.run(&["account", "get-access-token"]).unwrap();
    let token = shown["accessToken"].as_str().unwrap();
    let exchange = || {
        let form = [
            ("grant_type", "access_token"),
            ("service", &scene.front.host()),
            ("tenant", &puller.tenant),
            ("access_token", token),
        ];
        let url = format!("{}/oauth2/exchange", scene.server.url());
        let answer = reqwest::blocking::Client::new().post(url).form(&form).send().unwrap();
        (answer.status().as_u16(), answer.json::<Value>().unwrap())
    };
    let (status, exchanged) = exchange();
    assert_eq!(status, 200, "{exchanged}");
    let refresh = exchanged["refresh_token"].as_str().unwrap();
    let scope = "repository:team/hello:pull,push";
    let opened = access(&scene.server.url(), NULL_GUID, refresh, scope);
    assert_eq!(opened.as_deref(), Some("repository:team/hello:pull"));
    for (status, expected) in [("disabled", 401), ("enabled", 200)] {
        let update = ["config", "authentication-as-arm", "update", "-r", "registry", "--status"];
        let shown = owner.acr(&[&update[..], &[status]].concat()).unwrap();
        assert_eq!(shown["status"], json!(status), "{shown}");
        let shown =
            owner.acr(&["config", "authentication-as-arm", "show", "-r", "registry"]).unwrap();
        assert_eq!(shown["status"], json!(status), "{shown}");
        assert_eq!(exchange().0, expected, "{status}");
        // What `az acr login` asks for is for the registry alone.
        az.acr(&["login", "-n", "registry", "--expose-token"]).unwrap();
    }
}

/// Makes a service principal with a role.
#[track_caller]
fn service_principal(
    scene: &Scene,
    administrator: &Administrator,
    client_id: &str,
    role: &str,
) -> Administrator {
    let (url, path) = (scene.server.url(), format!("/servicePrincipals/{client_id}"));
    let ask =
        |method, path: &str, body| administrator.ask(method, &url, path, Some(&body)).unwrap();
    let (status, said) = ask("PUT", &path, json!({ "roles": [role] }));
    assert_eq!(status, 200, "{said}");
    let (status, made) = ask("POST", &format!("{path}/secrets"), json!({}));
    assert_eq!(status, 200, "{made}");
    let secret = made["secret"].as_str().unwrap().to_owned();
    Administrator { client_id: client_id.to_owned(), secret, tenant: administrator.tenant.clone() }
}

/// The parts of one day, in their order.
struct Day<'a> {
    scene: &'a Scene,
    az: &'a Az,
}

impl Day<'_> {
    /// A call on the registry, which must work.
    #[track_caller]
    fn acr(&self, arguments: &[&str]) -> Value {
        self.az.acr(&[arguments, &["-r", "registry"]].concat()).unwrap()
    }

    /// A call on the registry that must not work; gives what `az` says.
    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> String {
        self.az.acr(&[arguments, &["-r", "registry"]].concat()).unwrap_err()
    }

    /// What a token may do with the repositories of the day, by a token of its own.
    fn access(&self, user: &str, password: &str) -> Option<String> {
        let scopes = "repository:team/hello:pull,push,metadata_read repository:team/more:pull";
        access(&self.scene.server.url(), user, password, scopes)
    }

    fn looks_at_the_registry(&self) {
        let shown = self.az.acr(&["show", "-n", "registry"]).unwrap();
        assert_eq!(shown["loginServer"], json!(self.scene.front.host()), "{shown}");
        assert_eq!(shown["adminUserEnabled"], json!(false), "{shown}");
    }

    fn makes_scope_maps(&self) {
        let create = ["scope-map", "create", "-n", "MyScope", "--description", "d", "--repository"];
        let actions = ["Team/Hello", "content/read", "content/write"];
        let map = self.acr(&[&create[..], &actions].concat());
        assert_eq!(actions_of(&map), ["team/hello/content/read", "team/hello/content/write"]);
        let add = [
            "scope-map",
            "update",
            "-n",
            "MyScope",
            "--add-repository",
            "team/more",
            "content/read",
        ];
        self.acr(&add);
        let map = self.acr(&["scope-map", "show", "-n", "MyScope"]);
        assert_eq!(map["description"], "d", "{map}");
        assert_eq!(
            actions_of(&map),
            ["team/hello/content/read", "team/hello/content/write", "team/more/content/read"]
        );
        let maps = self.acr(&["scope-map", "list"]);
        let names = names_of(&maps);
        for name in ["MyScope", "_repositories_admin", "_repositories_pull", "_repositories_push"] {
            assert!(names.contains(&name), "{names:?}");
        }
        self.refused(&["scope-map", "delete", "-n", "_repositories_pull", "--yes"]);
    }

    /// Gives the second password of `ByMap`.
    fn makes_tokens(&self) -> String {
        let create = ["token", "create", "-n", "ByRepository", "--repository"];
        let token =
            self.acr(&[&create[..], &["team/hello", "content/read", "metadata/read"]].concat());
        let [first, second] = passwords_of(&token);
        for password in [&first, &second] {
            let expected = "repository:team/hello:pull,metadata_read";
            assert_eq!(self.access("ByRepository", password).as_deref(), Some(expected));
        }
        let token = self.acr(&["token", "create", "-n", "ByMap", "--scope-map", "MyScope"]);
        let [_, second] = passwords_of(&token);
        let expected = "repository:team/hello:pull,push repository:team/more:pull";
        assert_eq!(self.access("ByMap", &second).as_deref(), Some(expected));
        self.refused(&["token", "create", "-n", "ByNothing", "--scope-map", "NoSuchMap"]);
        second
    }

    fn changes_a_token(&self, password: &str) {
        self.acr(&["token", "update", "-n", "ByMap", "--status", "disabled"]);
        assert_eq!(self.access("ByMap", password), None);
        self.acr(&["token", "update", "-n", "ByMap", "--status", "enabled"]);
        assert!(self.access("ByMap", password).is_some());
        let shown = self.acr(&["token", "show", "-n", "ByMap"]);
        assert_eq!(shown["status"], "enabled", "{shown}");
        assert_eq!(names_of(&self.acr(&["token", "list"])), ["ByMap", "ByRepository"]);

        let generate =
            ["token", "credential", "generate", "-n", "ByMap", "--expiration-in-days", "30"];
        let generated = self.acr(&[&generate[..], &["--password1"]].concat());
        let renewed = generated["passwords"][0]["value"].as_str().unwrap();
        assert_eq!(generated["passwords"][0]["name"], "password1", "{generated}");
        assert!(self.access("ByMap", renewed).is_some());
        assert!(self.access("ByMap", password).is_some());
        self.acr(&["token", "credential", "delete", "-n", "ByMap", "--password2"]);
        assert_eq!(self.access("ByMap", password), None);
        assert!(self.access("ByMap", renewed).is_some());
    }

    /// As the identity that is logged in, by the exchange.
    fn uses_the_data_plane(&self) {
        let exposed = self.az.acr(&["login", "-n", "registry", "--expose-token"]).unwrap();
        assert_eq!(exposed["username"], NULL_GUID, "{exposed}");
        let refresh = exposed["refreshToken"].as_str().unwrap();
        let expected = "repository:team/hello:pull,push,metadata_read repository:team/more:pull";
        assert_eq!(self.access(NULL_GUID, refresh).as_deref(), Some(expected));

        let repository = |arguments: &[&str]| {
            self.az.acr(&[&["repository"], arguments, &["-n", "registry"]].concat()).unwrap()
        };
        assert_eq!(repository(&["list"]), json!(["team/hello", "team/other"]));
        assert_eq!(repository(&["show-tags", "--repository", "team/hello"]), json!(["v1", "v2"]));
        repository(&["untag", "--image", "team/hello:v2"]);
        repository(&["delete", "--image", "team/hello:v1", "--yes"]);
    }

    fn turns_the_administrator_on(&self) {
        self.az.acr(&["credential", "show", "-n", "registry"]).unwrap_err();
        let shown = self.az.acr(&["update", "-n", "registry", "--admin-enabled", "true"]).unwrap();
        assert_eq!(shown["adminUserEnabled"], json!(true), "{shown}");
        let shown = self.az.acr(&["credential", "show", "-n", "registry"]).unwrap();
        let (user, [first, second]) = (shown["username"].as_str().unwrap(), passwords_of(&shown));
        let everything = "repository:team/hello:pull,push,metadata_read repository:team/more:pull";
        assert_eq!(self.access(user, &first).as_deref(), Some(everything));
        let renew = ["credential", "renew", "-n", "registry", "--password-name", "password"];
        let shown = self.az.acr(&renew).unwrap();
        let renewed = shown["passwords"][0]["value"].as_str().unwrap().to_owned();
        assert_eq!(shown["passwords"][1]["value"], Value::Null, "what was shown once is not again");
        assert_eq!(self.access(user, &second).as_deref(), Some(everything));
        assert_eq!(self.access(user, &first), None);
        assert_eq!(self.access(user, &renewed).as_deref(), Some(everything));
    }

    fn logs_docker_in(&self) {
        let said = self.az.acr(&["login", "-n", "registry"]);
        said.unwrap();
    }

    fn takes_it_all_down(&self) {
        let refused = self.refused(&["scope-map", "delete", "-n", "MyScope", "--yes"]);
        assert!(refused.to_lowercase().contains("use"), "{refused}");
        self.acr(&["token", "delete", "-n", "ByMap", "--yes"]);
        self.acr(&["scope-map", "delete", "-n", "MyScope", "--yes"]);
        self.refused(&["scope-map", "show", "-n", "MyScope"]);
    }
}

/// What a person does who follows the readme: `az` makes a token, the token pushes to a real
/// registry, and the identity that is logged in does, too.
#[test]
fn az_makes_a_token_that_pushes_to_a_real_registry() {
    let (authority, port) = (Authority::new(), free_port());
    let settings = Settings {
        service: Some(host(port)),
        config: Some(authority.for_our_server()),
        ..Settings::default()
    };
    let (server, _) = Server::with(settings, "{}");
    let registry = Registry::with_tls_on(port, &authority, &server.https_url(), &server);
    let image = image::make(registry.folder());
    let az = Az::trusting(&authority.certificate());
    az.sign_in(&server.https_url(), &server.administrator());
    let acr = |line: &str| az.acr(&line.split(' ').collect::<Vec<_>>()).unwrap();

    acr(
        "scope-map create -n Builders -r registry --repository team/app content/read content/write",
    );
    let token = acr("token create -n Builder -r registry --scope-map Builders");
    let [password, _] = passwords_of(&token);
    let skopeo = Skopeo::trusting(&authority);
    skopeo.login(&registry.host(), "Builder", &password).unwrap();
    skopeo.push(&image, &registry.image("team/app")).unwrap();
    let refused = skopeo.push(&image, &registry.image("team/other")).unwrap_err();
    assert!(refused.contains("requested access to the resource is denied"), "{refused}");

    let exposed = acr("login -n registry --expose-token");
    let refresh = exposed["refreshToken"].as_str().unwrap();
    skopeo.login(&registry.host(), NULL_GUID, refresh).unwrap();
    skopeo.push(&image, &registry.image("team/other")).unwrap();
    assert_eq!(acr("repository list -n registry"), json!(["team/app", "team/other"]));
}

/// Where management has an address of its own, `az` manages there, and finds nothing at the public
/// one.
#[test]
fn az_manages_by_its_own_address() {
    let (authority, port) = (Authority::new(), free_port());
    let own = format!("https://localhost:{port}");
    let config = format!(
        "management:\n  listen: 127.0.0.1:{port}\n  publicUrl: {own}\n  {}",
        authority.for_our_server()
    );
    let (server, _) = Server::with(Settings { config: Some(config), ..Settings::default() }, "{}");
    let administrator = server.administrator();
    let az = Az::trusting(&authority.certificate());
    az.sign_in(&own, &administrator);
    let acr = |line: &str| az.acr(&line.split(' ').collect::<Vec<_>>()).unwrap();

    let maps = acr("scope-map list -r registry");
    assert!(names_of(&maps).contains(&"_repositories_pull"), "{maps}");
    let token = acr("token create -n Reader -r registry --scope-map _repositories_pull");
    let [password, _] = passwords_of(&token);
    let scope = "repository:team/app:pull,push";
    let granted = access(&server.url(), "Reader", &password, scope);
    assert_eq!(granted.as_deref(), Some("repository:team/app:pull"));

    let client = reqwest::blocking::Client::new();
    let [map, token] = [&maps[0], &token].map(|resource| resource["id"].as_str().unwrap());
    for path in [
        "/metadata/endpoints",
        "//metadata/endpoints",
        "/subscriptions",
        map,
        token,
        "/registries/registry/scopeMaps",
        &format!("/{}/v2.0/.well-known/openid-configuration", administrator.tenant),
        &format!("/{}/oauth2/v2.0/token", administrator.tenant),
    ] {
        let request = client.get(format!("{}{path}", server.url()));
        let request = request.basic_auth(&administrator.client_id, Some(&administrator.secret));
        assert_eq!(request.send().unwrap().status(), 404, "{path}");
    }
}

/// `az` finds nothing to complain about in the registry. It looks the registry's name up as a host,
/// so there must be no port in it.
#[test]
fn az_finds_the_registry_healthy() {
    if !is_free(HTTPS) {
        eprintln!("port {HTTPS} cannot be had, so the registry's health is not looked at");
        return;
    }
    let scene = Scene::on(HTTPS, "{}", None);
    let docker = Docker::installed();
    let az = Az::new(&scene.front, docker.as_ref().map(Docker::for_az));
    az.sign_in(&scene.front.url(), &scene.server.administrator());
    let said = az.check_health("team/hello");
    for passed in [
        "DNS lookup to localhost at IP 127.0.0.1 : OK",
        "Challenge endpoint https://localhost/v2/ : OK",
        "Fetch refresh token for registry 'localhost' : OK",
        "Fetch access token for repository 'team/hello' in registry 'localhost' : OK",
    ] {
        assert!(said.contains(passed), "not {passed}: {said}");
    }
}

/// The actions of a scope map, in order, without what they all begin with.
fn actions_of(map: &Value) -> Vec<&str> {
    let each = map["actions"].as_array().unwrap().iter();
    let mut actions: Vec<_> = each
        .map(|action| action.as_str().unwrap().strip_prefix("repositories/").unwrap())
        .collect();
    actions.sort_unstable();
    actions
}

fn names_of(list: &Value) -> Vec<&str> {
    let mut names: Vec<_> =
        list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The two passwords of a token or of the administrator, when they are shown.
#[track_caller]
fn passwords_of(shown: &Value) -> [String; 2] {
    let passwords = match &shown["passwords"] {
        Value::Null => &shown["credentials"]["passwords"],
        passwords => passwords,
    };
    [0, 1].map(|index| {
        passwords[index]["value"].as_str().unwrap_or_else(|| panic!("{shown}")).to_owned()
    })
}
