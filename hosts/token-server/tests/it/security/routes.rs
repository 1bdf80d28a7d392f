//! Malformed requests, other spellings of paths, and methods that a route does not have.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;

use crate::support::{Answer, OWNER, REGISTRY, Server, TOKEN, basic};

const MALFORMED_FORMS: [&[u8]; 16] = [
    b"",
    b"%",
    b"%zz=%",
    b"\xff\xfe",
    b"\0\0\0",
    b"&&&&",
    b"====",
    b"grant_type",
    b"grant_type=%70assword%00",
    b"grant_type=password&username=%ff&password=%fe",
    b"grant_type=password&username=a",
    b"grant_type=refresh_token",
    b"grant_type=access_token&service=r.test&access_token=%00%ff",
    br#"{"grant_type":"password","username":"Reader","password":"secret-one"}"#,
    b"--x\r\ncontent-disposition: form-data; name=\"grant_type\"\r\n\r\npassword\r\n--x--",
    b"grant_type=access_token_refresh_token&service=r.test",
];

#[tokio::test]
async fn malformed_forms_are_refused_with_words() {
    let server = Server::start().await;
    let kinds = [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("application/json"),
        Some("multipart/form-data; boundary=x"),
    ];
    for target in [TOKEN, "/oauth2/exchange"] {
        for body in MALFORMED_FORMS {
            for kind in kinds {
                let request = kind.into_iter().fold(Request::post(target), |request, kind| {
                    request.header(header::CONTENT_TYPE, kind)
                });
                let answer = server.send(request.body(Body::from(body)).unwrap()).await;
                assert!(matches!(answer.status.as_u16(), 400 | 401), "{body:?} {answer:?}");
                answer.check_refusal();
            }
        }
    }
    let thousands: String = (0..5000).map(|index| format!("p{index}=v&")).collect();
    assert_eq!(server.post_raw(TOKEN, None, &thousands).await.status, StatusCode::BAD_REQUEST);
}

/// A form is read whatever it is called, as clients are careless; and a GET has none.
#[tokio::test]
async fn a_form_is_read_from_the_body_of_a_post_alone() {
    let server = Server::start().await;
    let form = "grant_type=password&username=Reader&password=secret-one";
    let request = Request::post(TOKEN).header(header::CONTENT_TYPE, "text/plain");
    assert_eq!(server.send(request.body(Body::from(form)).unwrap()).await.status, StatusCode::OK);
    let request = Request::get(TOKEN).body(Body::from(form)).unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::UNAUTHORIZED);
    let in_query = server.get(&format!("{TOKEN}?{form}"), None).await;
    assert_eq!(in_query.status, StatusCode::UNAUTHORIZED, "a password in a query");
}

/// Nearly the paths of routes.
const OTHER_SPELLINGS: [&str; 27] = [
    "//oauth2/token",
    "/oauth2//token",
    "/oauth2/token/",
    "/OAUTH2/token",
    "/oauth2/token%00",
    "/oauth2%2ftoken",
    "/oauth2/./token",
    "/x/../oauth2/token",
    "/oauth2/%74oken/",
    "/oauth2/token;x",
    "/v2",
    "/V2/",
    "/v2//",
    "/v2/_catalog",
    "/v2%2f",
    "//v2/",
    "/oauth2",
    "/",
    "/.well-known/",
    "/registries/registry/",
    "/registries//registry",
    "/registries/registry/tokens/",
    "//registries/registry",
    "/Registries/registry",
    "/subscriptions/",
    "/registries/registry/tokens/a/b",
    "/oauth2/exchange/",
];

/// Harbor CVE-2020-29662, Envoy CVE-2019-9901: a path has one spelling, and another one leads
/// nowhere.
#[tokio::test]
async fn other_spellings_of_paths_lead_nowhere() {
    let server = Server::start().await;
    let secret = server.put_client(OWNER, "Owner").await;
    let owner = basic(OWNER, &secret);
    for target in OTHER_SPELLINGS {
        for authorization in [None, Some(owner.as_str())] {
            let answer = server.get(target, authorization).await;
            assert!(matches!(answer.status.as_u16(), 401 | 404), "{target} {answer:?}");
            assert!(authorization.is_none() || answer.status == 404, "{target} {answer:?}");
            assert!(
                answer.body.get("errors").is_some() || answer.body.get("error").is_some(),
                "{target} {answer:?}"
            );
        }
    }
}

const METHODS: [&str; 11] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    "get",
];

/// Routes that anybody may read, and those that want credentials.
fn open_and_closed_routes(server: &Server) -> Vec<(String, bool)> {
    let registry = &server.app.policy().registry;
    let (tenant, subscription) = (&registry.tenant, &registry.subscription);
    let open = [
        "/.well-known/jwks.json".to_owned(),
        "/.well-known/token-signing.pem".into(),
        "/openapi.json".into(),
        "/metadata/endpoints".into(),
        format!("/{tenant}/v2.0/.well-known/openid-configuration"),
    ];
    let closed = [
        "/v2/".to_owned(),
        TOKEN.into(),
        "/oauth2/exchange".into(),
        "/tenants".into(),
        "/subscriptions".into(),
        "/common/oauth2/v2.0/devicecode".into(),
        format!("/subscriptions/{subscription}"),
        format!("/{tenant}/oauth2/v2.0/token"),
        REGISTRY.into(),
        format!("{REGISTRY}/tokens"),
        format!("{REGISTRY}/tokens/Reader"),
        format!("{REGISTRY}/scopeMaps/reader-map"),
        format!("{REGISTRY}/generateCredentials"),
        format!("{REGISTRY}/listCredentials"),
        format!("{REGISTRY}/servicePrincipals/{OWNER}/secrets"),
        format!("{REGISTRY}/generations"),
        "/nowhere".into(),
    ];
    let open = open.into_iter().map(|route| (route, true));
    open.chain(closed.into_iter().map(|route| (route, false))).collect()
}

/// Whether one of the three forms of errors has a message.
fn has_message(answer: &Answer) -> bool {
    let body = &answer.body;
    let messages =
        [&body["errors"][0]["message"], &body["error"]["message"], &body["error_description"]];
    messages.into_iter().any(Value::is_string)
}

#[tokio::test]
async fn every_method_on_every_route_is_answered_with_words() {
    let server = Server::start().await;
    for (route, is_open) in open_and_closed_routes(&server) {
        for method in METHODS {
            let request = Request::builder().method(method).uri(&route).body(Body::empty());
            let answer = server.send(request.unwrap()).await;
            let row = format!("{method} {route} {answer:?}");
            if answer.status == StatusCode::OK {
                assert!(is_open && matches!(method, "GET" | "HEAD"), "{row}");
                continue;
            }
            assert!(matches!(answer.status.as_u16(), 400 | 401 | 404 | 405), "{row}");
            if answer.status == StatusCode::METHOD_NOT_ALLOWED {
                assert!(answer.headers.contains_key(header::ALLOW), "{row}");
            }
            assert!(method == "HEAD" || has_message(&answer), "{row}");
        }
    }
}
