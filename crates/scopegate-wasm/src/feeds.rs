//! What a token is made of, which keys of a set verify, and which tokens are revoked: rules of
//! `scopegate-edge` behind their exports.
//!
//! Left out: the rules, and how the answers are written ([`scopegate_edge::abi`]).

use scopegate_api::abi::Failure;
use scopegate_edge::abi;
use scopegate_edge::revocation::Revocations;

use crate::engine::{Engine, parts};

impl Engine {
    pub(crate) fn verifying_keys(&mut self, len: u32) -> u64 {
        let keys = self.parts([len]).map(|[text]| abi::verifying_keys(text).into_bytes());
        self.give(keys)
    }

    pub(crate) fn signed_parts(&mut self, len: u32) -> u64 {
        let parts = self.parts([len]).map(|[text]| abi::signed_parts(text).unwrap_or_default());
        self.give(parts)
    }

    pub(crate) fn revocations_new(&mut self) -> u64 {
        u64::from(self.revocations.keep(Revocations::default()))
    }

    pub(crate) fn revocations_ingest(&mut self, revocations: u32, len: u32) -> u64 {
        let [answer] = match parts(&self.input, [len]) {
            Ok(parts) => parts,
            Err(failure) => return failure.pack(),
        };
        let word = self
            .revocations
            .get_mut(revocations)
            .map(|known| abi::ingest(known, answer).into_bytes());
        self.give(word)
    }

    pub(crate) fn revocations_has(&mut self, revocations: u32, len: u32) -> u64 {
        let revoked = self
            .parts([len])
            .and_then(|[payload]| Ok(abi::is_revoked(self.revocations.get(revocations)?, payload)));
        revoked.map_or_else(Failure::pack, u64::from)
    }

    pub(crate) fn revocations_drop(&mut self, revocations: u32) -> u64 {
        self.revocations.take(revocations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_lengths_are_checked() {
        let mut engine = Engine::new();
        engine.input(4);
        let failed = Failure::unpack;
        assert_eq!(failed(engine.verifying_keys(5)), Some(Failure::Length));
        assert_eq!(failed(engine.signed_parts(5)), Some(Failure::Length));
        assert_eq!(failed(engine.revocations_ingest(0, 4)), Some(Failure::NoTable));
        assert_eq!(failed(engine.revocations_has(0, 4)), Some(Failure::NoTable));
        assert_eq!((engine.revocations_new(), engine.revocations_new()), (0, 1));
        assert_eq!(failed(engine.revocations_ingest(0, 5)), Some(Failure::Length));
        assert_eq!(failed(engine.revocations_has(0, 5)), Some(Failure::Length));
        assert_eq!(failed(engine.revocations_ingest(0, 4)), None);
        // A payload that cannot be read.
        assert_eq!(engine.revocations_has(0, 4), 1);
        assert_eq!((engine.revocations_drop(0), engine.revocations_new()), (0, 0));
        assert_eq!(failed(engine.revocations_drop(2)), Some(Failure::NoTable));
        // Tables have handles of their own.
        assert_eq!(failed(engine.table_drop(1)), Some(Failure::NoTable));
    }
}
