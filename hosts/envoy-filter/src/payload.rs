//! The claims of a token that `jwt_authn` has verified.
//!
//! They are [serialized maps](crate::serialized_map), because `jwt_authn` puts the payload into the
//! request's metadata (`payload_in_metadata`). What makes claims of a payload as it was signed is
//! [`scopegate_edge::accept::read`]; a test compares the two.

use scopegate_api::access::AccessEntry;
use scopegate_api::claims::{AccessClaims, GrantType, PrincipalKind};

use crate::serialized_map::{SerializedMap, text};

/// The claims in a map; nothing where it is none, or one of them is missing or is something else.
#[must_use]
pub(crate) fn claims(bytes: &[u8]) -> Option<AccessClaims> {
    let fields = SerializedMap::read(bytes)?;
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
        grant_type: GrantType::parse(fields.str("grant_type")?)?,
        appid: fields.optional("appid", SerializedMap::text)?,
        principal: fields.optional("principal", kind)?,
        generation: fields.optional("generation", SerializedMap::number)?,
        provider: fields.optional("provider", SerializedMap::text)?,
        epoch: fields.optional("epoch", SerializedMap::text)?,
    })
}

fn kind(fields: &SerializedMap<'_>, name: &str) -> Option<PrincipalKind> {
    PrincipalKind::parse(fields.str(name)?)
}

/// An entry of `access`. One without actions grants nothing.
fn entry(bytes: &[u8]) -> Option<AccessEntry> {
    let fields = SerializedMap::read(bytes)?;
    let actions = fields.get("actions").map(|_| fields.list("actions", text));
    Some(AccessEntry {
        resource_type: fields.text("type")?,
        name: fields.text("name")?,
        actions: actions.unwrap_or_else(|| Some(Vec::new()))?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::serialized_map::from_json as written;
    use scopegate_edge::{Epoch, Expected};

    fn token() -> Value {
        json!({
            "jti": "j", "sub": "Reader", "nbf": 1_700_000_000, "exp": 1_700_003_600, "iat": 1_700_000_000,
            "iss": "i", "aud": "r", "version": "1.0", "rid": "0", "roles": [], "grant_type": "access_token",
            "access": [
                {"type": "repository", "name": "team/app", "actions": ["pull", "push"]},
                {"type": "registry", "name": "catalog", "actions": ["*"]},
            ],
            "principal": "service_principal", "generation": 7, "provider": "ci", "epoch": "e",
        })
    }

    #[test]
    fn claims_come_back() {
        let read = claims(&written(&token())).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), token());
        assert_eq!(scopegate_edge::accept::read(token().to_string().as_bytes()), Ok(read));
        let mut other = token();
        for optional in ["principal", "generation", "provider", "epoch"] {
            other.as_object_mut().unwrap().remove(optional);
        }
        other["appid"] = "a".into();
        let read = claims(&written(&other)).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), other);
    }

    /// As other issuers write them.
    #[test]
    fn other_spellings() {
        let mut other = token();
        other["access"] = json!([{"type": "repository", "name": "b"}]);
        other["principal"] = Value::Null;
        other["generation"] = Value::Null;
        let read = claims(&written(&other)).unwrap();
        assert_eq!(read, serde_json::from_value(other).unwrap());
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
            ("access", json!([{"Type": "repository", "Name": "a", "Actions": ["pull"]}])),
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
            let is_optional =
                ["principal", "generation", "provider", "epoch"].contains(&field.as_str());
            assert_eq!(claims(&written(&other)).is_some(), is_optional, "{field}");
        }
    }

    #[test]
    fn half_a_map_is_nothing_and_no_bytes_trap() {
        let whole = written(&token());
        for end in 0..whole.len() {
            assert_eq!(claims(&whole[..end]), None, "{end}");
        }
        for position in 0..whole.len() {
            for bit in 0..8 {
                let mut other = whole.clone();
                other[position] ^= 1 << bit;
                let _ = claims(&other);
            }
        }
        assert_eq!(claims(&[0xff; 64]), None);
    }

    /// The corpus of accepted and refused claims, as `jwt_authn` gives them. Invalid JSON, and JSON
    /// that could be read in two ways, Envoy reads first.
    #[test]
    fn the_corpus() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases/accept");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let file: Value =
                serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
            for case in file["cases"].as_array().unwrap() {
                let mut payload = file["payload"].as_str().unwrap().to_owned();
                for change in case["change"].as_array().into_iter().flatten() {
                    payload = payload.replacen(
                        change[0].as_str().unwrap(),
                        change[1].as_str().unwrap(),
                        1,
                    );
                }
                let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(&payload) else {
                    continue;
                };
                let of = |name: &str| case.get(name).unwrap_or(&file[name]);
                let expected = Expected {
                    issuer: of("issuer").as_str().unwrap(),
                    service: of("service").as_str().unwrap(),
                    epoch: Epoch::Unknown,
                    now: of("now").as_u64().unwrap(),
                };
                let claims = claims(&written(&value));
                let is_accepted = claims.is_some_and(|claims| expected.check(&claims).is_ok());
                // Envoy has one number for 7 and 7.0, and one claim where there were two.
                if is_accepted != case["accepted"].is_array() {
                    let why = case["why"].as_str().unwrap();
                    assert!(
                        is_accepted && SAME_TO_ENVOY.iter().any(|same| why.contains(same)),
                        "{why}"
                    );
                }
                count += 1;
            }
        }
        assert!(count > 50, "{count}");
    }

    const SAME_TO_ENVOY: [&str; 7] = [
        "a whole number is written without a point",
        "nor with an exponent",
        "nor is zero with a sign",
        "a claim twice",
        "also when the second is spelt",
        "also in a claim that nobody needs",
        "lists in lists",
    ];
}
