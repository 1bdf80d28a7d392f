//! `/authz`, over a real database and the real engine, without a port: who may ask, what goes on,
//! and what each proxy is told.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;

use crate::support::{Answer, Server, authorized, basic, bearer, seed};

/// What a proxy says that it sends on as the type of the body.
const CONTENT_TYPE: &str = "x-scopegate-content-type";

/// Asks as nginx does from loopback: about a method and a target, with an `Authorization`.
pub(crate) async fn ask(
    server: &Server,
    method: &str,
    target: &str,
    authorization: Option<&str>,
) -> Answer {
    let request = Request::get("/authz/nginx")
        .header("x-original-method", method)
        .header("x-original-uri", target);
    server.send(from("127.0.0.1:4711", authorized(request, authorization))).await
}

/// A question from a peer about a request that goes on without a type of its body.
fn from(peer: &str, request: axum::http::request::Builder) -> Request<Body> {
    let peer: SocketAddr = peer.parse().unwrap();
    let request = request.header(CONTENT_TYPE, "none");
    request.extension(ConnectInfo(peer)).body(Body::empty()).unwrap()
}

/// The status, and the target that may go on or what is missing.
fn summary(answer: &Answer) -> String {
    let target = answer.headers.get("x-scopegate-target").map(|target| target.to_str().unwrap());
    let scope = answer.challenge.as_deref().and_then(|challenge| challenge.split("scope=").nth(1));
    let rest = target.or(scope).unwrap_or_default();
    format!("{} {rest}", answer.status.as_u16()).trim_end().to_owned()
}

async fn token(server: &Server, scope: &str) -> String {
    let target = format!("/oauth2/token?scope={scope}");
    bearer(&server.get_as_reader(&target).await.access_token())
}

const TARGET: &str = "/v2/samples/a/manifests/v1";
const INVALID: &str = r#"401 "repository:samples/a:pull",error="invalid_token""#;

/// What the proxy asks about, and what it is told.
type Row<'a> = (&'a str, &'a str, Option<&'a str>, &'a str);

async fn check(server: &Server, rows: &[Row<'_>]) {
    for (method, target, authorization, expected) in rows {
        let answer = ask(server, method, target, *authorization).await;
        assert_eq!(summary(&answer), *expected, "{method} {target} {authorization:?}");
        assert_eq!(
            answer.headers.contains_key("docker-distribution-api-version"),
            answer.status != 200
        );
    }
}

#[tokio::test]
async fn a_request_goes_on_when_its_authorization_grants_it() {
    let server = Server::start().await;
    let token = token(&server, "repository:samples/a:pull").await;
    let password = basic("Reader", "secret-one");
    let rows = [
        ("GET", TARGET, Some(token.as_str()), "200 /v2/samples/a/manifests/v1"),
        ("HEAD", TARGET, Some(&token), "200 /v2/samples/a/manifests/v1"),
        ("GET", TARGET, Some(&password), "200 /v2/samples/a/manifests/v1"),
        ("GET", "/v2/", Some(&token), "200 /v2/"),
    ];
    check(&server, &rows).await;
}

#[tokio::test]
async fn a_request_without_the_right_authorization_is_refused() {
    let server = Server::start().await;
    let token = token(&server, "repository:samples/a:pull").await;
    let password = basic("Reader", "secret-one");
    let wrong = basic("Reader", "secret-two");
    let push = r#"401 "repository:samples/a:pull,push",error="insufficient_scope""#;
    let other = r#"401 "repository:other:pull",error="insufficient_scope""#;
    let rows = [
        ("GET", TARGET, None, r#"401 "repository:samples/a:pull""#),
        ("GET", TARGET, Some(wrong.as_str()), INVALID),
        ("GET", TARGET, Some("Bearer forged"), INVALID),
        ("GET", TARGET, Some("Negotiate x"), INVALID),
        ("PUT", TARGET, Some(&token), push),
        ("GET", "/v2/other/manifests/v1", Some(&password), other),
        ("GET", "/v2/", None, "401"),
        // nginx passes on 401 and 403 alone.
        ("GET", "/v2/samples/../a/manifests/v1", Some(&token), "403"),
        ("GET", "/v2/samples/a/nothing", Some(&password), "403"),
        ("GET", "/v2/samples%2fa/manifests/v1", Some(&token), "403"),
    ];
    check(&server, &rows).await;
}

/// Audit 1 and 12: a registry reads the source of a mount from the body of a form, so nothing goes
/// on whose type was not set.
#[tokio::test]
async fn a_request_whose_type_was_not_set_is_refused() {
    let server = Server::start().await;
    let rules = "repositories/samples/*/content/read, repositories/samples/*/content/write";
    server.apply(&seed(rules)).await.unwrap();
    let token = token(&server, "repository:samples/a:pull,push").await;
    let octets = "application/octet-stream";
    for (sent, own, expected) in [
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
        for value in sent {
            request = request.header(CONTENT_TYPE, *value);
        }
        request = own.into_iter().fold(request, |request, own| request.header("content-type", own));
        let peer: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let request = request.extension(ConnectInfo(peer)).body(Body::empty()).unwrap();
        let answer = server.send(request).await;
        assert_eq!(answer.status, expected, "{sent:?} {own:?}");
    }
}

#[tokio::test]
async fn a_refresh_token_opens_nothing() {
    let server = Server::start().await;
    let form = "grant_type=password&access_type=offline&username=Reader&password=secret-one";
    let refresh = server.grant(form).await.refresh_token();
    let answer = ask(&server, "GET", TARGET, Some(&bearer(&refresh))).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn an_access_token_opens_nothing_more_when_its_map_loses_the_rule() {
    let server = Server::start().await;
    let token = token(&server, "repository:samples/a:pull").await;
    assert_eq!(ask(&server, "GET", TARGET, Some(&token)).await.status, 200);
    server.apply(&seed("repositories/other/content/read")).await.unwrap();
    let answer = ask(&server, "GET", TARGET, Some(&token)).await;
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
    // A request without an address of its peer.
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
    let envoy = |target: &str, original: &str| {
        let request = Request::get(target).header("x-scopegate-target", original);
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
        assert_eq!(summary(&server.send(request).await), expected, "{about}");
    }
}
