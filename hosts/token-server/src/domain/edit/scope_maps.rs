//! Scope maps.

use scopegate_core::scope_map::{MapName, Rule};
use scopegate_core::{ScopeMap, Table, analysis};

use super::EditError;
use crate::clock;
use crate::store::{ScopeMapRecord, Write};

/// The maximum number of user-defined maps, as in the largest registries of the service.
pub const MAX: i64 = 50_000;

/// A change. A field that is left out stays, or is empty in a new map.
#[derive(Clone, Debug, Default)]
pub struct ScopeMapEdit {
    pub description: Option<String>,
    pub actions: Option<Vec<String>>,
}

/// Creates a map or changes the one with this name.
///
/// # Errors
///
/// [`EditError::Invalid`] for an invalid name, rule or description; [`EditError::Conflict`] for a
/// system-defined map; [`EditError::Full`] at the maximum number of maps.
pub async fn put(
    write: &mut Write,
    name: &str,
    edit: ScopeMapEdit,
) -> Result<ScopeMapRecord, EditError> {
    let (key, old) = (check_name(name)?, write.find::<ScopeMapRecord>(name).await?);
    if old.is_none() && !write.reserve_scope_map(MAX).await? {
        return Err(EditError::Full(format!("a registry has at most {MAX} scope maps")));
    }
    let mut map = old.clone().unwrap_or_else(|| ScopeMapRecord {
        key,
        name: name.to_owned(),
        description: String::new(),
        actions: Vec::new(),
        created_at: clock::now(),
        revision: write.revision(),
        generation: write.revision(),
    });
    map.description = edit.description.unwrap_or(map.description);
    check_text("description", &map.description)?;
    if let Some(actions) = edit.actions {
        map.actions = canonical(&actions)?;
    }
    check_limits(&map)?;
    if old.is_some_and(|old| takes_away(&old.actions, &map.actions)) {
        map.generation = write.revision();
    }
    map.revision = write.revision();
    write.put(&map).await?;
    Ok(map)
}

/// Changes a map that exists.
///
/// # Errors
///
/// The errors of [`put`], and [`EditError::NotFound`].
pub async fn patch(
    write: &mut Write,
    name: &str,
    edit: ScopeMapEdit,
) -> Result<ScopeMapRecord, EditError> {
    if write.find::<ScopeMapRecord>(name).await?.is_none() {
        return Err(not_found(name));
    }
    put(write, name, edit).await
}

/// Deletes a map; returns whether it existed.
///
/// # Errors
///
/// [`EditError::Conflict`] for a system-defined map, and for one in use.
pub async fn delete(write: &mut Write, name: &str) -> Result<bool, EditError> {
    let key = check_name(name)?;
    if let Some(user) = write.user_of_scope_map(&key).await? {
        return Err(EditError::Conflict(format!(
            "scope map `{name}` is used by `{user}`; give that another map first"
        )));
    }
    Ok(write.delete::<ScopeMapRecord>(&key).await?)
}

/// The key of a map, for assigning it to a principal.
///
/// # Errors
///
/// [`EditError::Invalid`] for an unknown map.
pub async fn find_key(write: &mut Write, name: &str) -> Result<String, EditError> {
    match write.find::<ScopeMapRecord>(name).await? {
        Some(map) => Ok(map.key),
        None => Err(EditError::Invalid(format!("there is no scope map `{name}`"))),
    }
}

pub(crate) fn not_found(name: &str) -> EditError {
    EditError::NotFound(format!("there is no scope map `{name}`"))
}

fn check_name(name: &str) -> Result<String, EditError> {
    let parsed = MapName::parse(name).map_err(|e| {
        EditError::Invalid(format!("scope map `{name}`: {e} ({})", e.kind().hint()))
    })?;
    if parsed.is_system_defined() {
        return Err(EditError::Conflict(format!(
            "`{name}` is system-defined and cannot be changed; names that begin with `_` are the registry's"
        )));
    }
    Ok(name.to_ascii_lowercase())
}

/// Checks a description: no control characters, which logs and databases mishandle.
pub(super) fn check_text(name: &str, text: &str) -> Result<(), EditError> {
    if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(EditError::Invalid(format!(
            "`{name}` holds a control character; leave it out"
        )));
    }
    Ok(())
}

/// The rules as they are printed: in lower case, each once.
fn canonical(actions: &[String]) -> Result<Vec<String>, EditError> {
    let parsed = ScopeMap::parse_rules(actions.iter().map(String::as_str)).map_err(|e| {
        let (error, hint) = (e.error, e.error.kind().hint());
        EditError::Invalid(format!("actions[{}] `{}`: {error} ({hint})", e.index, e.text))
    })?;
    let mut canonical: Vec<String> = Vec::with_capacity(parsed.rules.len());
    for action in parsed.rules.iter().map(Rule::to_string) {
        if !canonical.contains(&action) {
            canonical.push(action);
        }
    }
    Ok(canonical)
}

fn check_limits(map: &ScopeMapRecord) -> Result<(), EditError> {
    let invalid =
        |e: scopegate_core::Error| EditError::Invalid(format!("{e} ({})", e.kind().hint()));
    let rules = ScopeMap::parse(map.actions.iter().map(String::as_str)).map_err(invalid)?;
    ScopeMap { description: map.description.clone(), ..rules }.check_limits().map_err(invalid)
}

/// Whether the old rules grant any access, on any possible repository, that the new ones do not.
fn takes_away(old: &[String], new: &[String]) -> bool {
    let compile = |actions: &[String]| {
        let map = ScopeMap::parse(actions.iter().map(String::as_str)).ok()?;
        Table::compile([&map]).ok()
    };
    match (compile(old), compile(new)) {
        (Some(old), Some(new)) => analysis::is_subset(&old, &new).is_err(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_change_takes_away() {
        for (old, new, expected) in [
            (&["repositories/a/content/read"][..], &["repositories/*/content/read"][..], false),
            (&["repositories/*/content/read"], &["repositories/a/content/read"], true),
            (&["repositories/a/content/read"], &["repositories/a/content/write"], true),
            (&[], &["repositories/a/content/read"], false),
            (&["repositories/a/content/read"], &[], true),
            (
                &["repositories/a/*/content/read", "repositories/a/b/content/read"],
                &["repositories/a/*/content/read"],
                false,
            ),
        ] {
            let [old, new] = [old, new].map(|actions: &[&str]| {
                actions.iter().map(ToString::to_string).collect::<Vec<String>>()
            });
            assert_eq!(takes_away(&old, &new), expected, "{old:?} {new:?}");
        }
    }
}
