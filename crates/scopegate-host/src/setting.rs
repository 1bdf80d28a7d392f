//! Values of a configuration that every host reads alike: text, addresses with passwords, and whose
//! ways are followed.
//!
//! Left out: durations ([`duration`](crate::duration)) and networks
//! ([`networks`](crate::networks)).

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use url::Url;

/// How closely a host does as Azure Container Registry where its own ways differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compatibility {
    /// In its own ways.
    #[default]
    None,
    /// As the service, in all that a setting can make the same.
    Acr,
}

impl Compatibility {
    /// Who signs tokens, where the configuration does not say: their `iss`.
    #[must_use]
    pub const fn issuer(self) -> &'static str {
        match self {
            Self::None => "scopegate",
            Self::Acr => "Azure Container Registry",
        }
    }
}

/// An address that may hold a password. The text is kept as it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The address of a text.
    ///
    /// ```
    /// use scopegate_host::setting::SecretUrl;
    ///
    /// let url = SecretUrl::parse("postgres://u:secret@db/x")?;
    /// assert_eq!(format!("{url:?}"), "postgres://u:***@db/x");
    /// assert_eq!(url.expose(), "postgres://u:secret@db/x");
    /// # Ok::<(), url::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is not a URL: `here`.
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

/// Reads text, with an error that says what was expected. It names only the type of another value:
/// the value could be a secret.
#[derive(Clone, Copy, Debug)]
pub struct Text(pub &'static str);

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
