//! The cases in Chromium: a page of our own that loads the engine's module, is sent the cases, and
//! sends back the digest.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use scopegate_runtime::ENGINE_WASM;
use scopegate_tests::sameness::{CASES, groups};

/// How long the browser may take.
const TIMEOUT: Duration = Duration::from_secs(300);

const PAGE: &str = r#"<!doctype html><title>cases</title><script type="module">
import { answers } from "/cases.mjs";
import { Engine } from "/engine.mjs";

const job = await (await fetch("/job")).json();
const engine = new Engine(await WebAssembly.compileStreaming(fetch("/engine.wasm")), job.codes);
const hash = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const [digests, encoder] = [[], new TextEncoder()];
let [count, rest] = [0, ""];
const lines = (await fetch("/groups")).body.pipeThrough(new TextDecoderStream());
for await (const chunk of lines) {
  const whole = (rest + chunk).split("\n");
  rest = whole.pop();
  for (const line of whole) {
    const group = JSON.parse(line);
    digests.push(...(await hash(encoder.encode(answers(engine, group, job)))));
    count += group.cases.length;
  }
}
const hex = [...(await hash(Uint8Array.from(digests)))].map((byte) => byte.toString(16).padStart(2, "0"));
await fetch("/digest", { method: "POST", body: `${count} ${hex.join("")}` });
</script>"#;

/// What the page sends back, when it has answered all cases.
pub(crate) fn digest(job: String) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answered = serve(listener, job);
    let folder = tempfile::tempdir().unwrap();
    let _browser = Browser::open(&url, folder.path());
    answered.recv_timeout(TIMEOUT).unwrap_or_else(|_| {
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        panic!("the page sent nothing back: {log}")
    })
}

/// A browser that ends with its test.
struct Browser(Child);

impl Browser {
    fn open(url: &str, folder: &Path) -> Self {
        let log = File::create(folder.join("log")).unwrap();
        let browser = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args(["--enable-logging=stderr", "--v=0", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .arg(url)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("chromium is not installed: run `cargo xtask setup`");
        Self(browser)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves the page and the cases until the test ends; gives what is sent back.
fn serve(listener: TcpListener, job: String) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (sender, job) = (sender.clone(), job.clone());
            // A browser that is ended hangs up, which is no matter.
            std::thread::spawn(move || answer(&stream, &job, &sender));
        }
    });
    receiver
}

fn answer(stream: &TcpStream, job: &str, sender: &Sender<String>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let length = content_length(&mut reader)?;
    let target = request.split(' ').nth(1).unwrap_or_default();
    let mut writer = BufWriter::new(stream);
    match target {
        "/" => send(&mut writer, "text/html", PAGE.as_bytes()),
        "/job" => send(&mut writer, "application/json", job.as_bytes()),
        "/engine.wasm" => send(&mut writer, "application/wasm", ENGINE_WASM),
        "/engine.mjs" => send(&mut writer, "text/javascript", include_bytes!("../node/engine.mjs")),
        "/cases.mjs" => send(&mut writer, "text/javascript", include_bytes!("../node/cases.mjs")),
        "/groups" => send_groups(&mut writer),
        "/digest" => {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let _ = sender.send(String::from_utf8_lossy(&body).into_owned());
            send(&mut writer, "text/plain", b"")
        }
        _ => write!(writer, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"),
    }
}

/// Reads to the end of the headers.
fn content_length(reader: &mut impl std::io::BufRead) -> std::io::Result<usize> {
    let mut length = 0;
    for line in reader.lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    Ok(length)
}

fn send(writer: &mut impl Write, content_type: &str, body: &[u8]) -> std::io::Result<()> {
    head(writer, content_type)?;
    writer.write_all(body)
}

/// Cases go out as they are made, so that no process holds a million of them. The end of the
/// connection is theirs.
fn send_groups(writer: &mut impl Write) -> std::io::Result<()> {
    head(writer, "application/x-ndjson")?;
    for group in groups(CASES) {
        serde_json::to_writer(&mut *writer, &group)?;
        writer.write_all(b"\n")?;
    }
    writer.flush()
}

fn head(writer: &mut impl Write, content_type: &str) -> std::io::Result<()> {
    write!(writer, "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n")
}
