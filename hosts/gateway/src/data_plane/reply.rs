//! The answers of the data plane, byte for byte as the service writes them: the order of the
//! members, what is left out when there is none of it, and a line feed at the end.
//!
//! Left out: the headers that every answer has.

use std::borrow::Cow;

use serde::Serialize;
use sqlx::error::ErrorKind;

use super::time::written;
use crate::index::{Attributes, Facts, Reference, Row};

const JSON: &str = "application/json; charset=utf-8";
/// What the service says of everything that is locked.
const DISALLOWED: &str = "The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation";

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The type of the body.
    pub(crate) content_type: Option<Cow<'static, str>>,
    /// More headers.
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer. The texts are for the log.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The registry does not answer, or not as one.
    Registry(String),
    /// The index cannot be read or written.
    Index(sqlx::Error),
    /// There is more to do than fits into one request; what was done stays done.
    Busy(&'static str),
}

impl Trouble {
    /// Whether it is about one thing, and others may be asked about and written all the same: the
    /// registry does not tell of it, or the database takes no such value.
    pub(super) fn is_of_one_thing(&self) -> bool {
        match self {
            Self::Registry(_) => true,
            Self::Index(sqlx::Error::Database(error)) => {
                // Class 22 of PostgreSQL: data exceptions.
                let is_of_data =
                    error.code().is_some_and(|code| code.len() == 5 && code.starts_with("22"));
                is_of_data || !matches!(error.kind(), ErrorKind::Other)
            }
            Self::Index(_) | Self::Busy(_) => false,
        }
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Index(error)
    }
}

impl From<Trouble> for Reply {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Registry(reason) => {
                tracing::error!(reason, "the registry gives no usable answer");
                let message = "bad gateway: the upstream gave no usable answer";
                Self::error(502, "UNAVAILABLE", message)
            }
            Trouble::Index(error) => {
                tracing::error!(%error, "the index cannot be used");
                Self::unavailable("the registry's index cannot be used, try again")
            }
            Trouble::Busy(reason) => {
                tracing::warn!(reason, "a request has to be sent again");
                Self::unavailable("the registry is busy, try again")
            }
        }
    }
}

impl Reply {
    /// An object.
    #[must_use]
    pub(super) fn json(status: u16, object: &impl Serialize) -> Self {
        let mut body = serde_json::to_vec(object).unwrap_or_default();
        body.push(b'\n');
        Self { status, content_type: Some(JSON.into()), headers: Vec::new(), body }
    }

    /// An error without a detail.
    #[must_use]
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &Errors { errors: [Detailed { code, message, detail: None }] })
    }

    fn unavailable(message: &str) -> Self {
        let mut reply = Self::error(503, "UNAVAILABLE", message);
        reply.headers.push(("retry-after".into(), "1".to_owned()));
        reply
    }

    /// What may not be done with something that is locked.
    #[must_use]
    pub(crate) fn disallowed() -> Self {
        let detail = Some(serde_json::json!({}));
        let error = Detailed { code: "REGISTRY_DISALLOWED_OPERATION", message: DISALLOWED, detail };
        Self::json(405, &Errors { errors: [error] })
    }

    /// A digest that cannot be one, in a path below `/acr/v1`.
    #[must_use]
    pub(crate) fn no_page() -> Self {
        Self {
            status: 404,
            content_type: Some("text/plain; charset=utf-8".into()),
            headers: Vec::new(),
            body: b"404 page not found\n".to_vec(),
        }
    }

    /// A repository of which nothing is known.
    #[must_use]
    pub(super) fn no_repository(name: &str) -> Self {
        Self::error(404, "NAME_UNKNOWN", &format!("repository \"{name}\" is not found"))
    }

    /// The same for who wants to delete it.
    #[must_use]
    pub(super) fn no_repository_to_delete(name: &str) -> Self {
        let detail = Some(serde_json::json!({ "name": name }));
        let message = "repository name not known to registry";
        let error = Detailed { code: "NAME_UNKNOWN", message, detail };
        Self::json(404, &Errors { errors: [error] })
    }

    /// A tag that does not exist.
    #[must_use]
    pub(super) fn no_tag() -> Self {
        Self::error(404, "TAG_UNKNOWN", "the specified tag does not exist")
    }

    /// A manifest that does not exist.
    #[must_use]
    pub(super) fn no_manifest(digest: &str) -> Self {
        Self::error(404, "MANIFEST_UNKNOWN", &format!("manifest {digest} is not found"))
    }

    /// A tag that points to no manifest, for who pulls it.
    #[must_use]
    pub(super) fn no_manifest_of(tag: &str) -> Self {
        let message = format!("manifest tagged by \"{tag}\" is not found");
        Self::error(404, "MANIFEST_UNKNOWN", &message)
    }

    /// What this registry does not have.
    #[must_use]
    pub(super) fn unsupported() -> Self {
        Self::error(405, "UNSUPPORTED", "The operation is unsupported.")
    }
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: [Detailed<'a>; 1],
}

