//! Where a trail begins: a row behind the checkpoint names it, so that a former key, which may have
//! got out, hides no rows of a newer one.

use scopegate_server::testing::domain::audit::{Pruned, prune, verify};
use scopegate_server::testing::model::audit::{AuditKey, Head};
use scopegate_server::testing::model::secret_key::SecretKey;
use scopegate_server::testing::store::{Store, Trail};

use super::put;
use crate::support::database::Database;

on_both!(
    a_former_key_hides_no_rows_of_a_newer_one
    a_checkpoint_of_a_former_key_is_followed
);

fn key(last: u8) -> AuditKey {
    let mut bytes = [7; 32];
    bytes[31] = last;
    AuditKey::new(&SecretKey::read(&bytes).unwrap())
}

/// The present key, and the former one.
fn keys() -> [AuditKey; 2] {
    [key(0), key(1)]
}

async fn open(database: &Database, key: AuditKey) -> Store {
    let trail = Trail { key, listener: std::sync::Arc::new(|_| {}) };
    Store::open(database.folder.path(), database.url.as_deref(), trail).await.unwrap()
}

async fn faults(store: &Store) -> Vec<String> {
    let report = verify(store, &keys(), None).await.unwrap();
    report.faults.iter().map(ToString::to_string).collect()
}

async fn pruned(store: &Store, keys: &[AuditKey]) -> Pruned {
    let last = store.read().await.unwrap().audit_head().await.unwrap().number;
    let row = store.read().await.unwrap().audit_after(last - 1, 1).await.unwrap().pop().unwrap();
    prune(store, keys, row.entry.at + 1, row.entry.at).await.unwrap()
}

/// Deletes the rows up to one, as one with the former key and the database can.
async fn forge(database: &Database, until: Head) {
    let forged = key(1).checkpoint(until, 5);
    let (number, seal) = (forged.head.number, &forged.head.seal);
    database
        .sql(&format!(
            "delete from audit where number <= {number}; delete from audit_checkpoint;
             insert into audit_checkpoint (id, number, row_seal, at, key_id, seal)
                values (1, {number}, '{seal}', 5, '{}', '{}')",
            forged.key_id, forged.seal
        ))
        .await;
}

async fn a_former_key_hides_no_rows_of_a_newer_one(database: Database) {
    put(&open(&database, key(1)).await, &["First", "Second"]).await;
    let store = open(&database, key(0)).await;
    put(&store, &["Third", "Fourth", "Fifth"]).await;
    let rows = store.read().await.unwrap().audit_after(0, 1000).await.unwrap();
    assert_eq!(faults(&store).await, [""; 0]);
    // One of the newer key's rows goes, and then all of them.
    for row in [&rows[rows.len() - 3], rows.last().unwrap()] {
        let until = Head { number: row.number, seal: row.seal.clone() };
        let expected = [format!("no row says that the rows up to {} were deleted", row.number)];
        forge(&database, until).await;
        assert_eq!(faults(&store).await, expected);
        if row.number < rows.last().unwrap().number {
            let pruned = pruned(&store, &keys()).await;
            assert_eq!(pruned.deleted, 0);
            assert_eq!(pruned.stopped.unwrap().1.to_string(), expected[0]);
        }
    }
}

async fn a_checkpoint_of_a_former_key_is_followed(database: Database) {
    let former = open(&database, key(1)).await;
    put(&former, &["First", "Second"]).await;
    assert!(pruned(&former, &[key(1)]).await.deleted > 0);
    let store = open(&database, key(0)).await;
    put(&store, &["Third"]).await;
    assert_eq!(faults(&store).await, [""; 0]);
    let next = pruned(&store, &keys()).await;
    assert_eq!((next.deleted, next.stopped), (2, None));
    assert_eq!(faults(&store).await, [""; 0]);
}
