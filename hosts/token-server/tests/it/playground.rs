//! The playground as the server sends it: which headers a file has, in which form it is sent, and
//! which paths are not files of it.

#![cfg(feature = "playground")]

use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use scopegate_server::testing::config::{Limits, Rate};
use scopegate_server::testing::http::playground::POLICY;

use crate::support::{Answer, Server, Setup};

const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";
const FOREVER: &str = "public, max-age=31536000, immutable";

impl Server {
    async fn with_page() -> Self {
        Self::with(Setup { has_playground: true, ..Setup::default() }).await
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn every_file_says_what_it_is_and_what_it_may() {
    let server = Server::with_page().await;
    let (script, style) = (asset(".js"), asset(".css"));
    for (path, content_type, cached, policy) in [
        ("/", "text/html; charset=utf-8", "no-cache", POLICY),
        ("/index.html", "text/html; charset=utf-8", "no-cache", POLICY),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache", WORKER_POLICY),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache", POLICY),
        ("/icon.svg", "image/svg+xml", "no-cache", POLICY),
        ("/icon-192.png", "image/png", "no-cache", POLICY),
        (&script, "text/javascript; charset=utf-8", FOREVER, POLICY),
        (&style, "text/css; charset=utf-8", FOREVER, POLICY),
    ] {
        let answer = server.ask(Method::GET, path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        for (name, value) in [
            ("content-type", content_type),
            ("cache-control", cached),
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("vary", "Accept-Encoding"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        assert_eq!(answer.bytes, fs::read(built(path)).unwrap(), "{path}");
    }
}

/// The page is as safe on a server that sends no header of ours.
#[test]
fn the_page_has_the_same_policy_without_the_server() {
    let page = fs::read_to_string(built("/")).unwrap();
    let own = POLICY.strip_suffix("; frame-ancestors 'none'").unwrap();
    assert!(page.contains(&format!("content=\"{own}\"")), "{page}");
}

#[tokio::test]
async fn a_file_comes_in_the_form_that_is_asked_for() {
    let server = Server::with_page().await;
    for path in ["/", &asset(".js")] {
        for (accepted, coding, ending) in [
            ("gzip, deflate, br, zstd", "br", ".br"),
            ("gzip", "gzip", ".gz"),
            ("br;q=0, gzip", "gzip", ".gz"),
            ("zstd", "", ""),
        ] {
            let answer = server.ask(Method::GET, path, &[("accept-encoding", accepted)]).await;
            assert_eq!(answer.header("content-encoding"), coding, "{path} {accepted}");
            let file = format!("{}{ending}", built(path).display());
            assert_eq!(answer.bytes, fs::read(file).unwrap(), "{path} {accepted}");
        }
    }
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let server = Server::with_page().await;
    let brotli = ("accept-encoding", "br");
    let first = server.ask(Method::GET, "/", &[brotli]).await;
    let tag = first.header("etag");
    let again = server.ask(Method::GET, "/", &[brotli, ("if-none-match", tag)]).await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    for name in ["etag", "cache-control", "vary", "content-security-policy"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    // Another form of the file is other bytes.
    let plain = server.ask(Method::GET, "/", &[("if-none-match", tag)]).await;
    assert_eq!(plain.status, StatusCode::OK);
}

#[tokio::test]
async fn a_head_is_an_answer_without_a_body() {
    let server = Server::with_page().await;
    let whole = server.ask(Method::GET, "/", &[]).await;
    let head = server.ask(Method::HEAD, "/", &[]).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), whole.bytes.len().to_string());
    assert_eq!(head.header("etag"), whole.header("etag"));
}

#[tokio::test]
async fn a_path_of_no_file_is_refused_as_without_the_page() {
    let server = Server::with_page().await;
    for (method, path, status) in [
        (Method::GET, "/elsewhere", StatusCode::NOT_FOUND),
        (Method::GET, "/assets/", StatusCode::NOT_FOUND),
        (Method::GET, "/assets/elsewhere.js", StatusCode::NOT_FOUND),
        (Method::GET, "/index.html.br", StatusCode::NOT_FOUND),
        (Method::GET, "/../index.html", StatusCode::NOT_FOUND),
        (Method::POST, "/", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/v2/", StatusCode::UNAUTHORIZED),
    ] {
        let answer = server.ask(method, path, &[]).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body["errors"][0]["message"].is_string(), "{path}");
        let policy = "default-src 'none'; frame-ancestors 'none'";
        assert_eq!(answer.header("content-security-policy"), policy, "{path}");
    }
}

#[tokio::test]
async fn files_count_against_nobody() {
    let rate = Rate { rate: 0.001, burst: 2 };
    let limits = Limits { per_address: rate, ..Limits::default() };
    let server = Server::bare(Setup { limits, has_playground: true, ..Setup::default() }).await;
    for _ in 0..5 {
        assert_eq!(server.ask(Method::GET, "/", &[]).await.status, StatusCode::OK);
    }
    for status in
        [StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS]
    {
        assert_eq!(server.ask(Method::GET, "/v2/", &[]).await.status, status);
    }
    assert_eq!(server.ask(Method::GET, "/sw.js", &[]).await.status, StatusCode::OK);
    let unknown = server.ask(Method::GET, "/elsewhere", &[]).await;
    assert_eq!(unknown.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_page_can_be_turned_off() {
    let server = Server::start().await;
    for path in ["/", "/index.html", "/sw.js", &asset(".js")] {
        let answer = server.ask(Method::GET, path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body["errors"][0]["message"].is_string(), "{path}");
    }
    assert_eq!(server.ask(Method::GET, "/v2/", &[]).await.status, StatusCode::UNAUTHORIZED);
}

/// Where the build has put what a path is of.
fn built(path: &str) -> PathBuf {
    let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/web").join(name)
}

/// The path of a file whose name has a digest, by its ending.
#[track_caller]
fn asset(ending: &str) -> String {
    let names = fs::read_dir(built("assets")).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    format!("/assets/{}", names.find(|name| name.ends_with(ending)).unwrap())
}