#[derive(Serialize)]
struct Detailed<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<serde_json::Value>,
}

/// The repositories.
#[derive(Serialize)]
pub(super) struct Catalog {
    pub(super) repositories: Option<Vec<String>>,
}

/// A repository.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Repository<'a> {
    pub(super) registry: &'a str,
    pub(super) image_name: &'a str,
    pub(super) created_time: String,
    pub(super) last_update_time: String,
    pub(super) manifest_count: i64,
    pub(super) tag_count: i64,
    pub(super) changeable_attributes: Attributes,
}

/// One tag, with where it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OneTag<'a> {
    pub(super) registry: &'a str,
    pub(super) image_name: &'a str,
    pub(super) tag: Tag<'a>,
}

/// A page of tags. There is no empty list: clients index into one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tags<'a> {
    pub(super) registry: &'a str,
    pub(super) image_name: &'a str,
    pub(super) tags: Option<Vec<Tag<'a>>>,
}

/// A tag.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tag<'a> {
    name: &'a str,
    digest: &'a str,
    created_time: String,
    last_update_time: String,
    signed: bool,
    changeable_attributes: Attributes,
}

/// One manifest, with where it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OneManifest<'a> {
    pub(super) registry: &'a str,
    pub(super) image_name: &'a str,
    pub(super) manifest: Manifest<'a>,
}

/// A page of manifests.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifests<'a> {
    pub(super) registry: &'a str,
    pub(super) image_name: &'a str,
    pub(super) manifests: Option<Vec<Manifest<'a>>>,
}

/// A manifest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest<'a> {
    digest: &'a str,
    image_size: i64,
    created_time: String,
    last_update_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os: Option<&'a str>,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_media_type: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    changeable_attributes: Attributes,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    references: &'a [Reference],
}

impl<'a> From<&'a Row> for Tag<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            name: &row.name,
            digest: &row.digest,
            created_time: written(row.created),
            last_update_time: written(row.updated),
            signed: false,
            changeable_attributes: row.attributes,
        }
    }
}

impl<'a> From<&'a Row> for Manifest<'a> {
    fn from(row: &'a Row) -> Self {
        const NONE: &Facts = &Facts {
            media_type: String::new(),
            image_size: 0,
            config_media_type: None,
            architecture: None,
            os: None,
            made: None,
            references: Vec::new(),
        };
        let facts = row.facts.as_ref().unwrap_or(NONE);
        Self {
            digest: &row.digest,
            image_size: facts.image_size,
            created_time: written(row.created),
            last_update_time: written(row.updated),
            architecture: facts.architecture.as_deref(),
            os: facts.os.as_deref(),
            media_type: &facts.media_type,
            config_media_type: facts.config_media_type.as_deref(),
            tags: &row.tags,
            changeable_attributes: row.attributes,
            references: &facts.references,
        }
    }
}

/// What was deleted with a repository.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deleted {
    pub(super) manifests_deleted: Vec<String>,
    pub(super) tags_deleted: Vec<String>,
}

impl Deleted {
    pub(super) const fn is_empty(&self) -> bool {
        self.manifests_deleted.is_empty()
    }

