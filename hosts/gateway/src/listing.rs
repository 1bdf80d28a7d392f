//! The repositories and the tags, page by page, with the `Link` of Azure Container Registry.
//!
//! Registries differ in how they list: CNCF distribution 2.8 gives all tags whatever `n` says, and
//! others end a page where they like. So the gateway asks for as many of the registry's pages as it
//! takes, sorts what it got, and cuts a page of its own from it. A page ends with a `Link` when
//! there is more, and names in it are escaped:
//!
//! ```text
//! Link: </v2/_catalog?last=team%2Fapp&n=2&orderby=>; rel="next"
//! ```
//!
//! A list that few may see costs more than its page: the registry's names are looked through for
//! those that are shown. One page of ours takes at most `MOST_PAGES` of the registry's, and
//! `TIMEOUT`; whatever needs a second page of the registry waits until fewer than `WALKS` others
//! look through one. So a client that asks for a list again and again makes the registry work no
//! more than that.
//!
//! Left out: other orders than that of the names (`orderby`), which `/acr/v1` has and `/v2` has
//! not.

use std::time::Duration;

use form_urlencoded::{byte_serialize, parse};
use scopegate_core::route::Endpoint;
use scopegate_host::client::header::{ACCEPT, LINK};
use scopegate_host::client::{Answer, Client, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

/// The size of a page when a client names none.
const DEFAULT_PAGE_SIZE: usize = 100;
/// The largest page.
const LARGEST: usize = 1000;
/// How many names the registry is asked for at once: the most that CNCF distribution 3 gives.
const AT_ONCE: usize = 1000;
/// How many pages of the registry one page of ours may take.
const MOST_PAGES: usize = 200;
/// How long one page of ours may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many lists are looked through at one time, beyond the registry's first page.
const WALKS: usize = 8;
static WALKING: Semaphore = Semaphore::const_new(WALKS);

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The maximum number of names.
    pub(crate) n: usize,
    /// Those that come after this one.
    pub(crate) last: String,
}

impl Page {
    /// Reads a query; `None` for an `n` that is no size of a page, or one that stands there twice.
    #[must_use]
    pub(crate) fn read(query: &str) -> Option<Self> {
        let mut page = Self { n: DEFAULT_PAGE_SIZE, last: String::new() };
        let mut seen = [false; 2];
        for (key, value) in parse(query.as_bytes()) {
            let index = match &*key {
                "n" => {
                    page.n = value.parse().ok().filter(|n| (1..=i32::MAX as usize).contains(n))?;
                    0
                }
                "last" => {
                    page.last = value.into_owned();
                    1
                }
                _ => continue,
            };
            if std::mem::replace(seen.get_mut(index)?, true) {
                return None;
            }
        }
        page.n = page.n.min(LARGEST);
        Some(page)
    }

    /// Cuts this page from the names of a registry. The second part is what the next page begins
    /// after, when there is one.
    fn cut(&self, mut names: Vec<String>) -> (Vec<String>, Option<String>) {
        names.retain(|name| *name > self.last);
        names.sort_unstable();
        names.dedup();
        let more = names.len() > self.n;
        names.truncate(self.n);
        let last = names.last().filter(|_| more).cloned();
        (names, last)
    }

    /// The link to the page that begins after a name.
    pub(crate) fn link(&self, path: &str, last: &str) -> String {
        let last: String = byte_serialize(last.as_bytes()).collect();
        format!("<{path}?last={last}&n={}&orderby=>; rel=\"next\"", self.n)
    }
}

/// A page as it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The status: the registry's own where it has no list.
    pub(crate) status: u16,
    /// The value of `Link`, when there is more.
    pub(crate) link: Option<String>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// The field of a registry's answer that holds the names.
#[must_use]
pub(crate) fn field(endpoint: Endpoint) -> Option<&'static str> {
    match endpoint {
        Endpoint::Catalog => Some("repositories"),
        Endpoint::TagsList => Some("tags"),
        _ => None,
    }
}

/// Names of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// A page of them, and what the next one begins after.
    Page {
        /// The names.
        names: Vec<String>,
        /// The last of them, when there are more.
        next: Option<String>,
        /// What else the registry says.
        rest: Map<String, Value>,
    },
    /// The registry gives no list; the status and the body are its own.
    None(u16, Vec<u8>),
}

