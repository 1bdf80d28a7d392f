//! Values that are more than text: addresses with passwords, and words of a short list.

use std::fmt;
use std::time::Duration;

use scopegate_core::Catalog;
use scopegate_core::route::{Profile, Untag};
use scopegate_core::scope_map::Role;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use url::Url;

/// An address that may hold a password. The text is kept as it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The address of a text.
    ///
    /// # Errors
    ///
    /// When the text is not a URL.
    pub fn parse(text: &str) -> Result<Self, url::ParseError> {
        Url::parse(text).map(|_| Self(text.to_owned()))
    }

    /// The whole text, for connecting.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The parts of it.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        Url::parse(&self.0).ok()
    }
}

/// Leaves the password out, and the query, in which databases take passwords too.
impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(mut url) = self.url() else { return f.write_str("***") };
        if url.password().is_some() && url.set_password(Some("***")).is_err() {
            return f.write_str("***");
        }
        if url.query().is_some() {
            url.set_query(Some("***"));
        }
        f.write_str(url.as_str())
    }
}

impl<'de> Deserialize<'de> for SecretUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(Text("an address"))?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

pub(super) fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    scopegate_host::duration::deserialize(deserializer).map(Some)
}

pub(super) fn catalog<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Catalog, D::Error> {
    const EXPECTED: &str = "root, never or filtered";
    let text = deserializer.deserialize_str(Text(EXPECTED))?;
    Catalog::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {EXPECTED}")))
}

pub(super) fn profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Profile, D::Error> {
    const EXPECTED: &str = "acr or distribution";
    let text = deserializer.deserialize_str(Text(EXPECTED))?;
    Profile::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {EXPECTED}")))
}

pub(super) fn untag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Untag, D::Error> {
    const EXPECTED: &str = "delete or metadata-write";
    let text = deserializer.deserialize_str(Text(EXPECTED))?;
    Untag::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {EXPECTED}")))
}

pub(super) fn roles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Role>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let roles = names.iter().map(|name| {
        Role::parse(name).ok_or_else(|| {
            let known = Role::ALL.map(Role::as_str).join(", ");
            de::Error::custom(format!("there is no role `{name}`, only {known}"))
        })
    });
    roles.collect()
}

/// Reads text, with an error that says what was expected. It names only the type of another value:
/// the value could be a secret.
struct Text(&'static str);

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        for (text, shown) in [
            ("postgres://u:secret@db/x", "postgres://u:***@db/x"),
            ("postgres://db/x?password=secret", "postgres://db/x?***"),
            ("postgres:///x?host=/run/postgresql", "postgres:///x?***"),
            ("sqlite:scopegate.db", "sqlite:scopegate.db"),
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/"),
        ] {
            assert_eq!(format!("{:?}", SecretUrl::parse(text).unwrap()), shown);
        }
    }
}
