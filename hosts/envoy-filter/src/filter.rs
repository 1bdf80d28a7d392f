//! The filter behind Envoy's boundary: what Envoy calls, and what is known between two calls.
//!
//! Envoy makes a context for each request and asks about its headers next, so of the contexts of
//! requests only the newest is known.

#![expect(unsafe_code, reason = "functions that the host finds by their names")]

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use scopegate_api::claims::AccessClaims;
use scopegate_api::generations;
use scopegate_core::admission::Credential;
use scopegate_core::headers::is_sent_on;
use scopegate_edge::target::for_log;
use scopegate_edge::{Stale, bearer};

use crate::config::{Config, Source};
use crate::decision::{Answer, Outcome, Request, decide, unavailable};
use crate::host::{self, Buffer, Level, Map, log};
use crate::revocation::Feed;
use crate::serialized_map::{Duplicate, SerializedMap};
use crate::token::{TokenError, Tokens};
use crate::{payload, signature};

/// How often the token server is asked what was revoked, and for its keys while none is known.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often it is asked for its keys, in seconds.
const KEYS_INTERVAL: u64 = 60;
/// How often it is after an answer that did not come, and when tokens name a key that is not known.
const WANTED_KEYS_EVERY: u64 = 5;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;
const AUTHORIZATION: &str = "authorization";
const JSON: &str = "application/json; charset=utf-8";

thread_local! {
    static FILTER: RefCell<Filter> = const { RefCell::new(Filter { plugins: Vec::new(), newest: None }) };
}

/// What one worker thread knows.
struct Filter {
    plugins: Vec<Plugin>,
    newest: Option<Stream>,
}

/// A request, and the plugin that it came to.
#[derive(Clone, Copy)]
struct Stream {
    context: u32,
    plugin: u32,
}

/// The filter with one configuration, and what it has fetched since.
struct Plugin {
    context: u32,
    /// The configuration as the host gave it.
    raw_config: Box<[u8]>,
    config: Config,
    feed: Feed,
    tokens: Tokens,
    /// Whether a token has named a key that is not known, or no keys came when they were asked for.
    wants_keys: bool,
    /// The calls that were not answered yet.
    keys_call: Option<u32>,
    revocations_call: Option<u32>,
    keys_asked_at: u64,
}

