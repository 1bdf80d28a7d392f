//! A page of another site in a real browser, whose owner manages the registry: nothing that the
//! page sends changes anything.
//!
//! Chromium is that of the machine, headless, with a profile of its own. A server on loopback is
//! one whose origin a browser trusts, so Chromium says in `Sec-Fetch-Site` where a request comes
//! from. `localhost` is another site than `127.0.0.1`.

use std::fs::{File, read_to_string};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::Html;
use axum::routing::get;
use scopegate_server::testing::config::{Limits, Rate};
use scopegate_server::testing::domain::edit::service_principals::{self, ServicePrincipalEdit};
use scopegate_server::testing::http::headers::Reached;
use scopegate_server::testing::http::routes::routes;
use scopegate_server::testing::http::serve::layered;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::support::{OWNER, Server, Setup, basic};

const SECRET: &str = "a-secret-of-the-owner";
/// How long a browser may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a page of another site can send without asking first. Each is `POST …/secrets`, which adds
/// a secret to a client.
const ATTACKS: [(&str, &str); 4] = [
    (
        "a form of plain text, which is JSON",
        r#"<form method=post enctype=text/plain action=TARGET>
<input name='{"secret":"what an attacker knows' value='"}'></form><script>document.forms[0].submit()</script>"#,
    ),
    (
        "an urlencoded form without a field",
        "<form method=post action=TARGET></form><script>document.forms[0].submit()</script>",
    ),
    (
        "a fetch without a preflight",
        r#"<script>fetch("TARGET", {method: "POST", mode: "no-cors", credentials: "include",
body: '{"secret":"what an attacker knows"}'})</script>"#,
    ),
    (
        "a beacon",
        r#"<script>navigator.sendBeacon("TARGET", '{"secret":"what an attacker knows"}')</script>"#,
    ),
];

/// Each request of the browser: method, whether there were credentials, and the status.
type Seen = Arc<Mutex<Vec<(Method, bool, u16)>>>;

/// The owner has opened an address of management with a name and a password in it, as one does to
/// have a look.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_browser_was_given_serves_no_other_site() {
    let (managed, browser) = Managed::start(false).await;
    let address = format!("http://{OWNER}:{SECRET}@127.0.0.1:{}/registries/registry", managed.port);
    browser.open(&address).await;
    managed.wait_for(&Method::GET, 1).await;
    // Where it was asked for the password, it sends the request again with it.
    sleep(Duration::from_secs(1)).await;
    managed.withstands_attacks(&browser).await;
}

/// The browser adds credentials to each request, as one did that had asked for them once.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_always_sends_credentials_is_refused_by_origin() {
    let (managed, browser) = Managed::start(true).await;
    managed.withstands_attacks(&browser).await;
    let seen = managed.seen.lock().unwrap().clone();
    assert!(seen.iter().all(|(_, has_credentials, _)| *has_credentials), "{seen:?}");
}

/// A server with an owner, on a port.
struct Managed {
    server: Server,
    port: u16,
    seen: Seen,
}

impl Managed {
    async fn start(always_sends: bool) -> (Self, Browser) {
        let unlimited = Rate { rate: 0.0, burst: 1 };
        let limits =
            Limits { per_address: unlimited, per_principal: unlimited, ..Limits::default() };
        let server = Server::bare(Setup { limits, ..Setup::default() }).await;
        let mut write = server.write().await;
        let edit = ServicePrincipalEdit {
            roles: Some(vec!["Owner".into()]),
            ..ServicePrincipalEdit::default()
        };
        service_principals::put(&mut write, OWNER, edit).await.unwrap();
        service_principals::add_secret(&mut write, OWNER, SECRET, None, &[]).await.unwrap();
        server.commit(write).await;
        let seen = Seen::default();
        let inside =
            layered(routes(Arc::clone(&server.app)), &server.app.guard, Reached::default());
        let port = listen(watched(inside, always_sends, Arc::clone(&seen))).await;
        (Self { server, port, seen }, Browser::start().await)
    }

    async fn withstands_attacks(&self, browser: &Browser) {
        let target = format!(
            "http://127.0.0.1:{}/registries/registry/servicePrincipals/{OWNER}/secrets",
            self.port
        );
        let attacker = ATTACKS.iter().enumerate().fold(Router::new(), |router, (index, attack)| {
            let page = Html(format!("<!doctype html>{}", attack.1.replace("TARGET", &target)));
            router.route(&format!("/{index}"), get(move || async move { page }))
        });
        let attacker = listen(attacker).await;
        let before = self.server.app.policy().revision();
        let mut count = 0;
        for host in ["127.0.0.1", "localhost"] {
            for (index, (attack, _)) in ATTACKS.iter().enumerate() {
                browser.open(&format!("http://{host}:{attacker}/{index}")).await;
                count += 1;
                self.wait_for(&Method::POST, count).await;
                let now = self.server.app.policy().revision();
                assert_eq!(now, before, "{attack}, from {host}");
            }
        }
        let seen = self.seen.lock().unwrap().clone();
        let mut posts = seen.iter().filter(|(method, ..)| method == Method::POST);
        assert!(posts.all(|(.., status)| *status == 403), "{seen:?}");
    }

    /// Waits until `count` requests with a method have been answered.
    async fn wait_for(&self, method: &Method, count: usize) {
        let began = Instant::now();
        loop {
            let seen = self.seen.lock().unwrap().clone();
            if seen.iter().filter(|(own, ..)| own == method).count() >= count {
                return;
            }
            assert!(began.elapsed() < TIMEOUT, "{method} {count}: {seen:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A router that notes each request of the browser but those for its icon.
fn watched(router: Router, always_sends: bool, seen: Seen) -> Router {
    router.layer(from_fn(move |mut request: Request, next: Next| {
        let seen = Arc::clone(&seen);
        async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            if always_sends {
                let credentials = basic(OWNER, SECRET).parse().unwrap();
                request.headers_mut().insert(header::AUTHORIZATION, credentials);
            }
            let has_credentials = request.headers().contains_key(header::AUTHORIZATION);
            let response = next.run(request).await;
            if path.starts_with("/registries") {
                let status = response.status().as_u16();
                seen.lock().unwrap().push((method, has_credentials, status));
            }
            response
        }
    }))
}

/// Serves on a port until the test ends.
async fn listen(router: Router) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// Chromium, until the test ends.
struct Browser {
    process: Child,
    /// Where it opens pages for us.
    port: u16,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn start() -> Self {
        scopegate_host::tls::install_provider();
        let profile = tempfile::tempdir().unwrap();
        let log = File::create(profile.path().join("log")).unwrap();
        let process = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("chromium is not installed: run `cargo xtask setup`");
        let port = debugging_port(profile.path()).await;
        Self { process, port, _profile: profile }
    }

    async fn open(&self, address: &str) {
        let url = format!("http://127.0.0.1:{}/json/new?{address}", self.port);
        let answer = reqwest::Client::new().put(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{address}: {}", answer.status());
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn debugging_port(folder: &Path) -> u16 {
    let began = Instant::now();
    loop {
        let file = read_to_string(folder.join("profile/DevToolsActivePort")).unwrap_or_default();
        if let Some(port) = file.lines().next().and_then(|line| line.parse().ok()) {
            return port;
        }
        let log = || read_to_string(folder.join("log")).unwrap_or_default();
        assert!(began.elapsed() < TIMEOUT, "the browser does not start: {}", log());
        sleep(Duration::from_millis(50)).await;
    }
}
