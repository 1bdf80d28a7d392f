//! An image of 200 MB through every edge: skopeo, podman and buildah push it and pull it.
//!
//! Each registry is empty before, and each client that pulls has a storage of its own that knows
//! nothing: whatever a client has seen somewhere, it does not send again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use crate::drivers::buildah::Buildah;
use crate::drivers::podman::Podman;
use crate::drivers::skopeo::Skopeo;
use crate::edge;
use crate::software::gateway::Gateway;
use crate::software::process::run;
use crate::software::proxy::{Kind, Proxy};
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};
use crate::software::workerd::Workerd;

const SIZE: usize = 200 << 20;
/// What podman calls it.
const NAME: &str = "localhost/large:v1";
const WRITE: &[&str] = &["content/read", "content/write"];

#[test]
fn through_every_edge() {
    let image = Image::make();
    image.through(
        "gateway",
        |registry, server| {
            let gateway = Gateway::before(registry.port(), server, "");
            (gateway.port(), gateway)
        },
        |gateway| {
            let peak = gateway.peak_memory();
            assert!(peak < 64 * 1024, "the gateway had {peak} KB");
        },
    );
    image.through(
        "workerd",
        |registry, server| {
            let worker = Workerd::before(registry.port(), server);
            (worker.port(), worker)
        },
        |_| {},
    );
    image.through(
        "Envoy with the filter",
        |registry, server| {
            let envoy = Proxy::filter(registry.port(), server);
            (envoy.port(), envoy)
        },
        |_| {},
    );
    for kind in [Kind::Nginx, Kind::Caddy, Kind::Envoy] {
        image.through(
            &format!("{kind:?}"),
            |registry, server| {
                let proxy = Proxy::before(kind, registry.port(), server);
                (proxy.port(), proxy)
            },
            |_| {},
        );
    }
}

/// The image, in the storages of those who push it.
struct Image {
    folder: TempDir,
    buildah: Buildah,
    podman: Podman,
}

impl Image {
    #[track_caller]
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("random");
        // Bytes that no compression makes smaller.
        run(Command::new("openssl").args(["rand", "-out"]).arg(&file).arg(SIZE.to_string()));
        let (buildah, podman) = (Buildah::new(), Podman::new());
        buildah.build(&file, "large").unwrap();
        std::fs::remove_file(&file).unwrap();
        let image = Self { folder, buildah, podman };
        let layout = format!("oci:{}:v1", image.layout().display());
        image.buildah.save("large", &layout).unwrap();
        let archive = image.folder.path().join("archive");
        let place = format!("docker-archive:{}:{NAME}", archive.display());
        image.buildah.save("large", &place).unwrap();
        image.podman.load(&archive).unwrap();
        std::fs::remove_file(&archive).unwrap();
        image
    }

    fn layout(&self) -> PathBuf {
        self.folder.path().join("layout")
    }

    /// Through one edge, which `look` looks at in the end.
    fn through<E>(
        &self,
        name: &str,
        start: impl FnOnce(&Registry, &Server) -> (u16, E),
        look: impl FnOnce(&E),
    ) {
        let (server, passwords) =
            Server::with(Settings::asked_by_proxies(), &seed(&[("team/*", WRITE)]));
        let registry = Registry::open_on_disk();
        let (port, proxy) = start(&registry, &server);
        edge::decides(port, &server, &passwords[0]);
        let host = format!("127.0.0.1:{port}");
        let named = |client: &str| format!("{host}/team/{client}:v1");
        let said = |client: &'static str| move |error: String| panic!("{name}, {client}: {error}");
        let (password, begun) = (passwords[0].as_str(), Instant::now());
        by_skopeo(&self.layout(), &host, password, &named("skopeo")).unwrap_or_else(said("skopeo"));
        self.by_podman(&host, password, &named("podman")).unwrap_or_else(said("podman"));
        self.by_buildah(&host, password, &named("buildah")).unwrap_or_else(said("buildah"));
        look(&proxy);
        println!("{name}: {} s", begun.elapsed().as_secs());
    }

    fn by_podman(&self, host: &str, password: &str, image: &str) -> Result<(), String> {
        self.podman.tag(NAME, image)?;
        self.podman.login(host, "MyToken", password)?;
        self.podman.push(image)?;
        let other = Podman::new();
        other.login(host, "MyToken", password)?;
        other.pull(image).map(drop)
    }

    fn by_buildah(&self, host: &str, password: &str, image: &str) -> Result<(), String> {
        self.buildah.tag("large", image)?;
        self.buildah.login(host, "MyToken", password)?;
        self.buildah.push(image)?;
        let other = Buildah::new();
        other.login(host, "MyToken", password)?;
        other.pull(image).map(drop)
    }
}

fn by_skopeo(layout: &Path, host: &str, password: &str, image: &str) -> Result<(), String> {
    let skopeo = Skopeo::new();
    skopeo.login(host, "MyToken", password)?;
    skopeo.push(layout, image)?;
    let other = Skopeo::new();
    other.login(host, "MyToken", password)?;
    other.pull(image).map(drop)
}