    /// What is said when not all of this number of manifests were deleted.
    pub(super) fn broken_off(&self, count: usize) -> Reply {
        let left = count.saturating_sub(self.manifests_deleted.len());
        let message = format!(
            "the registry deleted {} of {count} manifests and then failed; delete the repository again for the other {left}",
            self.manifests_deleted.len()
        );
        Reply::error(502, "UNAVAILABLE", &message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn which_trouble_is_about_one_thing() {
        sqlx::any::install_default_drivers();
        // Each connection has a memory of its own.
        let pool = sqlx::any::AnyPoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.unwrap();
        let failed = async |text: &'static str| sqlx::query(text).execute(&pool).await.unwrap_err();
        sqlx::query("create table t (n text not null)").execute(&pool).await.unwrap();
        for (trouble, expected) in [
            (Trouble::Registry("gone".into()), true),
            (Trouble::Index(failed("insert into t values (null)").await), true),
            (Trouble::Index(failed("insert into u values (1)").await), false),
            (Trouble::Index(sqlx::Error::PoolTimedOut), false),
            (Trouble::Busy("others write"), false),
        ] {
            assert_eq!(trouble.is_of_one_thing(), expected, "{trouble:?}");
        }
    }

    fn text(reply: &Reply) -> String {
        String::from_utf8(reply.body.clone()).unwrap()
    }

    #[test]
    fn errors_byte_for_byte() {
        assert_eq!(text(&Reply::disallowed()).len(), 263);
        for (reply, status, expected) in [
            (
                Reply::no_repository("a/b"),
                404,
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository \"a/b\" is not found"}]}"#,
            ),
            (
                Reply::no_repository_to_delete("a/b"),
                404,
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry","detail":{"name":"a/b"}}]}"#,
            ),
            (
                Reply::no_tag(),
                404,
                r#"{"errors":[{"code":"TAG_UNKNOWN","message":"the specified tag does not exist"}]}"#,
            ),
            (
                Reply::no_manifest("sha256:00"),
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest sha256:00 is not found"}]}"#,
            ),
            (
                Reply::disallowed(),
                405,
                r#"{"errors":[{"code":"REGISTRY_DISALLOWED_OPERATION","message":"The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation","detail":{}}]}"#,
            ),
        ] {
            assert_eq!((reply.status, text(&reply)), (status, format!("{expected}\n")));
        }
    }

    fn row() -> Row {
        Row {
            name: "v1".into(),
            digest: "sha256:00".into(),
            created: 16_709_243_660_000_000,
            updated: 16_709_243_661_720_070,
            seen: 0,
            attributes: Attributes::default(),
            facts: None,
            tags: Vec::new(),
        }
    }

    #[test]
    fn objects_byte_for_byte() {
        const OPEN: &str = r#""changeableAttributes":{"deleteEnabled":true,"writeEnabled":true,"readEnabled":true,"listEnabled":true}"#;
        const TIMES: &str = r#""createdTime":"2022-12-13T09:39:26Z","lastUpdateTime":"2022-12-13T09:39:26.172007Z""#;
        let row = row();
        let tag = OneTag { registry: "h", image_name: "r", tag: Tag::from(&row) };
        let expected = format!(
            r#"{{"registry":"h","imageName":"r","tag":{{"name":"v1","digest":"sha256:00",{TIMES},"signed":false,{OPEN}}}}}"#
        );
        assert_eq!(text(&Reply::json(200, &tag)), expected + "\n");
        let none = Tags { registry: "h", image_name: "r", tags: None };
        let expected = "{\"registry\":\"h\",\"imageName\":\"r\",\"tags\":null}\n";
        assert_eq!(text(&Reply::json(200, &none)), expected);

        let mut row = row;
        let references =
            vec![Reference { digest: "d".into(), architecture: Some("arm64".into()), os: None }];
        row.tags = vec!["v1".into()];
        row.facts = Some(Facts {
            media_type: "m".into(),
            image_size: 7,
            config_media_type: Some("c".into()),
            architecture: Some("amd64".into()),
            os: Some("linux".into()),
            made: None,
            references,
        });
        let manifest =
            OneManifest { registry: "h", image_name: "r", manifest: Manifest::from(&row) };
        let expected = format!(
            r#"{{"registry":"h","imageName":"r","manifest":{{"digest":"sha256:00","imageSize":7,{TIMES},"architecture":"amd64","os":"linux","mediaType":"m","configMediaType":"c","tags":["v1"],{OPEN},"references":[{{"digest":"d","architecture":"arm64"}}]}}}}"#
        );
        assert_eq!(text(&Reply::json(200, &manifest)), expected + "\n");
        (row.facts, row.tags) = (None, Vec::new());
        let bare = serde_json::to_string(&Manifest::from(&row)).unwrap();
        let expected =
            format!(r#"{{"digest":"sha256:00","imageSize":0,{TIMES},"mediaType":"",{OPEN}}}"#);
        assert_eq!(bare, expected);
    }
}
