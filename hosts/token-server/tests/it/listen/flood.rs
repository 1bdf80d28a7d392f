//! A flood at the public address does not shut the owner out of management.
//!
//! The owner and those who guess have one address, one name, and a secret that was chosen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::{Program, TIMEOUT, answer};

const OWNER: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3308";
const SECRET: &str = "correct horse battery staple";

/// Makes an owner with a secret of its own choice, which no check has seen.
async fn make_owner(program: &Program) {
    let path = format!("/registries/registry/servicePrincipals/{OWNER}");
    for (method, path, body) in [
        ("PUT", path.clone(), json!({"roles": ["Owner"]})),
        ("POST", format!("{path}/secrets"), json!({ "secret": SECRET })),
    ] {
        let request = program.client(None).request(method, &program.management(&path)).json(&body);
        let (status, body) =
            answer(request.basic_auth("administrator", Some(program.secret()))).await;
        assert!(status < 300, "{method} {path}: {status} {body}");
    }
}

/// The status that the owner gets.
async fn owner(program: &Program, url: &str) -> u16 {
    let request = program.client(None).request("GET", url);
    answer(request.basic_auth(OWNER, Some(SECRET))).await.0
}

/// Guesses at the public address, until they are told to end.
struct Flood {
    is_over: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    tasks: JoinSet<()>,
}

impl Flood {
    /// Many guess at one time; `refused` is the status that they wait for.
    fn begin(program: &Program, guessers: usize, refused_with: u16) -> Self {
        let (is_over, refused) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut tasks = JoinSet::new();
        for guesser in 0..guessers {
            let (client, url) = (program.client(None), program.public("/oauth2/token"));
            let (is_over, refused) = (Arc::clone(&is_over), Arc::clone(&refused));
            tasks.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let guess = format!("a guess of number {guesser}");
                    let request = client.request("GET", &url).basic_auth(OWNER, Some(guess));
                    let is_refused = answer(request).await.0 == refused_with;
                    refused.fetch_add(usize::from(is_refused), Ordering::Relaxed);
                }
            });
        }
        Self { is_over, refused, tasks }
    }

    async fn until_refused(&self, times: usize) {
        let start = Instant::now();
        while self.refused.load(Ordering::Relaxed) < times {
            assert!(start.elapsed() < TIMEOUT, "no guess is refused");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn end(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_the_public_address_use_up_nothing_of_management() {
    let program = Program::start();
    make_owner(&program).await;
    let flood = Flood::begin(&program, 16, 429);
    flood.until_refused(1).await;
    assert_eq!(owner(&program, &program.public("/oauth2/token")).await, 429);
    assert_eq!(owner(&program, &program.management("/registries/registry")).await, 200);
    flood.end().await;
}

/// Without any limit of rate: those who wait for a check fill the public address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_at_the_public_address_do_not_delay_those_of_management() {
    let unlimited = "{perAddress: {rate: 0, burst: 1}, perPrincipal: {rate: 0, burst: 1}}";
    let program = Program::with(unlimited, "");
    make_owner(&program).await;
    let flood = Flood::begin(&program, 100, 503);
    flood.until_refused(10).await;
    assert_eq!(owner(&program, &program.management("/registries/registry")).await, 200);
    flood.end().await;
}
