//! One client of the gateway cannot shut others out: the attack 4e of the audit, its connections,
//! and a thousand honest pulls at once.
//!
//! Every address of 127.0.0.0/8 is one of this machine, so attackers and clients come from
//! different networks. The limits are those that everybody has, but for fewer connections where
//! that makes an attack smaller.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::drivers::skopeo::Skopeo;
use crate::edge::{self, ALL};
use crate::software::echo::Echo;
use crate::software::gateway::Gateway;
use crate::software::image;
use crate::software::registry::Registry;
use crate::software::server::{Server, Settings, seed};

/// What an image is; to who does not ask for it the registry says that there is none.
const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
/// Where those come from who log in rightly.
const HONEST: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1));

fn attacker(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 2, number))
}

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("MyToken:{password}")))
}

/// A token server and a gateway, before something.
struct Scene {
    _server: Server,
    gateway: Gateway,
    password: String,
    bearer: String,
}

impl Scene {
    fn before(upstream: u16, more: &str) -> Arc<Self> {
        let (server, passwords) = Server::with(Settings::default(), &seed(&[("*", ALL)]));
        let gateway = Gateway::before(upstream, &server, more);
        let password = passwords.into_iter().next().expect("no password was generated");
        let bearer =
            edge::bearer(&server, &password, "repository:team/app:pull,push,metadata_read");
        let bearer = bearer.trim_start_matches("Authorization: ").to_owned();
        Arc::new(Self { _server: server, gateway, password, bearer })
    }

    async fn connect(&self, from: IpAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        socket.connect(SocketAddr::from(([127, 0, 0, 1], self.gateway.port()))).await
    }

    /// The status of one request on a connection of its own; 0 for none.
    async fn get(&self, from: IpAddr, target: &str, authorization: &str) -> u16 {
        self.try_get(from, target, authorization).await.unwrap_or(0)
    }

    async fn try_get(&self, from: IpAddr, target: &str, authorization: &str) -> Option<u16> {
        let mut stream = self.connect(from).await.ok()?;
        let head = format!(
            "GET {target} HTTP/1.1\r\nhost: registry.test\r\nauthorization: {authorization}\r\naccept: {OCI}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
    }

    /// How many of `tried` logins are served, each for another repository, so that no answer is
    /// remembered.
    async fn logins(&self, tried: usize) -> usize {
        let (mut served, basic) = (0, basic(&self.password));
        for login in 0..tried {
            let target = format!("/v2/team/app-{login}/manifests/v1");
            served += usize::from(self.get(HONEST, &target, &basic).await == 200);
        }
        served
    }
}

/// Wrong passwords of a hundred clients of the gateway, forty of each: ten or some more are asked
/// about, a thousand in all, where two hundred would use up what one address has at the token
/// server.
#[test]
fn audit_4e_wrong_passwords_by_way_of_the_gateway() {
    let echo = Echo::start(0);
    let scene = Scene::before(echo.port(), "");
    let served = Runtime::new().unwrap().block_on(async {
        assert_eq!(scene.logins(1).await, 1);
        let mut attack = JoinSet::new();
        for number in 1..=100 {
            let scene = Arc::clone(&scene);
            attack.spawn(async move {
                let mut statuses = Vec::new();
                for guess in 0..40 {
                    let wrong = basic(&format!("wrong-{number}-{guess}"));
                    statuses.push(scene.get(attacker(number), "/v2/", &wrong).await);
                }
                statuses
            });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let during = scene.logins(90).await;
        let statuses = attack.join_all().await.concat();
        let count = |status| statuses.iter().filter(|other| **other == status).count();
        let (asked, refused) = (count(401), count(429));
        println!("4e: of 90 right logins {during} were served beside {asked} wrong ones, and {refused} more");
        assert!(asked >= 1000 && refused >= 1000 && asked + refused == 4000, "{statuses:?}");
        during
    });
    assert!(served >= 90, "{served} of 90");
}

/// Connections of one client on which nothing comes.
#[test]
fn connections_of_one_client_are_bounded() {
    let echo = Echo::start(0);
    let scene = Scene::before(echo.port(), "limits: {connections: 128, connectionsPerPeer: 32}\n");
    Runtime::new().unwrap().block_on(async {
        let mut held = Vec::new();
        for _ in 0..300 {
            held.push(scene.connect(attacker(1)).await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let served = scene.logins(50).await;
        println!("of 50 right logins {served} were served beside 300 connections of one client");
        assert_eq!(served, 50);
        // Those above its number are closed when they have waited.
        tokio::time::sleep(Duration::from_secs(6)).await;
        let mut open = 0;
        for stream in &held {
            let read = stream.try_read(&mut [0; 1]);
            open += usize::from(
                read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
            );
        }
        assert_eq!(open, 32);
    });
}

/// Connections of many clients, each of which has logged in rightly: one that has few takes the
/// place of one that has many.
#[test]
fn known_clients_do_not_have_all_connections() {
    let echo = Echo::start(0);
    let scene = Scene::before(echo.port(), "limits: {connections: 128, connectionsPerPeer: 32}\n");
    Runtime::new().unwrap().block_on(async {
        let mut held = Vec::new();
        for number in 1..=8 {
            let right = basic(&scene.password);
            assert_eq!(scene.get(attacker(number), "/v2/", &right).await, 200);
            for _ in 0..32 {
                held.push(scene.connect(attacker(number)).await.unwrap());
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let served = scene.logins(50).await;
        println!("of 50 right logins {served} were served beside all connections of known clients");
        assert_eq!(served, 50);
    });
}

/// A thousand nodes behind one address start the same deployment, from a real registry.
#[test]
fn a_thousand_pulls_at_once_from_one_address() {
    let registry = Registry::open();
    let scene = Scene::before(registry.port(), "");
    let skopeo = Skopeo::new();
    skopeo.login(&scene.gateway.host(), "MyToken", &scene.password).unwrap();
    skopeo.push(&image::make(scene.gateway.folder()), &scene.gateway.image("team/app")).unwrap();
    let statuses = Runtime::new().unwrap().block_on(async {
        let mut pulls = JoinSet::new();
        for _ in 0..1000 {
            let scene = Arc::clone(&scene);
            pulls.spawn(async move {
                scene.get(HONEST, "/v2/team/app/manifests/v1", &scene.bearer).await
            });
        }
        pulls.join_all().await
    });
    let pulled = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(pulled, 1000, "{:?}", statuses.iter().collect::<std::collections::BTreeSet<_>>());
}
