//! Requests to other servers: bounded in time and in size, without redirects.
//!
//! Two seconds to connect, five for all of it, as many bytes of answer as the caller says, no
//! redirect, no `Referer`, no compression. Of long answers a client holds only a few at one time;
//! another one waits, within the same five seconds. Errors are for the log, and quote neither the
//! address, which the caller names, nor the request nor the answer.
//!
//! Left out: which addresses may be asked, and what an answer means.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Response};
pub use reqwest::{Method, RequestBuilder, StatusCode, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use url::{Host, Url};

/// The timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection is kept for the next request. Servers close idle ones, node after five
/// seconds, and a form that meets the close is lost: a code in it is good once.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// The timeout of a request, with its whole answer.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// A bound for answers that are one document: a key set, a token.
pub const MAX_DOCUMENT: usize = 256 * 1024;

/// An answer with more bytes is long.
const LONG: usize = 1024 * 1024;
/// How many long answers a client holds at one time.
const LONG_AT_ONCE: usize = 4;

/// What a client is made with.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The program and its version.
    pub user_agent: &'a str,
    /// The authorities whose certificates are trusted.
    pub authorities: Authorities<'a>,
    /// The longest answer, in bytes.
    pub max_body: usize,
}

/// The authorities whose certificates are trusted. A file is PEM.
#[derive(Clone, Copy, Debug)]
pub enum Authorities<'a> {
    /// Those of the system.
    System,
    /// Those of the system, and those of a file.
    SystemAnd(&'a Path),
    /// Those of a file alone.
    Only(&'a Path),
}

/// A client for one server. Its clones share its permits for long answers.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    max_body: usize,
    permits: Arc<Semaphore>,
}

/// An answer with its whole body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: header::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// What a long answer holds, for as long as its body is used.
    pub permit: Option<Permit>,
}

/// A permit for a long answer, until this is dropped.
#[derive(Debug)]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl Client {
    /// A client for the server at `url`.
    ///
    /// # Errors
    ///
    /// When the file of the authorities is not readable or holds no certificate.
    pub fn new(url: &Url, options: Options<'_>) -> anyhow::Result<Self> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(Policy::none())
            .referer(false)
            .user_agent(options.user_agent);
        if is_loopback(url) {
            // Loopback addresses are reached without a proxy.
            builder = builder.no_proxy();
        }
        builder = match options.authorities {
            Authorities::System => builder,
            Authorities::SystemAnd(path) => builder.tls_certs_merge(read_certificates(path)?),
            Authorities::Only(path) => builder.tls_certs_only(read_certificates(path)?),
        };
        let http = builder.build().context("cannot prepare TLS")?;
        let permits = Arc::new(Semaphore::new(LONG_AT_ONCE));
        Ok(Self { http, max_body: options.max_body, permits })
    }

    /// A GET request, to be [sent](Self::send) with this client.
    pub fn get(&self, url: &Url) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A POST request, to be [sent](Self::send) with this client.
    pub fn post(&self, url: &Url) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A request with another method, to be [sent](Self::send) with this client.
    pub fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.http.request(method, url.clone())
    }

    /// Sends a request, and reads the whole answer, whatever its status.
    ///
    /// # Errors
    ///
    /// When there is no answer in time, or it breaks off or is too long.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, String> {
        let answer = self.send_within(request).await?;
        answer.ok_or_else(|| format!("the answer is longer than {} bytes", self.max_body))
    }

    /// The same; nothing when the answer is too long.
    ///
    /// # Errors
    ///
    /// When there is no answer in time, or it breaks off.
    pub async fn send_within(&self, request: RequestBuilder) -> Result<Option<Answer>, String> {
        let mut response = request.send().await.map_err(in_one_line)?;
        let Some((body, permit)) = self.read(&mut response).await? else { return Ok(None) };
        let headers = std::mem::take(response.headers_mut());
        Ok(Some(Answer { status: response.status(), headers, body, permit }))
    }

    async fn read(
        &self,
        response: &mut Response,
    ) -> Result<Option<(Vec<u8>, Option<Permit>)>, String> {
        let (mut body, mut permit) = (Vec::new(), None);
        while let Some(chunk) = response.chunk().await.map_err(in_one_line)? {
            let length = body.len().saturating_add(chunk.len());
            if length > self.max_body {
                return Ok(None);
            }
            if length > LONG && permit.is_none() {
                let taken = timeout(TIMEOUT, Arc::clone(&self.permits).acquire_owned()).await;
                let taken = taken.ok().and_then(Result::ok);
                permit = Some(Permit { _permit: taken.ok_or("there are too many long answers")? });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some((body, permit)))
    }
}

