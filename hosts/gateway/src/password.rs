//! Names and passwords: the gateway asks the token server for a token, as the client could have
//! done itself.
//!
//! A token is remembered briefly under a digest of what was asked, so that a client which sends its
//! password with each request costs the token server one question a minute; one that sends a
//! refresh token, which can be revoked by itself, costs it one a second. What the token holds is
//! verified as if the client had brought it. A wrong password is remembered for shorter, whatever
//! it was for.
//!
//! Each client has a limit of questions a second, and of questions at once; a wrong password costs
//! ten. The token server counts clients too, where it is shown that this gateway is one of its own
//! (`X-Scopegate-Gateway`), and else all of them as one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use scopegate_api::token::TokenResponse;
use scopegate_host::client::Client;
use scopegate_host::client::header::{AUTHORIZATION, HeaderValue};
use scopegate_host::forwarded::{FORWARDED_FOR, GATEWAY};
use scopegate_host::networks::network;
use scopegate_host::rate::{Rate, RateLimit};
use sha2::{Digest as _, Sha256};
use url::Url;

/// How many tokens are remembered, and how many wrong passwords.
const REMEMBERED: usize = 4096;
/// For how long a token is.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// For how long one is that was asked for with a token as the password of the null GUID. A refresh
/// token can be revoked by itself, and no feed tells of it.
const GOOD_FOR_BY_TOKEN: Duration = Duration::from_secs(1);
/// The null GUID in base 64. It fills its groups, so credentials of this name begin with it.
const NULL_GUID: &str = "MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw";
/// From what age on a token that does not open a request is asked for once more: a scope map may
/// have been widened since.
const BEHIND_AFTER: Duration = Duration::from_secs(2);
/// For how long a wrong password is: the token may be about to be created.
const WRONG_FOR: Duration = Duration::from_secs(2);

/// How many questions one client has in a second, and how many at once after a pause.
const QUESTIONS: Rate = Rate { rate: 10.0, burst: 100 };
/// What a wrong password costs, in questions, beside the one that it was.
const WRONG_COST: u32 = 9;

/// Why a password got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PasswordError {
    /// Its client has asked too often.
    TooMany,
    /// The token server does not answer; the text is for the log.
    Unanswered(String),
}

/// A token for a password.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    /// The token.
    pub(crate) token: Arc<str>,
    /// How long ago it was issued, where that was for an earlier question.
    age: Option<Duration>,
}

impl Issued {
    /// Whether it was issued for an earlier question, and may have ended since.
    #[must_use]
    pub(crate) const fn is_remembered(&self) -> bool {
        self.age.is_some()
    }

    /// Whether the password may open more by now than this token does.
    #[must_use]
    pub(crate) fn may_be_behind(&self) -> bool {
        self.age.is_some_and(|age| age >= BEHIND_AFTER)
    }
}

/// What the token server said.
#[derive(Debug)]
enum Answer {
    Token(Arc<str>),
    /// These credentials are wrong.
    Wrong,
    /// What was asked for cannot be had.
    Refused,
}

/// Asks the token server.
#[derive(Debug)]
pub(crate) struct Passwords {
    client: Client,
    realm: Url,
    service: String,
    shown: Option<HeaderValue>,
    /// With when each was issued, and until when it is remembered.
    tokens: Cache<[u8; 32], (Arc<str>, [Instant; 2])>,
    wrong: Cache<[u8; 32], Instant>,
    asking: RateLimit,
}

impl Passwords {
    /// Nothing is remembered yet. `shown` is what the token server is shown of this gateway.
    #[must_use]
    pub(crate) fn new(
        client: Client,
        realm: Url,
        service: String,
        shown: Option<HeaderValue>,
    ) -> Self {
        let (tokens, wrong) = (Cache::new(REMEMBERED), Cache::new(REMEMBERED));
        Self { client, realm, service, shown, tokens, wrong, asking: RateLimit::new(QUESTIONS) }
    }

    /// The token that these credentials get for these scopes; `None` when they open nothing.
    ///
    /// # Errors
    ///
    /// See [`PasswordError`].
    pub(crate) async fn token(
        &self,
        authorization: &str,
        scopes: &[String],
        address: Option<IpAddr>,
    ) -> Result<Option<Issued>, PasswordError> {
        let now = Instant::now();
        let (asked, password) = (digest(authorization, scopes), digest(authorization, &[]));
        let known = self.tokens.get(&asked).filter(|(_, [_, until])| now < *until);
        if let Some((token, [issued, _])) = known {
            return Ok(Some(Issued { token, age: Some(now.duration_since(issued)) }));
        }
        if self.wrong.get(&password).is_some_and(|until| now < until) {
            return Ok(None);
        }
        self.count(address)?;
        Ok(match self.ask(authorization, scopes, address).await? {
            Answer::Token(token) => {
                let times = [now, now + good_for(authorization)];
                self.tokens.insert(asked, (Arc::clone(&token), times));
                Some(Issued { token, age: None })
            }
            Answer::Wrong => {
                self.wrong.insert(password, now + WRONG_FOR);
                self.charge(address);
                None
            }
            Answer::Refused => None,
        })
    }

