//! Claims, and the names by which the configuration points at them.
//!
//! A name that begins with a slash is a JSON pointer (RFC 6901) into nested claims:
//! `/realm_access/roles`. Every other name is a claim's literal name, whatever characters it holds:
//! `https://example.org/team` and `a.b` are each one claim.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// The claims of a token, by their names.
pub type Claims = BTreeMap<String, Value>;

/// The name of a claim, nested or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClaimName {
    text: String,
    /// The path to the claim, at least one step.
    path: Vec<String>,
}

impl ClaimName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// For the empty name, and for a pointer without a claim or with a `~` that escapes nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let path = match text.strip_prefix('/') {
            None => vec![text.to_owned()],
            Some(pointer) => {
                pointer.split('/').map(unescape).collect::<Option<_>>().ok_or_else(|| {
                    format!("`{text}` is not a JSON pointer: write `~0` for `~` and `~1` for `/`")
                })?
            }
        };
        if path.first().is_none_or(String::is_empty) {
            return Err(format!("`{text}` names no claim: write `sub`, or `/realm_access/roles`"));
        }
        Ok(Self { text: text.to_owned(), path })
    }

    /// The claim's value.
    pub(crate) fn find<'a>(&self, claims: &'a Claims) -> Option<&'a Value> {
        let (first, rest) = self.path.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, step| match value {
            Value::Object(members) => members.get(step),
            Value::Array(values) => values.get(index(step)?),
            _ => None,
        })
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The claims that `names` point at, at their original paths, and nothing else.
pub(crate) fn select<'a>(
    claims: &Claims,
    names: impl IntoIterator<Item = &'a ClaimName>,
) -> Claims {
    let paths: Vec<&[String]> = names.into_iter().map(|name| name.path.as_slice()).collect();
    keep_members(claims, &paths).collect()
}

fn keep_members<'a>(
    members: impl IntoIterator<Item = (&'a String, &'a Value)>,
    paths: &[&[String]],
) -> impl Iterator<Item = (String, Value)> {
    members.into_iter().filter_map(|(name, value)| {
        let below: Vec<&[String]> = paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(first, _)| *first == name)
            .map(|(_, rest)| rest)
            .collect();
        Some((name.clone(), keep(value, &below)?))
    })
}

fn keep(value: &Value, paths: &[&[String]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    match value {
        _ if paths.is_empty() => None,
        Value::Object(members) => Some(Value::Object(keep_members(members, paths).collect())),
        // A pointer indexes arrays, so an array is kept whole.
        Value::Array(_) => Some(value.clone()),
        _ => None,
    }
}

/// A step of a pointer; `None` when a `~` escapes nothing.
fn unescape(step: &str) -> Option<String> {
    let mut parts = step.split('~');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        text.push(match part.chars().next()? {
            '0' => '~',
            '1' => '/',
            _ => return None,
        });
        text.extend(part.chars().skip(1));
    }
    Some(text)
}

/// An array index as in RFC 6901: digits without a leading zero.
fn index(step: &str) -> Option<usize> {
    let is_canonical = step == "0" || !step.starts_with(['0', '+']);
    step.parse().ok().filter(|_| is_canonical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims() -> Claims {
        serde_json::from_value(json!({
            "sub": "octo",
            "a.b": 1,
            "https://example.org/team": "core",
            "realm_access": {"roles": ["x", "y"], "other": true, "a/b": {"~": 2}},
            "list": [{"name": "first"}, {"name": "second"}],
        }))
        .unwrap()
    }

    #[track_caller]
    fn found(name: &str, expected: Option<Value>) {
        let name = ClaimName::parse(name).unwrap();
        assert_eq!(name.find(&claims()), expected.as_ref(), "{name}");
        let selected = select(&claims(), [&name]);
        assert_eq!(name.find(&selected), expected.as_ref(), "{name} when selected");
    }

    #[test]
    fn names() {
        for (name, value) in [
            ("sub", Some(json!("octo"))),
            ("/sub", Some(json!("octo"))),
            ("a.b", Some(json!(1))),
            ("a", None),
            ("https://example.org/team", Some(json!("core"))),
            ("/realm_access/roles", Some(json!(["x", "y"]))),
            ("/realm_access/roles/1", Some(json!("y"))),
            ("/realm_access/roles/01", None),
            ("/realm_access/roles/+1", None),
            ("/realm_access/roles/-", None),
            ("/realm_access/a~1b/~0", Some(json!(2))),
            ("realm_access/roles", None),
            ("/sub/octo", None),
            ("/list/1/name", Some(json!("second"))),
            ("/realm_access/", None),
        ] {
            found(name, value);
        }
    }

    #[test]
    fn names_that_are_none() {
        for name in ["", "/", "//a", "/a~", "/a~2"] {
            assert!(ClaimName::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_selected() {
        for (names, expected) in [
            (vec!["sub"], json!({"sub": "octo"})),
            (vec!["/realm_access/other"], json!({"realm_access": {"other": true}})),
            (
                vec!["/realm_access/other", "/realm_access/roles", "nothing"],
                json!({"realm_access": {"other": true, "roles": ["x", "y"]}}),
            ),
            (vec!["/sub/below"], json!({})),
            (vec!["/list/0/name"], json!({"list": [{"name": "first"}, {"name": "second"}]})),
        ] {
            let parsed: Vec<_> = names.iter().map(|name| ClaimName::parse(name).unwrap()).collect();
            assert_eq!(json!(select(&claims(), &parsed)), expected, "{names:?}");
        }
    }
}
