//! Pages of tags and manifests: what a client asks for, and where the next page is.
//!
//! In the order of times, `last` is a pair: the key by which the list is sorted, and the name. A
//! bare name, as some clients make it up from the last item of a page, means the same place.
//!
//! ```text
//! Link: </acr/v1/team%2Fapp/_tags?last=8586163895140836946%26v1&n=2&orderby=timedesc>; rel="next"
//! ```
//!
//! The link keeps `digest`, which the service loses.
//!
//! Left out: lists of repositories ([`listing`](crate::listing)).

use form_urlencoded::{byte_serialize, parse};

use super::time::{of_sort_key, sort_key};
use crate::index::{Position, Row};

/// The size of a page when a client names none.
const DEFAULT_PAGE_SIZE: usize = 100;
/// The largest page.
const LARGEST: usize = 1000;

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Name,
    Time { is_descending: bool },
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) n: usize,
    pub(super) order: Order,
    /// What was last, as the client says it.
    last: String,
    /// The manifest whose tags are asked for.
    pub(super) digest: Option<String>,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    At(Position),
    /// After this name, in the order of times.
    AfterName(String),
}

impl Order {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "",
            Self::Time { is_descending: false } => "timeasc",
            Self::Time { is_descending: true } => "timedesc",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "timeasc" => Self::Time { is_descending: false },
            "timedesc" => Self::Time { is_descending: true },
            _ => Self::Name,
        }
    }
}

impl Page {
    /// Reads a query; `None` for an `n` that is no size of a page, or for what stands there twice.
    pub(super) fn read(query: &str) -> Option<Self> {
        let (mut n, mut last, mut order, mut digest) = (None, None, None, None);
        for (key, value) in parse(query.as_bytes()) {
            let slot = match &*key {
                "n" => &mut n,
                "last" => &mut last,
                "orderby" => &mut order,
                "digest" => &mut digest,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        let n = match n {
            None => DEFAULT_PAGE_SIZE,
            Some(n) => n.parse().ok().filter(|n| (1..=i32::MAX as usize).contains(n))?,
        };
        // A database refuses a NUL, and no name has one.
        let last = last.unwrap_or_default().replace('\0', "\u{fffd}");
        let digest = digest.filter(|digest| !digest.is_empty());
        let digest = digest.map(|digest| digest.replace('\0', "\u{fffd}"));
        let order = Order::parse(order.as_deref().unwrap_or_default());
        Some(Self { n: n.min(LARGEST), order, last, digest })
    }

    /// Where it begins.
    pub(super) fn start(&self) -> Start {
        let Order::Time { is_descending } = self.order else {
            return Start::At(Position::Name(self.last.clone()));
        };
        if self.last.is_empty() {
            return Start::At(Position::Time { is_descending, after: None });
        }
        let pair = self.last.split_once('&');
        let pair = pair.and_then(|(key, name)| Some((key.parse().ok()?, name)));
        match pair {
            Some((key, name)) => {
                let after = Some((of_sort_key(key, is_descending), name.to_owned()));
                Start::At(Position::Time { is_descending, after })
            }
            None => Start::AfterName(self.last.clone()),
        }
    }

    /// Cuts the page from its rows and one more; gives the link to the next one, if there is one.
    /// Rows that were cut already have more behind them.
    pub(super) fn cut(
        &self,
        rows: &mut Vec<Row>,
        is_cut: bool,
        repository: &str,
        list: &str,
    ) -> Option<String> {
        let has_more = is_cut || rows.len() > self.n;
        rows.truncate(self.n);
        let last = rows.last().filter(|_| has_more)?;
        let last = match self.order {
            Order::Name => last.name.clone(),
            Order::Time { is_descending } => {
                format!("{}&{}", sort_key(last.updated, is_descending), last.name)
            }
        };
        let escaped = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let digest = self.digest.as_deref().map(|digest| format!("&digest={}", escaped(digest)));
        Some(format!(
            "</acr/v1/{}/{list}?last={}&n={}&orderby={}{}>; rel=\"next\"",
            escaped(repository),
            escaped(&last),
            self.n,
            self.order.as_str(),
            digest.unwrap_or_default(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Attributes;

    #[test]
    fn queries() {
        for (query, expected) in [
            ("", Some((100, Start::At(Position::Name(String::new()))))),
            ("n=2&last=v1&orderby=none", Some((2, Start::At(Position::Name("v1".into()))))),
            ("n=5000&api-version=x", Some((1000, Start::At(Position::Name(String::new()))))),
            (
                "orderby=timedesc",
                Some((100, Start::At(Position::Time { is_descending: true, after: None }))),
            ),
            (
                "orderby=timeasc&last=621355968000000007%26v1",
                Some((
                    100,
                    Start::At(Position::Time {
                        is_descending: false,
                        after: Some((7, "v1".into())),
                    }),
                )),
            ),
            ("orderby=timeasc&last=v1", Some((100, Start::AfterName("v1".into())))),
            ("n=0", None),
            ("n=-1", None),
            ("n=x", None),
            ("n=1&n=1", None),
            ("last=a&last=a", None),
        ] {
            let page = Page::read(query).map(|page| (page.n, page.start()));
            assert_eq!(page, expected, "{query}");
        }
    }

    #[test]
    fn links() {
        let row = |name: &str| Row {
            name: name.into(),
            digest: "sha256:00".into(),
            created: 0,
            updated: 7,
            seen: 0,
            attributes: Attributes::default(),
            facts: None,
            tags: Vec::new(),
        };
        for (query, expected) in [
            ("n=3", None),
            ("n=1", Some("last=a&n=1&orderby=")),
            ("n=1&orderby=timeasc", Some("last=621355968000000007%26a&n=1&orderby=timeasc")),
            (
                "n=1&orderby=timedesc&digest=sha256%3A00",
                Some("last=8602016068854775800%26a&n=1&orderby=timedesc&digest=sha256%3A00"),
            ),
        ] {
            let mut rows = vec![row("a"), row("b")];
            let link = Page::read(query).unwrap().cut(&mut rows, false, "team/app", "_tags");
            let expected =
                expected.map(|query| format!("</acr/v1/team%2Fapp/_tags?{query}>; rel=\"next\""));
            assert_eq!(link, expected, "{query}");
        }
    }
}
