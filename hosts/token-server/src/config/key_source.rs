//! Where a secret key comes from: a file, a credential of systemd, or a command.
//!
//! ```yaml
//! key: {file: /etc/scopegate/secrets.key}
//! key: {credential: scopegate-secrets}      # LoadCredential= or LoadCredentialEncrypted=
//! key: {command: [vault, kv, get, -field=key, secret/scopegate]}
//! ```
//!
//! A file is a regular one, of the user that runs the server or of root, and others may neither
//! read nor write it.
//!
//! The key itself is never in the configuration, in an environment variable or on a command line,
//! where other programs could read it. A command runs without a shell; its standard error is thrown
//! away, because it may quote the secret, and only its status is in an error.
//!
//! Credentials follow systemd (<https://systemd.io/CREDENTIALS>): a file of this name in the folder
//! that `$CREDENTIALS_DIRECTORY` names.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::fs::OFlags;
use rustix::process::geteuid;
use serde::Deserialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::model::secret_key::{MAX_TEXT_LEN, SecretKey};

/// How long a command may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a command is asked whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The permission bits of a key file that are refused: writing by the group, and anything by
/// others. The group may read, because Kubernetes gives a volume to a group (`fsGroup`).
const OTHERS: u32 = 0o027;
/// The user id of root.
const ROOT: u32 = 0;

/// Where a secret key comes from.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub enum KeySource {
    /// A regular file, which others may neither read nor write.
    File(PathBuf),
    /// A credential of systemd, by its name.
    Credential(String),
    /// A program and its arguments; the key is its standard output.
    Command(Vec<String>),
}

/// The setting as it is written: exactly one of these.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    file: Option<PathBuf>,
    credential: Option<String>,
    command: Option<Vec<String>>,
}

impl KeySource {
    /// Reads the key.
    ///
    /// # Errors
    ///
    /// When the file or the credential cannot be read or is not a regular file, when the file is
    /// another user's, when others may read it, when the command fails or takes more than ten
    /// seconds, and for anything that is not a key.
    #[expect(clippy::disallowed_methods, reason = "the configuration reads the environment")]
    pub fn load(&self) -> anyhow::Result<SecretKey> {
        self.read(std::env::var_os("CREDENTIALS_DIRECTORY").as_deref())
            .with_context(|| format!("cannot use the key from {self}"))
    }

    /// Reads the key of a file, which is made when it is missing, for its owner alone.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and when the file cannot be written.
    pub fn load_or_create(path: &Path) -> anyhow::Result<SecretKey> {
        if !path.try_exists().unwrap_or(true) {
            create(path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        Self::File(path.to_owned()).load()
    }

    fn read(&self, credentials: Option<&OsStr>) -> anyhow::Result<SecretKey> {
        let bytes = match self {
            Self::File(path) => {
                let file = open(path)?;
                check_owner(&file)?;
                check_mode(&file)?;
                bounded(file)?
            }
            Self::Credential(name) => {
                let folder = credentials.context(
                    "$CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential=",
                )?;
                bounded(open(&Path::new(folder).join(name))?)?
            }
            Self::Command(words) => run(words, TIMEOUT)?,
        };
        Ok(SecretKey::read(&bytes)?)
    }
}

/// The source, without the arguments of a command.
impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Credential(name) => write!(f, "the credential `{name}`"),
            Self::Command(words) => {
                write!(f, "the command `{}`", words.first().map_or("", String::as_str))
            }
        }
    }
}

/// Leaves the arguments of a command out: one could be a password.
impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySource({self})")
    }
}

impl TryFrom<Written> for KeySource {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match (written.file, written.credential, written.command) {
            (Some(path), None, None) if !path.as_os_str().is_empty() => Ok(Self::File(path)),
            (None, Some(name), None) if is_file_name(&name) => Ok(Self::Credential(name)),
            (None, None, Some(words)) if words.first().is_some_and(|word| !word.is_empty()) => {
                Ok(Self::Command(words))
            }
            (Some(_), None, None) => Err("`file` is empty"),
            (None, Some(_), None) => Err("`credential` is not the name of one"),
            (None, None, Some(_)) => Err("`command` names no program"),
            _ => Err("a key has exactly one of `file`, `credential` and `command`"),
        }
    }
}

fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

