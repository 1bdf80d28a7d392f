//! One client does not keep others out: guesses at a name, invented clients, and what the server
//! remembers of networks that were right.

use std::sync::Arc;

use axum::http::StatusCode;
use scopegate_server::testing::app::known_networks;
use scopegate_server::testing::config::{Limits, Rate};

use crate::support::{OWNER, PULL, Server, Setup, TOKEN, basic, unlimited};

/// Audit 4c: guesses at a name do not lock its owner out.
#[tokio::test]
async fn guesses_at_a_name_do_not_count_against_its_owner() {
    let limits = Limits { per_principal: Rate { rate: 0.001, burst: 40 }, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let target = format!("{TOKEN}?scope={PULL}");
    for guess in 0..400 {
        let from = format!("203.0.113.{}", guess % 250);
        let answer = server.get_from(&from, "", &target, &basic("Reader", "wrong")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let right = basic("Reader", "secret-one");
    for login in 0..40 {
        let answer = server.get_from("192.0.2.7", "", &target, &right).await;
        assert_eq!(answer.status, StatusCode::OK, "{login}");
    }
}

/// Audit 4b: invented clients take the places where secrets are checked, and not those of clients
/// that are known. Of right logins of a known pair of client and network all are served; of those
/// of an unknown network as many as the flood leaves.
#[tokio::test]
async fn invented_clients_do_not_take_every_place() {
    let server = Arc::new(Server::start().await);
    let secret = server.put_client(OWNER, "Owner").await;
    let right = basic(OWNER, &secret);
    let login = async |from: &str| {
        let target = format!("{TOKEN}?scope={PULL}");
        server.get_from(from, "", &target, &right).await.status
    };
    assert_eq!(login("192.0.2.7").await, StatusCode::OK);
    let mut flood = tokio::task::JoinSet::new();
    for invented in 0..300 {
        let server = Arc::clone(&server);
        flood.spawn(async move {
            let name = format!("3f2504e0-4f89-41d3-9a0c-{invented:012x}");
            let from = format!("203.0.113.{}", invented % 250);
            server.get_from(&from, "", TOKEN, &basic(&name, "wrong")).await.status
        });
    }
    let (mut known, mut unknown) = (0, 0);
    for attempt in 0..20 {
        known += usize::from(login("192.0.2.7").await == StatusCode::OK);
        let elsewhere = format!("198.51.100.{attempt}");
        unknown += usize::from(attempt < 3 && login(&elsewhere).await == StatusCode::OK);
    }
    let refused = flood.join_all().await;
    println!(
        "of 20 logins of a known pair {known} were served, of 3 from unknown networks {unknown}"
    );
    assert_eq!(known, 20);
    assert!(refused.iter().all(|status| *status != StatusCode::OK));
}

/// A restarted server knows the networks that had right credentials before.
#[tokio::test]
async fn known_networks_outlive_the_server() {
    let limits = Limits { per_principal: Rate { rate: 0.001, burst: 1 }, ..unlimited() };
    let setup = || Setup { limits: limits.clone(), ..Setup::default() };
    let server = Server::with(setup()).await;
    let secret = server.put_client(OWNER, "Owner").await;
    let login = async |server: &Server, from: &str| {
        server.get_from(from, "", TOKEN, &basic(OWNER, &secret)).await.status
    };
    assert_eq!(login(&server, "192.0.2.7").await, StatusCode::OK);
    known_networks::save(&server.app).await.unwrap();
    let another = server.another(setup()).await;
    known_networks::load(&another.app).await.unwrap();
    // Another client uses up the one attempt that a name has.
    let guess = basic(OWNER, "a secret of somebody else");
    let guessed = another.get_from("203.0.113.1", "", TOKEN, &guess).await.status;
    assert_eq!(guessed, StatusCode::UNAUTHORIZED);
    assert_eq!(login(&another, "203.0.113.2").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(login(&another, "192.0.2.7").await, StatusCode::OK);
}
