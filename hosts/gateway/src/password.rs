//! Names and passwords: the gateway asks the token server for a token, as the client could have done itself.
//!
//! The answer is remembered briefly under a digest of what was asked, so that a client which sends its password with each request costs the
//! token server one question a minute. What the token holds is verified as if the client had brought it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use reqwest::Client;
use reqwest::header::AUTHORIZATION;
use scopegate_api::token::TokenResponse;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::client::send;

/// How many answers are remembered.
const REMEMBERED: usize = 4096;
/// For how long a token is.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// For how long a refusal is: somebody may be about to make the token.
const BAD_FOR: Duration = Duration::from_secs(2);

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
}

impl Passwords {
    /// Nothing is remembered yet.
    #[must_use]
    pub fn new(client: Client, realm: Url, service: String) -> Self {
        Self { client, realm, service, remembered: Cache::new(REMEMBERED) }
    }

    /// The token that these credentials get for these scopes; `None` when they open nothing.
    ///
    /// # Errors
    ///
    /// When the token server does not answer; the text is for the log.
    pub async fn token(
        &self,
        authorization: &str,
        scopes: &[String],
        address: Option<IpAddr>,
    ) -> Result<Option<Arc<str>>, String> {
        let digest = digest(authorization, scopes);
        let remembered = self.remembered.get(&digest).filter(|(_, until)| Instant::now() < *until);
        let answer = match remembered {
            Some((answer, _)) => answer,
            None => {
                let answer = self.ask(authorization, scopes, address).await?;
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