/// Whether an address is on this machine.
///
/// ```
/// use scopegate_host::client::is_loopback;
///
/// assert!(is_loopback(&"http://localhost:5001/".parse().unwrap()));
/// assert!(!is_loopback(&"http://localhost.example/".parse().unwrap()));
/// ```
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn read_certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let pem = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let certificates = Certificate::from_pem_bundle(&pem)
        .with_context(|| format!("{} is not a PEM file", path.display()))?;
    anyhow::ensure!(
        !certificates.is_empty(),
        "{} holds no certificate: write the authority's certificate into it, in PEM",
        path.display()
    );
    Ok(certificates)
}

/// An error and its causes. The address is left out, because the caller names it.
fn in_one_line(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use super::*;

    const MAX: usize = 100;

    fn client(url: &Url, authorities: Authorities<'_>) -> anyhow::Result<Client> {
        crate::tls::install_provider();
        Client::new(url, Options { user_agent: "test/1", authorities, max_body: MAX })
    }

    /// What a client makes of an answer, written with `|` for CR LF. It asks at `/secret`.
    async fn asked(answer: &str) -> Result<Answer, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/secret", listener.local_addr().unwrap()).parse().unwrap();
        let answer = answer.replace('|', "\r\n");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            assert!(lines.take_while(|line| !line.is_empty()).count() > 1);
            // The client may hang up in the middle of an answer that is too long.
            let _ = stream.write_all(answer.as_bytes());
        });
        let client = client(&url, Authorities::System).unwrap();
        let answer = client.send(client.get(&url)).await;
        server.join().unwrap();
        answer
    }

    #[tokio::test]
    async fn answers() {
        let fits = "x".repeat(MAX);
        for (answer, status, body) in [
            ("HTTP/1.1 200 OK|Content-Length: 2||hi", 200, "hi"),
            ("HTTP/1.1 404 Not Found|Content-Length: 2||no", 404, "no"),
            (&format!("HTTP/1.1 200 OK|Content-Length: {MAX}||{fits}"), 200, &fits),
            ("HTTP/1.1 302 Found|Location: /other|Content-Length: 0||", 302, ""),
        ] {
            let read = asked(answer).await.unwrap();
            assert_eq!((read.status.as_u16(), read.body.as_slice()), (status, body.as_bytes()));
            assert_eq!(read.headers.contains_key(header::LOCATION), status == 302);
        }
    }

    #[tokio::test]
    async fn answers_that_are_not_taken() {
        let long = "x".repeat(MAX + 1);
        for (answer, expected) in [
            (&*format!("HTTP/1.1 200 OK|Content-Length: {}||{long}", MAX + 1), "longer than 100"),
            (&*format!("HTTP/1.1 500 No|Connection: close||{long}"), "longer than 100"),
            ("HTTP/1.1 200 OK|Content-Length: 9||secret", "end of file"),
            ("secret", "error"),
            ("", "error"),
        ] {
            let error = asked(answer).await.unwrap_err();
            assert!(error.contains(expected) && !error.contains("secret"), "{answer}: {error}");
        }
    }

    #[test]
    fn authorities_that_are_none() {
        let url = "https://registry.example".parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let [empty, broken, absent] =
            ["empty", "broken", "absent"].map(|it| folder.path().join(it));
        fs::write(&empty, "no certificate\n").unwrap();
        fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
        for (path, expected) in [
            (&empty, "empty holds no certificate: write"),
            (&broken, "broken is not a PEM file"),
            (&absent, "absent: No such file"),
        ] {
            for authorities in [Authorities::SystemAnd(path), Authorities::Only(path)] {
                let error = format!("{:#}", client(&url, authorities).unwrap_err());
                assert!(error.contains(expected), "{error}");
            }
        }
    }

    #[test]
    fn what_is_on_this_machine() {
        for (url, loopback) in [
            ("http://127.0.0.1:7000", true),
            ("http://127.1.2.3", true),
            ("http://127.1", true),
            ("http://[::1]:7000/", true),
            ("http://localhost", true),
            ("http://LOCALHOST", true),
            ("http://localhost.example", false),
            ("http://127.0.0.1.example", false),
            ("http://10.0.0.1", false),
            ("http://[::2]", false),
            ("http://169.254.169.254", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), loopback, "{url}");
        }
    }
}
