//! `audit verify`, and what the running program leaves in the trail and in its log.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use scopegate_server::testing::clock;
use serde_json::{Value, json};

use super::{Data, texts};
use crate::support::basic;
use crate::support::database::run;

/// What `audit verify` prints, whether the trail is whole or not.
fn verify(data: &Data, more: &[&str]) -> Value {
    let (out, _) = texts(&data.run(&["audit", "verify"], more));
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}"))
}

/// Runs statements on the database of a data folder.
fn sql(data: &Data, statements: &str) {
    sqlx::any::install_default_drivers();
    let address = format!("sqlite://{}", data.path("data/scopegate.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(&address, statements));
}

/// The events of the log under the target `audit`.
fn logged(data: &Data) -> Vec<Value> {
    let log = std::fs::read_to_string(data.path("log")).unwrap();
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter(|event| event["target"] == "audit").map(|event| event["fields"].clone()).collect()
}

#[test]
fn a_whole_trail_is_whole_and_an_altered_one_is_not() {
    let data = Data::new();
    data.stdout(&["administrator"], &[]);
    let whole = verify(&data, &[]);
    assert_eq!((&whole["isWhole"], &whole["faults"]), (&json!(true), &json!([])));
    let head = whole["head"].as_str().unwrap();
    data.stdout(&["administrator"], &[]);
    assert_eq!(verify(&data, &["--head", head])["isWhole"], true, "an older head is in it");

    sql(&data, "update audit set actor = 'somebody' where actor = 'administrator'");
    let error = data.refused(&["audit", "verify"], &[]);
    assert!(error.contains("the audit trail is not whole: row "), "{error}");
    assert!(error.contains(" was altered"), "{error}");
    for (head, says) in [("x", "is not of the form NUMBER:SEAL"), ("1:2", "is not of the form")] {
        let error = data.refused(&["audit", "verify"], &["--head", head]);
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_cut_tail_is_found_by_a_head_of_the_log() {
    let data = Data::new();
    let server = data.serve(&["--log-json"]);
    let heads =
        || logged(&data).into_iter().filter_map(|line| Some(line["head"].as_str()?.to_owned()));
    let begun = Instant::now();
    while heads().next().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the log has no head");
        std::thread::sleep(Duration::from_millis(20));
    }
    let head = heads().next().unwrap();
    drop(server);
    assert_eq!(verify(&data, &["--head", &head])["isWhole"], true);
    sql(
        &data,
        "delete from audit where number = (select max(number) from audit);
         update audit_head set number = (select max(number) from audit),
            seal = (select seal from audit order by number desc limit 1)",
    );
    assert_eq!(verify(&data, &[])["isWhole"], true, "nothing in the database tells");
    let (number, _) = head.split_once(':').unwrap();
    let found = verify(&data, &["--head", &head]);
    assert!(found["faults"][0].as_str().unwrap().ends_with(&format!("row {number} was written")));
}

#[test]
fn a_lost_key_is_named_and_a_former_one_verifies() {
    let data = Data::new();
    data.stdout(&["administrator"], &[]);
    std::fs::rename(data.path("data/audit.key"), data.path("former.key")).unwrap();
    let server = data.serve(&[]);
    drop(server);
    let log = std::fs::read_to_string(data.path("log")).unwrap();
    assert!(log.contains("the audit trail goes on with another key"), "{log}");
    let found = verify(&data, &[]);
    assert!(
        found["faults"][0].as_str().unwrap().contains("were sealed with another key"),
        "{found}"
    );
    let former =
        format!("audit: {{previousKeys: [{{file: {}}}]}}", data.path("former.key").display());
    let config = data.write("config.yaml", &former);
    assert_eq!(verify(&data, &["--config", config.to_str().unwrap()])["isWhole"], true);
}

#[test]
fn every_row_is_a_line_of_the_log_and_of_syslog() {
    let data = Data::new();
    let siem = UdpSocket::bind("127.0.0.1:0").unwrap();
    siem.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let target = format!("audit.syslog=udp://{}", siem.local_addr().unwrap());
    let server = data.serve(&["--log-json", "--set", &target]);
    server.get("/registries/registry/tokens", &basic("administrator", "a wrong secret"));
    let mut lines = Vec::new();
    let mut datagram = [0; 65536];
    let rows = verify(&data, &[])["rows"].as_u64().unwrap();
    while lines.len() < usize::try_from(rows).unwrap() {
        let length = siem.recv(&mut datagram).unwrap();
        let text = std::str::from_utf8(&datagram[..length]).unwrap();
        let (head, line) = text.split_once(" audit - ").unwrap();
        assert!(head.starts_with("<109>1 - - scopegate-server "), "{head}");
        lines.push(serde_json::from_str::<Value>(line).unwrap());
    }
    let is_row = |line: &Value| line["number"].is_i64();
    assert_eq!(logged(&data).into_iter().filter(is_row).collect::<Vec<_>>(), lines);
    assert!(lines.iter().any(|line| line["object_kind"] == "token" && line["actor"] == "seed"));
}

/// A process that is killed between a change and its answer leaves both or none.
#[test]
fn a_killed_server_leaves_a_whole_trail() {
    let data = Data::new();
    for round in 0..5_u64 {
        let mut apply = data.command(&["apply"]);
        let seed = data.write("many.yaml", &many_maps(round));
        let mut process = apply.arg(seed).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(40 + 35 * round));
        let _ = process.kill();
        process.wait().unwrap();
        let found = verify(&data, &[]);
        assert_eq!(found["faults"], json!([]), "round {round}");
    }
}

fn many_maps(round: u64) -> String {
    let map =
        |index| format!("{{name: map-{round}-{index}, actions: [repositories/a/content/read]}}");
    let maps: Vec<_> = (0..2000).map(map).collect();
    format!("scopeMaps: [{}]\n# {}\n", maps.join(", "), clock::now())
}

/// A row that does not verify is moved out of the trail, which is whole then.
#[test]
fn rows_that_do_not_verify_are_archived() {
    let data = Data::new();
    data.stdout(&["administrator"], &[]);
    sql(&data, "update audit set actor = 'somebody' where number = 2");
    let file = data.path("rows.jsonl").display().to_string();
    let error = data.refused(&["audit", "archive"], &[&file, "--until", "99"]);
    assert!(error.ends_with("the trail has no row 99"), "{error}");
    let printed = data.stdout(&["audit", "archive"], &[&file, "--until", "2"]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["faults"], json!(["row 2 was altered"]));
    assert_eq!((&printed["rows"], &printed["deletedUntil"]), (&json!(2), &json!(2)));
    let whole = verify(&data, &[]);
    assert_eq!((&whole["isWhole"], &whole["deletedUntil"]), (&json!(true), &json!(2)));
}
