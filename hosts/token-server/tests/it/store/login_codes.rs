//! Codes of people who have signed in: each is taken out once, and they are bounded.

use scopegate_server::testing::store::LoginCode;

use crate::support::database::Database;

on_both! {
    a_code_is_taken_out_once
    codes_are_bounded_by_person_and_time
}

fn code(digest: &str, person: &str, expires_at: i64) -> LoginCode {
    let content = format!("{{\"of\": \"{digest}\"}}");
    LoginCode { digest: digest.into(), person: person.into(), expires_at, content }
}

async fn a_code_is_taken_out_once(database: Database) {
    let store = database.open().await.unwrap();
    let revision = store.changes(0).await.unwrap().registry.revision;
    for round in 0..10 {
        let code = code(&format!("digest-{round}"), "corp/ann", 100);
        store.put_login_code(&code, 8, 0).await.unwrap();
        let takes = (0..6).map(|_| {
            let (store, digest) = (store.clone(), code.digest.clone());
            tokio::spawn(async move { store.take_login_code(&digest).await.unwrap() })
        });
        let mut taken = Vec::new();
        for task in takes.collect::<Vec<_>>() {
            taken.extend(task.await.unwrap());
        }
        assert_eq!(taken, [code]);
    }
    assert_eq!(store.take_login_code("unknown").await.unwrap(), None);
    let later = store.changes(0).await.unwrap().registry.revision;
    assert_eq!(later, revision, "a code is no part of the policy");
}

async fn codes_are_bounded_by_person_and_time(database: Database) {
    let store = database.open().await.unwrap();
    for number in 0..6 {
        let code = code(&format!("of-ann-{number}"), "corp/ann", 100 + number);
        store.put_login_code(&code, 3, 0).await.unwrap();
    }
    store.put_login_code(&code("of-bob", "corp/bob", 90), 3, 0).await.unwrap();
    for (digest, is_there) in
        [("of-ann-2", false), ("of-ann-3", true), ("of-ann-4", true), ("of-bob", true)]
    {
        assert_eq!(store.take_login_code(digest).await.unwrap().is_some(), is_there, "{digest}");
    }
    store.put_login_code(&code("of-cat", "corp/cat", 300), 3, 105).await.unwrap();
    assert_eq!(store.take_login_code("of-ann-5").await.unwrap(), None, "it has expired");
    assert!(store.take_login_code("of-cat").await.unwrap().is_some());
}