/// What Envoy is to do with a request.
#[repr(u32)]
enum Action {
    Continue = 0,
    /// It is answered already.
    Pause = 1,
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, plugin: u32) {
    // A context without another above it is a plugin's, which is known when it is configured.
    if plugin != 0 {
        with_filter(|filter| filter.newest = Some(Stream { context, plugin }));
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    with_filter(|filter| filter.plugins.retain(|plugin| plugin.context != context));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(context: u32, size: usize) -> bool {
    let raw_config = host::buffer(Buffer::Configuration, size).unwrap_or_default();
    with_filter(|filter| filter.configure(context, raw_config)).flatten().is_some()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(context: u32) {
    with_filter(|filter| filter.plugin(context).map(Plugin::ask));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    context: u32,
    call: u32,
    headers: usize,
    body_size: usize,
    _: usize,
) {
    // Envoy says in this way too that half an answer came; there is nothing to be asked of that.
    let body = if headers == 0 { None } else { answered(body_size) };
    with_filter(|filter| filter.plugin(context).map(|plugin| plugin.ingest(call, body.as_deref())));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _: usize, _: bool) -> Action {
    let action = with_filter(|filter| filter.asked_about(context)?.go_on()).flatten();
    action.unwrap_or_else(refuse)
}

/// `None` where the filter is borrowed already: Envoy makes no call while it runs one of the
/// filter's, and such a call gets nothing.
fn with_filter<T>(work: impl FnOnce(&mut Filter) -> T) -> Option<T> {
    FILTER.with(|filter| filter.try_borrow_mut().ok().map(|mut filter| work(&mut filter)))
}

/// The body of a call's answer, if it is one.
fn answered(size: usize) -> Option<Box<[u8]>> {
    let status = host::header(Map::CallResponseHeaders, ":status")?;
    if *status != *b"200" || size > LONGEST {
        return None;
    }
    host::buffer(Buffer::CallResponseBody, size)
}

impl Filter {
    fn plugin(&mut self, context: u32) -> Option<&mut Plugin> {
        self.plugins.iter_mut().find(|plugin| plugin.context == context)
    }

    /// The plugin that a request came to.
    fn asked_about(&mut self, context: u32) -> Option<&mut Plugin> {
        let stream = self.newest.filter(|stream| stream.context == context)?;
        self.plugin(stream.plugin)
    }

    /// Takes a configuration. The same as before changes nothing, and keeps what was fetched.
    fn configure(&mut self, context: u32, raw_config: Box<[u8]>) -> Option<()> {
        if self.plugin(context).is_some_and(|plugin| plugin.raw_config == raw_config) {
            return Some(());
        }
        self.plugins.retain(|plugin| plugin.context != context);
        let config = match Config::read(&raw_config) {
            Ok(config) => config,
            Err(reason) => return fail(&format!("configuration: {reason}")),
        };
        self.plugins.push(Plugin::begin(context, raw_config, config)?);
        Some(())
    }
}

impl Plugin {
    fn begin(context: u32, raw_config: Box<[u8]>, config: Config) -> Option<Self> {
        if host::tick_every(POLL_INTERVAL).is_none() {
            return fail("there is no clock to ask the token server by");
        }
        if config.keys.is_some() && !can_verify() {
            return fail("keys: this host verifies no signatures for its filters");
        }
        let mut plugin = Self {
            context,
            raw_config,
            config,
            feed: Feed::default(),
            tokens: Tokens::default(),
            wants_keys: false,
            keys_call: None,
            revocations_call: None,
            keys_asked_at: 0,
        };
        plugin.ask();
        Some(plugin)
    }

    /// Asks the token server for what is new, unless it has yet to answer.
    fn ask(&mut self) {
        let now = host::now();
        if let Some(source) = &self.config.keys
            && self.keys_call.is_none()
            && now.abs_diff(self.keys_asked_at) >= self.keys_every()
        {
            self.keys_asked_at = now;
            self.keys_call = call(source, &source.path, "*/*");
            self.wants_keys = self.keys_call.is_none();
        }
        if let Some(source) = &self.config.revocations
            && self.revocations_call.is_none()
        {
            let since = self.feed.revision();
            let path = format!("{}?since={since}", source.path);
            self.revocations_call = call(source, &path, generations::MEDIA_TYPE);
        }
    }

    fn keys_every(&self) -> u64 {
        match (self.tokens.has_keys(), self.wants_keys) {
            (false, _) => 0,
            (true, true) => WANTED_KEYS_EVERY,
            (true, false) => KEYS_INTERVAL,
        }
    }

    /// Takes the answer of a call; nothing where none came.
    fn ingest(&mut self, call: u32, body: Option<&[u8]>) {
        if self.keys_call == Some(call) {
            self.keys_call = None;
            if !body.is_some_and(|body| self.tokens.ingest(body)) {
                self.wants_keys = true;
                log(Level::Warn, "signing keys fetch failed");
            }
        } else if self.revocations_call == Some(call) {
            self.revocations_call = None;
            let epoch = self.feed.epoch().map(Box::from);
            if !body.is_some_and(|body| self.feed.ingest(body, host::now())) {
                log(Level::Warn, "revocation feed fetch failed");
            } else if epoch.as_deref() != self.feed.epoch() {
                // A key that leaked is replaced with a new epoch.
                self.keys_asked_at = 0;
                self.ask();
            }
        }
    }

    /// Nothing when the request cannot be read, or cannot be changed.
    fn go_on(&mut self) -> Option<Action> {
        let headers = host::request_headers()?;
        let headers = SerializedMap::read(&headers)?;
        let (method, target) = (header(&headers, ":method")?, header(&headers, ":path")?);
        let authorization = headers.once(AUTHORIZATION);
        let presented = match (&self.config.keys, authorization) {
            (Some(_), Ok(Some(authorization))) => self.presented(authorization),
            (Some(_), Ok(None)) => Ok(Credential::Absent),
            (Some(_), Err(Duplicate)) => Ok(Credential::Invalid),
            (None, authorization) => {
                Ok(verified_before(&self.config.metadata, authorization != Ok(None)))
            }
        };
        let request = Request { method, target, headers: &headers };
        let outcome = match &presented {
            Ok(presented) => {
                let credential = claims(presented);
                decide(&self.config, &self.feed, host::now(), &request, credential)
            }
            Err(_) => Outcome::Answer(unavailable()),
        };
        if self.config.log_decisions {
            log_decision(method, target, &outcome);
        }
        match outcome {
            Outcome::Forward { target, content_type } => forward(&headers, target, content_type),
            Outcome::Answer(answer) => Some(send(&answer)),
        }
    }

    /// What the header presents, verified with the issuer's keys.
    ///
    /// # Errors
    ///
    /// [`Stale::Keys`] for a token, while there is none to verify it with.
    fn presented(&mut self, authorization: &[u8]) -> Result<Presented, Stale> {
        let Some(token) = bearer::token(authorization) else { return Ok(Credential::Invalid) };
        if !self.tokens.has_keys() {
            return Err(Stale::Keys);
        }
        let verified = self.tokens.verify(token.as_bytes(), verify);
        self.wants_keys |= verified == Err(TokenError::UnknownKey);
        Ok(verified.map_or(Credential::Invalid, Credential::Valid))
    }
}

/// What a request presents: the claims of a token whose signature is good.
type Presented = Credential<Rc<AccessClaims>>;

fn claims(presented: &Presented) -> Credential<&AccessClaims> {
    match presented {
        Credential::Absent => Credential::Absent,
        Credential::Invalid => Credential::Invalid,
        Credential::Valid(claims) => Credential::Valid(claims),
    }
}

/// Says why there is no filter.
fn fail<T>(reason: &str) -> Option<T> {
    log(Level::Error, reason);
    None
}

fn call(source: &Source, path: &str, accept: &str) -> Option<u32> {
    let mut headers =
        vec![(":method", "GET"), (":path", path), (":authority", &source.host), ("accept", accept)];
    headers.extend(source.authorization.as_deref().map(|value| (AUTHORIZATION, value)));
    let call = host::call(&source.cluster, &headers, TIMEOUT);
    if call.is_none() {
        log(Level::Warn, "the token server cannot be asked");
    }
    call
}

/// Asks Envoy about a signature.
fn verify(question: &[u8]) -> Option<Box<[u8]>> {
    host::foreign(signature::FUNCTION, question)
}

fn can_verify() -> bool {
    let answers = signature::samples().map(|questions| {
        questions.map(|question| verify(&question).map(|a| signature::is_yes(&a)))
    });
    answers == Some([Some(true), Some(false)])
}

/// What `jwt_authn` verified. It takes away the header of a token that is good.
fn verified_before(metadata: &str, has_authorization: bool) -> Presented {
    let path = ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", metadata];
    let claims = host::property(&path);
    match claims.and_then(|claims| payload::claims(&claims)) {
        Some(claims) => Credential::Valid(Rc::new(claims)),
        None if has_authorization => Credential::Invalid,
        None => Credential::Absent,
    }
}

/// A header that is text.
fn header<'b>(headers: &SerializedMap<'b>, name: &str) -> Option<&'b str> {
    std::str::from_utf8(headers.get(name)?).ok()
}

/// Sends on the request that was decided about, and of its header fields those that may go on. One
/// that is changed makes Envoy look for the route again, so nothing is that need not be.
fn forward(
    headers: &SerializedMap<'_>,
    target: Cow<'_, str>,
    content_type: Option<&str>,
) -> Option<Action> {
    let mut removed: Vec<&[u8]> = Vec::new();
    for (name, value) in headers.iter() {
        let is_kept = match name {
            CONTENT_TYPE => content_type.is_some_and(|set| set.as_bytes() == value),
            _ => goes_on(name),
        };
        if !is_kept && !removed.contains(&name) {
            removed.push(name);
            host::remove_header(name)?;
        }
    }
    let has_type = headers.get("content-type").is_some() && !removed.contains(&CONTENT_TYPE);
    if let Some(content_type) = content_type.filter(|_| !has_type) {
        host::set_header("content-type", content_type)?;
    }
    if let Cow::Owned(target) = target {
        host::set_header(":path", &target)?;
    }
    Some(Action::Continue)
}

const CONTENT_TYPE: &[u8] = b"content-type";

/// Whether a header field may go on: what the engine lets through, and what is Envoy's own. With
/// `use_remote_address` it overwrites or removes what a client says of these, or adds to it.
fn goes_on(name: &[u8]) -> bool {
    const OF_ENVOY: [&[u8]; 3] = [b"x-forwarded-for", b"x-forwarded-proto", b"x-request-id"];
    name.starts_with(b":")
        || name.starts_with(b"x-envoy-")
        || OF_ENVOY.contains(&name)
        || std::str::from_utf8(name).is_ok_and(is_sent_on)
}

/// What cannot be read or decided goes nowhere.
fn refuse() -> Action {
    send(&unavailable())
}

fn send(answer: &Answer) -> Action {
    let mut headers =
        vec![("content-type", JSON), ("docker-distribution-api-version", "registry/2.0")];
    if let Some(challenge) = &answer.challenge {
        headers.push(("www-authenticate", challenge));
    }
    if host::answer(answer.status, &headers, &answer.body).is_none() {
        log(Level::Error, "an answer could not be sent");
    }
    Action::Pause
}

fn log_decision(method: &str, target: &str, outcome: &Outcome<'_>) {
    let status = match outcome {
        Outcome::Forward { .. } => 200,
        Outcome::Answer(answer) => answer.status,
    };
    let target = for_log(target);
    let target = target.escape_default();
    log(Level::Info, &format!("decision status={status} method={method} target={target}"));
}