/// Opens a regular file. Of anything else, like a pipe, the other end could keep the start waiting:
/// without the flag the opening would wait as well.
fn open(path: &Path) -> anyhow::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    ensure!(file.metadata()?.is_file(), "it is not a regular file");
    Ok(file)
}

/// Refuses a key of another user, who may read and replace it whatever its mode.
fn check_owner(file: &File) -> anyhow::Result<()> {
    let owner = file.metadata()?.uid();
    ensure!(
        is_trusted(owner, geteuid().as_raw()),
        "it is another user's (uid {owner}): run `chown` on it, for the user that runs the server or for root, and make a new key if that user is not to know this one"
    );
    Ok(())
}

/// Whether the owner of a file may know the secrets of a process with this user id.
fn is_trusted(owner: u32, own: u32) -> bool {
    owner == own || owner == ROOT
}

/// Refuses a key that others may read or replace.
fn check_mode(file: &File) -> anyhow::Result<()> {
    let mode = file.metadata()?.mode() & 0o7777;
    ensure!(
        mode & OTHERS == 0,
        "others may read or write it (mode {mode:04o}): run `chmod 0600` on it, and make a new key if anyone could have read this one"
    );
    Ok(())
}

/// The bytes of a source, of which one more than allowed is read.
fn bounded(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    // Reserved at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_TEXT_LEN + 1));
    from.take(MAX_TEXT_LEN as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_TEXT_LEN {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is too long for a key"));
    }
    Ok(bytes)
}

/// The standard output of a command that succeeds in time.
fn run(words: &[String], timeout: Duration) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let (program, arguments) = words.split_first().context("it names no program")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
    let deadline = Instant::now() + timeout;
    let mut child = command.spawn().context("it does not start")?;
    let output = output(&mut child, deadline);
    if output.is_err() {
        stop(&mut child);
    }
    let output = output?;
    let status = end(&mut child, deadline)?;
    ensure!(status.success(), "it failed: {status}");
    Ok(output)
}

/// Read by a thread: a child of the command may keep the output open after the command has ended.
fn output(child: &mut Child, deadline: Instant) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let stdout = child.stdout.take().context("it has no output")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(bounded(stdout)));
    let left = deadline.saturating_duration_since(Instant::now());
    match receiver.recv_timeout(left) {
        Ok(output) => Ok(output?),
        Err(_) => bail!("it has not ended in time"),
    }
}

