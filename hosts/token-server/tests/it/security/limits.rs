//! Sizes.

use scopegate_server::testing::config::Limits;

use crate::support::{PULL, Server, TOKEN, basic};

/// Distribution CVE-2023-2253, CVE-2017-11468: everything that a client can make long has an end.
#[tokio::test]
async fn everything_that_a_client_can_make_long_is_bounded() {
    let server = Server::start().await;
    let reader = basic("Reader", "secret-one");
    let many = |count| format!("{TOKEN}?scope={}", vec![PULL; count].join("+"));
    let long = |length| format!("scope={}&grant_type=password", "a".repeat(length));
    for (answer, status) in [
        (server.get(&many(128), Some(&reader)).await, 200),
        (server.get(&many(129), Some(&reader)).await, 400),
        (
            server
                .get(&format!("{TOKEN}?{}", format!("scope={PULL}&").repeat(129)), Some(&reader))
                .await,
            400,
        ),
        (
            server
                .get(&format!("{TOKEN}?{}", "x".repeat(Limits::default().query + 1)), Some(&reader))
                .await,
            414,
        ),
        (server.post_raw(TOKEN, None, &long(100_000)).await, 413),
        (server.post_raw("/oauth2/exchange", None, &long(100_000)).await, 413),
        (server.post_raw(TOKEN, Some(&reader), &"x=1&".repeat(5_000)).await, 200),
        (server.get(TOKEN, Some(&format!("Basic {}", "YTpi".repeat(50_000)))).await, 431),
        (server.get(TOKEN, Some(&basic("Reader", &"x".repeat(20_000)))).await, 401),
    ] {
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        if status != 200 {
            answer.check_refusal();
        }
    }
    let actions = vec!["pull"; 3000].join(",");
    let answer = server
        .by_password("Reader", "secret-one", &format!("repository:samples/a:{actions}"))
        .await;
    assert!(answer.status.as_u16() == 400 || answer.access().len() <= 1, "{answer:?}");
    let name = format!("repository:samples/{}:pull", "a/".repeat(4000));
    let answer = server.by_password("Reader", "secret-one", &name).await;
    assert!(answer.status.as_u16() == 400 || answer.access().is_empty(), "{answer:?}");
}
