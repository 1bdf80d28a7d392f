//! A PostgreSQL cluster that is thrown away with its test.
//!
//! The server refuses to run as root, so root runs it as `postgres`, the user that Debian's package
//! makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::process::{free_port, run};

/// One cluster, listening on loopback and trusting every client.
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    #[track_caller]
    pub(crate) fn start() -> Self {
        // A socket's path has to be short, so the folder is not below the target folder.
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        let cluster = Self { folder, programs: programs(), port: free_port() };
        if is_root() {
            run(Command::new("chown").arg("postgres:postgres").arg(cluster.folder.path()));
        }
        let initdb =
            ["-A", "trust", "-U", "scopegate", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"];
        run(cluster.program("initdb").arg("-D").arg(cluster.data()).args(initdb));
        cluster.resume();
        cluster
    }

    /// What a server is told with `--database-url`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://scopegate@127.0.0.1:{}/postgres", self.port)
    }

    /// What a statement gives: its only value, as text.
    #[allow(dead_code, reason = "the store's tests share this file, and ask in other ways")]
    #[track_caller]
    pub(crate) fn ask(&self, statement: &str) -> String {
        run(Command::new("psql").arg(self.url()).args(["-XAtc", statement])).trim().to_owned()
    }

    /// Stops the cluster at once, with its clients in the middle of what they do.
    #[track_caller]
    pub(crate) fn stop(&self) {
        run(self.program("pg_ctl").arg("-D").arg(self.data()).args([
            "-m",
            "immediate",
            "-w",
            "stop",
        ]));
    }

    /// Starts the cluster again, on the same port and the same data.
    #[track_caller]
    pub(crate) fn resume(&self) {
        let folder = self.folder.path().display();
        // A restart is the worst that happens to it here, not a loss of power.
        let options = format!(
            "-c listen_addresses=127.0.0.1 -p {} -k {folder} -c fsync=off -c max_connections=40",
            self.port
        );
        let mut start = self.program("pg_ctl");
        start.arg("-D").arg(self.data()).arg("-l").arg(self.folder.path().join("log"));
        run(start.args(["-w", "-t", "30", "-o", &options, "start"]));
    }

    /// Ends the cluster when this process ends, however that happens: for a cluster that all tests
    /// of a program share, which no test drops. The caller keeps the process that it gets, which
    /// waits for that.
    #[allow(dead_code, reason = "it is the store's tests that share this file and a cluster")]
    #[track_caller]
    pub(crate) fn end_with_this_process(&self) -> Child {
        let stop = self.program("pg_ctl");
        // It reads until the other end is closed, which is when this process is gone.
        let script = r#"trap "" INT; cat; "$@" -m immediate stop; rm -rf "$0""#;
        Command::new("sh")
            .args(["-c", script])
            .arg(self.folder.path())
            .arg(stop.get_program())
            .args(stop.get_args())
            .arg("-D")
            .arg(self.data())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may be stopped already.
        let mut stop = self.program("pg_ctl");
        let _ = stop.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).output();
    }
}

/// Debian keeps the server's programs off the path, one folder for each version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let newest = folders.filter(|folder| folder.join("initdb").is_file()).max();
    newest.expect("PostgreSQL is not installed: run `cargo xtask setup`")
}

/// `/proc/self` belongs to the user of this process.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(Path::new("/proc/self")).is_ok_and(|folder| folder.uid() == 0)
}
