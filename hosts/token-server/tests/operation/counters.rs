//! Metrics.

use scopegate_server::testing::config::Limits;
use scopegate_server::testing::telemetry::metrics;

use crate::Server;

#[tokio::test]
async fn metrics_have_routes_and_no_paths() {
    let server = Server::start(Limits::default(), None).await;
    server.get("/v2/?account=secret-name", "").await;
    server.get("/secret-path", "").await;
    server.raw("INVENTED /v2/ HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n").await;
    metrics::token_issued("token");
    metrics::token_denied("wrong_password");
    metrics::engine_failed();
    metrics::rate_limited(metrics::LimitedBy::Principal);
    let text = server.get("/metrics", "").await.body;
    for line in [
        r#"scopegate_http_requests_total{method="GET",route="/v2/",status="200"}"#,
        r#"scopegate_http_requests_total{method="GET",route="none",status="404"}"#,
        r#"scopegate_http_requests_total{method="other",route="/v2/",status="405"}"#,
        r#"scopegate_http_request_seconds_bucket{method="GET",route="/v2/",le="0.001"}"#,
        r#"scopegate_tokens_issued_total{principal="token"}"#,
        r#"scopegate_token_denials_total{reason="wrong_password"}"#,
        r#"scopegate_rate_limited_total{by="principal"}"#,
        "scopegate_engine_failures_total",
        "scopegate_snapshot_revision 7",
        "scopegate_snapshot_age_seconds",
        "scopegate_tokens 3",
        "# HELP scopegate_tokens_issued_total",
    ] {
        assert!(text.contains(line), "no {line} in {text}");
    }
    assert!(!text.contains("secret-"), "{text}");
}
