//! Whether the claims of a token are accepted: the rule of `scopegate-edge` behind its export.
//!
//! Left out: the rule, and how the answer is written ([`scopegate_edge::abi`]).

use alloc::string::String;

use scopegate_edge::{Epoch, Expected, abi};

use crate::engine::{Engine, texts};

impl Engine {
    pub(crate) fn accept_claims(
        &mut self,
        payload: u32,
        issuer: u32,
        service: u32,
        now_high: u32,
        now_low: u32,
    ) -> u64 {
        let parts = self.parts([payload, issuer, service]);
        let accepted = parts.and_then(|[payload, issuer, service]| {
            let [issuer, service] = texts([issuer, service])?;
            let now = u64::from(now_high) << 32 | u64::from(now_low);
            let expected = Expected { issuer, service, epoch: Epoch::Unknown, now };
            Ok(abi::acceptance(payload, &expected))
        });
        self.give(accepted.map(String::into_bytes))
    }
}
