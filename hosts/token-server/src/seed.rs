//! Scope maps and tokens from a file.
//!
//! ```yaml
//! scopeMaps:
//!   - name: MyScopeMap
//!     description: Sample scope map
//!     actions: [repositories/samples/*/content/read]
//! tokens:
//!   - name: MyToken
//!     scopeMap: MyScopeMap
//!     status: enabled                  # or disabled
//!     passwords:                       # left out: one is generated, and printed once
//!       - name: password1
//!         sha256: 9f86d081…
//!         expiry: 2027-01-01T00:00:00Z
//! ```
//!
//! What the file names is made or changed to be as it says; what it does not name stays. All of it happens or none. A map that the file
//! holds is checked as a registry checks it. The format is ours, so an unknown field is an error.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use scopegate_core::ScopeMap;
use scopegate_core::scope_map::MapName;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::clock;
use crate::password::{self, PasswordDigest};
use crate::store::Store;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Seed {
    /// Maps to make or change.
    #[serde(default)]
    pub scope_maps: Vec<SeedScopeMap>,
    /// Tokens to make or change.
    #[serde(default)]
    pub tokens: Vec<SeedToken>,
}

/// A scope map in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedScopeMap {
    /// The name, 5 to 50 letters, digits, `-` and `_`.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The action strings.
    pub actions: Vec<String>,
}

/// A token in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SeedToken {
    /// The name, 5 to 50 letters, digits and `-`.
    pub name: String,
    /// The map; a token without one opens nothing.
    pub scope_map: Option<String>,
    /// Whether its passwords open anything.
    #[serde(default)]
    pub status: Status,
    /// Its passwords; left out, a token that has none gets one that is generated.
    pub passwords: Option<Vec<SeedPassword>>,
}

/// Whether a token's passwords open anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// They do.
    #[default]
    Enabled,
    /// They do not.
    Disabled,
}

/// A password in the file: its digest, never itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedPassword {
    /// Which of the two.
    pub name: PasswordName,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: PasswordDigest,
    /// From when on it opens nothing, RFC 3339.
    pub expiry: Option<Timestamp>,
}

/// Which of a token's two passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PasswordName {
    /// The first.
    Password1,
    /// The second.
    Password2,
}

impl PasswordName {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password1 => "password1",
            Self::Password2 => "password2",
        }
    }
}

/// A password that was generated. This is the only time that anybody sees it.
#[derive(Serialize)]
pub struct Generated {
    /// The token's name, which is the user name of clients.
    pub token: String,
    /// Which of the two passwords.
    pub name: PasswordName,
    /// The password.
    pub value: String,
}

/// Leaves the password out.
impl std::fmt::Debug for Generated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generated").field("token", &self.token).finish_non_exhaustive()
    }
}

/// Reads a file and writes what it says into the database.
///
/// # Errors
///
/// When the file cannot be read or holds what is no rule, name or digest, or the database cannot be written. Nothing is changed then.
pub async fn apply_file(store: &Store, path: &Path) -> anyhow::Result<Vec<Generated>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let seed: Seed = serde_saphyr::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    seed.check().with_context(|| path.display().to_string())?;
    apply(store, &seed).await
}

impl Seed {
    /// Checks names, rules and limits before anything is written.
    fn check(&self) -> anyhow::Result<()> {
        for map in &self.scope_maps {
            let about = || format!("scope map `{}`", map.name);
            MapName::parse_user_defined(&map.name).with_context(about)?;
            let parsed = ScopeMap::parse_rules(map.actions.iter().map(String::as_str));
            let parsed = parsed
                .map_err(|e| {
                    anyhow::anyhow!(
                        "actions[{}] `{}`: {} ({})",
                        e.index,
                        e.text,
                        e.error,
                        e.error.kind().hint()
                    )
                })
                .with_context(about)?;
            let limited = ScopeMap { description: map.description.clone(), ..parsed };
            limited.check_limits().with_context(about)?;
        }
        for token in &self.tokens {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            if !(5..=50).contains(&token.name.len()) || !token.name.bytes().all(allowed) {
                bail!("token `{}`: use 5 to 50 letters, digits and `-`", token.name);
            }
        }
        Ok(())
    }
}