/// Asks the registry for the names at this path, and cuts a page from those that are shown. A page
/// that is not the last is full, however many names are passed over for it, and its `Link` has no
/// name that is not shown.
///
/// # Errors
///
/// When the registry does not answer in time, or with no list, or has more names than can be looked
/// through; the text is for the log.
pub(crate) async fn list(
    client: &Client,
    upstream: &Url,
    path: &str,
    field: &str,
    page: &Page,
    is_shown: impl Fn(&str) -> bool,
) -> Result<Listed, String> {
    match names(client, upstream, path, field, page, is_shown).await? {
        Names::None(status, body) if is_own_error(status, &body) => {
            Ok(Listed { status, link: None, body })
        }
        Names::None(status, _) => Err(format!("the answer is {status}")),
        Names::Page { names, next, mut rest } => {
            let link = next.map(|last| page.link(path, &last));
            rest.insert(field.to_owned(), json!(names));
            let body = serde_json::to_vec(&rest).map_err(|error| error.to_string())?;
            Ok(Listed { status: 200, link, body })
        }
    }
}

/// Whether an answer without a list is the registry's to give: that there is none, or too many
/// ask, in the form that clients read.
fn is_own_error(status: u16, body: &[u8]) -> bool {
    let errors = |body| serde_json::from_slice::<Map<String, Value>>(body).ok()?.remove("errors");
    matches!(status, 404 | 405 | 429) && errors(body).is_some_and(|errors| errors.is_array())
}

/// The names of [`list`], before they are an answer.
///
/// # Errors
///
/// As [`list`].
pub(crate) async fn names(
    client: &Client,
    upstream: &Url,
    path: &str,
    field: &str,
    page: &Page,
    is_shown: impl Fn(&str) -> bool,
) -> Result<Names, String> {
    let walk = walk(client, upstream, path, field, page, is_shown);
    let listed = timeout(TIMEOUT, walk).await;
    listed.unwrap_or_else(|_| Err("the registry's names take too long to look through".to_owned()))
}

async fn walk(
    client: &Client,
    upstream: &Url,
    path: &str,
    field: &str,
    page: &Page,
    is_shown: impl Fn(&str) -> bool,
) -> Result<Names, String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = Map::new();
    let mut last = page.last.clone();
    let mut has_ended = false;
    let mut wanted = page.n.saturating_add(1).min(AT_ONCE);
    let mut permit = None;
    for number in 0..MOST_PAGES {
        if number == 1 {
            permit = WALKING.acquire().await.ok();
        }
        let mut url = upstream.join(path).map_err(|error| error.to_string())?;
        url.query_pairs_mut().append_pair("n", &wanted.to_string());
        if !last.is_empty() {
            url.query_pairs_mut().append_pair("last", &last);
        }
        let Answer { status, headers, body, permit: long } = ask(client, &url).await?;
        let has_more = headers.contains_key(LINK);
        if status != StatusCode::OK {
            return Ok(Names::None(status.as_u16(), body));
        }
        let (found, others) = read(&body, field).ok_or("the answer is not a list")?;
        drop(body);
        rest = others;
        let end = found.iter().max().filter(|end| has_more && **end > last).cloned();
        names.extend(found.into_iter().filter(|name| *name > page.last && is_shown(name)));
        has_ended = end.is_none() || names.len() > page.n;
        if names.len() > page.n.saturating_mul(2) {
            names.sort_unstable();
            names.dedup();
            names.truncate(page.n.saturating_add(1));
            names.shrink_to_fit();
        }
        drop(long);
        match end {
            Some(end) if !has_ended => (last, wanted) = (end, AT_ONCE),
            _ => break,
        }
    }
    drop(permit);
    if !has_ended {
        return Err("the registry has more names than can be looked through".to_owned());
    }
    let (names, next) = page.cut(names);
    Ok(Names::Page { names, next, rest })
}

/// A page of the registry.
async fn ask(client: &Client, url: &Url) -> Result<Answer, String> {
    client.send(client.get(url).header(ACCEPT, "application/json")).await
}

