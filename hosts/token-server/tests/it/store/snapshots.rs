//! Snapshots of the policy: increments add up to what a fresh reader gets.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use scopegate_runtime::{Limits, Runtime};
use scopegate_server::testing::domain::edit::registry::RegistryEdit;
use scopegate_server::testing::domain::edit::scope_maps::ScopeMapEdit;
use scopegate_server::testing::domain::edit::service_principals::ServicePrincipalEdit;
use scopegate_server::testing::domain::edit::tokens::{Passwords, TokenEdit};
use scopegate_server::testing::domain::edit::{
    passwords, registry, scope_maps, service_principals, tokens,
};
use scopegate_server::testing::domain::policy::{BuiltIn, Policy};
use scopegate_server::testing::model::password_user::ReservedNames;
use scopegate_server::testing::store::{
    PasswordName, ServicePrincipalRecord, Store, TokenRecord, Write,
};

use crate::support::OWNER;
use crate::support::database::Database;

on_both! {
    increments_add_up_to_everything
}

async fn increments_add_up_to_everything(database: Database) {
    let store = database.open().await.unwrap();
    let handle = tokio::runtime::Handle::current();
    let cases = if database.url.is_some() { 12 } else { 32 };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    });
    let edits = prop::collection::vec((edit(), any::<bool>()), 1..25);
    // Cases follow each other in one database: each begins where the last one ended.
    let result = tokio::task::block_in_place(|| {
        runner.run(&edits, |edits| {
            handle.block_on(async {
                let start = store.changes(0).await.unwrap();
                let mut policy = Policy::new(Arc::clone(&BUILT_IN)).apply(start, &RUNTIME).unwrap();
                let last = edits.len() - 1;
                for (index, (edit, is_read)) in edits.iter().enumerate() {
                    edit.carry_out(&database, &store).await;
                    if *is_read || index == last {
                        policy = caught_up(&store, &policy).await;
                    }
                }
                let everything = store.changes(0).await.unwrap();
                let fresh = Policy::new(Arc::clone(&BUILT_IN)).apply(everything, &RUNTIME).unwrap();
                prop_assert_eq!(printed(&policy), printed(&fresh));
                prop_assert!(have_the_same_passwords(&policy, &fresh));
                Ok(())
            })
        })
    });
    result.unwrap();
}

pub(super) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Runtime::with_cache(cache, Limits::default()).unwrap()
});

pub(super) static BUILT_IN: LazyLock<Arc<BuiltIn>> =
    LazyLock::new(|| Arc::new(BuiltIn::compile(&RUNTIME).unwrap()));

const MAPS: [&str; 3] = ["Map-one", "map_two", "MAP-3"];

const TOKENS: [&str; 4] = ["Alpha", "beta-", "GAMMA", "delta"];

const CLIENTS: [&str; 2] = [OWNER, "administrator"];

const ACTIONS: [&str; 3] = [
    "repositories/*/content/read",
    "repositories/a/content/write",
    "repositories/a/*/metadata/read",
];

/// One edit. Numbers choose among the few names that there are; what they choose may not exist.
#[derive(Clone, Debug)]
enum Edit {
    Map {
        map: usize,
        actions: Vec<usize>,
    },
    Token {
        token: usize,
        map: Option<usize>,
        enabled: Option<bool>,
        keep: Option<bool>,
    },
    Password {
        token: usize,
        which: Option<bool>,
    },
    Client {
        client: usize,
        maps: Vec<usize>,
        owner: bool,
    },
    Settings {
        admin: Option<bool>,
        anonymous: Option<bool>,
    },
    Delete {
        kind: usize,
        which: usize,
    },
    /// As many writes by others as it takes to pass the tombstone horizon.
    Age,
}

fn edit() -> impl Strategy<Value = Edit> {
    let any_bool = || proptest::option::of(any::<bool>());
    prop_oneof![
        4 => (0..3_usize, prop::collection::vec(0..3_usize, 0..3)).prop_map(|(map, actions)| Edit::Map { map, actions }),
        4 => (0..4_usize, proptest::option::of(0..3_usize), any_bool(), any_bool())
            .prop_map(|(token, map, enabled, keep)| Edit::Token { token, map, enabled, keep }),
        2 => (0..4_usize, any_bool()).prop_map(|(token, which)| Edit::Password { token, which }),
        3 => (0..2_usize, prop::collection::vec(0..3_usize, 0..3), any::<bool>())
            .prop_map(|(client, maps, owner)| Edit::Client { client, maps, owner }),
        1 => (any_bool(), any_bool()).prop_map(|(admin, anonymous)| Edit::Settings { admin, anonymous }),
        5 => (0..3_usize, 0..4_usize).prop_map(|(kind, which)| Edit::Delete { kind, which }),
        1 => Just(Edit::Age),
    ]
}

