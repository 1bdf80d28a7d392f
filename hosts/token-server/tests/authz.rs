//! `/authz`, over a real database and the real engine, without a port: who may ask, what goes on,
//! and what each proxy is told.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "what fails ends the test"
)]

mod support;

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use scopegate_server::testing::app::watch::catch_up;

use support::{Answer, Server, basic, seed};

/// What a proxy says that it sends on as the type of the body.
const CONTENT_TYPE: &str = "x-scopegate-content-type";

/// Asks as nginx does from loopback: about a method and a target, with an `Authorization`.
async fn ask(server: &Server, method: &str, target: &str, authorization: Option<&str>) -> Answer {
    let request = Request::get("/authz/nginx")
        .header("x-original-method", method)
        .header("x-original-uri", target);
    server.send(from("127.0.0.1:4711", authorized(request, authorization))).await
}

fn authorized(
    request: axum::http::request::Builder,
    authorization: Option<&str>,
) -> axum::http::request::Builder {
    authorization.into_iter().fold(request, |request, value| request.header("authorization", value))
}

/// A question from a peer about a request that goes on without a type of its body.
fn from(peer: &str, request: axum::http::request::Builder) -> Request<Body> {
    let peer: SocketAddr = peer.parse().unwrap();
    let request = request.header(CONTENT_TYPE, "none");
    request.extension(ConnectInfo(peer)).body(Body::empty()).unwrap()
}

/// The status, and the target that may go on or what is missing.
fn said(answer: &Answer) -> String {
    let target = answer.headers.get("x-scopegate-target").map(|target| target.to_str().unwrap());
    let scope = answer.challenge.as_deref().and_then(|challenge| challenge.split("scope=").nth(1));
    let rest = target.or(scope).unwrap_or_default();
    format!("{} {rest}", answer.status.as_u16()).trim_end().to_owned()
}

