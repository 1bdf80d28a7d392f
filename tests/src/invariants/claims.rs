//! Claims of a token: what is read here every other reader reads so too, and what is accepted is in
//! time.

use scopegate_edge::accept::{LEEWAY, MAX_LIFETIME};
use scopegate_edge::json::{Value, read};
use scopegate_edge::{Epoch, Expected, accept};
use serde_json::Value as Other;

/// The settings of the corpus, `tests/cases/accept`.
pub const EXPECTED: Expected<'_> = Expected {
    issuer: "scopegate",
    service: "registry.example",
    epoch: Epoch::Unknown,
    now: 1_800_000_000,
};

/// A text that is read is JSON, and means to another reader what it means here.
pub fn json(text: &[u8]) {
    let Some(value) = read(text) else { return };
    if let Some(other) = other(text) {
        assert!(is_same(&value, &other), "{value:?} and {other:?}");
    }
}

/// What serde_json reads; `None` for a number beyond its range, which no field of ours takes.
fn other(text: &[u8]) -> Option<Other> {
    match serde_json::from_slice(text) {
        Ok(other) => Some(other),
        Err(error) if error.to_string().contains("number out of range") => None,
        Err(error) => panic!("{error}: {:?}", String::from_utf8_lossy(text)),
    }
}

fn is_same(value: &Value, other: &Other) -> bool {
    match (value, other) {
        (Value::Null, Other::Null) => true,
        (Value::Boolean(value), Other::Bool(other)) => value == other,
        (Value::Number(value), Other::Number(other)) => Some(*value) == other.as_u64(),
        // Neither whole nor small enough for every reader.
        (Value::Other, Other::Number(_)) => true,
        (Value::Text(value), Other::String(other)) => value == other,
        (Value::List(values), Other::Array(others)) => {
            values.len() == others.len()
                && values.iter().zip(others).all(|(value, other)| is_same(value, other))
        }
        // No two fields have one name, so that many are the same ones.
        (Value::Object(_), Other::Object(_)) => true,
        _ => false,
    }
}

/// Claims that are accepted are of the issuer, for the service, and in time.
pub fn accepted(payload: &[u8]) {
    let Ok(claims) = accept(payload, &EXPECTED) else { return };
    assert_eq!((claims.iss.as_str(), claims.aud.as_str()), (EXPECTED.issuer, EXPECTED.service));
    assert!(claims.nbf <= EXPECTED.now + LEEWAY && EXPECTED.now < claims.exp + LEEWAY);
    assert!(claims.exp.saturating_sub(claims.nbf) <= MAX_LIFETIME);
    let Some(other) = other(payload) else { return };
    for (name, value) in [("nbf", claims.nbf), ("exp", claims.exp)] {
        assert_eq!(other[name].as_u64(), Some(value), "{name}");
    }
    for (name, value) in [("iss", &claims.iss), ("aud", &claims.aud), ("sub", &claims.sub)] {
        assert_eq!(other[name].as_str(), Some(value.as_str()), "{name}");
    }
}
