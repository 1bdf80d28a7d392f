//! Bounds of size, time and number, and what a client reads when it runs into one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream as StdStream;
use std::time::{Duration, Instant};

use scopegate_host::networks::Networks;
use scopegate_server::testing::config::{Limits, Rate};

use crate::{Answer, Server, TIMEOUT, connect};

#[tokio::test]
async fn every_refusal_is_registry_json_with_the_headers() {
    let limits = Limits { body: 1024, query: 1024, header: 2048, ..Limits::default() };
    let server = Server::start(limits, None).await;
    let long = "x".repeat(3000);
    let close = "host: r\r\nconnection: close\r\n";
    for (request, status) in [
        (format!("GET /nothing HTTP/1.1\r\n{close}\r\n"), 404),
        (format!("DELETE /v2/ HTTP/1.1\r\n{close}\r\n"), 405),
        (format!("POST /echo HTTP/1.1\r\n{close}content-length: 3000\r\n\r\n{long}"), 413),
        (
            format!(
                "POST /echo HTTP/1.1\r\n{close}transfer-encoding: chunked\r\n\r\nbb8\r\n{long}\r\n0\r\n\r\n"
            ),
            413,
        ),
        (format!("GET /v2/?{} HTTP/1.1\r\n{close}\r\n", "x".repeat(1025)), 414),
        (format!("GET /v2/ HTTP/1.1\r\n{close}h: {long}\r\n\r\n"), 431),
        (format!("GET /v2/ HTTP/1.1\r\n{close}{}\r\n", "h: x\r\n".repeat(120)), 431),
    ] {
        let answer = server.raw(request.clone()).await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        assert_eq!(answer.code(), "UNSUPPORTED");
        assert!(answer.head.contains("x-ms-correlation-request-id: "), "{answer:?}");
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{answer:?}");
        assert!(!answer.head.contains("strict-transport-security"), "{answer:?}");
    }
    let answer = server.get("/v2/", "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("docker-distribution-api-version: registry/2.0"), "{answer:?}");
    assert!(answer.head.contains("x-ms-ratelimit-remaining-calls-per-second: "), "{answer:?}");
}

#[tokio::test]
async fn a_header_that_is_far_too_large_is_not_read_to_its_end() {
    let server = Server::start(Limits::default(), None).await;
    let answer = server.get("/v2/", &format!("h: {}\r\n", "x".repeat(4_000_000))).await;
    assert!(matches!(answer.status, 0 | 431), "{answer:?}");
}

#[tokio::test]
async fn requests_over_the_rate_are_refused() {
    let limits = Limits { per_address: Rate { rate: 0.01, burst: 3 }, ..Limits::default() };
    let server = Server::start(limits, None).await;
    for _ in 0..3 {
        // A header that anybody may write changes nothing.
        assert_eq!(server.get("/v2/", "x-forwarded-for: 203.0.113.1\r\n").await.status, 200);
    }
    let answer = server.get("/v2/", "x-forwarded-for: 203.0.113.2\r\n").await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "TOOMANYREQUESTS"));
    let wait = answer.head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=100).contains(&wait.parse::<u64>().unwrap()), "{answer:?}");
    assert_eq!(server.get("/readyz", "").await.status, 200, "a probe was counted");
}

#[tokio::test]
async fn a_request_that_does_not_end_is_given_up() {
    let request = Duration::from_millis(500);
    let server = Server::start(Limits { request, ..Limits::default() }, None).await;
    let answer = server.get("/never", "").await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "UNSUPPORTED"));
    let body = server.raw("POST /echo HTTP/1.1\r\nhost: r\r\ncontent-length: 10\r\n\r\nabc").await;
    assert_eq!((body.status, body.code().as_str()), (408, "UNSUPPORTED"));
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let server = Server::start(Limits::default(), None).await;
    for (begin, then) in [
        ("", ""),
        ("P", "P"),
        ("GET /v2/ HTTP/1.1\r\nhost: r\r\n", "h: x\r\n"),
        ("GET /v2/ HTTP/1.1\r\nhost: r\r\n\r\n", ""),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
    ] {
        let address = server.address;
        let cut = tokio::task::spawn_blocking(move || {
            let mut stream = connect(address);
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            stream.write_all(begin.as_bytes()).unwrap();
            let start = Instant::now();
            while start.elapsed() < TIMEOUT {
                let read = stream.read(&mut [0; 4096]);
                let is_waiting = read.as_ref().is_err_and(|error| {
                    matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    )
                });
                let has_more = read.as_ref().is_ok_and(|read| *read > 0);
                if !(is_waiting || has_more) || stream.write_all(then.as_bytes()).is_err() {
                    return true;
                }
            }
            false
        });
        assert!(cut.await.unwrap(), "{begin:?} is still connected");
    }
}

#[tokio::test]
async fn connections_are_bounded() {
    // Of a peer that has no number of its own: with one, the second would wait for the first.
    let exempt_peers = Networks::parse(["127.0.0.1"]).unwrap();
    let limits = Limits { connections: 1, exempt_peers, ..Limits::default() };
    let server = Server::start(limits, None).await;
    let mut first = connect(server.address);
    first.write_all(b"GET /slow HTTP/1.1\r\nhost: r\r\n\r\n").unwrap();
    server.began.notified().await;
    assert_eq!(server.get("/v2/", "").await.status, 0);
    server.end.notify_one();
    drop(first);
    let start = Instant::now();
    while server.get("/v2/", "").await.status != 200 {
        assert!(start.elapsed() < TIMEOUT, "the first connection was not given back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_request_that_has_begun_ends_after_the_stop() {
    let mut server = Server::start(Limits::default(), None).await;
    let address = server.address;
    let request = tokio::task::spawn_blocking(move || {
        let mut stream = connect(address);
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: r\r\n\r\n").unwrap();
        Answer::read(&mut stream)
    });
    server.began.notified().await;
    server.stop.take().unwrap().send(()).unwrap();
    let start = Instant::now();
    while StdStream::connect(address).is_ok() {
        assert!(start.elapsed() < TIMEOUT, "new connections are still taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!server.serving.is_finished());
    server.end.notify_one();
    let answer = request.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "slow"));
    tokio::time::timeout(TIMEOUT, server.serving).await.unwrap().unwrap();
}
