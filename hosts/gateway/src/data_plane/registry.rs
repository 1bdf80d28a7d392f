//! Asking the registry behind, with a bounded number of requests at one time.
//!
//! Nothing that it answers is believed further than it goes: a name is a name, a digest is a
//! digest, and a document is what its digest says.
//!
//! Left out: what the answers mean for the index.

use std::time::Duration;

use bytes::Bytes;
use scopegate_core::RepositoryName;
use scopegate_core::reference::Reference;
use scopegate_host::client::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
};
use scopegate_host::client::{Answer, Client, Method, RequestBuilder, StatusCode};
use sha2::{Digest as _, Sha256, Sha512};
use tokio::sync::Semaphore;
use url::Url;

use super::reply::Trouble;
use crate::listing::{Names, Page, names};

/// The longest manifest, in bytes.
pub(crate) const MAX_MANIFEST: usize = 4 * 1024 * 1024;
/// How many requests there are at one time.
const AT_ONCE: usize = 16;
/// How many addresses a document is looked for at.
const MOST_REDIRECTS: usize = 3;
/// The manifests that there are.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// The registry behind.
#[derive(Debug)]
pub(super) struct Registry {
    lists: Client,
    documents: Client,
    upstream: Url,
    asking: Semaphore,
    write_timeout: Duration,
}

/// A manifest, by what its head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) digest: String,
    pub(super) media_type: String,
}

impl Registry {
    pub(super) fn new(
        lists: Client,
        documents: Client,
        upstream: Url,
        write_timeout: Duration,
    ) -> Self {
        Self { lists, documents, upstream, asking: Semaphore::new(AT_ONCE), write_timeout }
    }

    /// Its address.
    pub(super) const fn upstream(&self) -> &Url {
        &self.upstream
    }

    /// The tags of a repository; none where it has none, or is unknown.
    pub(super) async fn tags(&self, repository: &str) -> Result<Vec<String>, Trouble> {
        let path = format!("/v2/{repository}/tags/list");
        let page = Page { n: usize::MAX, last: String::new() };
        match names(&self.lists, &self.upstream, &path, "tags", &page, is_tag).await {
            Ok(Names::Page { names, .. }) => Ok(names),
            Ok(Names::None(404, _)) => Ok(Vec::new()),
            Ok(Names::None(status, _)) => Err(unusable(status)),
            Err(reason) => Err(Trouble::Registry(reason)),
        }
    }

    /// A page of the repositories that are shown, and what the next one begins after.
    pub(super) async fn repositories(
        &self,
        page: &Page,
        is_shown: impl Fn(&str) -> bool,
    ) -> Result<(Vec<String>, Option<String>), Trouble> {
        let is_shown = |name: &str| is_repository(name) && is_shown(name);
        let listed =
            names(&self.lists, &self.upstream, "/v2/_catalog", "repositories", page, is_shown);
        match listed.await {
            Ok(Names::Page { names, next, .. }) => Ok((names, next)),
            Ok(Names::None(status, _)) => Err(unusable(status)),
            Err(reason) => Err(Trouble::Registry(reason)),
        }
    }