fn end(child: &mut Child, deadline: Instant) -> anyhow::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            stop(child);
            bail!("it has not ended in time");
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn stop(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// Makes a key file whole or not at all. When another process is quicker, its file stays.
fn create(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().context("it has no folder")?;
    let partial = path.with_extension(format!("{}.partial", Uuid::new_v4().simple()));
    let key = SecretKey::generate()?;
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&partial)?;
    file.write_all(key.to_text().as_bytes())?;
    file.sync_all()?;
    // Unlike a rename, a link replaces nothing.
    let linked = fs::hard_link(&partial, path);
    fs::remove_file(&partial)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(File::open(folder)?.sync_all()?),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const KEY: &str = "9b4uLx1l0O3mbW3Vd5b5Zb1B5Yg0yZqkO8V0mC2V1nE=";

    fn written(text: &str) -> Result<KeySource, String> {
        serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())
    }

    #[test]
    fn a_key_has_one_source() {
        for (text, expected) in [
            ("{file: /k}", "KeySource(the file /k)"),
            ("{credential: name}", "KeySource(the credential `name`)"),
            ("{command: [get, --password, hunter2]}", "KeySource(the command `get`)"),
        ] {
            assert_eq!(format!("{:?}", written(text).unwrap()), expected);
        }
        for (text, says) in [
            ("{}", "exactly one of"),
            ("{file: a, credential: b}", "exactly one of"),
            ("{file: ''}", "`file` is empty"),
            ("{credential: ../b}", "`credential` is not the name"),
            ("{credential: ..}", "`credential` is not the name"),
            ("{command: []}", "`command` names no program"),
            ("{key: a}", "unknown field"),
            ("hunter2", "expected mapping"),
        ] {
            let error = written(text).unwrap_err();
            assert!(error.contains(says) && !error.contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn a_key_file_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        fs::write(&path, KEY).unwrap();
        for (mode, is_taken) in [
            (0o400, true),
            (0o600, true),
            (0o440, true),
            (0o640, true),
            (0o644, false),
            (0o604, false),
            (0o620, false),
            (0o602, false),
            (0o666, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let loaded = KeySource::File(path.clone()).load();
            assert_eq!(loaded.is_ok(), is_taken, "{mode:o}");
            let error = loaded.err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(is_taken || error.contains(&format!("(mode {mode:04o})")), "{error}");
        }
    }

    #[test]
    fn a_key_file_is_the_servers_or_roots() {
        for (owner, own, expected) in
            [(7, 7, true), (0, 7, true), (0, 0, true), (8, 7, false), (7, 0, false)]
        {
            assert_eq!(is_trusted(owner, own), expected, "{owner} {own}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        fs::write(&path, KEY).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(KeySource::File(path.clone()).load().is_ok());
        // Only root may give a file away.
        if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
            refused(&KeySource::File(path), "it is another user's (uid 12345)");
        }
    }

    /// A pipe without a writer is not waited for.
    #[test]
    fn a_key_file_is_a_regular_one() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, file) = (folder.path().join("pipe"), folder.path().join("k"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        fs::write(&file, KEY).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        for (name, target) in [("to-pipe", &pipe), ("to-file", &file)] {
            std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        }
        for (name, is_taken) in
            [("pipe", false), ("to-pipe", false), ("k", true), ("to-file", true)]
        {
            let path = folder.path().join(name);
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                let credential = KeySource::Credential(name.into());
                let folder = path.parent().unwrap().as_os_str().to_owned();
                let sources = [KeySource::File(path), credential];
                sender.send(sources.map(|source| source.read(Some(&folder)).is_ok()))
            });
            assert_eq!(receiver.recv_timeout(TIMEOUT), Ok([is_taken; 2]), "{name}");
        }
        refused(&KeySource::File(folder.path().to_owned()), "it is not a regular file");
        refused(&KeySource::File("/dev/zero".into()), "it is not a regular file");
    }

    #[track_caller]
    fn refused(source: &KeySource, says: &str) {
        let error = format!("{:#}", source.read(None).unwrap_err());
        assert!(error.contains(says) && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_is_refused_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        fs::write(&path, "hunter2").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        refused(&KeySource::File(path.clone()), "make one with `openssl rand -base64 32`");
        fs::write(&path, "hunter2".repeat(1000)).unwrap();
        refused(&KeySource::File(path), "too long for a key");
        refused(&KeySource::File(folder.path().join("missing")), "No such file");
        refused(&KeySource::Credential("k".into()), "$CREDENTIALS_DIRECTORY is not set");
    }

    #[test]
    fn a_credential_is_in_the_folder_of_systemd() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("k"), KEY).unwrap();
        let read = |name: &str| {
            KeySource::Credential(name.into()).read(Some(folder.path().as_os_str())).is_ok()
        };
        assert_eq!((read("k"), read("other")), (true, false));
    }

    fn command(words: &[&str]) -> KeySource {
        KeySource::Command(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn the_output_of_a_command_is_the_key() {
        assert!(command(&["printf", "%s\n", KEY]).load().is_ok());
        // No shell reads the words.
        refused(&command(&[&format!("echo {KEY}")]), "it does not start");
        refused(&command(&["sh", "-c", "echo hunter2 >&2; exit 3"]), "exit status: 3");
        refused(&command(&["sh", "-c", &format!("echo {KEY}; exit 1")]), "exit status: 1");
        refused(&command(&["echo", "hunter2"]), "not a key of 32 bytes");
        refused(&command(&["head", "-c", "1000000", "/dev/zero"]), "too long for a key");
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let begun = Instant::now();
        for script in ["exec sleep 600", "exec sleep 600 >&-", "sleep 2"] {
            let words = ["sh", "-c", script].map(str::to_owned);
            let error = run(&words, Duration::from_millis(200)).unwrap_err();
            assert_eq!(error.to_string(), "it has not ended in time");
        }
        assert!(begun.elapsed() < TIMEOUT);
    }

    #[test]
    fn a_missing_file_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.key");
        let made: Vec<_> = thread::scope(|scope| {
            let start = || scope.spawn(|| KeySource::load_or_create(&path).unwrap().id());
            let all: Vec<_> = (0..8).map(|_| start()).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }
}
