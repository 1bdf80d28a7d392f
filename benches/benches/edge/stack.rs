//! The processes of a measurement: the registry, the token server, and every proxy, as the examples
//! configure it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use scopegate_benches::load::SERVER_CORE;
use scopegate_benches::token_server::{Server, ask, base64, free_port, token};
use tempfile::TempDir;

/// The size of a blob.
pub(crate) const BLOB: u64 = 1 << 30;
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A way to a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Direct,
    Gateway,
    Nginx,
    NginxAsks,
    Envoy,
    EnvoyFilter,
    EnvoyVerifies,
    EnvoyAsks,
    Workerd,
    WorkerdDecides,
    Distribution,
    DistributionVerifies,
}

impl Route {
    /// Each way after that without a decision.
    pub(crate) const GROUPS: [&[Self]; 4] = [
        &[Self::Nginx, Self::NginxAsks, Self::Gateway],
        &[Self::Envoy, Self::EnvoyFilter, Self::EnvoyVerifies, Self::EnvoyAsks],
        &[Self::Workerd, Self::WorkerdDecides],
        &[Self::Direct],
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "no proxy",
            Self::Gateway => "our gateway",
            Self::Nginx => "nginx",
            Self::NginxAsks => "nginx, auth_request",
            Self::Envoy => "Envoy",
            Self::EnvoyFilter => "Envoy, our filter",
            Self::EnvoyVerifies => "the same by jwt_authn",
            Self::EnvoyAsks => "Envoy, ext_authz",
            Self::Workerd => "workerd",
            Self::WorkerdDecides => "workerd, our Worker",
            Self::Distribution => "CNCF distribution",
            Self::DistributionVerifies => "the same, verifying",
        }
    }
}

/// The processes that run for all proxies.
pub(crate) struct Stack {
    server: Server,
    registry: Running,
    administrator: (String, String),
    bearer: String,
}

/// A process with a port; it ends with this value.
pub(crate) struct Running {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
    admin: Option<u16>,
    folder: TempDir,
}

