//! Revocation by hand, measured: how soon each edge refuses the tokens that each way ends.
//!
//! All edges hear one token server, and each is asked again and again while a token is revoked. The
//! time is from before the revocation was asked for until the last answer that let the token
//! through. The figures are in `docs/token-server.md`.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scopegate_api::access::AccessEntry;
use scopegate_api::claims::PrincipalKind;
use scopegate_server::testing::domain::issue::{Issuer, Subject};
use scopegate_server::testing::domain::keys::{Keeper, Ring};
use scopegate_server::testing::store;
use serde_json::{Value, json};

use crate::edge::{self, ALL, bearer_of};
use crate::software::echo::Echo;
use crate::software::gateway::Gateway;
use crate::software::process::{eventually, run};
use crate::software::proxy::{Kind, Proxy};
use crate::software::server::{
    Administrator, ISSUER, Server, Settings, program, refresh_token, seed,
};
use crate::software::wire::ask;
use crate::software::workerd::Workerd;

/// What is promised.
const SOON: Duration = Duration::from_secs(2);
/// For how long an edge has to refuse before it is believed: each of its threads has asked again.
const WATCHED: Duration = Duration::from_millis(3500);
const TARGET: &str = "/v2/team/app/manifests/v1";
const SCOPE: &str = "repository:team/app:pull";
const CLIENT: &str = "00000000-0000-4000-8000-0000000000aa";

/// A token server, and every edge that hears it.
struct Scene {
    server: Server,
    administrator: Administrator,
    password: String,
    edges: Vec<(&'static str, u16)>,
    /// What ends with the scene.
    _running: (Echo, [Gateway; 2], [Proxy; 2], Workerd),
}

impl Scene {
    fn new() -> Self {
        let config = "authz: {peers: [127.0.0.1]}\nlimits: {perAddress: {rate: 0, burst: 1}, perPrincipal: {rate: 0, burst: 1}}
log: {decisions: false}\nproviders: [{name: ci, issuer: 'https://ci.test', audiences: [x]}]\n";
        let settings = Settings { config: Some(config.into()), ..Settings::default() };
        let (server, made) = Server::with(settings, &seed(&[("team/app", ALL)]));
        let echo = Echo::start(2);
        let feed = Gateway::before(echo.port(), &server, "");
        let policy = Gateway::with_policy(echo.port(), &server, "");
        let filter = Proxy::filter(echo.port(), &server);
        let nginx = Proxy::before(Kind::Nginx, echo.port(), &server);
        let worker = Workerd::before(echo.port(), &server);
        let edges = vec![
            ("gateway, feed", feed.port()),
            ("gateway, bundle", policy.port()),
            ("filter", filter.port()),
            ("/authz", nginx.port()),
            ("Worker", worker.port()),
        ];
        for (_, port) in &edges {
            edge::decides(*port, &server, &made[0]);
        }
        let administrator = server.administrator();
        let _running = (echo, [feed, policy], [filter, nginx], worker);
        let password = made[0].clone();
        Self { server, administrator, password, edges, _running }
    }

    /// Does what must work in management.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.administrator.ask(method, &self.server.url(), path, body.as_ref());
        let (status, body) = answer.unwrap();
        assert!((200..300).contains(&status), "{path}: {status} {body}");
        body
    }

    fn post(&self, path: &str) {
        self.ask("POST", path, None);
    }

    /// Enables the admin account and anonymous pulls, and makes a service principal; gives the
    /// admin's password and the principal's secret.
    fn other_principals(&self) -> [String; 2] {
        let on = json!({ "adminUserEnabled": true, "anonymousPullEnabled": true });
        self.ask("PATCH", "", Some(json!({ "properties": on })));
        let admin = self.ask("POST", "/listCredentials", None);
        let path = format!("/servicePrincipals/{CLIENT}");
        self.ask("PUT", &path, Some(json!({ "scopeMaps": ["MyScopeMap"] })));
        let made = self.ask("POST", &format!("{path}/secrets"), Some(json!({})));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        [text(&admin["passwords"][0]["value"]), text(&made["secret"])]
    }

