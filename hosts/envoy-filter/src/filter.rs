//! The filter behind Envoy's boundary.
//!
//! The calls of the host are used as they are, without the traits around them, because those end the module where the host refuses.

use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use std::cell::RefCell;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MapType};

use crate::config::Config;
use crate::decision::{Answer, Outcome, Request, decide};
use crate::payload;
use crate::revocation::Feed;

/// How often the feed is asked.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer of the feed, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;
/// What a client says of where it comes from, and its token, stay here.
const REMOVED: [&str; 6] =
    ["authorization", "cookie", "forwarded", "x-original-uri", "x-original-url", "x-rewrite-url"];
const JSON: &str = "application/json; charset=utf-8";

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}}

/// What one worker thread knows.
#[derive(Default)]
struct Root {
    config: Option<Rc<Config>>,
    feed: Rc<RefCell<Feed>>,
    is_asking: bool,
}

impl Context for Root {
    fn on_http_call_response(&mut self, _: u32, _: usize, body_size: usize, _: usize) {
        self.is_asking = false;
        let status = hostcalls::get_map_value(MapType::HttpCallResponseHeaders, ":status");
        let is_ok = matches!(status, Ok(Some(status)) if status == "200") && body_size <= LONGEST;
        let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size);
        let heard = match (is_ok, body) {
            (true, Ok(Some(body))) => self.feed.borrow_mut().hear(&body, now()),
            _ => false,
        };
        if !heard {
            log(LogLevel::Warn, "no revocations are heard");
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
        match Config::read(&text.ok().flatten().unwrap_or_default()) {
            Ok(config) => {
                if config.revocations.is_some() && hostcalls::set_tick_period(ASK_EVERY).is_err() {
                    log(LogLevel::Error, "there is no clock to ask for revocations by");
                    return false;
                }
                self.config = Some(Rc::new(config));
                self.ask();
                true
            }
            Err(reason) => {
                log(LogLevel::Error, &format!("configuration: {reason}"));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.ask();
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { config: self.config.clone(), feed: Rc::clone(&self.feed) }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Root {
    /// Asks the feed for what is new, unless it has yet to answer.
    fn ask(&mut self) {
        let Some(revocations) = self.config.as_ref().and_then(|config| config.revocations.as_ref())
        else {
            return;
        };
        if self.is_asking {
            return;
        }
        let path = format!("{}?since={}", revocations.path, self.feed.borrow().revision());
        let headers = vec![
            (":method", "GET"),
            (":path", path.as_str()),
            (":authority", revocations.host.as_str()),
            ("authorization", revocations.authorization.as_str()),
        ];
        let asked =
            hostcalls::dispatch_http_call(&revocations.cluster, headers, None, vec![], TIMEOUT);
        self.is_asking = asked.is_ok();
        if asked.is_err() {
            log(LogLevel::Warn, "the token server cannot be asked for revocations");
        }
    }
}

/// One request.
struct Stream {
    config: Option<Rc<Config>>,
    feed: Rc<RefCell<Feed>>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        match self.outcome() {
            Some(Outcome::Forward(target)) => match forward(&target) {
                Some(()) => Action::Continue,
                None => refuse(),
            },
            Some(Outcome::Answer(answer)) => {
                send(&answer);
                Action::Pause
            }
            None => refuse(),
        }
    }
}

impl Stream {
    /// Nothing when the request cannot be read.
    fn outcome(&self) -> Option<Outcome> {
        let config = self.config.as_ref()?;
        let (method, target) = (header(":method")?, header(":path")?);
        let has_authorization =
            hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, "authorization")
                .ok()?
                .is_some();
        let path =
            vec!["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", &config.metadata];
        let claims = hostcalls::get_property(path).ok().flatten();
        let claims = claims.and_then(|claims| payload::claims(&claims));
        let request = Request { method: &method, target: &target, has_authorization, claims };
        let outcome = decide(config, &self.feed.borrow(), now(), request);
        let status = match &outcome {
            Outcome::Forward(_) => 200,
            Outcome::Answer(answer) => answer.status,
        };
        log(
            LogLevel::Info,
            &format!("decision status={status} method={method} target={}", target.escape_default()),
        );
        Some(outcome)
    }
}

/// A header that is text.
fn header(name: &str) -> Option<String> {
    let value = hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok()??;
    String::from_utf8(value).ok()
}

fn forward(target: &str) -> Option<()> {
    hostcalls::set_map_value(MapType::HttpRequestHeaders, ":path", Some(target)).ok()?;
    for name in REMOVED {
        hostcalls::set_map_value(MapType::HttpRequestHeaders, name, None).ok()?;
    }
    Some(())
}

/// What cannot be read or decided goes nowhere.
fn refuse() -> Action {
    let body = r#"{"errors":[{"code":"UNAVAILABLE","message":"nothing can be decided now, try again","detail":null}]}"#;
    send(&Answer { status: 503, challenge: None, body: body.to_owned() });
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

fn log(level: LogLevel, message: &str) {
    // Who cannot log goes on.
    let _ = hostcalls::log(level, message);
}

fn now() -> u64 {
    let time = hostcalls::get_current_time().ok();
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_secs())
}
