//! The filter behind Envoy's boundary.
//!
//! The calls of the host are used as they are, without the traits around them, because those end the module where the host refuses.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MapType};

use crate::config::{Config, Source};
use crate::decision::{Answer, Came, Outcome, Request, decide, unavailable};
use crate::pairs::{Pairs, Twice};
use crate::revocation::Feed;
use crate::token::{NoGood, Tokens, bearer};
use crate::{headers, payload, signature};

/// How often the token server is asked what was revoked, and for its keys while none is known.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often it is asked for its keys, in seconds.
const KEYS_EVERY: u64 = 60;
/// How often it is after an answer that did not come, and when tokens name a key that is not known.
const WANTED_KEYS_EVERY: u64 = 5;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;
const AUTHORIZATION: &str = "authorization";
const JSON: &str = "application/json; charset=utf-8";

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}}

/// What one worker thread knows.
#[derive(Default)]
struct Root {
    config: Option<Rc<Config>>,
    known: Rc<Known>,
    /// The calls that were not answered yet.
    keys_call: Option<u32>,
    revocations_call: Option<u32>,
    keys_asked_at: u64,
}

/// What requests are decided by.
#[derive(Default)]
struct Known {
    feed: RefCell<Feed>,
    tokens: RefCell<Tokens>,
    /// Whether a token has named a key that is not known, or no keys came when they were asked for.
    wants_keys: Cell<bool>,
}

impl Context for Root {
    fn on_http_call_response(&mut self, call: u32, headers: usize, body_size: usize, _: usize) {
        // Envoy says in this way too that half an answer came; there is nothing to be asked of that.
        let body = if headers == 0 { None } else { answered(body_size) };
        if self.keys_call == Some(call) {
            self.keys_call = None;
            if !body.is_some_and(|body| self.known.tokens.borrow_mut().hear(&body)) {
                self.known.wants_keys.set(true);
                log(LogLevel::Warn, "no keys are heard");
            }
        } else if self.revocations_call == Some(call) {
            self.revocations_call = None;
            if !body.is_some_and(|body| self.known.feed.borrow_mut().hear(&body, now())) {
                log(LogLevel::Warn, "no revocations are heard");
            }
        }
    }
}

/// The body of a call's answer, if it is one.
fn answered(size: usize) -> Option<Vec<u8>> {
    let status = hostcalls::get_map_value(MapType::HttpCallResponseHeaders, ":status").ok()??;
    if status != "200" || size > LONGEST {
        return None;
    }
    hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size).ok()?
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
        match Config::read(&text.ok().flatten().unwrap_or_default()) {
            Ok(config) => self.begin(config),
            Err(reason) => fail(&format!("configuration: {reason}")),
        }
    }

    fn on_tick(&mut self) {
        self.ask();
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { config: self.config.clone(), known: Rc::clone(&self.known) }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Root {
    fn begin(&mut self, config: Config) -> bool {
        if hostcalls::set_tick_period(ASK_EVERY).is_err() {
            return fail("there is no clock to ask the token server by");
        }
        if config.keys.is_some() && !can_verify() {
            return fail("keys: this host verifies no signatures for its filters");
        }
        self.config = Some(Rc::new(config));
        self.ask();
        true
    }

    /// Asks the token server for what is new, unless it has yet to answer.
    fn ask(&mut self) {
        let Some(config) = self.config.clone() else { return };
        if let Some(source) = &config.keys
            && self.keys_call.is_none()
            && now().abs_diff(self.keys_asked_at) >= self.keys_every()
        {
            self.keys_asked_at = now();
            self.keys_call = call(source, &source.path);
            self.known.wants_keys.set(self.keys_call.is_none());
        }
        if let Some(source) = &config.revocations
            && self.revocations_call.is_none()
        {
            let since = self.known.feed.borrow().revision();
            self.revocations_call = call(source, &format!("{}?since={since}", source.path));
        }
    }

    fn keys_every(&self) -> u64 {
        match (self.known.tokens.borrow().has_keys(), self.known.wants_keys.get()) {
            (false, _) => 0,
            (true, true) => WANTED_KEYS_EVERY,
            (true, false) => KEYS_EVERY,
        }
    }
}

/// Says why there is no filter.
fn fail(reason: &str) -> bool {
    log(LogLevel::Error, reason);
    false
}

fn call(source: &Source, path: &str) -> Option<u32> {
    let mut headers = vec![(":method", "GET"), (":path", path), (":authority", &source.host)];
    headers.extend(source.authorization.as_deref().map(|value| (AUTHORIZATION, value)));
    let call = hostcalls::dispatch_http_call(&source.cluster, headers, None, vec![], TIMEOUT).ok();
    if call.is_none() {
        log(LogLevel::Warn, "the token server cannot be asked");
    }
    call
}

/// Asks Envoy about a signature.
fn verify(question: &[u8]) -> Option<Vec<u8>> {
    hostcalls::call_foreign_function(signature::FUNCTION, Some(question)).ok()?
}

fn can_verify() -> bool {
    let answers = signature::samples().map(|questions| {
        questions.map(|question| verify(&question).map(|a| signature::is_yes(&a)))
    });
    answers == Some([Some(true), Some(false)])
}

/// One request.
struct Stream {
    config: Option<Rc<Config>>,
    known: Rc<Known>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        match self.go_on() {
            Some(action) => action,
            None => refuse(),
        }
    }
}

