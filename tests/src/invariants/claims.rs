//! Claims of a token: what is read here every other reader reads so too, and what is accepted is in
//! time.

use std::collections::BTreeSet;

use scopegate_edge::accept::{LEEWAY, MAX_LIFETIME};
use scopegate_edge::json::{MAX_NUMBER, Value, read};
use scopegate_edge::jwks::issuer_keys;
use scopegate_edge::jws::{self, Jws};
use scopegate_edge::revocation::{self, Revocations};
use scopegate_edge::{Epoch, Expected, abi, accept};
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
    let Some(document) = read(text) else { return };
    if let Some(other) = other(text) {
        assert!(is_same(document.value(), &other), "{document:?} and {other:?}");
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

fn is_same(value: Value<'_>, other: &Other) -> bool {
    match other {
        Other::Null => value.is_null(),
        Other::Bool(other) => value.boolean() == Some(*other),
        // What is neither whole nor small enough for every reader is no number of ours.
        Other::Number(other) => value.number() == other.as_u64().filter(|n| *n <= MAX_NUMBER),
        Other::String(other) => value.text() == Some(other),
        Other::Array(others) => value.list().is_some_and(|values| {
            values.count() == others.len()
                && values.zip(others).all(|(value, other)| is_same(value, other))
        }),
        Other::Object(others) => value.object().is_some_and(|object| {
            object.fields().count() == others.len()
                && others.iter().all(|(name, other)| {
                    object.field(name).is_some_and(|value| is_same(value, other))
                })
        }),
    }
}

/// A token is the parts that it gives, put together again.
pub fn signed(text: &[u8]) {
    let Some(parts) = abi::signed_parts(text) else { return };
    let text = str::from_utf8(text).unwrap();
    let jws = Jws::read(text).unwrap();
    let (payload, signature) = (jws.payload().unwrap(), jws::decode(jws.signature).unwrap());
    assert_eq!(format!("{}.{}", jws.message, jws.signature), text);
    let behind_names = [payload, signature].concat();
    let lengths = 12 + jws.algorithm.len() + jws.kid.unwrap().len();
    assert_eq!(parts.get(lengths..), Some(behind_names.as_slice()));
}

/// Every text is a key set and an answer of the feed, or none; no key is there twice, and what was
/// refused changed nothing.
pub fn feeds(text: &[u8]) {
    if let Ok(keys) = issuer_keys(text) {
        let ids: BTreeSet<_> = keys.iter().map(|(kid, ..)| kid).collect();
        assert!(!keys.is_empty() && ids.len() == keys.len());
    }
    let written = abi::verifying_keys(text);
    if written.starts_with('[') {
        assert!(serde_json::from_str::<Vec<Other>>(&written).is_ok(), "{written}");
    }
    let mut known = Revocations::default();
    let update = revocation::read(text);
    let is_taken = abi::ingest(&mut known, text).starts_with("taken\n");
    assert_eq!(is_taken, update.as_ref().is_some_and(|update| update.is_everything));
    let mut again = Revocations::default();
    if let Some(update) = update.filter(|_| is_taken) {
        again.ingest(update).unwrap();
    }
    assert_eq!(known, again);
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
