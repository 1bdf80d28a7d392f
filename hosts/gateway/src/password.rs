//! Names and passwords: the gateway asks the token server for a token, as the client could have done itself.
//!
//! The answer is remembered briefly under a digest of what was asked, so that a client which sends its password with each request costs the
//! token server one question a minute. What the token holds is verified as if the client had brought it.
//!
//! Each client has so many questions a second, and so many at once. To the token server they come from one address, the gateway's: without a
//! number of its own, one client's wrong passwords would use up what all have there.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use reqwest::Client;
use reqwest::header::AUTHORIZATION;
use scopegate_api::token::TokenResponse;
use scopegate_host::networks::network;
use scopegate_host::rate::{Rate, RateLimit};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::client::send;

/// How many answers are remembered.
const REMEMBERED: usize = 4096;
/// For how long a token is.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// For how long a refusal is: somebody may be about to make the token.
const BAD_FOR: Duration = Duration::from_secs(2);

/// How many questions one client has in a second, and how many at once after a pause.
const QUESTIONS: Rate = Rate { rate: 10.0, burst: 100 };

/// Why a password got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// Its client has asked too often.
    TooMany,
    /// The token server does not answer; the text is for the log.
    Unanswered(String),
}

/// What the token server said.
#[derive(Clone, Debug)]
enum Answer {
    Token(Arc<str>),
    Refused,
}

/// Asks the token server.
#[derive(Debug)]
pub struct Passwords {
    client: Client,
    realm: Url,
    service: String,
    remembered: Cache<[u8; 32], (Answer, Instant)>,
    asking: RateLimit,
}

impl Passwords {
    /// Nothing is remembered yet.
    #[must_use]
    pub fn new(client: Client, realm: Url, service: String) -> Self {
        let (remembered, asking) = (Cache::new(REMEMBERED), RateLimit::new(QUESTIONS));
        Self { client, realm, service, remembered, asking }
    }

    /// The token that these credentials get for these scopes; `None` when they open nothing.
    ///
    /// # Errors
    ///
    /// See [`PasswordError`].
    pub async fn token(
        &self,
        authorization: &str,
        scopes: &[String],
        address: Option<IpAddr>,
    ) -> Result<Option<Arc<str>>, PasswordError> {
        let digest = digest(authorization, scopes);
        let remembered = self.remembered.get(&digest).filter(|(_, until)| Instant::now() < *until);
        let answer = match remembered {
            Some((answer, _)) => answer,
            None => {
                self.count(address)?;
                let answer = self.ask(authorization, scopes, address).await;
                let answer = answer.map_err(PasswordError::Unanswered)?;
                let time = if matches!(answer, Answer::Token(_)) { GOOD_FOR } else { BAD_FOR };
                self.remembered.insert(digest, (answer.clone(), Instant::now() + time));
                answer
            }
        };
        Ok(match answer {
            Answer::Token(token) => Some(token),
            Answer::Refused => None,
        })
    }

    fn count(&self, address: Option<IpAddr>) -> Result<(), PasswordError> {
        let Some(address) = address else { return Ok(()) };
        let checked = self.asking.check(network(address));
        checked.map(drop).map_err(|_| PasswordError::TooMany)
    }

    /// Forgets an answer whose token turned out to be no good any more.
    pub fn forget(&self, authorization: &str, scopes: &[String]) {
        self.remembered.remove(&digest(authorization, scopes));
    }

    async fn ask(
        &self,
        authorization: &str,
        scopes: &[String],
        address: Option<IpAddr>,
    ) -> Result<Answer, String> {
        let mut query = vec![("service", self.service.as_str())];
        query.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        let mut request =
            self.client.get(self.realm.clone()).query(&query).header(AUTHORIZATION, authorization);
        if let Some(address) = address {
            // The token server counts whom it is told of by proxies that it trusts.
            request = request.header("x-forwarded-for", address.to_string());
        }
        let (status, body) = send(request).await?;
        match status.as_u16() {
            200 => {
                let answer: TokenResponse = serde_json::from_slice(&body)
                    .map_err(|_| "the answer is none of a token server".to_owned())?;
                Ok(Answer::Token(answer.access_token.into()))
            }
            400 | 401 => Ok(Answer::Refused),
            status => Err(format!("the answer is {status}")),
        }
    }
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
        Passwords::new(Client::new(), realm, "r".to_owned())
    }

    /// Audit 4e: one client's wrong passwords used up what all clients of the gateway have at the token server.
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
}
