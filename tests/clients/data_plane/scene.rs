//! A gateway with an index before a registry, what is asked of it, and how much a test does.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::Client;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::software::gateway::Gateway;
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};

/// What a test does for every change, or for a release, with `CLIENTS_LONG`.
pub(super) fn sized<T>(short: T, long: T) -> T {
    if std::env::var_os("CLIENTS_LONG").is_some() { long } else { short }
}

/// Prints a figure, and adds it to the table of the report that `CLIENTS_FIGURES` names.
pub(super) fn figure(what: &str, value: &str) {
    println!("{what}: {value}");
    if let Some(report) = std::env::var_os("CLIENTS_FIGURES") {
        let mut report = OpenOptions::new().create(true).append(true).open(report).unwrap();
        writeln!(report, "| {what} | {value} |").unwrap();
    }
}

pub(super) const ALL: &[&str] =
    &["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];
pub(super) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const OPEN: &str =
    r#"{"deleteEnabled":true,"writeEnabled":true,"readEnabled":true,"listEnabled":true}"#;
pub(super) const LOCKED: &str = r#"{"errors":[{"code":"REGISTRY_DISALLOWED_OPERATION","message":"The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation","detail":{}}]}"#;

/// A gateway with an index before a registry.
pub(super) struct Scene {
    pub(super) gateway: Gateway,
    pub(super) registry: Arc<Registry>,
    pub(super) server: Arc<Server>,
    pub(super) password: String,
    pub(super) client: Client,
    pub(super) data: Arc<TempDir>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body with every time replaced by `T`.
    pub(super) fn timeless(&self) -> String {
        let mut parts = self.body.split("Time\":\"");
        let mut text = parts.next().unwrap().to_owned();
        for part in parts {
            let (time, rest) = part.split_once('"').unwrap();
            assert!(time.ends_with('Z') && time.len() <= 28, "{time}");
            text.push_str("Time\":\"T\"");
            text.push_str(rest);
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Scene {
    pub(super) fn before(registry: Registry) -> Self {
        let rules: [(&str, &[&str]); 2] = [("*", ALL), ("team/app", ALL)];
        Self::with(registry, &rules, "")
    }

    pub(super) fn with(registry: Registry, rules: &[(&str, &[&str])], more: &str) -> Self {
        let (server, passwords) = Server::with(Settings::default(), &seed(rules));
        let password = passwords.into_iter().next().unwrap();
        let data = Arc::new(tempfile::tempdir().unwrap());
        Self::of(Arc::new(registry), Arc::new(server), password, data, more)
    }

    pub(super) fn of(
        registry: Arc<Registry>,
        server: Arc<Server>,
        password: String,
        data: Arc<TempDir>,
        more: &str,
    ) -> Self {
        let upstream = registry.port();
        Self::at(upstream, registry, server, password, data, more)
    }

    /// A gateway before something that is before the registry.
    pub(super) fn at(
        upstream: u16,
        registry: Arc<Registry>,
        server: Arc<Server>,
        password: String,
        data: Arc<TempDir>,
        more: &str,
    ) -> Self {
        let gateway = Gateway::before(upstream, &server, &index(&data, more));
        Self::through(gateway, registry, server, password, data)
    }

    /// What is asked of a gateway that runs.
    pub(super) fn through(
        gateway: Gateway,
        registry: Arc<Registry>,
        server: Arc<Server>,
        password: String,
        data: Arc<TempDir>,
    ) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        Self { gateway, registry, server, password, client, data }
    }

    /// Another gateway before the same registry, with a folder of its own or the same one.
    pub(super) fn beside(&self, data: Arc<TempDir>, more: &str) -> Self {
        let (registry, server) = (Arc::clone(&self.registry), Arc::clone(&self.server));
        Self::of(registry, server, self.password.clone(), data, more)
    }

    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Answer {
        self.try_to(method, path, content_type, body).unwrap()
    }

    /// The same, where there may be no answer.
    pub(super) fn try_to(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> reqwest::Result<Answer> {
        let url = format!("http://{}{path}", self.gateway.host());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request =
            self.client.request(method, url).basic_auth("MyToken", Some(&self.password));
        request = request.header("accept", format!("{IMAGE}, {INDEX}"));
        if !content_type.is_empty() {
            request = request.header("content-type", content_type).body(body);
        }
        let answer = request.send()?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Answer { status, headers, body: answer.text()? })
    }

    pub(super) fn ask(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, "", Vec::new())
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path)
    }

    pub(super) fn patch(&self, path: &str, body: &str) -> Answer {
        self.send("PATCH", path, "application/json", body.as_bytes().to_vec())
    }

    /// Uploads a blob; gives its descriptor.
    pub(super) fn upload(&self, repository: &str, media_type: &str, text: &str) -> Value {
        let digest = digest(text);
        let started = self.ask("POST", &format!("/v2/{repository}/blobs/uploads/"));
        assert_eq!(started.status, 202, "{}", started.body);
        let place = started.header("location").to_owned();
        let separator = if place.contains('?') { '&' } else { '?' };
        let end = format!("{place}{separator}digest={digest}");
        let ended = self.send("PUT", &end, "application/octet-stream", text.as_bytes().to_vec());
        assert_eq!(ended.status, 201, "{}", ended.body);
        json!({ "mediaType": media_type, "digest": digest, "size": text.len() })
    }

    pub(super) fn put(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        text: &str,
    ) -> Answer {
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.send("PUT", &path, media_type, text.as_bytes().to_vec())
    }

    /// An image that differs by its text, whose blobs are in the repository already.
    pub(super) fn image_of_known_blobs(text: &str) -> String {
        let blob = |media_type: &str, text: &str| json!({ "mediaType": media_type, "digest": digest(text), "size": text.len() });
        let config = json!({ "architecture": "amd64", "os": "linux", "x": text }).to_string();
        let config = blob("application/vnd.oci.image.config.v1+json", &config);
        let layer = blob("application/vnd.oci.image.layer.v1.tar+gzip", text);
        json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": [layer] })
            .to_string()
    }

    /// An image that differs by its text.
    pub(super) fn image(&self, repository: &str, text: &str) -> String {
        let config = json!({ "architecture": "amd64", "os": "linux", "x": text }).to_string();
        self.upload(repository, "application/vnd.oci.image.config.v1+json", &config);
        self.upload(repository, "application/vnd.oci.image.layer.v1.tar+gzip", text);
        Self::image_of_known_blobs(text)
    }

    /// Pushes an image; gives its digest.
    pub(super) fn push(&self, repository: &str, tag: &str, text: &str) -> String {
        let image = self.image(repository, text);
        let pushed = self.put(repository, tag, IMAGE, &image);
        assert_eq!(pushed.status, 201, "{}", pushed.body);
        assert_eq!(pushed.header("docker-content-digest"), digest(&image));
        digest(&image)
    }

    /// What the registry itself answers.
    pub(super) fn behind(&self, method: &str, path: &str, body: Option<(&str, String)>) -> u16 {
        let url = format!("http://127.0.0.1:{}{path}", self.registry.port());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, url).header("accept", IMAGE);
        if let Some((content_type, body)) = body {
            request = request.header("content-type", content_type).body(body);
        }
        request.send().unwrap().status().as_u16()
    }
}

/// The index of a gateway, with more of its settings.
pub(super) fn index(data: &TempDir, more: &str) -> String {
    format!("index: {{data: {}, freshFor: 1s, waitFor: 8s{more}}}\n", data.path().display())
}

pub(super) fn digest(text: &str) -> String {
    let hex: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