impl Stream {
    /// Nothing when the request cannot be read, or cannot be changed.
    fn go_on(&self) -> Option<Action> {
        let config = self.config.as_ref()?;
        let headers = headers::of_request()?;
        let headers = Pairs::read(&headers)?;
        let (method, target) = (header(&headers, ":method")?, header(&headers, ":path")?);
        let authorization = headers.once(AUTHORIZATION);
        let came = match (&config.keys, authorization) {
            (Some(_), Ok(Some(authorization))) => self.came(authorization),
            (Some(_), Ok(None)) => Came::Nothing,
            (Some(_), Err(Twice)) => Came::NoGood,
            (None, authorization) => came_by_way_of(&config.metadata, authorization != Ok(None)),
        };
        let request = Request { method, target, came };
        let outcome = decide(config, &self.known.feed.borrow(), now(), request);
        if config.log_decisions {
            log_decision(method, target, &outcome);
        }
        match outcome {
            Outcome::Forward(canonical) => forward(canonical),
            Outcome::Answer(answer) => {
                send(&answer);
                Some(Action::Pause)
            }
        }
    }

    /// What came in the header, verified with the issuer's keys.
    fn came(&self, authorization: &[u8]) -> Came {
        let Some(token) = bearer(authorization) else { return Came::NoGood };
        let mut tokens = self.known.tokens.borrow_mut();
        if !tokens.has_keys() {
            return Came::Unverified;
        }
        match tokens.verify(token, verify) {
            Ok(claims) => Came::Token(claims),
            Err(NoGood::Forged) => Came::NoGood,
            Err(NoGood::UnknownKey) => {
                self.known.wants_keys.set(true);
                Came::NoGood
            }
        }
    }
}

/// What `jwt_authn` verified. It takes away the header of a token that is good.
fn came_by_way_of(metadata: &str, came_with_any: bool) -> Came {
    let path = vec!["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", metadata];
    let claims = hostcalls::get_property(path).ok().flatten();
    match claims.and_then(|claims| payload::claims(&claims)) {
        Some(claims) => Came::Token(Rc::new(claims)),
        None if came_with_any => Came::NoGood,
        None => Came::Nothing,
    }
}

/// A header that is text.
fn header<'b>(headers: &Pairs<'b>, name: &str) -> Option<&'b str> {
    std::str::from_utf8(headers.get(name)?).ok()
}

/// A header that is changed makes Envoy look for the route again, so nothing is that need not be.
fn forward(canonical: Cow<'_, str>) -> Option<Action> {
    if let Cow::Owned(canonical) = canonical {
        hostcalls::set_map_value(MapType::HttpRequestHeaders, ":path", Some(&canonical)).ok()?;
    }
    Some(Action::Continue)
}

/// What cannot be read or decided goes nowhere.
fn refuse() -> Action {
    send(&unavailable());
    Action::Pause
}

fn send(answer: &Answer) {
    let mut headers =
        vec![("content-type", JSON), ("docker-distribution-api-version", "registry/2.0")];
    if let Some(challenge) = &answer.challenge {
        headers.push(("www-authenticate", challenge));
    }
    let sent = hostcalls::send_http_response(
        u32::from(answer.status),
        headers,
        Some(answer.body.as_bytes()),
    );
    if sent.is_err() {
        log(LogLevel::Error, "an answer could not be sent");
    }
}

fn log_decision(method: &str, target: &str, outcome: &Outcome<'_>) {
    let status = match outcome {
        Outcome::Forward(_) => 200,
        Outcome::Answer(answer) => answer.status,
    };
    let target = target.escape_default();
    log(LogLevel::Info, &format!("decision status={status} method={method} target={target}"));
}

fn log(level: LogLevel, message: &str) {
    // Who cannot log goes on.
    let _ = hostcalls::log(level, message);
}

fn now() -> u64 {
    let time = hostcalls::get_current_time().ok();
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_secs())
}
