//! The claim `untag`: who gets it for which repositories, and that a token that is a ceiling gives
//! no more of it than it has.

use axum::http::StatusCode;
use scopegate_core::route::Untag;
use serde_json::{Value, json};

use crate::authz::ask;
use crate::support::{Answer, Server, Setup, basic, bearer, claims};

const OWN: &str = "repository:own/a:delete";

async fn server() -> Server {
    let setup = Setup { untag: Untag::MetadataWrite, ..Setup::default() };
    let server = Server::with(setup).await;
    server.put_map("reader-map", rules(true)).await;
    server
}

/// What `Reader` may do, with `metadata/write` on `own` or without.
fn rules(has_own: bool) -> Vec<String> {
    let mut rules = vec!["own/*/metadata/read", "gone/*/content/delete"];
    rules.extend(has_own.then_some("own/*/metadata/write"));
    rules.extend(["all/*/content/read", "all/*/content/write", "all/*/content/delete"]);
    rules.extend(["all/*/metadata/read", "all/*/metadata/write"]);
    rules.into_iter().map(|rule| format!("repositories/{rule}")).collect()
}

/// The access of an answer's token, and the repositories of its claim.
fn held(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let claims = claims(&answer.access_token());
    let untag = claims.get("untag").map_or(String::new(), |untag| {
        let names: Vec<_> = untag.as_array().unwrap().iter().map(Value::as_str).collect();
        assert!(!names.is_empty(), "it is left out where it names nothing");
        names.into_iter().map(Option::unwrap).collect::<Vec<_>>().join(" ")
    });
    (answer.access().join(" "), untag)
}

async fn as_reader(server: &Server, scope: &str) -> Answer {
    server.by_password("Reader", "secret-one", scope).await
}

#[tokio::test]
async fn it_names_repositories_with_metadata_write_for_which_delete_was_requested() {
    let server = server().await;
    for (scope, access, untag) in [
        (OWN, "", "own/a"),
        ("repository:own/a:delete,metadata_read", "repository:own/a:metadata_read", "own/a"),
        ("repository:own/a:pull", "", ""),
        ("repository:own/a:metadata_write", "repository:own/a:metadata_write", ""),
        ("repository:own/a:delete,metadata_write", "repository:own/a:metadata_write", "own/a"),
        ("repository:own/a:deleted_read,deleted,Delete", "", ""),
        ("repository:all/a:delete", "repository:all/a:delete", "all/a"),
        ("repository:all/a:pull", "repository:all/a:pull", ""),
        ("repository:gone/a:delete", "repository:gone/a:delete", ""),
        ("repository:other:delete", "", ""),
        ("repository:own:delete", "", ""),
        ("repository:Own/a:delete", "", ""),
        ("repository:*:delete", "", ""),
        ("registry:own/a:delete artifact-repository:own/a:delete", "", ""),
        (
            "repository:own/a:delete repository:own/b:delete repository:other:delete repository:own/c:pull repository:own/a:delete",
            "",
            "own/a own/b",
        ),
        ("", "", ""),
    ] {
        let expected = (access.to_owned(), untag.to_owned());
        assert_eq!(held(&as_reader(&server, scope).await), expected, "{scope}");
    }
}

/// As many as a request may name, with names so long that the scopes for `metadata_write` are
/// longer than a request may be.
#[tokio::test]
async fn it_is_no_limit_of_its_own() {
    let server = server().await;
    let name = |index: usize| format!("own/{index:03}{}", "a".repeat(95));
    let scopes: Vec<_> = (0..128).map(|at| format!("repository:{}:delete", name(at))).collect();
    let scope = scopes.join(" ");
    assert!(scope.len() <= 16 * 1024 && scope.len() + 128 * 8 > 16 * 1024, "{}", scope.len());
    let names: Vec<_> = (0..128).map(name).collect();
    let answer = server.post("/oauth2/token", &form(&scope)).await;
    assert_eq!(held(&answer).1, names.join(" "));
}

fn form(scope: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "password"),
        ("username", "Reader"),
        ("password", "secret-one"),
        ("scope", scope),
    ]
}

