//! The documented walks, with the real registry and an unmodified client.
//!
//! Follows the examples of
//! <https://learn.microsoft.com/azure/container-registry/container-registry-token-based-repository-permissions>:
//! CNCF distribution replaces the service's data plane, skopeo replaces docker. Everything listens
//! on loopback, on ports that were free, and ends with its test.

use std::time::{Duration, Instant};

use crate::stack::Stack;

const WRITE_AND_READ: [&str; 2] = ["content/write", "content/read"];

/// A push to the repository of the map works, a push to another is refused, and a wrong password
/// does not even log in.
#[test]
fn a_token_pushes_where_its_map_says() {
    let stack = Stack::start(&[("samples/hello-world", &WRITE_AND_READ)]);
    stack.login("wrong").unwrap_err();
    stack.push("samples/hello-world").unwrap();
    let refusal = stack.push("samples/nginx").unwrap_err();
    assert!(refusal.contains("requested access to the resource is denied"), "{refusal}");
}

/// After the map is updated, without a new token or a restart, the two repositories swap; both can
/// be pulled from.
#[test]
fn an_updated_map_counts_at_once() {
    let stack = Stack::start(&[("samples/hello-world", &WRITE_AND_READ)]);
    stack.push("samples/hello-world").unwrap();
    stack.push("samples/nginx").unwrap_err();

    stack.update(&[("samples/hello-world", &["content/read"]), ("samples/nginx", &WRITE_AND_READ)]);
    eventually(|| stack.push("samples/nginx"));
    stack.push("samples/hello-world").unwrap_err();
    stack.pull("samples/hello-world").unwrap();
    stack.pull("samples/nginx").unwrap();
}

/// Deleting takes `content/delete`, and skopeo asks for `*`, which must become what may be had and
/// never a literal `*`.
#[test]
fn deleting_takes_its_own_permission() {
    let stack = Stack::start(&[("samples/nginx", &WRITE_AND_READ)]);
    stack.push("samples/nginx").unwrap();
    stack.delete("samples/nginx").unwrap_err();
    assert_eq!(stack.access("repository:samples/nginx:*"), "repository:samples/nginx:pull,push");

    stack.update(&[("samples/nginx", &["content/write", "content/read", "content/delete"])]);
    eventually(|| stack.delete("samples/nginx"));
    stack.pull("samples/nginx").unwrap_err();
}

/// A wildcard covers repositories that do not exist yet: the first push makes one.
#[test]
fn a_wildcard_pushes_to_a_new_repository() {
    let stack = Stack::start(&[("samples/*", &WRITE_AND_READ)]);
    stack.push("samples/brand-new/app").unwrap();
    stack.pull("samples/brand-new/app").unwrap();
    stack.push("samples").unwrap_err();
    stack.push("samples2/app").unwrap_err();

    let stack = Stack::start(&[("*", &WRITE_AND_READ)]);
    stack.push("anything/at/all").unwrap();
}

/// The documented example of permissions that add up decides each of its repositories.
#[test]
fn permissions_add_up() {
    let stack = Stack::start(&[
        ("sample/*", &["content/read"]),
        ("sample/teamA/*", &["content/write"]),
        ("sample/teamA/projectB", &["content/delete"]),
    ]);
    for (repository, actions) in [
        ("sample/teama/projectb", "pull,push,delete"),
        ("sample/teama/projectc", "pull,push"),
        ("sample/teamc", "pull"),
        ("sample/teama", "pull"),
    ] {
        let scope = format!("repository:{repository}:pull,push,delete");
        assert_eq!(stack.access(&scope), format!("repository:{repository}:{actions}"));
    }
    assert_eq!(stack.access("repository:sample:pull,push,delete"), "");

    stack.push("sample/teama/projectb").unwrap();
    stack.push("sample/teama/projectc").unwrap();
    stack.push("sample/teamc").unwrap_err();
    stack.delete("sample/teama/projectc").unwrap_err();
    stack.delete("sample/teama/projectb").unwrap();
}

/// What was acknowledged is there after a crash.
#[test]
fn a_killed_server_forgets_nothing() {
    let mut stack = Stack::start(&[("samples/hello-world", &WRITE_AND_READ)]);
    stack.push("samples/hello-world").unwrap();
    stack.kill_and_restart_server();
    stack.push("samples/hello-world").unwrap();
    stack.push("samples/nginx").unwrap_err();
}

/// Tries until it works. A change counts within a fifth of a second; the patience is for slow
/// machines.
#[track_caller]
fn eventually(attempt: impl Fn() -> Result<(), String>) {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(()) => return,
            Err(refusal) => assert!(start.elapsed() < Duration::from_secs(10), "{refusal}"),
        }
    }
}
