//! The records of signing keys and of their authority.

use std::fmt;

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

/// The record of a signing key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The id that tokens carry: libtrust's fingerprint of the public key.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The private key: PKCS #8, PEM.
    pub private_key: String,
    /// Its certificate, signed by the authority: PEM.
    pub certificate: String,
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
    /// When it begins to sign, in seconds since 1970. Until then it is only published.
    pub signs_from: i64,
}

/// Leaves the private half out.
impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("created_at", &self.created_at)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct AuthorityRecord {
    /// The private key: PKCS #8, PEM.
    pub private_key: String,
    /// Its certificate, signed by itself: PEM.
    pub certificate: String,
}

/// Leaves the private half out.
impl fmt::Debug for AuthorityRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorityRecord").finish_non_exhaustive()
    }
}

/// The signing keys, and the authority behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeysRecord {
    /// Every key, in no order.
    pub keys: Vec<KeyRecord>,
    /// The authority; none before the first key is made.
    pub authority: Option<AuthorityRecord>,
}

impl KeysRecord {
    pub(super) async fn read(db: &mut AnyConnection) -> sqlx::Result<Self> {
        let keys = sqlx::query(
            "select kid, algorithm, private_key, certificate, created_at, signs_from from signing_keys",
        );
        let rows = keys.fetch_all(&mut *db).await?;
        let keys = rows.iter().map(key_from_row).collect::<sqlx::Result<_>>()?;
        let authority = sqlx::query("select private_key, certificate from signing_authority");
        let authority = match authority.fetch_optional(db).await? {
            Some(row) => {
                Some(AuthorityRecord { private_key: row.try_get(0)?, certificate: row.try_get(1)? })
            }
            None => None,
        };
        Ok(Self { keys, authority })
    }
}

fn key_from_row(row: &AnyRow) -> sqlx::Result<KeyRecord> {
    let algorithm = Algorithm::parse(row.try_get(1)?)
        .ok_or_else(|| sqlx::Error::Decode("a key of an unknown algorithm".into()))?;
    Ok(KeyRecord {
        kid: row.try_get(0)?,
        algorithm,
        private_key: row.try_get(2)?,
        certificate: row.try_get(3)?,
        created_at: row.try_get(4)?,
        signs_from: row.try_get(5)?,
    })
}

/// What a key signs with, by its name in RFC 7518 and RFC 8037.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256. The default: fast, small, and supported by every registry.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// RSA, PKCS #1 1.5, with SHA-256. What the service itself uses; a signature takes twenty times
    /// as long, fifty with 3072 bits.
    #[serde(rename = "RS256")]
    Rs256,
    /// Ed25519. CNCF distribution 3 accepts it, 2.8 never does.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Es256, Self::Rs256, Self::EdDsa]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long a new RSA key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaSize {
    /// 2048 bits.
    #[default]
    Bits2048,
    /// 3072 bits.
    Bits3072,
}

impl RsaSize {
    /// The size of this many bits.
    #[must_use]
    pub fn parse(bits: u32) -> Option<Self> {
        match bits {
            2048 => Some(Self::Bits2048),
            3072 => Some(Self::Bits3072),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_have_one_name() {
        for (name, algorithm) in
            [("ES256", Algorithm::Es256), ("RS256", Algorithm::Rs256), ("EdDSA", Algorithm::EdDsa)]
        {
            assert_eq!(Algorithm::parse(name), Some(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), name);
            assert_eq!(serde_json::from_value::<Algorithm>(name.into()).unwrap(), algorithm);
        }
        for name in ["", "es256", "none", "HS256", "EDDSA", "ES256 "] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_private_key_is_not_printed() {
        let key = KeyRecord {
            kid: "kid".into(),
            algorithm: Algorithm::Es256,
            private_key: "secret".into(),
            certificate: String::new(),
            created_at: 0,
            signs_from: 0,
        };
        let authority =
            AuthorityRecord { private_key: "secret".into(), certificate: String::new() };
        assert!(!format!("{key:?}{authority:?}").contains("secret"));
    }
}