async fn token(server: &Server, scope: &str) -> String {
    let target = format!("/oauth2/token?scope={scope}");
    let body = server.get(&target, basic("Reader", "secret-one")).await.body;
    format!("Bearer {}", body["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn what_goes_on() {
    let server = Server::start().await;
    let token = token(&server, "repository:samples/a:pull").await;
    let password = basic("Reader", "secret-one").unwrap();
    let wrong = basic("Reader", "secret-two").unwrap();
    let pull = "/v2/samples/a/manifests/v1";
    let denied = r#"401 "repository:samples/a:pull""#;
    let invalid = r#"401 "repository:samples/a:pull",error="invalid_token""#;
    for (method, target, authorization, expected) in [
        ("GET", pull, None, denied),
        ("GET", pull, Some(token.as_str()), "200 /v2/samples/a/manifests/v1"),
        ("HEAD", pull, Some(&token), "200 /v2/samples/a/manifests/v1"),
        ("GET", pull, Some(&password), "200 /v2/samples/a/manifests/v1"),
        ("GET", pull, Some(&wrong), invalid),
        ("GET", pull, Some("Bearer forged"), invalid),
        ("GET", pull, Some("Negotiate x"), invalid),
        (
            "PUT",
            pull,
            Some(&token),
            r#"401 "repository:samples/a:pull,push",error="insufficient_scope""#,
        ),
        (
            "GET",
            "/v2/other/manifests/v1",
            Some(&password),
            r#"401 "repository:other:pull",error="insufficient_scope""#,
        ),
        ("GET", "/v2/", Some(&token), "200 /v2/"),
        ("GET", "/v2/", None, "401"),
        // nginx passes on 401 and 403 alone.
        ("GET", "/v2/samples/../a/manifests/v1", Some(&token), "403"),
        ("GET", "/v2/samples/a/nothing", Some(&password), "403"),
        ("GET", "/v2/samples%2fa/manifests/v1", Some(&token), "403"),
    ] {
        let answer = ask(&server, method, target, authorization).await;
        assert_eq!(said(&answer), expected, "{method} {target} {authorization:?}");
        assert_eq!(
            answer.headers.contains_key("docker-distribution-api-version"),
            answer.status != 200
        );
    }
}

/// Audit 1 and 12: a registry reads the source of a mount from the body of a form, so nothing goes
/// on whose type was not set.
#[tokio::test]
async fn nothing_goes_on_with_a_type_that_was_not_set() {
    let server = Server::start().await;
    let rules = "repositories/samples/*/content/read, repositories/samples/*/content/write";
    server.apply(&seed(rules)).await.unwrap();
    catch_up(&server.app).await.unwrap();
    let token = token(&server, "repository:samples/a:pull,push").await;
    let octets = "application/octet-stream";
    for (said, own, expected) in [
        (&[octets][..], Some(octets), 200),
        // A proxy drops the type where a client has `Connection: Content-Type` say so.
        (&[octets], None, 403),
        (&[], None, 403),
        (&[], Some(octets), 403),
        (&["none"], None, 403),
        (&[octets, octets], None, 403),
        (&["application/x-www-form-urlencoded"], None, 403),
        (&[octets], Some("application/x-www-form-urlencoded"), 403),
        (&["none"], Some("multipart/form-data; boundary=x"), 403),
    ] {
        let mut request = Request::get("/authz/nginx")
            .header("authorization", &token)
            .header("x-original-method", "POST")
            .header("x-original-uri", "/v2/samples/a/blobs/uploads/");
        for said in said {
            request = request.header(CONTENT_TYPE, *said);
        }
        request = own.into_iter().fold(request, |request, own| request.header("content-type", own));
        let peer: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let request = request.extension(ConnectInfo(peer)).body(Body::empty()).unwrap();
        let answer = server.send(request).await;
        assert_eq!(answer.status, expected, "{said:?} {own:?}");
    }
}

#[tokio::test]
async fn a_refresh_token_opens_nothing_and_what_was_taken_away_is_gone() {
    let server = Server::start().await;
    let form = "grant_type=password&access_type=offline&username=Reader&password=secret-one";
    let refresh = server.post(form).await.body["refresh_token"].as_str().unwrap().to_owned();
    let pull = "/v2/samples/a/manifests/v1";
    let answer = ask(&server, "GET", pull, Some(&format!("Bearer {refresh}"))).await;
    assert_eq!(answer.status, 401);
    let token = token(&server, "repository:samples/a:pull").await;
    assert_eq!(ask(&server, "GET", pull, Some(&token)).await.status, 200);
    // The scope map loses what the token was issued for.
    server.apply(&seed("repositories/other/content/read")).await.unwrap();
    catch_up(&server.app).await.unwrap();
    let answer = ask(&server, "GET", pull, Some(&token)).await;
    assert!(answer.challenge.unwrap().ends_with(r#"error="invalid_token""#));
}

#[tokio::test]
async fn only_the_configured_peers_are_answered() {
    let server = Server::start().await;
    let token = token(&server, "repository:samples/a:pull").await;
    let request = || {
        let request = Request::get("/authz/nginx")
            .header("x-original-method", "GET")
            .header("x-original-uri", "/v2/samples/a/manifests/v1");
        authorized(request, Some(&token))
    };
    for (peer, expected) in [
        ("127.9.9.9:1", 200),
        ("[::ffff:127.0.0.1]:1", 200),
        ("192.0.2.1:1", 403),
        ("[::1]:1", 403),
    ] {
        assert_eq!(server.send(from(peer, request())).await.status, expected, "{peer}");
    }
    let forged = request().header("x-forwarded-for", "127.0.0.1");
    assert_eq!(server.send(from("192.0.2.1:1", forged)).await.status, 403);
    // A request of which nobody knows where it comes from.
    assert_eq!(server.send(request().body(Body::empty()).unwrap()).await.status, 403);
}

#[tokio::test]
async fn each_proxy_asks_in_its_own_way() {
    let server = Server::start().await;
    let token = token(&server, "repository:samples/a:pull").await;
    let forward = |target: &str, original: &str| {
        let request = Request::get(target)
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-uri", original);
        authorized(request, Some(&token))
    };
    let envoy = |target: &str, said: &str| {
        let request = Request::get(target).header("x-scopegate-target", said);
        authorized(request, Some(&token))
    };
    let (plain, odd) = ("/v2/samples/a/manifests/v1", "/v2/samples/a/manifests/%761");
    for (request, expected) in [
        (forward("/authz/forward", plain), "200 /v2/samples/a/manifests/v1"),
        (forward("/authz/forward", "/v2/samples/a/nothing"), "404"),
        (forward("/authz/forward", odd), "400"),
        (forward("/authz/forward?rewrites=true", plain), "200 /v2/samples/a/manifests/v1"),
        (envoy("/authz/envoy/v2/samples/a/manifests/v1", plain), "200 /v2/samples/a/manifests/v1"),
        // Only the header has what follows a `#`.
        (envoy("/authz/envoy/v2/samples/a/manifests/v1", &format!("{plain}#x")), "400"),
        (envoy("/authz/envoy/v2/samples/a/manifests/v1", "/v2/other/manifests/v1"), "400"),
        (authorized(Request::get(format!("/authz/envoy{plain}")), Some(&token)), "400"),
        (
            envoy("/authz/envoy/v2/other/manifests/v1", "/v2/other/manifests/v1"),
            r#"401 "repository:other:pull",error="insufficient_scope""#,
        ),
        (envoy("/authz/envoy/v2/samples//a/manifests/v1", "/v2/samples//a/manifests/v1"), "400"),
        (Request::get("/authz/forward"), "400"),
        (Request::get("/authz/nginx"), "403"),
    ] {
        let request = from("127.0.0.1:1", request);
        let about = format!("{} {:?}", request.uri(), request.headers());
        assert_eq!(said(&server.send(request).await), expected, "{about}");
    }
}
