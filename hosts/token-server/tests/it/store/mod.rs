//! What must hold of the database: the same of both kinds.

/// Runs each test on both databases.
macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(Database::sqlite()).await;
            })*
        }

        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(Database::postgres().await).await;
            })*
        }
    };
}

mod archive;
mod authority;
mod backup;
mod changes;
mod checkpoint;
mod login_codes;
mod opening;
mod records;
mod revoked_tokens;
mod snapshots;
mod trail;

use scopegate_server::testing::store::{Changes, RecordKey, Revision, Store, TokenRecord, Write};

pub(super) fn token(write: &Write, name: &str) -> TokenRecord {
    TokenRecord {
        key: name.to_lowercase(),
        name: name.into(),
        scope_map: None,
        enabled: true,
        passwords: Vec::new(),
        created_at: 0,
        revision: 0,
        generation: write.revision(),
    }
}

pub(super) async fn put(store: &Store, names: &[&str]) -> Revision {
    let mut write = store.write().await.unwrap();
    for name in names {
        let token = token(&write, name);
        write.put(&token).await.unwrap();
    }
    write.commit().await.unwrap()
}

pub(super) async fn delete(store: &Store, name: &str) -> Revision {
    let mut write = store.write().await.unwrap();
    assert!(write.delete::<TokenRecord>(name).await.unwrap());
    write.commit().await.unwrap()
}

/// What changed, in words: `everything`, tokens by name, `-` and what is gone.
pub(super) fn words(changes: &Changes) -> String {
    let mut words: Vec<String> = changes.tokens.iter().map(|token| token.name.clone()).collect();
    words.extend(changes.tombstones.iter().map(|departure| match &departure.what {
        RecordKey::ScopeMap(key) => format!("-map:{key}"),
        RecordKey::Token(key) => format!("-{key}"),
        RecordKey::ServicePrincipal(key) => format!("-client:{key}"),
    }));
    words.sort();
    if changes.is_everything {
        words.insert(0, "everything".into());
    }
    words.join(" ")
}

pub(super) async fn changed(store: &Store, since: Revision) -> String {
    words(&store.changes(since).await.unwrap())
}
