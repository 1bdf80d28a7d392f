//! The header `Authorization`: one spelling, and one of them.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{OWNER, REGISTRY, Server, TOKEN, basic, bearer};

#[tokio::test]
async fn an_authorization_is_read_in_one_way() {
    let server = Server::start().await;
    let access = server.reader().await;
    let pair = STANDARD.encode("Reader:secret-one");
    for (value, token, challenge) in [
        (format!("Basic {pair}"), 200, 401),
        (format!("basic {pair}"), 200, 401),
        (format!("BASIC  {pair}  "), 200, 401),
        (format!("Basic{pair}"), 401, 401),
        (format!("Basic {pair} x"), 401, 401),
        (format!("Basic {pair},Basic {pair}"), 401, 401),
        (format!("Basic\t{pair}"), 401, 401),
        ("Basic".into(), 401, 401),
        ("Basic ".into(), 401, 401),
        (String::new(), 401, 401),
        (format!("Digest {pair}"), 401, 401),
        (bearer(&access), 401, 200),
        (format!("bearer {access}"), 401, 200),
        (format!("Bearer  {access} "), 401, 200),
        (format!("Bearer{access}"), 401, 401),
        (format!("Bearer {access} {access}"), 401, 401),
        ("Bearer".into(), 401, 401),
        ("Bearer \u{e9}".into(), 401, 401),
        ("\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}".into(), 401, 401),
    ] {
        assert_eq!(server.get(TOKEN, Some(&value)).await.status.as_u16(), token, "{value}");
        assert_eq!(server.get("/v2/", Some(&value)).await.status.as_u16(), challenge, "{value}");
        let managing = server.get(REGISTRY, Some(&value)).await;
        assert_eq!(managing.status, StatusCode::UNAUTHORIZED, "{value}");
    }
}

/// A proxy in front may have checked the other one.
#[tokio::test]
async fn two_authorizations_are_refused() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner").await;
    let access = server.reader().await;
    let (reader, bearer) = (basic("Reader", "secret-one"), bearer(&access));
    let owner = basic(OWNER, &secret);
    for (method, target, one, status) in [
        ("GET", TOKEN, &reader, 400),
        ("POST", TOKEN, &reader, 400),
        ("GET", "/v2/", &bearer, 401),
        ("GET", REGISTRY, &owner, 400),
        ("GET", "/subscriptions", &owner, 400),
    ] {
        for other in [one.as_str(), "Basic eDp5", ""] {
            let request = Request::builder()
                .method(method)
                .uri(target)
                .header(header::AUTHORIZATION, one)
                .header(header::AUTHORIZATION, other)
                .body(Body::empty());
            let answer = server.send(request.unwrap()).await;
            assert_eq!(answer.status.as_u16(), status, "{target} {other} {answer:?}");
        }
    }
}
