//! Refresh tokens that were revoked by themselves: told to every reader, and forgotten in the end.

use scopegate_server::testing::store::RevokedToken;

use crate::support::database::Database;

on_both! {
    revoked_tokens_are_told_and_forgotten
}

fn token(jti: &str, expires_at: i64) -> RevokedToken {
    RevokedToken { jti: jti.into(), expires_at }
}

async fn revoked_tokens_are_told_and_forgotten(database: Database) {
    let store = database.open().await.unwrap();
    let revoke = async |token: RevokedToken, expired_before: i64| {
        let mut write = store.write().await.unwrap();
        write.revoke_token(&token, expired_before).await.unwrap();
        write.commit().await.unwrap()
    };
    let first = revoke(token("one", 100), 0).await;
    assert_eq!(store.changes(0).await.unwrap().revoked_tokens, [token("one", 100)]);
    let second = revoke(token("two", 200), 100).await;
    assert_eq!(store.changes(first).await.unwrap().revoked_tokens, [token("two", 200)]);
    assert_eq!(store.changes(second).await.unwrap().revoked_tokens, []);
    let mut all = store.changes(0).await.unwrap().revoked_tokens;
    all.sort_by(|a, b| a.jti.cmp(&b.jti));
    assert_eq!(all, [token("one", 100), token("two", 200)]);
    // Twice is once, and what has expired goes.
    revoke(token("two", 200), 101).await;
    assert_eq!(store.changes(0).await.unwrap().revoked_tokens, [token("two", 200)]);
}