    fn count(&self, address: Option<IpAddr>) -> Result<(), PasswordError> {
        let Some(address) = address else { return Ok(()) };
        let checked = self.asking.check(network(address));
        checked.map(drop).map_err(|_| PasswordError::TooMany)
    }

    fn charge(&self, address: Option<IpAddr>) {
        if let Some(address) = address {
            self.asking.charge(network(address), WRONG_COST);
        }
    }

    /// Forgets an answer whose token turned out to be no good any more.
    pub(crate) fn forget(&self, authorization: &str, scopes: &[String]) {
        self.tokens.remove(&digest(authorization, scopes));
    }

    async fn ask(
        &self,
        authorization: &str,
        scopes: &[String],
        address: Option<IpAddr>,
    ) -> Result<Answer, PasswordError> {
        let mut query = vec![("service", self.service.as_str())];
        query.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        let mut request =
            self.client.get(&self.realm).query(&query).header(AUTHORIZATION, authorization);
        if let Some(address) = address {
            // Believed by a token server that is shown the next one, or that has this gateway among
            // its proxies.
            request = request.header(FORWARDED_FOR, address.to_string());
        }
        if let Some(shown) = &self.shown {
            request = request.header(GATEWAY, shown);
        }
        let answer = self.client.send(request).await.map_err(PasswordError::Unanswered)?;
        match answer.status.as_u16() {
            200 => {
                let answer: TokenResponse = serde_json::from_slice(&answer.body).map_err(|_| {
                    PasswordError::Unanswered("the answer is not from a token server".to_owned())
                })?;
                Ok(Answer::Token(answer.access_token.into()))
            }
            401 => Ok(Answer::Wrong),
            400 => Ok(Answer::Refused),
            429 => Err(PasswordError::TooMany),
            _ => Err(PasswordError::Unanswered(format!("the answer is {}", answer.status))),
        }
    }
}

/// How long a token is remembered that these credentials got.
fn good_for(authorization: &str) -> Duration {
    let credentials = authorization.get("basic ".len()..).unwrap_or_default().trim_start();
    if credentials.starts_with(NULL_GUID) { GOOD_FOR_BY_TOKEN } else { GOOD_FOR }
}

fn digest(authorization: &str, scopes: &[String]) -> [u8; 32] {
    let mut hash = Sha256::new();
    // Neither holds a line feed, so no two questions are one text.
    hash.update(authorization);
    for scope in scopes {
        hash.update("\n");
        hash.update(scope);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords() -> Passwords {
        let realm = Url::parse("http://127.0.0.1:1/oauth2/token").unwrap();
        Passwords::new(crate::signer::client(&realm), realm, "r".to_owned(), None)
    }

    /// Audit 4e: one client's wrong passwords used up what all clients of the gateway have at the
    /// token server.
    #[test]
    fn each_client_has_questions_of_its_own() {
        let passwords = passwords();
        let asks = |address: &str| {
            let address = address.parse().ok();
            (0..200).filter(|_| passwords.count(address).is_ok()).count()
        };
        let burst = 100..=110;
        assert!(burst.contains(&asks("203.0.113.1")));
        assert!(burst.contains(&asks("203.0.113.2")));
        assert!(burst.contains(&asks("2001:db8::1")));
        assert!(asks("2001:db8::2") < 10);
    }

    #[test]
    fn what_a_refresh_token_got_is_forgotten_soon() {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let null_guid = "00000000-0000-0000-0000-000000000000";
        for (name, password, expected) in [
            ("MyToken", "secret", GOOD_FOR),
            (null_guid, "a.b.c", GOOD_FOR_BY_TOKEN),
            (null_guid, "", GOOD_FOR_BY_TOKEN),
            ("00000000-0000-0000-0000-000000000001", "a.b.c", GOOD_FOR),
        ] {
            let text = STANDARD.encode(format!("{name}:{password}"));
            for scheme in ["Basic ", "bAsIc   "] {
                let authorization = format!("{scheme}{text}");
                assert_eq!(good_for(&authorization), expected, "{name} {scheme}");
            }
        }
        assert_eq!(good_for(""), GOOD_FOR);
    }

    #[test]
    fn a_wrong_password_costs_ten_questions() {
        let passwords = passwords();
        let address = "203.0.113.1".parse().ok();
        let guesses = (0..200).take_while(|_| {
            let may_ask = passwords.count(address).is_ok();
            passwords.charge(address);
            may_ask
        });
        assert!((10..=11).contains(&guesses.count()));
    }
}