    /// How soon each edge refuses this token after `revoke` was begun.
    #[track_caller]
    fn measure(&self, way: &str, bearer: &str, revoke: impl FnOnce()) -> Vec<Duration> {
        let pull = |port: u16| ask(port, "GET", TARGET, &[bearer]).status;
        for (edge, port) in &self.edges {
            eventually(Duration::from_secs(10), || match pull(*port) {
                200 => Ok(()),
                status => Err(format!("{way}, {edge}: {status}")),
            });
        }
        let is_over = AtomicBool::new(false);
        let (begun, is_over) = (Instant::now(), &is_over);
        let watch = |port: u16| {
            let (mut last_let_through, mut last) = (Duration::ZERO, 0);
            while !is_over.load(Ordering::SeqCst) {
                last = pull(port);
                if last == 200 {
                    last_let_through = begun.elapsed();
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            (last_let_through, last)
        };
        let seen: Vec<_> = std::thread::scope(|scope| {
            let ports = self.edges.iter().map(|(_, port)| *port);
            let watching: Vec<_> = ports.map(|port| scope.spawn(move || watch(port))).collect();
            revoke();
            std::thread::sleep(WATCHED.saturating_sub(begun.elapsed()));
            is_over.store(true, Ordering::SeqCst);
            watching.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for ((edge, _), (took, status)) in self.edges.iter().zip(&seen) {
            println!("{way}: {edge}: {} ms", took.as_millis());
            assert!(*status == 401 && *took <= SOON, "{way}, {edge}: {status} after {took:?}");
        }
        seen.into_iter().map(|(took, _)| took).collect()
    }

    /// What signs tokens now, and in which epoch and revision.
    fn signer(&self) -> (Ring, String, u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = store::open(&self.server.data(), None).await.unwrap();
            let registry = store.read().await.unwrap().registry().await.unwrap();
            let ring = Keeper::read(&store).await.unwrap();
            (ring, registry.epoch, registry.revision.unsigned_abs())
        })
    }

    /// A token of an identity of the provider `ci`, which does not have to run for it.
    fn identity(&self, subject: &str) -> String {
        let (ring, epoch, generation) = self.signer();
        self.signed(
            ring,
            &epoch,
            Subject {
                provider: Some("ci"),
                ..Subject::new(subject, PrincipalKind::Identity, generation)
            },
        )
    }

    fn signed(&self, ring: Ring, epoch: &str, subject: Subject<'_>) -> String {
        let service = self.server.service().to_owned();
        let issuer = Issuer::new(ISSUER.to_owned(), service, false, ring);
        issuer.replace_epoch(epoch);
        let access = vec![AccessEntry {
            resource_type: "repository".into(),
            name: "team/app".into(),
            actions: vec!["pull".into()],
        }];
        let now = jiff::Timestamp::now().as_second();
        let token = issuer.access_token(&subject, "r", access, 3600, now).unwrap();
        format!("Authorization: Bearer {token}")
    }
}

/// A token of an anonymous client.
fn anonymous(server: &Server) -> String {
    let request = reqwest::blocking::Client::new().get(format!("{}/oauth2/token", server.url()));
    let query = [("service", server.service()), ("scope", SCOPE)];
    let text = request.query(&query).send().unwrap().text().unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    format!("Authorization: Bearer {}", body["access_token"].as_str().unwrap())
}

/// Every way to revoke access tokens reaches every edge.
#[test]
fn every_way_at_every_edge() {
    let scene = Scene::new();
    let (server, password) = (&scene.server, &scene.password);
    let [admin, secret] = scene.other_principals();
    let mine = || edge::bearer(server, password, SCOPE);
    let of = |name: &str, password: &str| bearer_of(server, name, password, SCOPE);
    scene.measure("a token", &mine(), || scene.post("/tokens/MyToken/revoke"));
    let client = of(CLIENT, &secret);
    let path = format!("/servicePrincipals/{CLIENT}/revoke");
    scene.measure("a service principal", &client, || scene.post(&path));
    scene.measure("the admin", &of("registry", &admin), || scene.post("/admin/revoke"));
    scene.measure("anonymous", &anonymous(server), || scene.post("/anonymous/revoke"));
    let octo = scene.identity("octo");
    scene.measure("an identity", &octo, || scene.post("/identities/ci/octo/revoke"));
    let other = scene.identity("other");
    scene.measure("a provider", &other, || scene.post("/identities/ci/revoke"));
    scene.measure("the command", &mine(), || server.revoke(&["token", "MyToken"]));
    let octo = scene.identity("octo");
    scene.measure("the command, an identity", &octo, || server.revoke(&["identity", "ci", "octo"]));

    let leaked = scene.signer().0;
    scene.measure("everything", &mine(), || server.replace_keys());
    // Passwords are good for new tokens, everywhere.
    for (_, port) in &scene.edges {
        edge::decides(*port, server, password);
    }
    // Who has the key that leaked signs nothing for the new epoch.
    let (_, epoch, generation) = scene.signer();
    let subject = Subject::new("MyToken", PrincipalKind::Token, generation);
    let forged = scene.signed(leaked, &epoch, subject);
    for (edge, port) in &scene.edges {
        assert_eq!(ask(*port, "GET", TARGET, &[&forged]).status, 401, "{edge}");
    }
}

/// A refresh token by itself: at the token server at once, and at a gateway that was shown it as a
/// password as soon as it asks again.
#[test]
fn a_refresh_token() {
    let (server, made) = Server::with(Settings::default(), &seed(&[("team/app", ALL)]));
    let echo = Echo::start(2);
    let gateway = Gateway::before(echo.port(), &server, "");
    let refresh = refresh_token(&server, "MyToken", &made[0]);
    let header = {
        use base64::Engine as _;
        let text = format!("00000000-0000-0000-0000-000000000000:{refresh}");
        let text = base64::engine::general_purpose::STANDARD.encode(text);
        format!("Authorization: Basic {text}")
    };
    let pull = || ask(gateway.port(), "GET", TARGET, &[&header]).status;
    assert_eq!(pull(), 200);
    let client = reqwest::blocking::Client::new();
    let post = |path: &str, form: &[(&str, &str)]| {
        let request = client.post(format!("{}{path}", server.url())).form(form);
        request.send().unwrap().status().as_u16()
    };
    let renew = || {
        let form = [
            ("grant_type", "refresh_token"),
            ("service", server.service()),
            ("refresh_token", &refresh),
        ];
        post("/oauth2/token", &form)
    };
    assert_eq!(renew(), 200);
    let begun = Instant::now();
    assert_eq!(post("/oauth2/revoke", &[("token", &refresh)]), 200);
    assert_eq!(renew(), 401);
    println!("a refresh token: the token server: {} ms", begun.elapsed().as_millis());
    eventually(SOON, || match pull() {
        401 => Ok(()),
        status => Err(status),
    });
    println!("a refresh token: the gateway: {} ms", begun.elapsed().as_millis());
}

/// The commands of the document work as they stand there.
#[test]
fn the_commands_of_the_document() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/token-server.md");
    let text = std::fs::read_to_string(root).unwrap();
    let section = text.split("### By hand\n").nth(1).unwrap().split("\n### ").next().unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let config = "providers: [{name: github, issuer: 'https://github.test', audiences: [x]}]\n";
    let settings = Settings { config: Some(config.into()), ..Settings::default() };
    let (server, made) = Server::with(settings, &seed(&[("team/app", ALL)]));
    let administrator = server.administrator();
    let refresh = refresh_token(&server, "MyToken", &made[0]);
    let program = program().display().to_string();
    let data = format!("--data {}", server.data().display());
    let mut ran = 0;
    for line in block.lines() {
        let line = line
            .replace("https://localhost:5000", &server.url())
            .replace("http://127.0.0.1:5001", &server.url())
            .replace("--config target/run/scopegate.yaml", &data)
            .replace("scopegate-server", &program);
        let mut command = Command::new("bash");
        command.args(["-euc", &line]).env("SECRET", &administrator.secret);
        run(command.env("REFRESH_TOKEN", &refresh));
        ran += 1;
    }
    assert_eq!(ran, 13);
}
