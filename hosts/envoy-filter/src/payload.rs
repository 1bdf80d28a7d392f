//! The verified claims, as Envoy gives them to a filter.
//!
//! `payload_in_metadata` puts the token's payload into the request's metadata. A filter that asks for it gets a list of pairs, as Envoy writes
//! all of its maps (<https://github.com/proxy-wasm/spec>, "serialized maps"):
//!
//! ```text
//! map    count u32, then of each pair the sizes of key and value u32 u32, then of each pair the key, a zero, the value, a zero
//! list   the same, with the items for keys and nothing for values
//! text   its bytes
//! number eight bytes, a double
//! ```
//!
//! All of it little-endian. Nothing tells what a value is but its name, so the claims are read by theirs. Numbers of claims are whole.

use scopegate_api::access::AccessEntry;
use scopegate_api::claims::AccessClaims;
use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};

/// Beyond it a double does not tell one whole number from the next.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The claims in a map; nothing where it is none, or one of them is missing or is something else.
#[must_use]
pub fn claims(bytes: &[u8]) -> Option<AccessClaims> {
    let fields = Pairs::read(bytes)?;
    Some(AccessClaims {
        jti: fields.text("jti")?,
        sub: fields.text("sub")?,
        nbf: fields.number("nbf")?,
        exp: fields.number("exp")?,
        iat: fields.number("iat")?,
        iss: fields.text("iss")?,
        aud: fields.text("aud")?,
        version: fields.text("version")?,
        rid: fields.text("rid")?,
        access: fields.list("access", entry)?,
        roles: fields.list("roles", text)?,
        grant_type: fields.named("grant_type")?,
        appid: fields.optional("appid", Pairs::text)?,
        principal: fields.optional("principal", Pairs::named)?,
        generation: fields.optional("generation", Pairs::number)?,
    })
}

fn entry(bytes: &[u8]) -> Option<AccessEntry> {
    let fields = Pairs::read(bytes)?;
    Some(AccessEntry {
        resource_type: fields.text("type")?,
        name: fields.text("name")?,
        actions: fields.list("actions", text)?,
    })
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(ToOwned::to_owned)
}

/// A map or a list.
struct Pairs<'b>(Vec<(&'b [u8], &'b [u8])>);

impl<'b> Pairs<'b> {
    /// Nothing unless the bytes are exactly that.
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let (count, rest) = size(bytes)?;
        // Each pair has eight bytes of sizes, so a count beyond the bytes is none, and takes no memory.
        let (mut sizes, mut rest) = rest.split_at_checked(count.checked_mul(8)?)?;
        let mut pairs = Vec::with_capacity(count);
        while !sizes.is_empty() {
            let (of_key, others) = size(sizes)?;
            let (of_value, others) = size(others)?;
            let (key, after) = terminated(rest, of_key)?;
            let (value, after) = terminated(after, of_value)?;
            pairs.push((key, value));
            (sizes, rest) = (others, after);
        }
        rest.is_empty().then_some(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&'b [u8]> {
        self.0.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }

    fn number(&self, name: &str) -> Option<u64> {
        let double = f64::from_le_bytes(self.get(name)?.try_into().ok()?);
        let is_whole = double.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(&double);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, and small enough"
        )]
        is_whole.then_some(double as u64)
    }

    /// A value that is one of a few names.
    fn named<'t, T: Deserialize<'t>>(&self, name: &str) -> Option<T>
    where
        'b: 't,
    {
        let text = std::str::from_utf8(self.get(name)?).ok()?;
        T::deserialize(StrDeserializer::<Error>::new(text)).ok()
    }

    fn list<T>(&self, name: &str, read: fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
        Pairs::read(self.get(name)?)?.0.into_iter().map(|(item, _)| read(item)).collect()
    }

    /// A value that may be missing, but may be nothing else.
    fn optional<T>(
        &self,
        name: &str,
        read: impl Fn(&Self, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.get(name) {
            None => Some(None),
            Some(_) => read(self, name).map(Some),
        }
    }
}

fn size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*size)).ok()?, rest))
}

/// So many bytes, and the zero behind them.
fn terminated(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (content, rest) = bytes.split_at_checked(size)?;
    let (zero, rest) = rest.split_first()?;
    (*zero == 0).then_some((content, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pairs(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let mut written = u32::try_from(pairs.len()).unwrap().to_le_bytes().to_vec();
        for (key, value) in pairs {
            written.extend([size(key), size(value)].concat());
        }
        for (key, value) in pairs {
            written.extend([&key[..], &[0], value, &[0]].concat());
        }
        written
    }

    /// As Envoy writes it.
    fn written(value: &Value) -> Vec<u8> {
        match value {
            Value::Null => vec![],
            Value::Bool(flag) => vec![u8::from(*flag)],
            Value::Number(number) => number.as_f64().unwrap().to_le_bytes().to_vec(),
            Value::String(text) => text.clone().into_bytes(),
            Value::Array(items) => {
                pairs(&items.iter().map(|item| (written(item), vec![])).collect::<Vec<_>>())
            }
            Value::Object(fields) => {
                let pair =
                    |(key, value): (&String, &Value)| (key.clone().into_bytes(), written(value));
                pairs(&fields.iter().map(pair).collect::<Vec<_>>())
            }
        }
    }

    fn token() -> Value {
        json!({
            "jti": "j", "sub": "Reader", "nbf": 1_700_000_000, "exp": 1_700_003_600, "iat": 1_700_000_000,
            "iss": "i", "aud": "r", "version": "1.0", "rid": "0", "roles": [], "grant_type": "access_token",
            "access": [
                {"type": "repository", "name": "team/app", "actions": ["pull", "push"]},
                {"type": "registry", "name": "catalog", "actions": ["*"]},
            ],
            "principal": "service_principal", "generation": 7,
        })
    }

    #[test]
    fn claims_come_back() {
        let read = claims(&written(&token())).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), token());
        let mut other = token();
        for optional in ["principal", "generation"] {
            other.as_object_mut().unwrap().remove(optional);
        }
        other["appid"] = "a".into();
        let read = claims(&written(&other)).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), other);
    }

    #[test]
    fn what_is_no_claims_is_nothing() {
        assert_eq!(claims(b""), None);
        assert_eq!(claims(&[0; 4]), None);
        for (field, wrong) in [
            ("exp", json!(1.5)),
            ("exp", json!("1700003600")),
            ("access", json!("all")),
            ("access", json!({"type": "repository"})),
            ("generation", json!(-1)),
            ("generation", json!(1e300)),
            ("principal", json!("somebody")),
            ("grant_type", json!("any")),
            ("aud", json!(["r"])),
        ] {
            let mut other = token();
            other[field] = wrong.clone();
            let read = claims(&written(&other));
            // A list of one text is some other text, and no service is called that.
            assert!(read.is_none_or(|read| read.aud != "r"), "{field}: {wrong}");
        }
        for field in token().as_object().unwrap().keys() {
            let mut other = token();
            other.as_object_mut().unwrap().remove(field);
            let is_optional = ["principal", "generation"].contains(&field.as_str());
            assert_eq!(claims(&written(&other)).is_some(), is_optional, "{field}");
        }
    }

    #[test]
    fn half_a_map_is_nothing_and_no_bytes_trap() {
        let whole = written(&token());
        for end in 0..whole.len() {
            assert_eq!(claims(&whole[..end]), None, "{end}");
        }
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut other = whole.clone();
                other[place] ^= 1 << bit;
                let _ = claims(&other);
            }
        }
        assert_eq!(claims(&[0xff; 64]), None);
    }
}
