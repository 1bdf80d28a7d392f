//! What may be done with a repository, a tag or a manifest: four flags at each of three levels,
//! which are independent of one another.
//!
//! What has no row may be done entirely. Writes read the rows; reads look at [`Restrictions`], all
//! rows in memory, because there are few and each pull asks.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row as _, Transaction};

use super::{Index, bounded};

/// What may be done, in the order in which the service writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attributes {
    /// Whether it may be deleted.
    pub(crate) delete_enabled: bool,
    /// Whether it may be overwritten, and deleted.
    pub(crate) write_enabled: bool,
    /// Whether it may be pulled.
    pub(crate) read_enabled: bool,
    /// Whether lists show it.
    pub(crate) list_enabled: bool,
}

/// A level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The whole repository; its name within it is empty.
    Repository,
    /// A tag.
    Tag,
    /// A manifest, by its digest.
    Manifest,
}

/// All that may not be done, in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restrictions {
    /// The revision that this is.
    pub(crate) revision: i64,
    repositories: HashMap<String, HashMap<(Kind, String), Attributes>>,
    deleted: HashSet<String>,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Tag => "tag",
            Self::Manifest => "manifest",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Repository, Self::Tag, Self::Manifest];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

const DELETE: i64 = 1;
const WRITE: i64 = 2;
/// The flag for lists, which statements look at too.
pub(super) const LIST: i64 = 4;
const READ: i64 = 8;
/// All flags.
pub(super) const ALL: i64 = 15;

impl Default for Attributes {
    fn default() -> Self {
        Self::of(ALL)
    }
}

impl Attributes {
    /// What a row's flags say.
    pub(super) const fn of(bits: i64) -> Self {
        Self {
            delete_enabled: bits & DELETE != 0,
            write_enabled: bits & WRITE != 0,
            read_enabled: bits & READ != 0,
            list_enabled: bits & LIST != 0,
        }
    }

    fn bits(self) -> i64 {
        let flags = [
            (self.delete_enabled, DELETE),
            (self.write_enabled, WRITE),
            (self.list_enabled, LIST),
            (self.read_enabled, READ),
        ];
        flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum()
    }

    /// Whether more may be done than by others, and nothing less.
    #[must_use]
    pub(crate) fn only_lifts(self, others: Self) -> bool {
        self != others && self.bits() & others.bits() == others.bits()
    }

    /// Whether it may be deleted: what may not be written may not be deleted either.
    #[must_use]
    pub(crate) const fn may_delete(self) -> bool {
        self.delete_enabled && self.write_enabled
    }
}

impl Restrictions {
    /// What may be done with something.
    #[must_use]
    pub(crate) fn attributes(&self, repository: &str, kind: Kind, name: &str) -> Attributes {
        let Some(inside) = self.repositories.get(repository) else { return Attributes::default() };
        inside.get(&(kind, name.to_owned())).copied().unwrap_or_default()
    }

    /// Whether something may be pulled: a manifest by its digest or by a tag, a blob of the
    /// repository.
    #[must_use]
    pub(crate) fn may_read(&self, repository: &str, kind: Kind, name: &str) -> bool {
        let of = |kind, name| self.attributes(repository, kind, name).read_enabled;
        of(Kind::Repository, "") && of(kind, name)
    }

    /// Whether a repository may be deleted with all that is in it.
    #[must_use]
    pub(crate) fn all_may_be_deleted(&self, repository: &str) -> bool {
        let mut inside = self.repositories.get(repository).into_iter().flatten();
        inside.all(|(_, attributes)| attributes.may_delete())
    }

    /// Whether some manifest of a repository may not be pulled.
    #[must_use]
    pub(crate) fn hides_manifests(&self, repository: &str) -> bool {
        self.of_kind(repository, Kind::Manifest).any(|(_, attributes)| !attributes.read_enabled)
    }

    /// Whether lists show a repository.
    #[must_use]
    pub(crate) fn is_listed(&self, repository: &str) -> bool {
        !self.deleted.contains(repository)
            && self.attributes(repository, Kind::Repository, "").list_enabled
    }
}

impl Index {
    /// All that may not be done.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn restrictions(&self) -> sqlx::Result<Restrictions> {
        bounded(async {
            let mut read = self.pool.begin_with(self.database.begin_read()).await?;
            let revision = revision(&mut read).await?;
            let query = sqlx::query("select repository, kind, name, bits from attributes");
            let mut restrictions = Restrictions { revision, ..Restrictions::default() };
            for row in query.fetch_all(&mut *read).await? {
                let (repository, kind, name, attributes) = restriction(&row)?;
                let inside = restrictions.repositories.entry(repository).or_default();
                inside.insert((kind, name), attributes);
            }
            let query = sqlx::query_scalar("select name from deleted_repositories");
            restrictions.deleted = query.fetch_all(&mut *read).await?.into_iter().collect();
            Ok(restrictions)
        })
        .await
    }

    /// The revision of what may be done.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn revision(&self) -> sqlx::Result<i64> {
        bounded(async { revision(&mut *self.pool.acquire().await?).await }).await
    }

    /// What may be done with a repository, and with each thing in it that has a restriction.
    ///
    /// # Errors
    ///
    /// When the database cannot be read: no write is allowed then.
    pub(crate) async fn restrictions_of(&self, repository: &str) -> sqlx::Result<Restrictions> {
        let query = "select repository, kind, name, bits from attributes where repository = $1";
        let query = sqlx::query(query).bind(repository).fetch_all(&self.pool);
        let mut restrictions = Restrictions::default();
        for row in bounded(query).await? {
            let (repository, kind, name, attributes) = restriction(&row)?;
            let inside = restrictions.repositories.entry(repository).or_default();
            inside.insert((kind, name), attributes);
        }
        Ok(restrictions)
    }

    /// Says what may be done from now on.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub(crate) async fn set_attributes(
        &self,
        repository: &str,
        kind: Kind,
        name: &str,
        attributes: Attributes,
    ) -> sqlx::Result<()> {
        bounded(async {
            let mut write = self.write().await?;
            remove(&mut write, repository, kind, name).await?;
            if attributes != Attributes::default() {
                let statement =
                    "insert into attributes (repository, kind, name, bits) values ($1, $2, $3, $4)";
                sqlx::query(statement)
                    .bind(repository)
                    .bind(kind.as_str())
                    .bind(name)
                    .bind(attributes.bits())
                    .execute(&mut *write)
                    .await?;
            }
            advance(&mut write).await?;
            write.commit().await
        })
        .await
    }
}