impl Edit {
    /// Writes it, unless it is refused.
    async fn carry_out(&self, database: &Database, store: &Store) {
        if matches!(self, Self::Age) {
            database.sql("update registry set revision = revision + 60000").await;
            return;
        }
        let mut write = store.write().await.unwrap();
        if self.write(&mut write).await {
            write.commit().await.unwrap();
        }
    }

    async fn write(&self, write: &mut Write) -> bool {
        match self.clone() {
            Self::Map { map, actions } => {
                let actions = actions.iter().map(|action| ACTIONS[*action].to_owned()).collect();
                let edit = ScopeMapEdit { actions: Some(actions), ..ScopeMapEdit::default() };
                scope_maps::put(write, MAPS[map], edit).await.is_ok()
            }
            Self::Token { token, map, enabled, keep } => {
                let keep = keep.map(|first| vec![password(first)]).map(Passwords::Keep);
                let scope_map = map.map(|map| MAPS[map].to_owned());
                let edit = TokenEdit { scope_map, enabled, passwords: keep };
                tokens::put(write, TOKENS[token], &ReservedNames::new("registry"), edit)
                    .await
                    .is_ok()
            }
            Self::Password { token, which } => {
                let which = which.map(password);
                passwords::generate(write, TOKENS[token], which, None).await.is_ok()
            }
            Self::Client { client, maps, owner } => {
                let edit = ServicePrincipalEdit {
                    roles: Some(owner.then(|| "Owner".to_owned()).into_iter().collect()),
                    scope_maps: Some(maps.iter().map(|map| MAPS[*map].to_owned()).collect()),
                    ..ServicePrincipalEdit::default()
                };
                service_principals::put(write, CLIENTS[client], edit).await.is_ok()
            }
            Self::Settings { admin, anonymous } => {
                let edit = RegistryEdit {
                    admin_enabled: admin,
                    anonymous_pull: anonymous,
                    ..RegistryEdit::default()
                };
                registry::patch(write, edit).await.is_ok()
            }
            Self::Delete { kind: 0, which } => {
                scope_maps::delete(write, MAPS[which % 3]).await.is_ok()
            }
            Self::Delete { kind: 1, which } => {
                write.delete::<TokenRecord>(TOKENS[which]).await.is_ok()
            }
            Self::Delete { which, .. } => {
                write.delete::<ServicePrincipalRecord>(CLIENTS[which % 2]).await.is_ok()
            }
            Self::Age => true,
        }
    }
}

fn password(first: bool) -> PasswordName {
    if first { PasswordName::Password1 } else { PasswordName::Password2 }
}

/// Everything that a snapshot has, as text.
fn printed(policy: &Policy) -> String {
    let maps = MAPS.map(|name| policy.scope_map(name));
    let tokens = TOKENS.map(|name| policy.token(name));
    let clients = CLIENTS.map(|name| policy.service_principal(name));
    let generations =
        clients.map(|client| client.map(|client| (client.generation, client.secrets.len())));
    let mut tombstones: Vec<_> =
        policy.tombstones().map(|tombstone| format!("{tombstone:?}")).collect();
    tombstones.sort();
    let counts = (policy.tokens().len(), policy.service_principals().len());
    let registry = &policy.registry;
    format!(
        "{registry:#?}\n{maps:#?}\n{tokens:#?}\n{clients:#?}\n{generations:?}\n{tombstones:#?}\n{counts:?}"
    )
}

/// Whether both accept the same passwords; digests are not printed.
fn have_the_same_passwords(one: &Policy, other: &Policy) -> bool {
    TOKENS.iter().filter_map(|name| one.token(name).zip(other.token(name))).all(|(one, other)| {
        one.passwords
            .iter()
            .zip(&other.passwords)
            .all(|(one, other)| one.digest.matches(&other.digest))
    })
}

/// The next snapshot, as the server makes it.
async fn caught_up(store: &Store, policy: &Policy) -> Policy {
    let changes = store.changes(policy.revision()).await.unwrap();
    if changes.registry.revision == policy.revision() {
        return policy.clone();
    }
    policy.apply(changes, &RUNTIME).unwrap()
}