impl Stack {
    pub(crate) fn build() -> Self {
        let seed =
            "scopeMaps: [{name: team-map, actions: [repositories/team/*/content/read, repositories/team/*/content/write, \
             repositories/team/*/metadata/read]}]\ntokens:\n"
                .to_owned()
                + &token(0, "team-map");
        let server = Server::with(true, &seed, &[r#"authz.peers=["127.0.0.1"]"#]);
        let administrator = server.administrator();
        let bearer = bearer(server.port);
        Self { server, registry: registry(), administrator, bearer }
    }

    /// A request through a proxy. A registry without token authentication is requested without a
    /// token.
    pub(crate) fn request(&self, route: Route, path: &str) -> String {
        let authorization = match route {
            Route::Direct => String::new(),
            _ => format!("Authorization: Bearer {}\r\n", self.bearer),
        };
        format!("GET /v2/team/app/{path} HTTP/1.1\r\nHost: registry.example\r\n{authorization}\r\n")
    }

    /// A request whose answer only says that the token is valid.
    pub(crate) fn base(&self, route: Route) -> String {
        self.request(route, "").replacen("/v2/team/app/", "/v2/", 1)
    }

    /// The path of the large blob.
    pub(crate) fn blob() -> String {
        format!("blobs/{DIGEST}")
    }

    pub(crate) fn start(&self, route: Route) -> Running {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let example = |name: &str| {
            let text = fs::read_to_string(root().join("examples").join(name)).unwrap();
            let ports = [port, self.server.port, self.registry.port];
            let each = ["5000", "5001", "5002"].iter().zip(ports);
            let text = each.fold(text, |text, (example, port)| {
                text.replace(&format!(":{example}"), &format!(":<{port}>"))
                    .replace(&format!(" {example}"), &format!(" <{port}>"))
            });
            // The load keeps its connections, and nginx would close each after a thousand requests.
            let text =
                text.replace("access_log off;", "access_log off; keepalive_requests 1000000000;");
            text.replace(['<', '>'], "")
        };
        let admin = (route == Route::Gateway).then(free_port);
        let (name, text, mut command) = match route {
            Route::Direct => return registry(),
            Route::Distribution | Route::DistributionVerifies => {
                let verifies = route == Route::DistributionVerifies;
                let config = self.distribution(port, folder.path(), verifies);
                ("registry.yml", config, distribution())
            }
            Route::Gateway => ("gateway.yaml", self.gateway(port, admin, folder.path()), gateway()),
            Route::Workerd => {
                ("config.capnp", without_worker(&self.worker(port, &folder)), workerd())
            }
            Route::WorkerdDecides => ("config.capnp", self.worker(port, &folder), workerd()),
            Route::Nginx => {
                ("nginx.conf", without_question(&example("authz/nginx.conf")), nginx(&folder))
            }
            Route::NginxAsks => ("nginx.conf", example("authz/nginx.conf"), nginx(&folder)),
            Route::Envoy => ("envoy.yaml", without_filter(&example("authz/envoy.yaml")), envoy()),
            Route::EnvoyAsks => ("envoy.yaml", example("authz/envoy.yaml"), envoy()),
            Route::EnvoyFilter => ("envoy.yaml", filtering(&example("envoy-filter.yaml")), envoy()),
            Route::EnvoyVerifies => {
                ("envoy.yaml", filtering(&example("envoy-jwt-authn.yaml")), envoy())
            }
        };
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        let running = Running::start(command.arg(&file), port, admin, folder);
        running.wait_for(&match route {
            // It has no content to pull.
            Route::Distribution | Route::DistributionVerifies => self.base(route),
            _ => self.request(route, "manifests/v1"),
        });
        running
    }

    /// CNCF distribution, which trusts the token server's keys, or has no authentication.
    fn distribution(&self, port: u16, folder: &Path, verifies: bool) -> String {
        let (tokens, keys) =
            (self.server.port, self.server.folder().path().join("signing-cert.pem"));
        let auth = format!(
            "auth: {{token: {{realm: \"http://127.0.0.1:{tokens}/oauth2/token\", service: registry.example, issuer: scopegate, rootcertbundle: {}}}}}\n",
            keys.display()
        );
        format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n{}",
            folder.display(),
            if verifies { &auth } else { "" }
        )
    }

    /// The example for workerd, with this run's addresses, with revocations, and with its embedded
    /// files.
    fn worker(&self, port: u16, folder: &TempDir) -> String {
        for built in ["worker.js", "scopegate.wasm"] {
            fs::copy(root().join("target/worker").join(built), folder.path().join(built)).unwrap();
        }
        let (user, secret) = &self.administrator;
        let authorization = base64(format!("{user}:{secret}").as_bytes());
        let revocations = format!(
            "(name = \"GENERATIONS_URL\", text = \"http://tokens/registries/registry/generations\"),\n    \
             (name = \"GENERATIONS_AUTHORIZATION\", text = \"Basic {authorization}\"),\n    (name = \"REGISTRY\""
        );
        let example = fs::read_to_string(root().join("hosts/worker/config.capnp")).unwrap();
        example
            .replace("127.0.0.1:5000", &format!("127.0.0.1:{}", self.registry.port))
            .replace("127.0.0.1:5001", &format!("127.0.0.1:{}", self.server.port))
            .replace("127.0.0.1:5002", &format!("127.0.0.1:{port}"))
            .replace("../../target/worker/", "")
            .replace(
                r#"(name = "ISSUER", text = "registry.example")"#,
                r#"(name = "ISSUER", text = "scopegate")"#,
            )
            .replace("(name = \"REGISTRY\"", &revocations)
    }

    fn gateway(&self, port: u16, admin: Option<u16>, folder: &Path) -> String {
        let (user, secret) = &self.administrator;
        let file = folder.join("secret");
        fs::write(&file, secret).unwrap();
        let (tokens, registry) = (self.server.port, self.registry.port);
        let admin = admin.map(|port| format!("admin: 127.0.0.1:{port}\n")).unwrap_or_default();
        format!(
            "listen: 127.0.0.1:{port}\n{admin}upstream: http://127.0.0.1:{registry}\nservice: registry.example\n\
             realm: http://127.0.0.1:{tokens}/oauth2/token\nkeys: http://127.0.0.1:{tokens}/.well-known/jwks.json\nlog: {{decisions: false}}\n\
             revocations: {{url: \"http://127.0.0.1:{tokens}/registries/registry/generations\", user: {user}, secretFile: {}}}\n",
            file.display()
        )
    }
}

impl Running {
    fn start(command: &mut Command, port: u16, admin: Option<u16>, folder: TempDir) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        let child = command
            .current_dir(folder.path())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, port, admin, folder }
    }

    /// Waits until a request is allowed.
    fn wait_for(&self, request: &str) {
        let begun = Instant::now();
        let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        while !ask(self.port, &request).starts_with("HTTP/1.1 200") {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            let is_late = begun.elapsed() > Duration::from_secs(10);
            assert!(!is_late, "{} {}", ask(self.port, &request), log());
            sleep(Duration::from_millis(50));
        }
    }

    /// A gateway's histogram of decisions: the mean in microseconds, and its text; `None` for other
    /// proxies.
    pub(crate) fn decisions(&self) -> Option<(f64, String)> {
        let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let metrics = ask(self.admin?, request);
        let value = |end: &str| {
            let name = format!("scopegate_gateway_decision_seconds{end}");
            let line = metrics.lines().find(|line| line.starts_with(&name))?;
            line.rsplit(' ').next()?.parse::<f64>().ok()
        };
        let at_most = |bound: &str| value(&format!("_bucket{{le=\"{bound}\"}}"));
        let all = value("_count")?;
        let mean = value("_sum")? / all * 1e6;
        let text = format!(
            "{mean:.2} µs in the mean, {:.1} % within 5 µs, {:.1} % within 10 µs, of {all} (goal 2 µs)",
            at_most("0.000005")? / all * 100.0,
            at_most("0.00001")? / all * 100.0,
        );
        Some((mean, text))
    }

    /// The peak memory, in megabytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A killed nginx leaves its worker running.
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        sleep(Duration::from_millis(200));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// nginx with a manifest and a blob.
fn registry() -> Running {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    File::create(folder.path().join("blob")).unwrap().set_len(BLOB).unwrap();
    fs::write(folder.path().join("manifest"), "x".repeat(1200)).unwrap();
    fs::write(folder.path().join("tags"), r#"{"name":"team/app","tags":["v1","v2"]}"#).unwrap();
    fs::write(folder.path().join("layer"), "x".repeat(8000)).unwrap();
    let path = folder.path().display().to_string();
    let config = format!(
        "daemon off;\npid nginx.pid;\nerror_log stderr;\nworker_processes 1;\nevents {{ worker_connections 8192; }}\nhttp {{\n  access_log off;\n  sendfile on;\n  keepalive_requests 1000000000;\n  \
         client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n  \
         server {{\n    listen 127.0.0.1:{port};\n    location ~ /manifests/ {{ if ($request_method = PUT) {{ return 201; }} alias {path}/manifest; }}\n    \
         location ~ /uploads/ {{ return 201; }}\n    location ~ /blobs/sha256:0 {{ alias {path}/layer; }}\n    location ~ /tags/ {{ alias {path}/tags; }}\n    \
         location ~ /blobs/ {{ alias {path}/blob; }}\n  }}\n}}\n"
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, config).unwrap();
    let mut command = nginx(&folder);
    let running = Running::start(command.arg(file), port, None, folder);
    running.wait_for("GET /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: r\r\n\r\n");
    running
}

/// A command on the server's core.
fn pinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &SERVER_CORE.id.to_string()]).arg(program);
    command
}

