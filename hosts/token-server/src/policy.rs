//! What the server knows, as a snapshot that requests read.
//!
//! A snapshot never changes; a new one takes its place whole. A request that began with the old one ends with it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use scopegate_runtime::{PolicyTable, Runtime};

use crate::password::PasswordDigest;

/// Everything that decisions need.
#[derive(Debug, Default)]
pub struct Policy {
    /// The registry's id, the `rid` of every token.
    pub rid: String,
    /// Tokens by their name in lower case.
    tokens: HashMap<String, Arc<Token>>,
    /// Compiled maps by their name and rules, kept so that the next snapshot need not compile them again.
    compiled: HashMap<MapKey, PolicyTable>,
}

/// A scope map's name and its action strings.
type MapKey = (String, Vec<String>);

/// A scope-map token.
pub struct Token {
    /// The name, as it was given.
    pub name: String,
    /// Whether its passwords open anything.
    pub enabled: bool,
    /// The compiled map; `None` for a token without one, which opens nothing.
    pub table: Option<PolicyTable>,
    /// At most two passwords.
    pub passwords: Vec<Password>,
}

/// One password of a token.
#[derive(Debug)]
pub struct Password {
    /// Its digest.
    pub digest: PasswordDigest,
    /// From when on it opens nothing, in seconds since 1970; `None` for never.
    pub expires_at: Option<i64>,
}

/// What the database holds, before its maps are compiled.
#[derive(Debug, Default)]
pub struct Records {
    /// The registry's id.
    pub rid: String,
    /// Scope maps: name and action strings.
    pub scope_maps: Vec<(String, Vec<String>)>,
    /// Tokens: name, the name of the map, whether it is enabled, passwords.
    pub tokens: Vec<TokenRecord>,
}

/// A token before its map is compiled.
#[derive(Debug)]
pub struct TokenRecord {
    /// The name, as it was given.
    pub name: String,
    /// The name of its map, in any case.
    pub scope_map: Option<String>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Its passwords.
    pub passwords: Vec<Password>,
}

impl Policy {
    /// Compiles what the database holds. Maps that are in `previous` already are taken from there.
    ///
    /// # Errors
    ///
    /// When a map holds what is no rule. Nothing is left out silently: a snapshot is the whole truth, or there is none.
    pub fn compile(
        records: Records,
        runtime: &Runtime,
        previous: &Self,
    ) -> Result<Self, scopegate_runtime::Error> {
        let mut compiled = HashMap::new();
        let mut by_name = HashMap::new();
        for key in records.scope_maps {
            let table = match previous.compiled.get(&key) {
                Some(table) => table.clone(),
                None => runtime.compile(&key.0, key.1.iter().map(String::as_str))?,
            };
            by_name.insert(key.0.to_ascii_lowercase(), table.clone());
            compiled.insert(key, table);
        }
        let tokens = records.tokens.into_iter().map(|record| {
            let map = record.scope_map.map(|name| name.to_ascii_lowercase());
            let token = Token {
                table: map.and_then(|name| by_name.get(&name).cloned()),
                name: record.name,
                enabled: record.enabled,
                passwords: record.passwords,
            };
            (token.name.to_ascii_lowercase(), Arc::new(token))
        });
        Ok(Self { rid: records.rid, tokens: tokens.collect(), compiled })
    }

    /// The token with this name, whatever its case.
    #[must_use]
    pub fn token(&self, name: &str) -> Option<&Arc<Token>> {
        self.tokens.get(&name.to_ascii_lowercase())
    }

    /// How many tokens there are.
    #[must_use]
    pub fn token_count(&self) -> usize {
        self.tokens.len()
    }
}

impl Token {
    /// Whether `password` opens this token now. Every digest is compared, so that the time tells nothing.
    #[must_use]
    pub fn accepts(&self, password: &PasswordDigest, now: i64) -> bool {
        self.passwords.iter().fold(false, |accepted, own| {
            let in_time = own.expires_at.is_none_or(|expiry| now < expiry);
            accepted | (own.digest.matches(password) & in_time)
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
