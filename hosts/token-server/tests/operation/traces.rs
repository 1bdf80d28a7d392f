//! Traces.

use std::net::TcpListener as StdListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use scopegate_host::setting::SecretUrl;
use scopegate_host::tls::install_provider;
use scopegate_server::testing::config::Limits;
use scopegate_server::testing::domain::guard::Guard;
use scopegate_server::testing::http::headers::Reached;
use scopegate_server::testing::http::serve::layered;
use scopegate_server::testing::telemetry::traces::Traces;
use tokio::net::TcpListener;

use crate::TIMEOUT;

/// A collector that keeps what it gets.
pub(crate) async fn collector() -> (SecretUrl, Arc<Mutex<Vec<u8>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let router = Router::new().route(
        "/v1/traces",
        post(move |body: Bytes| async move { keep.lock().unwrap().extend_from_slice(&body) }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    (SecretUrl::parse(&format!("http://{address}")).unwrap(), kept)
}

/// Asks a layered router under a subscriber that has the traces alone.
async fn traced(traces: Traces) -> Duration {
    use tower::ServiceExt as _;
    use tracing_subscriber::layer::SubscriberExt as _;
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    let guard = Arc::new(Guard::new(Limits::default()));
    let router = Router::new().route("/v2/{name}", get(|| async { "ok" }));
    let router = layered(router, &guard, Reached::default());
    let start = Instant::now();
    {
        let _default = tracing::subscriber::set_default(subscriber);
        for _ in 0..100 {
            let request = axum::http::Request::get("/v2/secret-name?password=secret")
                .header("x-ms-correlation-request-id", "7d3f1c2e-0000-4a5b-8c9d-0123456789ab")
                .body(axum::body::Body::empty())
                .unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 200);
        }
    }
    let took = start.elapsed();
    traces.stop().await;
    took
}

#[tokio::test]
async fn traces_arrive_at_the_collector() {
    install_provider();
    let (endpoint, kept) = collector().await;
    traced(Traces::start(&endpoint).unwrap()).await;
    let kept = kept.lock().unwrap();
    let has = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    for text in [
        "scopegate-server",
        "GET /v2/{name}",
        "http.route",
        "http.request.method",
        "http.response.status_code",
        "7d3f1c2e-0000-4a5b-8c9d-0123456789ab",
    ] {
        assert!(has(text), "no {text} in {:?}", String::from_utf8_lossy(&kept));
    }
    assert!(!has("secret"), "{:?}", String::from_utf8_lossy(&kept));
}

#[tokio::test]
async fn a_collector_that_is_gone_disturbs_nobody() {
    install_provider();
    let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = SecretUrl::parse(&format!("http://{address}")).unwrap();
    let took = traced(Traces::start(&endpoint).unwrap()).await;
    assert!(took < TIMEOUT, "{took:?}");
}