/// The names of a page of the registry, and what else it says. A registry without any writes
/// `null`.
fn read(body: &[u8], field: &str) -> Option<(Vec<String>, Map<String, Value>)> {
    let mut rest: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let names = match rest.remove(field)? {
        Value::Null => Vec::new(),
        names => serde_json::from_value(names).ok()?,
    };
    Some((names, rest))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::extract::RawQuery;
    use axum::routing::get;
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    #[test]
    fn queries() {
        let page = |n, last: &str| Some(Page { n, last: last.into() });
        for (query, expected) in [
            ("", page(100, "")),
            ("n=2", page(2, "")),
            ("n=2&last=team%2Fapp&orderby=", page(2, "team/app")),
            ("n=5000", page(1000, "")),
            ("last=a&x=y", page(100, "a")),
            ("n=0", None),
            ("n=-1", None),
            ("n=x", None),
            ("n=99999999999999999999", None),
            ("n=", None),
            ("n=1&n=2", None),
            ("last=a&last=b", None),
        ] {
            assert_eq!(Page::read(query), expected, "{query}");
        }
    }

    #[test]
    fn pages() {
        for (n, last, expected, link) in [
            (2, "", "a b", Some("</v2/_catalog?last=b&n=2&orderby=>; rel=\"next\"")),
            (2, "b", "c team/app", None),
            (1, "b", "c", Some("</v2/_catalog?last=c&n=1&orderby=>; rel=\"next\"")),
            (3, "b", "c team/app", None),
            (3, "a", "b c team/app", None),
            (2, "zz", "", None),
            (9, "", "a b c team/app", None),
        ] {
            let page = Page { n, last: last.into() };
            let names = ["team/app", "b", "a", "c", "b"].map(str::to_owned).to_vec();
            let (cut, next) = page.cut(names);
            assert_eq!(cut.join(" "), expected, "{n} {last}");
            let got = next.map(|last| page.link("/v2/_catalog", &last));
            assert_eq!(got.as_deref(), link, "{n} {last}");
        }
        let page = Page { n: 1, last: String::new() };
        assert!(page.link("/v2/_catalog", "team/app").contains("last=team%2Fapp&"));
    }

    #[test]
    fn answers_of_registries() {
        let names = |body: &str, field| read(body.as_bytes(), field).map(|(names, _)| names);
        assert_eq!(names(r#"{"name":"a","tags":["v1"]}"#, "tags"), Some(vec!["v1".into()]));
        assert_eq!(names(r#"{"name":"a","tags":null}"#, "tags"), Some(vec![]));
        for body in ["", "[]", "{}", r#"{"tags":"v1"}"#, r#"{"tags":[1]}"#] {
            assert_eq!(names(body, "tags"), None, "{body}");
        }
    }

    /// A registry whose list never ends, one name a page.
    struct Endless {
        url: Url,
        pages: Arc<AtomicUsize>,
        /// How many pages beyond the first of a list were asked for at one time, at most.
        most: Arc<AtomicUsize>,
    }

    impl Endless {
        async fn start() -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
            let [pages, most, now] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
            let counts = (Arc::clone(&pages), Arc::clone(&most));
            let answer = async move |RawQuery(query): RawQuery| {
                let (pages, most) = counts.clone();
                let number = pages.fetch_add(1, Ordering::SeqCst);
                let is_later = query.is_some_and(|query| query.contains("last="));
                let step = usize::from(is_later);
                most.fetch_max(now.fetch_add(step, Ordering::SeqCst) + step, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
                now.fetch_sub(step, Ordering::SeqCst);
                let body = json!({"repositories": [format!("n{number:06}")]}).to_string();
                ([("link", "</v2/_catalog?last=x>; rel=\"next\"")], body)
            };
            let router = Router::new().route("/v2/_catalog", get(answer));
            tokio::spawn(async move { axum::serve(listener, router).await });
            Self { url, pages, most }
        }

        async fn list(&self) -> Result<Listed, String> {
            let client = crate::signer::client(&self.url);
            let page = Page { n: 1000, last: String::new() };
            list(&client, &self.url, "/v2/_catalog", "repositories", &page, |_| false).await
        }
    }

    #[test]
    fn errors_of_a_registry() {
        let errors = r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#;
        for (status, body, expected) in [
            (404, errors, true),
            (429, errors, true),
            (405, errors, true),
            (404, "<html>", false),
            (404, "", false),
            (404, "[]", false),
            (401, errors, false),
            (403, errors, false),
            (307, errors, false),
            (204, errors, false),
            (500, errors, false),
        ] {
            assert_eq!(is_own_error(status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    #[tokio::test]
    async fn one_page_asks_the_registry_for_so_many_and_no_more() {
        let registry = Endless::start().await;
        let refused = registry.list().await.unwrap_err();
        assert_eq!(refused, "the registry has more names than can be looked through");
        assert_eq!(registry.pages.load(Ordering::SeqCst), MOST_PAGES);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn so_many_lists_are_looked_through_at_one_time() {
        let registry = Arc::new(Endless::start().await);
        let mut lists = JoinSet::new();
        for _ in 0..3 * WALKS {
            let registry = Arc::clone(&registry);
            lists.spawn(async move { registry.list().await.unwrap_err() });
        }
        while lists.join_next().await.is_some() {}
        let most = registry.most.load(Ordering::SeqCst);
        assert!((2..=WALKS).contains(&most), "{most}");
    }
}