impl Restrictions {
    /// The things of a kind in a repository that have a restriction.
    pub(crate) fn of_kind<'r>(
        &'r self,
        repository: &str,
        kind: Kind,
    ) -> impl Iterator<Item = (&'r str, Attributes)> {
        let inside = self.repositories.get(repository).into_iter().flatten();
        let of_kind = inside.filter(move |((of, _), _)| *of == kind);
        of_kind.map(|((_, name), attributes)| (name.as_str(), *attributes))
    }
}

fn restriction(row: &AnyRow) -> sqlx::Result<(String, Kind, String, Attributes)> {
    let kind: String = row.try_get(1)?;
    // The schema allows no other.
    let kind = Kind::parse(&kind).ok_or_else(|| sqlx::Error::Protocol("an unknown kind".into()))?;
    Ok((row.try_get(0)?, kind, row.try_get(2)?, Attributes::of(row.try_get(3)?)))
}

async fn revision(connection: &mut AnyConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("select revision from state").fetch_one(connection).await
}

/// Takes the next revision.
pub(super) async fn advance(write: &mut Transaction<'static, Any>) -> sqlx::Result<()> {
    sqlx::query("update state set revision = revision + 1").execute(&mut **write).await.map(drop)
}

/// Removes a restriction; tells whether there was one.
pub(super) async fn remove(
    write: &mut Transaction<'static, Any>,
    repository: &str,
    kind: Kind,
    name: &str,
) -> sqlx::Result<bool> {
    let statement = "delete from attributes where repository = $1 and kind = $2 and name = $3";
    let query = sqlx::query(statement).bind(repository).bind(kind.as_str()).bind(name);
    Ok(query.execute(&mut **write).await?.rows_affected() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        for bits in 0..=ALL {
            assert_eq!(Attributes::of(bits).bits(), bits);
        }
        let shown = serde_json::to_string(&Attributes::of(WRITE)).unwrap();
        let expected = r#"{"deleteEnabled":false,"writeEnabled":true,"readEnabled":false,"listEnabled":false}"#;
        assert_eq!(shown, expected);
        for (bits, expected) in [(ALL, true), (ALL - WRITE, false), (ALL - DELETE, false)] {
            assert_eq!(Attributes::of(bits).may_delete(), expected, "{bits}");
        }
        for (new, old, expected) in [
            (ALL, WRITE, true),
            (WRITE | READ, WRITE, true),
            (ALL, ALL, false),
            (WRITE, WRITE, false),
            (READ, WRITE, false),
            (WRITE, ALL, false),
        ] {
            let [new, old] = [new, old].map(Attributes::of);
            assert_eq!(new.only_lifts(old), expected, "{new:?} {old:?}");
        }
    }

    #[tokio::test]
    async fn restrictions_are_kept_and_lifted() {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), None).await.unwrap();
        let locked = Attributes { write_enabled: false, ..Attributes::default() };
        let unread = Attributes { read_enabled: false, ..Attributes::default() };
        index.set_attributes("a", Kind::Tag, "v1", locked).await.unwrap();
        index.set_attributes("b", Kind::Repository, "", unread).await.unwrap();
        let all = index.restrictions().await.unwrap();
        assert_eq!(all.revision, 2);
        assert_eq!(all.attributes("a", Kind::Tag, "v1"), locked);
        for (repository, kind, name, expected) in [
            ("a", Kind::Tag, "v1", true),
            ("b", Kind::Tag, "v1", false),
            ("b", Kind::Manifest, "sha256:0", false),
            ("c", Kind::Tag, "v1", true),
        ] {
            assert_eq!(all.may_read(repository, kind, name), expected, "{repository} {name}");
        }
        let of = index.restrictions_of("a").await.unwrap();
        assert_eq!(of.of_kind("a", Kind::Tag).collect::<Vec<_>>(), [("v1", locked)]);
        assert_eq!(of.attributes("b", Kind::Repository, ""), Attributes::default());
        index.set_attributes("a", Kind::Tag, "v1", Attributes::default()).await.unwrap();
        let all = index.restrictions().await.unwrap();
        assert_eq!(all.attributes("a", Kind::Tag, "v1"), Attributes::default());
        assert_eq!(index.revision().await.unwrap(), 3);
    }
}
