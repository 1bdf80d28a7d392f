//! Several servers on one PostgreSQL: the cost of a token by the number of servers, and how soon
//! all of them apply a change.
//!
//! All of them run on one core, so more servers do not raise the rate: the decrease is their
//! overhead.

use std::thread::sleep;
use std::time::{Duration, Instant};

use scopegate_benches::figures::Figures;
use scopegate_benches::load::Load;
use scopegate_benches::token_server::{self, Server, ask, base64};

use crate::mixes::{PULL, asked};
use crate::postgres::Postgres;
use crate::{CONNECTIONS, DURATION, ROUNDS};

const REPLICAS: [usize; 3] = [1, 2, 4];
/// How often a token is disabled and enabled again.
const CHANGES: usize = 40;
/// How long a change may take until all servers apply it.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn measure() {
    let (postgres, mut figures) = (Postgres::start(), Figures::new("token replicas"));
    let seed = token_server::seed();
    let [.., count] = REPLICAS;
    let start = |_| Server::on_database(&postgres.url(), true, &seed);
    let servers: Vec<Server> = (0..count).map(start).collect();
    for (replicas, rates) in REPLICAS.into_iter().zip(rates(&servers)) {
        let rate = figures.add_at(replicas, "a pull", "a second", rates);
        println!("{replicas} servers on PostgreSQL  {rate:>9.0} tokens a second");
    }
    let took = obeyed(&servers);
    let median = figures.add_at(count, "until all obey a change", "ms", took);
    println!("until all {count} obey a change {median:>6.1} ms");
    figures.keep();
}

/// Tokens a second by the number of servers that share the core, alternating.
fn rates(servers: &[Server]) -> [Vec<f64>; REPLICAS.len()] {
    let mut loads = REPLICAS.map(|replicas| {
        let ports: Vec<u16> = servers.iter().take(replicas).map(|server| server.port).collect();
        let mut load = Load::over(&ports, &[asked(0, PULL)], CONNECTIONS);
        load.closed(Duration::from_millis(500));
        load
    });
    let mut rates = REPLICAS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (load, rates) in loads.iter_mut().zip(&mut rates) {
            rates.push(load.closed(DURATION / ROUNDS));
        }
    }
    rates
}

/// Milliseconds from the answer to a change by one server until every server issues tokens
/// accordingly.
fn obeyed(servers: &[Server]) -> Vec<f64> {
    let (client, secret) = servers[0].administrator();
    let credential = base64(format!("{client}:{secret}").as_bytes());
    let mut took = Vec::new();
    for (status, expected) in
        [("disabled", " 401 "), ("enabled", " 200 ")].iter().cycle().take(CHANGES)
    {
        let body = format!(r#"{{"properties":{{"status":"{status}"}}}}"#);
        let change = format!(
            "PATCH /registries/registry/tokens/token-00001 HTTP/1.1\r\nHost: registry.example\r\nAuthorization: Basic {credential}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let answer = ask(servers[0].port, &change);
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        let begun = Instant::now();
        for server in servers {
            while !token(server).starts_with(&format!("HTTP/1.1{expected}")) {
                assert!(begun.elapsed() < TIMEOUT, "a server does not obey");
                sleep(Duration::from_micros(200));
            }
        }
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took
}

/// The answer of a server to the token that is disabled and enabled.
fn token(server: &Server) -> String {
    let credential = base64(b"token-00001:secret");
    ask(
        server.port,
        &format!(
            "GET /oauth2/token?service=registry.example&{PULL} HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\nAuthorization: Basic {credential}\r\n\r\n"
        ),
    )
}
