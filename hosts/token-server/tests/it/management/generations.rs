//! Generations: which edit ends which tokens, and what the feed of them says.

use serde_json::{Value, json};

use crate::support::management::{
    Call, OTHER_CLIENT, Registry, delete, map_on_a, password_of, patch, post, properties, put,
};

const CLIENT: &str = "servicePrincipals/00000000-0000-4000-8000-000000000009";
const ALL: &str = "repository:a:pull,push";
const PULL: &str = "repository:a:pull";
/// What an ended token opens.
const ENDED: &str = "401";

/// Whose generation is new after an edit.
#[derive(Clone, Copy)]
enum Raised {
    Nobody,
    Token,
    Client,
    Both,
}

impl Raised {
    fn feed(self) -> String {
        match self {
            Self::Nobody => String::new(),
            Self::Token => "token:reader".into(),
            Self::Client => format!("service_principal:{OTHER_CLIENT}"),
            Self::Both => format!("service_principal:{OTHER_CLIENT} token:reader"),
        }
    }
}

/// An edit, and what the refresh tokens of the token `reader` and of the client open after it.
struct Row {
    edit: Call,
    raised: Raised,
    by_token: &'static str,
    by_client: &'static str,
}

/// A registry with a token and a client that have one map, one password and one secret; and their
/// refresh tokens.
struct Fixture {
    registry: Registry,
    by_token: String,
    by_client: String,
}

impl Fixture {
    /// Makes all records again.
    async fn renew(registry: Registry) -> Self {
        for call in [delete("tokens/reader"), delete(CLIENT)] {
            registry.owner(&call).await;
        }
        registry.must(put("scopeMaps/some-map", map_on_a(&["read", "write"]))).await;
        registry.must(put("scopeMaps/other-map", map_on_a(&["read"]))).await;
        registry.make_token("reader", "some-map").await;
        let made = registry.must(generate(&registry, "password1")).await;
        let client = json!({"scopeMaps": ["some-map"], "roles": ["AcrPull"]});
        registry.must(put(CLIENT, client)).await;
        let secret = registry.must(post(format!("{CLIENT}/secrets"), json!({}))).await;
        let by_token = registry.refresh_token("Reader", &password_of(&made, 0)).await;
        let secret = secret["secret"].as_str().unwrap();
        let by_client = registry.refresh_token(OTHER_CLIENT, secret).await;
        Self { registry, by_token, by_client }
    }

    async fn check(self, row: Row) -> Registry {
        let registry = self.registry;
        let (since, _) = registry.feed(0).await;
        assert_eq!(registry.feed(since).await, (since, String::new()));
        let edit = row.edit.to_string();
        registry.must(row.edit).await;
        let (now, feed) = registry.feed(since).await;
        assert_eq!(feed, row.raised.feed(), "{edit}");
        assert_eq!(now, since + 1, "{edit}");
        assert_eq!(registry.opens(&self.by_token).await, row.by_token, "{edit}");
        assert_eq!(registry.opens(&self.by_client).await, row.by_client, "{edit}");
        // What comes back does not bring back what was ended.
        if row.by_token == ENDED {
            registry.make_token("reader", "some-map").await;
            let enable = json!({"properties": {"status": "enabled"}});
            registry.must(patch("tokens/reader", enable)).await;
            assert_eq!(registry.opens(&self.by_token).await, ENDED, "{edit}");
        }
        if row.by_client == ENDED {
            let enable = json!({"enabled": true, "roles": ["AcrPull"]});
            registry.must(put(CLIENT, enable)).await;
            assert_eq!(registry.opens(&self.by_client).await, ENDED, "{edit}");
        }
        registry
    }
}

fn generate(registry: &Registry, name: &str) -> Call {
    post("generateCredentials", json!({"tokenId": registry.token_id("reader"), "name": name}))
}

async fn check(rows: impl AsyncFnOnce(&Registry) -> Vec<Row>) {
    let mut registry = Registry::start().await;
    for row in rows(&registry).await {
        registry = Fixture::renew(registry).await.check(row).await;
    }
}

#[tokio::test]
async fn a_scope_map_that_loses_something_raises_everybody_who_has_it() {
    let row = |edit, raised, by_token, by_client| Row { edit, raised, by_token, by_client };
    let some = |map: Value| patch("scopeMaps/some-map", map);
    let described = properties(&json!({"description": "x"}));
    let more = map_on_a(&["read", "write", "delete"]);
    check(async |_| {
        vec![
            row(some(map_on_a(&["read"])), Raised::Both, PULL, PULL),
            // AcrPull is left to the client when its map is not.
            row(some(map_on_a(&[])), Raised::Both, "", PULL),
            row(put("scopeMaps/some-map", more), Raised::Nobody, ALL, ALL),
            row(some(described), Raised::Nobody, ALL, ALL),
            row(patch("scopeMaps/other-map", map_on_a(&[])), Raised::Nobody, ALL, ALL),
        ]
    })
    .await;
}