fn nginx(folder: &TempDir) -> Command {
    let mut command = pinned("/usr/sbin/nginx");
    command.arg("-p").arg(folder.path()).args(["-e", "stderr", "-c"]);
    command
}

fn envoy() -> Command {
    let mut command = pinned(root().join("target/clients/venv/bin/envoy"));
    command.args([
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "--log-level",
        "error",
        "--config-path",
    ]);
    command
}

fn workerd() -> Command {
    let program = "hosts/worker/node_modules/@cloudflare/workerd-linux-64/bin/workerd";
    let mut command = pinned(root().join(program));
    command.arg("serve");
    command
}

const DISTRIBUTION: &str = "docker-registry";

/// Whether there is a CNCF distribution to measure.
pub(crate) fn has_distribution() -> bool {
    Command::new(DISTRIBUTION).arg("--version").stdout(Stdio::null()).status().is_ok()
}

fn distribution() -> Command {
    let mut command = pinned(DISTRIBUTION);
    command.arg("serve");
    command
}

fn gateway() -> Command {
    let mut command = pinned(root().join("target/release/scopegate-gateway"));
    command.arg("--config");
    command
}

/// The example for nginx without `auth_request`.
fn without_question(example: &str) -> String {
    let kept = example.lines().filter(|line| {
        let line = line.trim();
        let is_of_it = ["auth_request", "error_page", "add_header WWW-Authenticate"];
        !is_of_it.iter().any(|start| line.starts_with(start))
    });
    let text =
        kept.collect::<Vec<_>>().join("\n").replace("http://registry$target", "http://registry");
    // The best settings of nginx for large bodies.
    text.replace("proxy_buffering off;", "proxy_buffers 16 64k; proxy_max_temp_file_size 0;")
}

/// The example for Envoy without `ext_authz`.
fn without_filter(example: &str) -> String {
    let start = example.find("- name: envoy.filters.http.ext_authz").unwrap();
    let end = example.find("- name: envoy.filters.http.router").unwrap();
    [&example[..start], &example[end..]].concat()
}

/// The example for workerd with a Worker that forwards every request.
fn without_worker(example: &str) -> String {
    let forward =
        r#"esModule = "export default { fetch: (request, env) => env.REGISTRY.fetch(request) };""#;
    example.replace(r#"esModule = embed "worker.js""#, forward)
}

/// An example for our filter, with this run's names.
fn filtering(example: &str) -> String {
    let (name, module) = ("target/envoy-filter/scopegate.wasm", root());
    let module = module.join(name).display().to_string();
    let issuer = r#""issuer": "scopegate""#;
    example
        .replace("registry.local", "registry.example")
        .replace(issuer, &format!(r#"{issuer}, "logDecisions": false"#))
        .replace(name, &module)
}

/// An access token.
fn bearer(port: u16) -> String {
    let answer = ask(
        port,
        "GET /oauth2/token?service=registry.example&scope=repository:team/app:pull,push,metadata_read%20repository:team/base:pull HTTP/1.1\r\nHost: r\r\nConnection: close\r\n\
         Authorization: Basic dG9rZW4tMDAwMDA6c2VjcmV0\r\n\r\n",
    );
    let (_, rest) = answer.split_once("\"access_token\":\"").unwrap_or_else(|| panic!("{answer}"));
    rest.split('"').next().unwrap().to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}