async fn apply(store: &Store, seed: &Seed) -> anyhow::Result<Vec<Generated>> {
    let now = clock::now();
    // Takes the write lock at once, so that two who apply wait for each other instead of failing.
    let mut transaction = store.pool().begin_with("begin immediate").await?;
    for map in &seed.scope_maps {
        write_map(&mut transaction, map, now).await?;
    }
    let mut generated = Vec::new();
    for token in &seed.tokens {
        write_token(&mut transaction, token, now)
            .await
            .with_context(|| format!("token `{}`", token.name))?;
        generated.extend(write_passwords(&mut transaction, token, now).await?);
    }
    transaction.commit().await?;
    Ok(generated)
}

async fn write_map(db: &mut SqliteConnection, map: &SeedScopeMap, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "insert into scope_maps (name, description, created_at) values (?, ?, ?)
         on conflict do update set description = excluded.description",
    )
    .bind(&map.name)
    .bind(&map.description)
    .bind(now)
    .execute(&mut *db)
    .await?;
    sqlx::query("delete from rules where scope_map = ?").bind(&map.name).execute(&mut *db).await?;
    for (position, action) in (0_i64..).zip(&map.actions) {
        sqlx::query("insert into rules (scope_map, position, action) values (?, ?, ?)")
            .bind(&map.name)
            .bind(position)
            .bind(action)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

async fn write_token(db: &mut SqliteConnection, token: &SeedToken, now: i64) -> anyhow::Result<()> {
    if let Some(map) = &token.scope_map {
        let known: Option<i64> = sqlx::query_scalar("select 1 from scope_maps where name = ?")
            .bind(map)
            .fetch_optional(&mut *db)
            .await?;
        known.with_context(|| format!("there is no scope map `{map}`"))?;
    }
    sqlx::query(
        "insert into tokens (name, scope_map, enabled, created_at) values (?, ?, ?, ?)
         on conflict do update set scope_map = excluded.scope_map, enabled = excluded.enabled",
    )
    .bind(&token.name)
    .bind(&token.scope_map)
    .bind(token.status == Status::Enabled)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

async fn write_passwords(
    db: &mut SqliteConnection,
    token: &SeedToken,
    now: i64,
) -> anyhow::Result<Option<Generated>> {
    let Some(passwords) = &token.passwords else {
        return generate_first(db, token, now).await;
    };
    sqlx::query("delete from passwords where token = ?")
        .bind(&token.name)
        .execute(&mut *db)
        .await?;
    for password in passwords {
        let expiry = password.expiry.map(Timestamp::as_second);
        insert_password(db, &token.name, password.name, &password.sha256, now, expiry).await?;
    }
    Ok(None)
}

/// Generates a password for a token that has none.
async fn generate_first(
    db: &mut SqliteConnection,
    token: &SeedToken,
    now: i64,
) -> anyhow::Result<Option<Generated>> {
    let has: Option<i64> = sqlx::query_scalar("select 1 from passwords where token = ?")
        .bind(&token.name)
        .fetch_optional(&mut *db)
        .await?;
    if has.is_some() {
        return Ok(None);
    }
    let (name, value) = (PasswordName::Password1, password::generate()?);
    insert_password(db, &token.name, name, &PasswordDigest::of(&value), now, None).await?;
    Ok(Some(Generated { token: token.name.clone(), name, value }))
}

async fn insert_password(
    db: &mut SqliteConnection,
    token: &str,
    name: PasswordName,
    digest: &PasswordDigest,
    now: i64,
    expires_at: Option<i64>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into passwords (token, name, digest, created_at, expires_at) values (?, ?, ?, ?, ?)",
    )
    .bind(token)
    .bind(name.as_str())
    .bind(digest.as_bytes())
    .bind(now)
    .bind(expires_at)
    .execute(db)
    .await
    .map(drop)
}
