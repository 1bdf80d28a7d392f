//! Locks and pushes of one tag under load, on one gateway and on two, while the database goes away
//! and comes back and connections to it are lost.
//!
//! From the answer to a lock until it is taken off, no push is done and the tag stays where it is.
//! Without the database pushes and locks may be refused, and no more than that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::scene::{ALL, IMAGE, Scene, figure, sized};
use crate::software::postgres::Postgres;
use crate::software::process::eventually;
use crate::software::registry::Registry;

/// How long a change may be refused: the database starts, and locks of before are waited out.
const TIMEOUT: Duration = Duration::from_secs(40);
const TAG: &str = "/acr/v1/team/app/_tags/v1";

/// Pushes through every gateway, while one of them locks and unlocks what is pushed to. `between`
/// is called in every second locked period. Gives how many answers of each status there were.
#[track_caller]
fn contend(gateways: &[&Scene], periods: usize, between: impl Fn()) -> BTreeMap<u16, usize> {
    let [first, ..] = gateways else { panic!("no gateway") };
    first.push("team/app", "v1", "0");
    let images: Vec<_> = (1..=8).map(|n| first.image("team/app", &n.to_string())).collect();
    // It is locked while this is odd.
    let (period, is_done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let push = |scene: &Scene, images: &[String]| {
        let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
        for image in images.iter().cycle() {
            if is_done.load(Ordering::SeqCst) {
                break;
            }
            let before = period.load(Ordering::SeqCst);
            let status = scene.put("team/app", "v1", IMAGE, image).status;
            let after = period.load(Ordering::SeqCst);
            assert!(matches!(status, 201 | 405 | 503), "{status}");
            let was_locked = before == after && before % 2 == 1;
            assert!(!was_locked || status != 201, "a push was done while the tag was locked");
            *answers.entry(status).or_default() += 1;
        }
        answers
    };
    std::thread::scope(|scope| {
        let pushing: Vec<_> = images
            .chunks(2)
            .zip(gateways.iter().cycle())
            .map(|(images, scene)| scope.spawn(|| push(scene, images)))
            .collect();
        // Whatever fails below, the load must end, or the scope never does.
        let _end = OnDrop(&is_done);
        for number in 0..periods {
            let scene = gateways[number % gateways.len()];
            std::thread::sleep(Duration::from_millis(150));
            change(scene, r#"{"writeEnabled":false}"#);
            period.fetch_add(1, Ordering::SeqCst);
            let locked = at(scene);
            if number % 2 == 1 {
                between();
            }
            std::thread::sleep(Duration::from_millis(250));
            assert_eq!(at(scene), locked, "the tag moved while it was locked");
            period.fetch_add(1, Ordering::SeqCst);
            change(scene, r#"{"writeEnabled":true}"#);
        }
        is_done.store(true, Ordering::SeqCst);
        let mut all: BTreeMap<u16, usize> = BTreeMap::new();
        for answers in pushing {
            for (status, count) in answers.join().unwrap() {
                *all.entry(status).or_default() += count;
            }
        }
        all
    })
}

/// Changes attributes, as soon as it can be.
#[track_caller]
fn change(scene: &Scene, body: &str) {
    eventually(TIMEOUT, || {
        let answer = scene.patch(TAG, body);
        assert!(matches!(answer.status, 200 | 503), "{} {}", answer.status, answer.body);
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    });
}

/// Where the tag points, as the registry says itself.
fn at(scene: &Scene) -> String {
    let url = format!("http://127.0.0.1:{}/v2/team/app/manifests/v1", scene.registry.port());
    let answer = scene.client.head(url).header("accept", IMAGE).send().unwrap();
    answer.headers()["docker-content-digest"].to_str().unwrap().to_owned()
}

/// Sets a flag when it goes out of scope, also by a panic.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[track_caller]
fn report(what: &str, begun: Instant, answers: &BTreeMap<u16, usize>) {
    let of = |status| answers.get(&status).copied().unwrap_or_default();
    let (done, locked, refused) = (of(201), of(405), of(503));
    assert!(done > 0 && locked > 0, "{answers:?}");
    let seconds = begun.elapsed().as_secs();
    figure(
        what,
        &format!(
            "{done} done, {locked} refused by the lock, {refused} not possible, in {seconds} s"
        ),
    );
}

#[test]
fn one_gateway() {
    let scene = Scene::before(Registry::open());
    let begun = Instant::now();
    let answers = contend(&[&scene], sized(4, 100), || {});
    assert_eq!(answers.get(&503), None, "{answers:?}");
    report("pushes beside locks, one gateway", begun, &answers);
}

#[test]
fn two_gateways_and_a_database_that_stops() {
    let postgres = Postgres::start();
    let more = format!(", databaseUrl: \"{}\"", postgres.url());
    let one = Scene::with(Registry::open(), &[("*", ALL)], &more);
    let two = one.beside(Arc::new(tempfile::tempdir().unwrap()), &more);
    let (begun, count) = (Instant::now(), AtomicUsize::new(0));
    let answers = contend(&[&one, &two], sized(6, 40), || {
        match count.fetch_add(1, Ordering::SeqCst) % 2 {
        // Every lock that is held at the moment is lost.
        0 => drop(postgres.ask("select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'")),
        _ => {
            postgres.stop();
            postgres.resume();
        }
    }
    });
    report(
        "pushes beside locks, two gateways, PostgreSQL stopped and its connections ended",
        begun,
        &answers,
    );
}
