//! The registry's own data plane, `/acr/v1`, over any registry that speaks `/v2`.
//!
//! Follows Azure Container Registry's data plane API of 2021-07-01
//! (<https://github.com/Azure/azure-rest-api-specs/tree/main/specification/containerregistry/data-plane>),
//! and what the service answers where that says less. What a registry does not know is in the
//! [`index`](crate::index).
//!
//! | module | holds |
//! |---|---|
//! | [`call`] | a request that was decided about |
//! | [`reply`] | the answers, byte for byte |
//! | [`listing`] | pages: `n`, `last`, `orderby`, `digest`, `Link` |
//! | [`registry`] | asking the registry behind |
//! | [`facts`] | what a manifest says of itself |
//! | [`sync`] | keeping the index in step with the registry |
//! | [`crawl`] | looking through the whole registry |
//! | [`events`] | what a registry says that happened |
//! | [`read`] | the routes that only read |
//! | [`referrers`] | what refers to a manifest |
//! | [`guard`] | the lock of a repository |
//! | [`named`](mod@named) | something for each repository in use |
//! | [`attributes`] | changing attributes, and what they forbid |
//! | [`chart`] | a chart as an index of charts has it |
//! | [`chart_index`] | the index of the charts in the registry |
//! | [`write`](mod@write) | pushing and deleting manifests, deleting repositories |
//! | [`write_once`] | tags that are written once, by rules |
//! | [`parts`] | the parts of what may not be deleted |
//! | [`blobs`] | deleting and mounting blobs |
//! | [`untag`] | removing a tag |
//! | [`time`] | times as the service writes them |
//!
//! Left out: who may do what, which is decided before anything here is asked; soft delete,
//! quarantine and custom metadata, which are answered as by a registry that has them off.

mod attributes;
mod blobs;
pub(crate) mod call;
mod chart;
mod chart_index;
mod crawl;
mod events;
mod facts;
mod guard;
mod listing;
mod named;
mod parts;
mod read;
mod referrers;
mod registry;
mod reply;
mod sync;
mod time;
mod untag;
mod write;
mod write_once;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use scopegate_core::route::Endpoint;
use scopegate_host::client::Client;
use tokio::sync::{Mutex, Notify, Semaphore};
use url::Url;

pub(crate) use self::call::{Call, Sent};
use self::chart_index::INDEXES;
pub(crate) use self::chart_index::Wanted;
pub(crate) use self::events::Envelope;
use self::guard::Guards;
use self::named::Named;
use self::parts::PartsCache;
pub(crate) use self::registry::MAX_MANIFEST;
use self::registry::Registry;
pub(crate) use self::reply::Reply;
use self::reply::Trouble;
pub(crate) use self::write_once::WriteOnce;
use crate::drain::Work;
use crate::index::{Index, Restrictions};

/// How often other gateways' changes of what may be done are looked for.
const RESTRICTIONS_INTERVAL: Duration = Duration::from_secs(1);
/// For how long uploads go on by what was last known of restrictions.
const KNOWN_FOR: Duration = Duration::from_secs(10);
/// How long it takes until what failed at the beginning is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// What a data plane is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The index.
    pub(crate) index: Index,
    /// Asks the registry for lists.
    pub(crate) lists: Client,
    /// Asks the registry for manifests.
    pub(crate) documents: Client,
    /// The registry's address.
    pub(crate) upstream: Url,
    /// What clients call the registry.
    pub(crate) service: String,
    /// For how long what the registry said is not asked again for a list.
    pub(crate) fresh_for: Duration,
    /// How long a write waits for others in its repository.
    pub(crate) wait_for: Duration,
    /// How long the registry may take for a write.
    pub(crate) write_timeout: Duration,
    /// Which tags are written once.
    pub(crate) write_once: Vec<WriteOnce>,
    /// What the end of the process waits for.
    pub(crate) work: Work,
}

/// The data plane of one registry.
#[derive(Debug)]
pub(crate) struct DataPlane {
    index: Index,
    registry: Registry,
    service: String,
    fresh_for: i64,
    restrictions: ArcSwapOption<Snapshot>,
    turns: Named<Mutex<()>>,
    guards: Guards,
    write_once: write_once::Rules,
    parts: PartsCache,
    indexing: Semaphore,
    work: Work,
    /// Tells that the removal of a tag broke off.
    unfinished: Notify,
    /// Whether an index of charts was too long once.
    was_cut: AtomicBool,
}