#[tokio::test]
async fn an_edit_of_a_token_ends_its_tokens_when_it_takes_something_away() {
    let row = |edit, raised, by_token| Row { edit, raised, by_token, by_client: ALL };
    let edit = |edit: Value| patch("tokens/reader", properties(&edit));
    let keep = |passwords: Value| edit(json!({"credentials": {"passwords": passwords}}));
    let first = json!([{"name": "password1"}]);
    check(async |registry| {
        let map = |name: &str| edit(json!({"scopeMapId": registry.map_id(name)}));
        vec![
            row(edit(json!({"status": "enabled"})), Raised::Nobody, ALL),
            row(edit(json!({"status": "disabled"})), Raised::Token, ENDED),
            row(delete("tokens/reader"), Raised::Token, ENDED),
            row(map("some-MAP"), Raised::Nobody, ALL),
            row(map("other-map"), Raised::Token, ENDED),
            row(keep(first), Raised::Nobody, ALL),
            row(keep(json!([])), Raised::Token, ENDED),
            row(generate(registry, "password2"), Raised::Nobody, ALL),
            row(generate(registry, "password1"), Raised::Token, ENDED),
        ]
    })
    .await;
}

#[tokio::test]
async fn an_edit_of_a_client_ends_its_tokens_when_it_takes_something_away() {
    let row = |edit, raised, by_client| Row { edit, raised, by_token: ALL, by_client };
    let edit = |edit: Value| put(CLIENT, edit);
    let more = json!({"displayName": "x", "enabled": true, "roles": ["AcrPull", "Reader"]});
    let same = json!({"scopeMaps": ["some-map", "some-MAP"]});
    let secrets = format!("{CLIENT}/secrets");
    check(async |_| {
        vec![
            row(edit(more), Raised::Nobody, ALL),
            row(edit(json!({"enabled": false})), Raised::Client, ENDED),
            row(edit(json!({"roles": []})), Raised::Client, ENDED),
            row(edit(json!({"scopeMaps": []})), Raised::Client, ENDED),
            row(edit(same), Raised::Nobody, ALL),
            row(post(&secrets, json!({})), Raised::Nobody, ALL),
            row(delete(&secrets), Raised::Client, ENDED),
            row(delete(CLIENT), Raised::Client, ENDED),
        ]
    })
    .await;
}

#[tokio::test]
async fn a_setting_that_is_turned_off_ends_the_tokens_it_gave() {
    let registry = Registry::start().await;
    registry.set_admin(true).await;
    let made = registry.must(post("listCredentials", "")).await;
    let refresh = registry.refresh_token("registry", &password_of(&made, 0)).await;
    let set = |name: &str, value: bool| patch("", json!({"properties": {name: value}}));
    let regenerate = |name: &str| post("regenerateCredential", json!({"name": name}));
    let (admin, anonymous) = ("admin:registry", "anonymous:acr_anon_pull");
    for (edit, raised, opens) in [
        (set("adminUserEnabled", true), "", ALL),
        (set("anonymousPullEnabled", true), "", ALL),
        (set("anonymousPullEnabled", false), anonymous, ALL),
        (set("anonymousPullEnabled", true), "", ALL),
        (set("adminUserEnabled", false), admin, ENDED),
        (set("adminUserEnabled", true), "", ENDED),
        (regenerate("password"), admin, ENDED),
        (regenerate("password2"), admin, ENDED),
    ] {
        let (since, _) = registry.feed(0).await;
        let row = edit.to_string();
        registry.must(edit).await;
        assert_eq!(registry.feed(since).await.1, raised, "{row}");
        assert_eq!(registry.opens(&refresh).await, opens, "{row}");
    }
}

/// An edge that has seen nothing, or another database, gets everything; and two servers give an
/// edge the same answer.
#[tokio::test]
async fn a_stale_or_new_reader_of_the_feed_gets_everything() {
    let registry = Registry::start().await;
    registry.make_token("reader", "_repositories_pull").await;
    registry.must(put("tokens/gone-token", json!({"properties": {}}))).await;
    registry.must(delete("tokens/gone-token")).await;
    let (now, everything) = registry.feed(0).await;
    assert!(
        everything.starts_with("everything admin:registry service_principal:0"),
        "{everything}"
    );
    assert!(everything.ends_with("token:gone-token token:reader"), "{everything}");
    for since in [-1, 0, now + 1, i64::MAX] {
        assert_eq!(registry.feed(since).await, (now, everything.clone()), "{since}");
    }
    let (_, last) = registry.feed(now - 1).await;
    assert_eq!(last, "token:gone-token");
}
