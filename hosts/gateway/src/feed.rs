//! What the token server tells of itself: asked for each second, with a client id and its secret.
//!
//! Left out: what is made of the answers, which is for those who asked.

use anyhow::Context as _;
use reqwest::{Client, RequestBuilder};
use scopegate_api::generations::Generations;
use url::Url;

use crate::client::{client, send};
use crate::config::{Config, FeedConfig, Secret};

/// An address, and who may read it.
#[derive(Debug)]
pub struct Feed {
    /// Its address.
    pub url: Url,
    user: String,
    secret: Secret,
    client: Client,
}

impl Feed {
    /// Gets ready to ask. `field` is where the configuration has it.
    ///
    /// # Errors
    ///
    /// When the secret cannot be read, or the authorities cannot.
    pub fn new(feed: &FeedConfig, field: &str, config: &Config) -> anyhow::Result<Self> {
        let secret = Secret::read(&feed.secret_file);
        Ok(Self {
            url: feed.url.clone(),
            user: feed.user.clone(),
            secret: secret.with_context(|| format!("{field}.secretFile"))?,
            client: client(&feed.url, config.authorities.as_deref())?,
        })
    }

    /// What is new since a revision.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none of that kind; the text is for the log.
    pub async fn generations(&self, since: i64) -> Result<Generations, String> {
        let (status, body) = send(self.request().query(&[("since", since)])).await?;
        if status != 200 {
            return Err(format!("the answer is {status}"));
        }
        serde_json::from_slice(&body).map_err(|_| "the answer is no list of generations".to_owned())
    }

    fn request(&self) -> RequestBuilder {
        self.client.get(self.url.clone()).basic_auth(&self.user, Some(self.secret.expose()))
    }
}