/// Our own claims are behind the documented ones, and this one is the last.
#[tokio::test]
async fn it_is_the_last_claim() {
    let server = server().await;
    let with = claims_text(&as_reader(&server, OWN).await);
    assert!(with.starts_with(r#"{"jti":""#) && with.ends_with(r#"","untag":["own/a"]}"#), "{with}");
    let without = claims_text(&as_reader(&server, "repository:other:delete").await);
    assert!(!without.contains("untag"), "{without}");
}

fn claims_text(answer: &Answer) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let token = answer.access_token();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    String::from_utf8(payload).unwrap()
}

/// An access token as the password of the null GUID gives what it has, and no more of it.
#[tokio::test]
async fn a_ceiling_neither_gains_nor_loses() {
    let server = server().await;
    for (of_ceiling, requested, access, untag) in [
        (OWN, OWN, "", "own/a"),
        (OWN, "repository:own/b:delete", "", ""),
        (OWN, "repository:own/a:metadata_write", "", ""),
        (OWN, "repository:own/a:metadata_write,delete", "", "own/a"),
        (OWN, "repository:own/a:pull", "", ""),
        (OWN, "repository:all/a:delete", "", ""),
        ("repository:own/a:pull", OWN, "", ""),
        ("repository:own/a:metadata_write", OWN, "", ""),
        ("", OWN, "", ""),
        ("repository:all/a:delete", "repository:all/a:delete", "repository:all/a:delete", "all/a"),
        ("repository:all/a:pull,push,metadata_write", "repository:all/a:delete", "", ""),
    ] {
        let ceiling = as_reader(&server, of_ceiling).await.access_token();
        let once = server.by_null_guid(&ceiling, requested).await;
        let expected = (access.to_owned(), untag.to_owned());
        assert_eq!(held(&once), expected, "{of_ceiling} {requested}");
        let twice = server.by_null_guid(&once.access_token(), requested).await;
        assert_eq!(held(&twice), expected, "{of_ceiling} {requested}, twice");
    }
}

/// Claims of one of our own tokens with another `untag`, which only a key of ours could sign: an
/// invalid list gives nothing, and no name goes beyond the current scope maps.
#[tokio::test]
async fn the_claim_of_a_ceiling_is_bounded_by_the_scope_maps() {
    let server = server().await;
    let own = claims(&as_reader(&server, OWN).await.access_token());
    for (untag, scope, expected) in [
        (json!(["own/a"]), OWN, "own/a"),
        (json!(["other"]), "repository:other:delete", ""),
        (json!(["*"]), OWN, ""),
        (json!(["own/*"]), OWN, ""),
        (json!("own/a"), OWN, ""),
        (json!(["own/a", 7]), OWN, ""),
        (json!(null), OWN, ""),
    ] {
        let mut claims = own.clone();
        claims["untag"] = untag.clone();
        let answer = server.by_null_guid(&server.sign(&claims), scope).await;
        assert_eq!(held(&answer).1, expected, "{untag}");
    }
}

/// What a refresh token or a ceiling gets is decided by the scope maps of now.
#[tokio::test]
async fn it_is_decided_again() {
    let server = server().await;
    let refresh = server.login("Reader", "secret-one").await;
    let ceiling = as_reader(&server, OWN).await.access_token();
    for has_own in [true, false, true] {
        server.put_map("reader-map", rules(has_own)).await;
        let expected = if has_own { "own/a" } else { "" };
        for answer in [
            server.renew(&refresh, OWN).await,
            server.by_null_guid(&refresh, OWN).await,
            server.by_null_guid(&ceiling, OWN).await,
            as_reader(&server, OWN).await,
        ] {
            assert_eq!(held(&answer), (String::new(), expected.to_owned()), "{has_own}");
        }
    }
}

/// `/authz` does not read it, whatever removing a tag takes there.
#[tokio::test]
async fn a_proxy_that_asks_gets_nothing_for_it() {
    let server = server().await;
    let own = bearer(&as_reader(&server, OWN).await.access_token());
    let metadata =
        bearer(&as_reader(&server, "repository:own/a:metadata_write").await.access_token());
    let password = basic("Reader", "secret-one");
    for (authorization, status) in [(&own, 401), (&metadata, 200), (&password, 200)] {
        let answer = ask(&server, "DELETE", "/acr/v1/own/a/_tags/v1", Some(authorization)).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }
}
