//! What the token server tells of itself: asked for each second, with a client id and its secret.
//!
//! Left out: what is made of the answers, which is for those who asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use scopegate_api::bundle;
use scopegate_api::generations::{self, Generations};
use scopegate_edge::Freshness;
use scopegate_edge::revocation::{self, FeedError};
use scopegate_host::client::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use scopegate_host::client::{Client, RequestBuilder, StatusCode};
use url::Url;

use crate::client::{MAX_LIST, client};
use crate::config::{Config, FeedConfig, Secret};

/// An address, and who may read it.
#[derive(Debug)]
pub(crate) struct Feed {
    /// Its address.
    pub(crate) url: Url,
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
    pub(crate) fn new(feed: &FeedConfig, field: &str, config: &Config) -> anyhow::Result<Self> {
        let secret = Secret::read(&feed.secret_file);
        Ok(Self {
            url: feed.url.clone(),
            user: feed.user.clone(),
            secret: secret.with_context(|| format!("{field}.secretFile"))?,
            client: client(&feed.url, config.authorities.as_deref(), MAX_LIST)?,
        })
    }

    /// What is new since a revision.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none of that kind; the text is for the log.
    pub(crate) async fn generations(&self, since: i64) -> Result<Generations, String> {
        let request = self.request(generations::MEDIA_TYPE).query(&[("since", since)]);
        let answer = self.client.send(request).await?;
        if answer.status != StatusCode::OK {
            return Err(format!("the answer is {}", answer.status));
        }
        revocation::read(&answer.body).ok_or_else(|| FeedError::Unreadable.to_string())
    }

    /// The bundle and its tag, unless the one with the tag `known` is still right.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none of that kind; the text is for the log.
    pub(crate) async fn bundle(
        &self,
        known: Option<&str>,
    ) -> Result<Option<(String, String)>, String> {
        let request = self.request(bundle::MEDIA_TYPE);
        let request = match known {
            Some(tag) => request.header(IF_NONE_MATCH, tag),
            None => request,
        };
        let answer = self.client.send(request).await?;
        let tag = answer.headers.get(ETAG).and_then(|tag| tag.to_str().ok());
        let tag = tag.unwrap_or_default().to_owned();
        match answer.status {
            StatusCode::NOT_MODIFIED if known.is_some() => Ok(None),
            StatusCode::OK => {
                let text = String::from_utf8(answer.body);
                text.map(|text| Some((text, tag)))
                    .map_err(|_| "the answer is not a bundle".to_owned())
            }
            status => Err(format!("the answer is {status}")),
        }
    }

    /// A server of the release before does not know the media type, and answers in the form that it
    /// has.
    fn request(&self, media_type: &str) -> RequestBuilder {
        let request = self.client.get(&self.url).header(ACCEPT, media_type);
        request.basic_auth(&self.user, Some(self.secret.expose()))
    }
}

/// When the token server confirmed last what is known, and for how long that is good enough.
#[derive(Debug)]
pub(crate) struct UpdatedAt {
    /// In seconds since 1970; 0 for never.
    at: AtomicU64,
    max_age: u64,
}

impl UpdatedAt {
    /// Nothing was confirmed yet.
    #[must_use]
    pub(crate) fn never(max_age: Duration) -> Self {
        Self { at: AtomicU64::new(0), max_age: max_age.as_secs() }
    }

    /// It is confirmed at a time.
    pub(crate) fn note(&self, now: u64) {
        self.at.store(now, Ordering::Relaxed);
    }

    /// What the rule of freshness reads.
    #[must_use]
    pub(crate) fn freshness(&self) -> Freshness {
        let at = self.at.load(Ordering::Relaxed);
        Freshness { updated_at: (at > 0).then_some(at), max_age: self.max_age }
    }
}
