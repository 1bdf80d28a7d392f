//! What the token server tells of itself: asked for each second, with a client id and its secret.
//!
//! Left out: what is made of the answers, which is for those who asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use reqwest::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use reqwest::{Client, RequestBuilder, StatusCode};
use scopegate_api::bundle;
use scopegate_api::generations::{self, Generations};
use url::Url;

use crate::client::{body, client, said, send};
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
        let (status, body) =
            send(self.request(generations::MEDIA_TYPE).query(&[("since", since)])).await?;
        if status != 200 {
            return Err(format!("the answer is {status}"));
        }
        serde_json::from_slice(&body).map_err(|_| "the answer is no list of generations".to_owned())
    }

    /// The bundle and its tag, unless the one with the tag `known` is still right.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none of that kind; the text is for the log.
    pub async fn bundle(&self, known: Option<&str>) -> Result<Option<(String, String)>, String> {
        let request = self.request(bundle::MEDIA_TYPE);
        let request = match known {
            Some(tag) => request.header(IF_NONE_MATCH, tag),
            None => request,
        };
        let response = request.send().await.map_err(said)?;
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.unwrap_or_default().to_owned();
        match response.status() {
            StatusCode::NOT_MODIFIED if known.is_some() => Ok(None),
            StatusCode::OK => {
                let text = String::from_utf8(body(response).await?);
                text.map(|text| Some((text, tag))).map_err(|_| "the answer is no bundle".to_owned())
            }
            status => Err(format!("the answer is {status}")),
        }
    }

    /// A server of the release before does not know the media type, and answers in the form that it
    /// has.
    fn request(&self, media_type: &str) -> RequestBuilder {
        let request = self.client.get(self.url.clone()).header(ACCEPT, media_type);
        request.basic_auth(&self.user, Some(self.secret.expose()))
    }
}

/// When something was heard last, and for how long that is good enough.
#[derive(Debug)]
pub struct Heard {
    /// In seconds since 1970; 0 for never.
    at: AtomicU64,
    serve_for: Duration,
}

impl Heard {
    /// Nothing was heard yet.
    #[must_use]
    pub fn never(serve_for: Duration) -> Self {
        Self { at: AtomicU64::new(0), serve_for }
    }

    /// Something is heard at a time.
    pub fn note(&self, now: u64) {
        self.at.store(now, Ordering::Relaxed);
    }

    /// Whether it is good enough at a time.
    #[must_use]
    pub fn is_current(&self, now: u64) -> bool {
        now.abs_diff(self.at.load(Ordering::Relaxed)) <= self.serve_for.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_is_silent() {
        let heard = Heard::never(Duration::from_secs(60));
        assert!(!heard.is_current(1_800_000_000));
        heard.note(100);
        for (now, is_current) in [(100, true), (90, true), (39, false), (160, true), (161, false)] {
            assert_eq!(heard.is_current(now), is_current, "{now}");
        }
    }
}
