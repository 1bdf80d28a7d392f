//! Processes that live as long as their test.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use scopegate_server::testing::free_address;

/// How long a program may take to listen. Far longer than any of them needs, for slow machines.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A process that ends with its test. It is ended by its id, so that no other process is.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a program; what it says goes to `log`.
    #[track_caller]
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{}", missing(command, &error)));
        Self { child, log }
    }

    /// Starts a program and waits until it listens.
    #[track_caller]
    pub(crate) fn listening(command: &mut Command, port: u16, log: PathBuf) -> Self {
        let mut running = Self::start(command, log);
        running.wait_for(port);
        running
    }

    /// What the program has said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash or a loss of power would, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same while others look at it, and without waiting.
    pub(crate) fn crash(&self) {
        self.signal("KILL");
    }

    /// Asks it to end.
    pub(crate) fn ask_to_end(&self) {
        self.signal("TERM");
    }

    fn signal(&self, name: &str) {
        run(Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()));
    }

    /// Stops it, as a machine does that hangs, and waits until it has stopped.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
        let status = format!("/proc/{}/status", self.child.id());
        eventually(TIMEOUT, || {
            let status = fs::read_to_string(&status).unwrap();
            status.contains("State:\tT").then_some(()).ok_or(status)
        });
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// Waits until it has ended. Gives whether it says that all went well.
    pub(crate) fn wait(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    #[track_caller]
    fn wait_for(&mut self, port: u16) {
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before it listened: {}", self.log());
            assert!(start.elapsed() < TIMEOUT, "nobody answers: {}", self.log());
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end; panics unless it succeeds.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    attempt(command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"))
}

/// Runs a program to its end: what it printed, or, when it failed, all that it said.
#[track_caller]
pub(crate) fn attempt(command: &mut Command) -> Result<String, String> {
    let output = finish(command);
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(all(&output)) }
}

/// The same for a program that reads this text.
#[track_caller]
pub(crate) fn attempt_with(command: &mut Command, input: &str) -> Result<String, String> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{}", missing(command, &error)));
    // A program that does not read it says why.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(all(&output)) }
}

/// Runs a program to its end; all that it said, however it went.
#[track_caller]
pub(crate) fn said(command: &mut Command) -> String {
    all(&finish(command))
}

#[track_caller]
fn finish(command: &mut Command) -> Output {
    let finished = command.stdin(Stdio::null()).output();
    finished.unwrap_or_else(|error| panic!("{}", missing(command, &error)))
}

fn all(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn missing(command: &Command, error: &std::io::Error) -> String {
    format!("{}: {error}; run `cargo xtask setup`", Path::new(command.get_program()).display())
}

/// Whether a port can be had: it may be another process's, or root's alone.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port without a listener, for a program that is started next.
pub(crate) fn free_port() -> u16 {
    free_address().port()
}

/// Tries until it works.
#[track_caller]
pub(crate) fn eventually<T, E: std::fmt::Display>(
    within: Duration,
    mut attempt: impl FnMut() -> Result<T, E>,
) -> T {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(refusal) => assert!(start.elapsed() < within, "{refusal}"),
        }
        sleep(Duration::from_millis(20));
    }
}
