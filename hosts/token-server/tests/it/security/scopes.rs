//! Rules and scopes that are made up.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

pub(super) fn rule() -> impl Strategy<Value = String> {
    let pattern = select(&["a", "a/b", "a/*", "*", "b/c", "b/*"][..]);
    let permission = select(
        &["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"][..],
    );
    (pattern, permission)
        .prop_map(|(pattern, permission)| format!("repositories/{pattern}/{permission}"))
}

pub(super) fn scope() -> impl Strategy<Value = String> {
    let repository = (
        select(&["a", "a/b", "a/b/c", "b", "b/c", "*", "A", "a//b", ""][..]),
        vec(
            select(
                &["pull", "push", "delete", "metadata_read", "metadata_write", "*", "", "fly"][..],
            ),
            0..4,
        ),
    )
        .prop_map(|(name, actions)| format!("repository:{name}:{}", actions.join(",")));
    let other = select(
        &[
            "registry:catalog:*",
            "repository(plugin):a:pull",
            "artifact-repository:repo:*",
            "registry:deleted_catalog:*",
            "x",
        ][..],
    )
    .prop_map(str::to_owned);
    prop_oneof![5 => repository, 1 => other]
}

pub(super) fn run<S: Strategy>(
    cases: u32,
    strategy: S,
    check: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
    TestRunner::new(config).run(&strategy, check).unwrap();
}