/// What may not be done, as it was read.
#[derive(Debug)]
struct Snapshot {
    restrictions: Arc<Restrictions>,
    at: Instant,
}

impl DataPlane {
    /// Nothing is known of restrictions yet.
    #[must_use]
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Parts { index, lists, documents, upstream, service, fresh_for, .. } = parts;
        Arc::new(Self {
            index,
            registry: Registry::new(lists, documents, upstream, parts.write_timeout),
            service,
            fresh_for: time::ticks_of(fresh_for),
            restrictions: ArcSwapOption::empty(),
            turns: Named::default(),
            guards: Guards::new(parts.wait_for, parts.work.clone()),
            write_once: write_once::Rules::new(parts.write_once),
            parts: PartsCache::default(),
            indexing: Semaphore::new(INDEXES),
            work: parts.work,
            unfinished: Notify::new(),
            was_cut: AtomicBool::new(false),
        })
    }

    /// Answers a request that was decided about. A write goes on when its client is gone: the
    /// registry may be at work already.
    pub(crate) async fn answer(self: &Arc<Self>, call: Call, sent: Sent) -> Reply {
        if matches!(call.method.as_str(), "GET" | "HEAD") {
            return self.read(&call).await.unwrap_or_else(Reply::from);
        }
        let data_plane = Arc::clone(self);
        let begun = self.work.begin();
        let writing = tokio::spawn(async move {
            let _begun = begun;
            data_plane.write(call, sent).await
        });
        let written = writing.await.map_err(|error| Trouble::Registry(error.to_string()));
        written.flatten().unwrap_or_else(Reply::from)
    }

    async fn write(self: &Arc<Self>, call: Call, sent: Sent) -> Result<Reply, Trouble> {
        use Endpoint::{Blob, Manifest, ManifestMetadata, Repository, StartUpload, TagMetadata};
        match (call.method.as_str(), call.endpoint) {
            ("PATCH", Repository | TagMetadata | ManifestMetadata) => {
                self.patch(&call, &sent).await
            }
            ("PUT", Manifest) => self.push(&call, sent).await,
            ("DELETE", Manifest) => self.delete(&call).await,
            ("DELETE", Blob) => self.delete_blob(&call).await,
            ("POST", StartUpload) => self.mount(&call, sent).await,
            ("DELETE", TagMetadata) => self.untag(&call.repository, &call.last).await,
            ("DELETE", Repository) => self.delete_repository(&call.repository).await,
            _ => self.read(&call).await,
        }
    }

    /// Whether it was ever known what may not be done.
    #[must_use]
    pub(crate) fn is_ready(&self) -> bool {
        self.restrictions.load().is_some()
    }

    /// What every request gets until it was known once what may not be done.
    #[must_use]
    pub(crate) fn unready(&self) -> Option<Reply> {
        (!self.is_ready()).then(|| Trouble::Busy("the index was not read yet").into())
    }

    /// Does what has to be done once: looks through a registry that was never looked through.
    pub(crate) async fn begin(self: &Arc<Self>, crawl_rate: u32) {
        while !self.is_ready() {
            tokio::time::sleep(RESTRICTIONS_INTERVAL).await;
        }
        while let Err(trouble) = self.begun(crawl_rate).await {
            let reply = Reply::from(trouble);
            tracing::warn!(status = reply.status, "looking through the registry begins again");
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }

    async fn begun(self: &Arc<Self>, crawl_rate: u32) -> Result<(), Trouble> {
        if self.index.crawled().await?.is_none() {
            return self.crawl(crawl_rate).await;
        }
        self.report_deletions().await
    }

    /// Reads what may not be done, as often as it changes, until the process ends.
    pub(crate) async fn follow_restrictions(&self) {
        loop {
            if let Err(error) = self.read_restrictions().await {
                tracing::error!(%error, "the index cannot be read");
            }
            tokio::time::sleep(RESTRICTIONS_INTERVAL).await;
        }
    }

    async fn read_restrictions(&self) -> sqlx::Result<()> {
        let at = Instant::now();
        let held = self.restrictions.load_full();
        let restrictions = match held {
            Some(known) if known.restrictions.revision == self.index.revision().await? => {
                Arc::clone(&known.restrictions)
            }
            _ => Arc::new(self.index.restrictions().await?),
        };
        self.restrictions.store(Some(Arc::new(Snapshot { restrictions, at })));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::Router;
    use axum::http::StatusCode;
    use tempfile::TempDir;
    use tokio::net::TcpListener;

    use super::*;
    use crate::index::{Attributes, Facts, Kind, Seen};

    /// A data plane before a registry that answers everything so.
    async fn before(status: u16, body: &'static str) -> (Arc<DataPlane>, Index, TempDir) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let upstream: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let headers = [
            ("docker-content-digest", "sha256:0".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("location", "http://192.0.2.1/elsewhere".to_owned()),
        ];
        let router = Router::new().fallback(async move || (status, headers, body));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let client = crate::signer::client(&upstream);
        let data_plane = DataPlane::new(Parts {
            index: index.clone(),
            lists: client.clone(),
            documents: client,
            upstream,
            service: "r".to_owned(),
            fresh_for: Duration::from_secs(1),
            wait_for: Duration::from_secs(1),
            write_timeout: Duration::from_secs(1),
            write_once: Vec::new(),
            work: Work::default(),
        });
        data_plane.read_restrictions().await.unwrap();
        (data_plane, index, folder)
    }

    fn call(method: &str, endpoint: Endpoint, last: &str) -> Call {
        let (repository, query) = ("a".to_owned(), String::new());
        let (method, last) = (method.to_owned(), last.to_owned());
        Call { method, endpoint, repository, last, query, source: None }
    }

    /// The statuses of every kind of call.
    async fn statuses(data_plane: &Arc<DataPlane>) -> Vec<u16> {
        let digest = registry::sha256(b"x");
        let mut statuses = Vec::new();
        for (method, endpoint, last) in [
            ("GET", Endpoint::Repository, "a"),
            ("GET", Endpoint::MetadataList, "_tags"),
            ("GET", Endpoint::MetadataList, "_manifests"),
            ("GET", Endpoint::TagMetadata, "v1"),
            ("GET", Endpoint::ManifestMetadata, digest.as_str()),
            ("PATCH", Endpoint::TagMetadata, "v1"),
            ("PUT", Endpoint::Manifest, "v1"),
            ("DELETE", Endpoint::Manifest, digest.as_str()),
            ("DELETE", Endpoint::TagMetadata, "v1"),
            ("DELETE", Endpoint::Repository, "a"),
        ] {
            let sent = Sent { body: "{}".into(), ..Sent::default() };
            let reply = data_plane.answer(call(method, endpoint, last), sent).await;
            statuses.push(reply.status);
        }
        statuses
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_registry_may_answer() {
        let long: &'static str = "x".repeat(crate::client::MAX_LIST + 1).leak();
        for (status, body) in [
            (200, ""),
            (200, "[]"),
            (200, "{}"),
            (200, r#"{"tags":7}"#),
            (200, "\0\u{1}"),
            (200, long),
            (307, ""),
            (401, r#"{"tags":[]}"#),
            (500, r#"{"tags":["v1"]}"#),
        ] {
            let (data_plane, _, _folder) = before(status, body).await;
            let statuses = statuses(&data_plane).await;
            // No lists can be read from that, and whatever else is answered is an answer.
            assert_eq!(statuses[..3], [502; 3], "{status} {body:.9}: {statuses:?}");
            let is_reading_refused = status == 200 || statuses[3..5] == [502; 2];
            assert!(is_reading_refused, "{status} {body:.9}: {statuses:?}");
            let are_answers = statuses.iter().all(|status| (200..600).contains(status));
            assert!(are_answers, "{status} {body:.9}: {statuses:?}");
        }
    }

    /// Where the parts of what is locked cannot be known, nothing is deleted.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_registry_that_does_not_tell_parts() {
        let locked = Attributes { delete_enabled: false, ..Attributes::default() };
        for (status, body, is_locked, expected) in [
            (404, "", true, 404),
            (500, "", true, 503),
            (200, "{}", true, 503),
            (500, "", false, 500),
        ] {
            let (data_plane, index, _folder) = before(status, body).await;
            if is_locked {
                let digest = registry::sha256(b"locked");
                index.set_attributes("a", Kind::Manifest, &digest, locked).await.unwrap();
            }
            for endpoint in [Endpoint::Blob, Endpoint::Manifest] {
                let call = call("DELETE", endpoint, &registry::sha256(b"x"));
                let reply = data_plane.answer(call, Sent::default()).await;
                assert_eq!(reply.status, expected, "{status} {body} {is_locked} {endpoint:?}");
            }
        }
    }

    /// What may not be read or listed is in no list of referrers.
    #[tokio::test(flavor = "multi_thread")]
    async fn referrers_that_are_shown() {
        let [hidden, unlisted, shown] = [b"h", b"u", b"s"].map(|text| registry::sha256(text));
        let of = |digest: &String| serde_json::json!({ "digest": digest, "annotations": {} });
        let list = serde_json::json!({ "manifests": [of(&hidden), of(&unlisted), of(&shown)] });
        let list: &'static str = list.to_string().leak();
        for (status, body, expected) in
            [(200, list, 200), (404, "", 404), (200, "[]", 502), (401, "", 502)]
        {
            let (data_plane, index, _folder) = before(status, body).await;
            let subject = registry::sha256(b"x");
            assert_eq!(data_plane.referrers("a", &subject, "").await, None);
            let unread = Attributes { read_enabled: false, ..Attributes::default() };
            let no_list = Attributes { list_enabled: false, ..Attributes::default() };
            for (digest, attributes) in [(&hidden, unread), (&unlisted, no_list)] {
                index.set_attributes("a", Kind::Manifest, digest, attributes).await.unwrap();
            }
            data_plane.read_restrictions().await.unwrap();
            let reply = data_plane.referrers("a", &subject, "n=1").await.unwrap();
            assert_eq!(reply.status, expected, "{status} {body}");
            if status == 200 && expected == 200 {
                let list: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
                assert_eq!(list["manifests"], serde_json::json!([of(&shown)]));
            }
            assert_eq!(data_plane.referrers("b", &subject, "").await, None);
        }
    }

    /// A registry that does not tell of a chart, or tells of another one, hides that chart alone.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_index_of_charts_is_an_answer() {
        let (config, digest) = (Some(chart::CONFIG.to_owned()), registry::sha256(b"x"));
        let facts = Facts { config_media_type: config, ..Facts::default() };
        let kept = r#"{"name":"b","version":"1.0.0"}"#;
        for (status, body) in [
            (200, ""),
            (200, r#"{"tags":["1.0.0"]}"#),
            (200, r#"{"tags":["1.0.0"],"config":{},"layers":[]}"#),
            (404, ""),
            (500, "x"),
            (307, ""),
        ] {
            let (data_plane, index, _folder) = before(status, body).await;
            index.keep_facts(&digest, &facts).await.unwrap();
            for repository in ["a", "b"] {
                let seen = Seen { repository, digest: &digest, first: 1, now: i64::MAX };
                index.pushed(seen, Some("1.0.0")).await.unwrap();
            }
            index.keep_chart("b", &digest, Some(kept), None).await.unwrap();
            let wanted = Wanted { host: "r", below: "" };
            let reply = data_plane.chart_index(wanted, |_| true).await;
            let text = String::from_utf8(reply.body).unwrap();
            let has_one = text.contains("oci://r/b:1.0.0") && !text.contains("oci://r/a");
            assert!(reply.status == 200 && has_one, "{status} {body}: {text}");
            let reply = data_plane.chart_index(wanted, |_| false).await;
            let text = String::from_utf8(reply.body).unwrap();
            assert!(text.ends_with("\"entries\":{\n\n}}\n"), "{text}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn names_that_are_none_are_not_asked_for() {
        let body =
            r#"{"tags":["../../b/manifests/v1","","v 1"],"repositories":["../a","A","a/b"]}"#;
        let (data_plane, index, _folder) = before(200, body).await;
        let tags = data_plane.registry.tags("a").await.unwrap();
        assert_eq!(tags, [""; 0]);
        let catalog = data_plane.catalog("", |_| true).await;
        assert_eq!(catalog.body, b"{\"repositories\":[\"a/b\"]}\n");
        assert_eq!(index.tags("a").await.unwrap().len(), 0);
    }
}
