//! Sign-ins by device code (RFC 8628): what our device code holds, and how often it is asked for.
//!
//! The code is a token that is signed for this alone, and holds the provider's own. How often a
//! client asks is counted here too, so that a quick one costs the provider nothing.
//!
//! Left out: counting at other servers of the same registry; the provider counts as well.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::domain::issue::revocable::Revocable;
use crate::domain::issue::{Issuer, SignError};

/// The longest time that a device code is good, in seconds.
pub(crate) const MAX_LIFETIME: i64 = 60 * 60;
/// How much longer the interval is after each request that was too early (section 3.5).
const SLOWER_BY: Duration = Duration::from_secs(5);
/// The longest interval.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// How much earlier a request may arrive, because the one before was late.
const JITTER: Duration = Duration::from_secs(1);
/// How many device codes are counted.
const MAX_CODES: usize = 8192;

/// A sign-in by device code that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceRequest {
    /// Our code's id.
    pub id: String,
    /// The provider, by its name in the configuration, and its code.
    pub provider: String,
    pub device_code: String,
    /// In seconds.
    pub interval: u32,
    /// What the client has asked for.
    pub client_id: String,
    pub scope: String,
}

#[derive(Serialize, Deserialize)]
struct DeviceClaims {
    iss: String,
    aud: String,
    nbf: i64,
    exp: i64,
    epoch: Option<String>,
    device: DeviceRequest,
}

/// A device code that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceCodeError {
    Expired,
    Unknown,
}

impl DeviceRequest {
    /// Signs it, for a number of seconds.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot sign.
    pub(crate) fn sign(
        self,
        issuer: &Issuer,
        lifetime: i64,
        now: i64,
    ) -> Result<String, SignError> {
        let claims = DeviceClaims {
            iss: issuer.issuer.clone(),
            aud: audience(issuer),
            nbf: now,
            exp: now.saturating_add(lifetime),
            epoch: issuer.epoch().as_deref().cloned(),
            device: self,
        };
        issuer.sign(&claims, now)
    }

    /// Reads one of this registry's servers, while it is good.
    ///
    /// # Errors
    ///
    /// [`DeviceCodeError`].
    pub(crate) fn verify(token: &str, issuer: &Issuer, now: i64) -> Result<Self, DeviceCodeError> {
        let Some(claims) = issuer.verify::<DeviceClaims>(token, &audience(issuer), now) else {
            return Err(match issuer.revocable(token, now) {
                Revocable::Ended => DeviceCodeError::Expired,
                _ => DeviceCodeError::Unknown,
            });
        };
        if claims.epoch.as_ref() != issuer.epoch().as_deref() {
            return Err(DeviceCodeError::Unknown);
        }
        if now >= claims.exp {
            return Err(DeviceCodeError::Expired);
        }
        Ok(claims.device)
    }
}

fn audience(issuer: &Issuer) -> String {
    format!("login-device:{}", issuer.service)
}

/// When each device code was asked for last.
#[derive(Debug, Default)]
pub(crate) struct Polls(Mutex<HashMap<String, Poll>>);

#[derive(Clone, Copy, Debug)]
struct Poll {
    last: Instant,
    interval: Duration,
}

impl Polls {
    /// Whether a device code may be asked for now. One that is asked for too early has to wait
    /// longer from then on.
    pub(crate) fn may_ask(&self, request: &DeviceRequest, now: Instant) -> bool {
        let interval = Duration::from_secs(request.interval.into());
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(poll) = polls.get_mut(&request.id) else {
            make_room(&mut polls, now);
            // Without room the provider alone counts.
            if polls.len() < MAX_CODES {
                polls.insert(request.id.clone(), Poll { last: now, interval });
            }
            return true;
        };
        let is_early = now.duration_since(poll.last) + JITTER < poll.interval;
        if is_early {
            poll.slow_down();
        } else {
            poll.last = now;
        }
        !is_early
    }

    /// The provider wants to be asked less often.
    pub(crate) fn slow_down(&self, request: &DeviceRequest) {
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(poll) = polls.get_mut(&request.id) {
            poll.slow_down();
        }
    }
}

impl Poll {
    fn slow_down(&mut self) {
        self.interval = self.interval.saturating_add(SLOWER_BY).min(MAX_INTERVAL);
    }
}

/// Drops the codes for which nothing has to be waited any more.
fn make_room(polls: &mut HashMap<String, Poll>, now: Instant) {
    if polls.len() >= MAX_CODES {
        polls.retain(|_, poll| now.duration_since(poll.last) < poll.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: u32) -> DeviceRequest {
        DeviceRequest {
            id: id.to_string(),
            provider: "p".into(),
            device_code: "d".into(),
            interval: 5,
            client_id: "c".into(),
            scope: "s".into(),
        }
    }

    #[test]
    fn who_asks_too_early_waits_longer() {
        let (polls, begin) = (Polls::default(), Instant::now());
        for (at, expected) in [
            (0, true),
            (5, true),
            (9, true),
            // Ten seconds after the last good one from here on, then fifteen.
            (10, false),
            (15, false),
            (22, false),
            (29, true),
            (48, true),
        ] {
            let now = begin + Duration::from_secs(at);
            assert_eq!(polls.may_ask(&request(1), now), expected, "{at}");
        }
        assert!(polls.may_ask(&request(2), begin));
        polls.slow_down(&request(2));
        assert!(!polls.may_ask(&request(2), begin + Duration::from_secs(6)));
    }

    #[test]
    fn they_are_bounded() {
        let (polls, begin) = (Polls::default(), Instant::now());
        for id in 0..20_000 {
            assert!(polls.may_ask(&request(id), begin));
        }
        assert_eq!(polls.0.lock().unwrap().len(), MAX_CODES);
        assert!(polls.may_ask(&request(30_000), begin + Duration::from_secs(60)));
        assert_eq!(polls.0.lock().unwrap().len(), 1);
    }
}