    /// Where a tag points, or what a digest is; nothing when there is no such manifest.
    pub(super) async fn head(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<Head>, Trouble> {
        let url = self.url(&format!("/v2/{repository}/manifests/{reference}"))?;
        let request = self.documents.request(Method::HEAD, &url).header(ACCEPT, MANIFESTS);
        let answer = self.send(request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        expect(&answer, StatusCode::OK)?;
        let media_type = text(&answer.headers, CONTENT_TYPE.as_str()).to_owned();
        match digest(&answer.headers) {
            Some(digest) => Ok(Some(Head { digest, media_type })),
            // A registry that does not say what it has is asked for it.
            None => Ok(self
                .manifest(repository, reference)
                .await?
                .map(|(media_type, body)| Head { digest: sha256(&body), media_type })),
        }
    }

    /// A manifest and its media type; nothing when there is none.
    pub(super) async fn manifest(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<(String, Vec<u8>)>, Trouble> {
        let url = self.url(&format!("/v2/{repository}/manifests/{reference}"))?;
        let request = self.documents.get(&url).header(ACCEPT, MANIFESTS);
        let answer = self.send(request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        expect(&answer, StatusCode::OK)?;
        if is_digest(reference) && !is_digest_of(reference, &answer.body) {
            return Err(Trouble::Registry(format!("a manifest is not what {reference} says")));
        }
        let media_type = text(&answer.headers, CONTENT_TYPE.as_str()).to_owned();
        Ok(Some((media_type, answer.body)))
    }

    /// A list of what refers to a manifest, whose answer is the caller's to read.
    pub(super) async fn referrers(
        &self,
        repository: &str,
        digest: &str,
        query: &str,
    ) -> Result<Answer, Trouble> {
        let mut url = self.url(&format!("/v2/{repository}/referrers/{digest}"))?;
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let answer = self.send(self.documents.get(&url).header(ACCEPT, MANIFESTS)).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(unusable(401));
        }
        Ok(answer)
    }

    /// A small blob; nothing when there is none, or it is not small.
    pub(super) async fn blob(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let mut url = self.url(&format!("/v2/{repository}/blobs/{digest}"))?;
        for _ in 0..MOST_REDIRECTS {
            let permit = self.asking.acquire().await;
            let answer = self.documents.send_within(self.documents.get(&url)).await;
            drop(permit);
            let Some(answer) = answer.map_err(Trouble::Registry)? else { return Ok(None) };
            if answer.status.is_redirection() {
                // Its storage, as any client would be sent there.
                let next = url.join(text(&answer.headers, LOCATION.as_str())).ok();
                let Some(next) = next.filter(|next| matches!(next.scheme(), "http" | "https"))
                else {
                    return Ok(None);
                };
                url = next;
                continue;
            }
            let is_it = answer.status == StatusCode::OK && is_digest_of(digest, &answer.body);
            return Ok(is_it.then_some(answer.body));
        }
        Ok(None)
    }

    /// Sends a request with a body, whose answer is the caller's to read.
    pub(super) async fn write(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Trouble> {
        let url = self.url(target)?;
        let length = HeaderValue::from(body.len());
        let request = self.documents.request(method, &url).headers(headers);
        let request = request.header(CONTENT_LENGTH, length).body(body);
        // Its client waits for it, so it waits for no other request.
        let answer = self.documents.send(request.timeout(self.write_timeout)).await;
        let answer = answer.map_err(Trouble::Registry)?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(unusable(401));
        }
        Ok(answer)
    }

    /// An address at the registry, of a path or of what it answered itself.
    fn url(&self, target: &str) -> Result<Url, Trouble> {
        let url =
            self.upstream.join(target).map_err(|error| Trouble::Registry(error.to_string()))?;
        if url.origin() == self.upstream.origin() {
            Ok(url)
        } else {
            Err(Trouble::Registry("the registry leads to another one".to_owned()))
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Trouble> {
        // The semaphore is never closed.
        let _permit = self.asking.acquire().await;
        self.documents.send(request).await.map_err(Trouble::Registry)
    }
}

fn expect(answer: &Answer, status: StatusCode) -> Result<(), Trouble> {
    if answer.status == status { Ok(()) } else { Err(unusable(answer.status.as_u16())) }
}

fn unusable(status: u16) -> Trouble {
    Trouble::Registry(format!("the answer is {status}"))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The digest that an answer names.
pub(super) fn digest(headers: &HeaderMap) -> Option<String> {
    let digest = text(headers, "docker-content-digest");
    is_digest(digest).then(|| digest.to_owned())
}

/// Whether a text can be a tag.
pub(super) fn is_tag(text: &str) -> bool {
    let reference = format!("a:{text}");
    Reference::parse(&reference).is_ok_and(|reference| {
        reference.tag == Some(text) && reference.digest.is_none() && reference.registry.is_none()
    })
}

/// Whether a text can be a digest.
pub(super) fn is_digest(text: &str) -> bool {
    let reference = format!("a@{text}");
    Reference::parse(&reference).is_ok_and(|reference| reference.digest == Some(text))
}

/// Whether a text can be the name of a repository.
pub(super) fn is_repository(text: &str) -> bool {
    RepositoryName::parse(text).is_ok()
}

/// The digest of a text.
pub(super) fn sha256(body: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(body)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a body has a digest, of an algorithm that is known.
pub(super) fn is_digest_of(digest: &str, body: &[u8]) -> bool {
    match digest.split_once(':') {
        Some(("sha256", _)) => sha256(body) == digest,
        Some(("sha512", expected)) => hex(&Sha512::digest(body)) == expected,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_registry() {
        for (text, expected) in [
            ("v1", true),
            ("_x.y-z", true),
            ("", false),
            (".x", false),
            ("a/b", false),
            ("a@b", false),
        ] {
            assert_eq!(is_tag(text), expected, "{text}");
        }
        let digest = sha256(b"x");
        for (text, expected) in [(digest.as_str(), true), ("sha256:0", false), ("", false)] {
            assert_eq!(is_digest(text), expected, "{text}");
        }
        assert!(is_digest_of(&digest, b"x") && !is_digest_of(&digest, b"y"));
        let long = format!("sha512:{}", hex(&Sha512::digest(b"x")));
        assert!(is_digest_of(&long, b"x") && !is_digest_of(&long, b"y"));
    }
}
