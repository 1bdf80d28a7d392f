//! `backup` and `restore`, and `docs/restore.md` as a person types it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Data, texts};
use crate::support::{NULL_GUID, basic};
use scopegate_server::testing::free_address;

/// The commands of a section of `docs/restore.md`, each block as one script.
fn blocks(section: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/restore.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find(|part| part.starts_with(section)).unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// A folder in which a person works, and the address of its server.
struct Machine {
    data: Data,
    address: String,
}

impl Machine {
    fn new() -> Self {
        let data = Data::new();
        let address = free_address().to_string();
        data.write("scopegate.yaml", &format!("data: scopegate-data\nlisten: {address}\n"));
        Self { data, address }
    }

    /// Types a block; the program is the one of this build, and the address that of this machine.
    fn command(&self, block: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_scopegate-server")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let block = block.replace("https://localhost:5000", &format!("http://{}", self.address));
        let mut command = Command::new("bash");
        command.arg("-euc").arg(block).env("PATH", path).current_dir(self.data.path("."));
        command.stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn types(&self, block: &str, secret: &str) -> String {
        let output = self.command(block).env("SECRET", secret).output().unwrap();
        let (out, error) = texts(&output);
        assert!(output.status.success(), "{block}: {out}{error}");
        out
    }

    fn take_from(&self, other: &Self, file: &str, name: &str) {
        std::fs::copy(other.data.path(file), self.data.path(name)).unwrap();
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"))
}

/// A person with the backup, the keys and the document restores a server on another machine, proves
/// that the trail is whole, and finds who opened anonymous pull.
#[test]
fn the_document_leads_from_a_backup_to_who_opened_anonymous_pull() {
    let (first, second) = (Machine::new(), Machine::new());
    let secret = json(&first.types("scopegate-server administrator --config scopegate.yaml", ""));
    let secret = secret["secret"].as_str().unwrap();
    let opens = format!(
        "curl -fsS -X PATCH -H 'content-type: application/json' -u \"administrator:$SECRET\" -d '{{\"properties\": {{\"anonymousPullEnabled\": true}}}}' http://{}/registries/registry",
        first.address
    );
    with_server(&first, || {
        first.types(&opens, secret);
        for block in blocks("Make a backup") {
            first.types(&block, "");
        }
    });
    for (file, name) in [
        ("backup.db", "backup.db"),
        ("scopegate-data/secrets.key", "secrets.key"),
        ("scopegate-data/audit.key", "audit.key"),
    ] {
        second.take_from(&first, file, name);
    }
    let section = blocks("Restore on another machine");
    let [restore, verify, start, who] = &section[..] else { panic!("{section:?}") };
    let restored = second.types(restore, "");
    assert!(restored.contains("the log has them, under the target `audit`"), "{restored}");
    assert_eq!(json(&second.types(verify, ""))["isWhole"], true);
    let (administrator, serve) = start.split_once('\n').unwrap();
    assert_eq!(serve.trim(), "scopegate-server serve --config scopegate.yaml");
    let secret = json(&second.types(administrator, ""));
    with_server(&second, || {
        let trail = json(&second.types(who, secret["secret"].as_str().unwrap()));
        let rows = trail["value"].as_array().unwrap();
        let opened = rows.iter().find(|row| row["after"]["anonymousPull"] == true).unwrap();
        assert_eq!(opened["actor"]["name"], "administrator");
        assert_eq!(opened["actor"]["address"], "127.0.0.1");
        assert_eq!(opened["before"]["anonymousPull"], false);
    });
}

/// Does something while the server of a machine runs as the document starts it.
fn with_server(machine: &Machine, act: impl FnOnce()) {
    let mut serve = machine.command("exec scopegate-server serve --config scopegate.yaml");
    let mut process = serve.stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let probe = format!("curl -fs http://{}/readyz", machine.address);
    while !machine.command(&probe).stdout(Stdio::null()).status().unwrap().success() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the server does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
    process.kill().unwrap();
    process.wait().unwrap();
    acted.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
}

/// A running server follows a restore in place: older tokens end, and what the document says about
/// the rest is printed.
#[test]
fn a_running_server_follows_a_restore_in_place() {
    let data = Data::new();
    let server = data.serve(&[]);
    let file = data.path("backup.db").display().to_string();
    data.stdout(&["backup"], &[&file]);
    let token = server.token();
    let null_guid = basic(NULL_GUID, &token);
    let exchange = || server.get("/oauth2/token?scope=repository:app:pull", &null_guid).0;
    assert_eq!(exchange(), 200);
    let refused = data.refused(&["restore"], &[&file]);
    assert!(refused.contains("add `--replace`"), "{refused}");
    let [block] = &blocks("Put an older state back in place")[..] else { panic!() };
    assert!(block.contains("restore --config scopegate.yaml --replace backup.db"), "{block}");
    data.stdout(&["administrator"], &[]);
    let restored = json(&data.stdout(&["restore"], &["--replace", &file]));
    assert_eq!(restored["lost"][0]["object"]["name"], "administrator", "{restored}");
    let begun = Instant::now();
    while exchange() != 401 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the token of before is still good");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(
        server.get("/oauth2/token?scope=repository:app:pull", &basic("Reader", "secret-one")).0,
        200
    );
}

#[test]
fn a_backup_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = Data::new();
    let file = data.path("backup.db");
    let printed = json(&data.stdout(&["backup"], &[file.to_str().unwrap()]));
    assert!(printed["head"].as_str().unwrap().contains(':'), "{printed}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let error = data.refused(&["backup"], &[file.to_str().unwrap()]);
    assert!(error.contains("exists already"), "{error}");
}

/// A restore that was killed leaves a copy of the backup, with the keys in it.
#[test]
fn the_copy_of_an_interrupted_restore_is_removed() {
    let data = Data::new();
    let file = data.path("backup.db").display().to_string();
    data.stdout(&["backup"], &[&file]);
    let left = data.write("data/.restore-left", "half a backup");
    let in_use = data.write("data/.restore-in-use", "of another process");
    let lock = std::fs::File::open(&in_use).unwrap();
    lock.try_lock().unwrap();
    data.stdout(&["restore"], &["--replace", &file]);
    assert_eq!((left.exists(), in_use.exists()), (false, true));
    data.write("data/.restore-left", "half a backup");
    drop(lock);
    drop(data.serve(&[]));
    assert_eq!((left.exists(), in_use.exists()), (false, false));
}

/// Whenever it is stopped, there is a whole backup or none.
#[test]
fn a_stopped_backup_leaves_nothing() {
    let data = Data::new();
    let maps = |index| format!("{{name: map-{index}, actions: [repositories/a/content/read]}}");
    let maps: Vec<_> = (0..2000).map(maps).collect();
    let seed = data.write("many.yaml", &format!("scopeMaps: [{}]", maps.join(", ")));
    data.stdout(&["apply"], &[seed.to_str().unwrap()]);
    let mut stopped = 0;
    for round in 0..8 {
        let folder = data.path(&format!("backups {round}"));
        std::fs::create_dir(&folder).unwrap();
        let mut backup = data.command(&["backup"]);
        let mut process =
            backup.arg(folder.join("backup.db")).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(60 + 25 * round));
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&process),
            rustix::process::Signal::TERM,
        )
        .ok();
        let is_whole = process.wait().unwrap().success();
        stopped += u32::from(!is_whole);
        let left: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        let expected: &[&str] = if is_whole { &["backup.db"] } else { &[] };
        assert_eq!(left, expected, "round {round}");
    }
    assert!(stopped > 0, "no backup was stopped");
}
