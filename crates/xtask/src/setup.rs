//! Installs missing programs, and names those that cannot be installed.
//!
//! Everything comes from rustup, the package manager of Debian, and the ordinary clients of the
//! languages. On another system the missing program is only named.

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

use crate::{deny, node, paths};

/// The target that hosts load.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The toolchain for the WebAssembly module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The pinned toolchain, with the target that rustup fetched.
    Rustup,
    /// Debian's `rustc-web`, which builds the target's library from its sources.
    Debian,
}

/// The targets of `rust-toolchain.toml`.
const TARGETS: [&str; 2] = [TARGET, "wasm32v1-none"];

/// The packages that build those targets when rustup cannot fetch them.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "rust-web-src", "rust-web-llvm", "lld-22"];

/// Makes sure that a toolchain can build the WebAssembly module.
pub(crate) fn wasm_target(shell: &Shell) -> anyhow::Result<Toolchain> {
    if TARGETS.iter().all(|target| has_target(shell, target)) {
        return Ok(Toolchain::Rustup);
    }
    if has_debian_packages(shell) {
        return Ok(Toolchain::Debian);
    }
    let [engine, bare] = TARGETS;
    if has(shell, "rustup") {
        println!("setup: fetching the WebAssembly targets with rustup");
        // A rustup that cannot reach its server may take minutes to fail.
        let fetched = cmd!(shell, "timeout 120 rustup target add {engine} {bare}").quiet().run();
        if fetched.is_ok() && has_target(shell, engine) {
            return Ok(Toolchain::Rustup);
        }
    }
    println!("setup: rustup cannot fetch {engine}; falling back to Debian's rustc-web");
    apt(shell, &DEBIAN_PACKAGES)
        .with_context(|| format!("install the target {engine} for your Rust toolchain"))?;
    Ok(Toolchain::Debian)
}

fn has_debian_packages(shell: &Shell) -> bool {
    cmd!(shell, "dpkg --status")
        .args(DEBIAN_PACKAGES)
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run()
        .is_ok()
}

/// Whether std can be built for size; fetches its sources with rustup.
pub(crate) fn std_sources(shell: &Shell) -> bool {
    if !has_std_sources(shell) && has(shell, "rustup") {
        println!("setup: fetching the sources of std with rustup");
        // Without the sources the package is only larger.
        let _ = cmd!(shell, "timeout 120 rustup component add rust-src").quiet().run();
    }
    has_std_sources(shell)
}

fn has_std_sources(shell: &Shell) -> bool {
    sysroot(shell).is_some_and(|sysroot| {
        shell.path_exists(format!("{sysroot}/lib/rustlib/src/rust/library/Cargo.lock"))
    })
}

fn has_target(shell: &Shell, target: &str) -> bool {
    sysroot(shell)
        .is_some_and(|sysroot| shell.path_exists(format!("{sysroot}/lib/rustlib/{target}/lib")))
}

fn sysroot(shell: &Shell) -> Option<String> {
    cmd!(shell, "rustc --print sysroot").quiet().read().ok()
}

/// Programs for trying out the server, each with its Debian package.
const PROGRAMS: [(&str, &str); 4] = [
    ("docker-registry", "docker-registry"),
    ("skopeo", "skopeo"),
    ("umoci", "umoci"),
    ("openssl", "openssl"),
];

/// The tools that build the playground.
const NODE: [(&str, &str); 2] = [("node", "nodejs"), ("npm", "npm")];

/// Programs that only the tests need. Rootless podman and buildah need the four after them.
///
/// The docker command line is used where it is installed. Debian has it only together with its
/// daemon, which is large and not tested.
const CLIENTS: [(&str, &str); 11] = [
    ("curl", "curl"),
    ("chromium", "chromium"),
    ("/usr/sbin/nginx", "nginx-light"),
    ("caddy", "caddy"),
    ("podman", "podman"),
    ("buildah", "buildah"),
    ("crun", "crun"),
    ("fuse-overlayfs", "fuse-overlayfs"),
    ("newuidmap", "uidmap"),
    ("slirp4netns", "slirp4netns"),
    ("/usr/lib/podman/netavark", "netavark"),
];

/// The tools that build the gateway: one of its libraries is compiled from C.
const GATEWAY: [(&str, &str); 1] = [("cmake", "cmake")];

/// The font of the page's pictures.
const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

/// Installs the programs that the tests need, but for the clients.
pub(crate) fn for_tests(shell: &Shell) -> anyhow::Result<()> {
    wasm_target(shell)?;
    let mut packages = missing(shell, &[&PROGRAMS[..], &NODE, &CLIENTS, &GATEWAY].concat());
    if !has_postgres() {
        packages.push("postgresql");
    }
    if !shell.path_exists(FONT) {
        packages.push("fonts-dejavu-core");
    }
    if !has_venv(shell) {
        packages.push("python3-venv");
    }
    apt(shell, &packages)?;
    deny::install(shell)
}

/// Installs valgrind, which counts instructions.
pub(crate) fn counter(shell: &Shell) -> anyhow::Result<()> {
    apt(shell, &missing(shell, &[("valgrind", "valgrind")]))
}

/// Installs the tools that build the playground.
pub(crate) fn node(shell: &Shell) -> anyhow::Result<()> {
    apt(shell, &missing(shell, &NODE))
}

/// Installs the page's libraries and tools.
pub(crate) fn page(shell: &Shell) -> anyhow::Result<()> {
    node(shell)?;
    node::install(shell, &paths::web(), "the playground's libraries and tools")
}

/// Installs the tools that build the gateway.
pub(crate) fn gateway(shell: &Shell) -> anyhow::Result<()> {
    apt(shell, &missing(shell, &GATEWAY))
}

/// Installs the programs for trying out the server.
pub(crate) fn programs(shell: &Shell) -> anyhow::Result<()> {
    apt(shell, &missing(shell, &PROGRAMS))
}

/// The packages of missing programs.
fn missing<'a>(shell: &Shell, programs: &[(&str, &'a str)]) -> Vec<&'a str> {
    let missing = programs.iter().filter(|(program, _)| !has(shell, program));
    missing.map(|(_, package)| *package).collect()
}

/// Debian keeps the server's programs off the path, one folder for each version.
fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.into_iter().any(|version| version.path().join("bin/initdb").is_file())
}

fn has_venv(shell: &Shell) -> bool {
    let import = "import ensurepip, venv";
    cmd!(shell, "python3 -c {import}").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// Whether a program is on the path.
pub(crate) fn has(shell: &Shell, program: &str) -> bool {
    cmd!(shell, "which {program}").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// Installs Debian packages, as root or through a sudo that asks for no password.
fn apt(shell: &Shell, packages: &[&str]) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if !has(shell, "apt-get") {
        bail!("missing: {list} (this system has no apt-get; install what provides them)");
    }
    println!("setup: installing {list}");
    let is_root = cmd!(shell, "id -u").quiet().read()? == "0";
    let sudo: &[&str] = if is_root { &[] } else { &["sudo", "-n"] };
    let env = ["env", "DEBIAN_FRONTEND=noninteractive"];
    let update = [sudo, &env, &["apt-get", "update", "-qq"]].concat();
    let install =
        [sudo, &env, &["apt-get", "install", "-qq", "-y", "--no-install-recommends"], packages]
            .concat();
    for command in [update, install] {
        let (program, arguments) = command.split_first().context("no command")?;
        cmd!(shell, "{program} {arguments...}").ignore_stdout().run().with_context(|| {
            format!("missing: {list}; install them with `apt-get install {list}`")
        })?;
    }
    Ok(())
}
