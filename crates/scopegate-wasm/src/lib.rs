//! The engine behind a plain WebAssembly boundary: the one artefact that every native and edge host
//! loads.
//!
//! # The boundary, version 2
//!
//! The module imports nothing and exports its memory as `memory`. It keeps no clock and no
//! randomness, and no call depends on another but through what has a handle. It is for one thread
//! at a time; a host that has several keeps an instance for each.
//!
//! ## Buffers and who owns them
//!
//! The engine owns all memory. There are two buffers:
//!
//! - **The input.** [`scopegate_input`] takes a length and gives the address of at least as many
//!   bytes. The address stays good until the next call of `scopegate_input` that asks for more than
//!   any before, so that a host may ask once, for as much as it will ever need, and keep it. The
//!   host writes there and passes lengths; every call reads its arguments from the start of the
//!   input, one behind the other.
//! - **The output.** A call that gives bytes gives their address and length. They stay good until
//!   the next call.
//!
//! The host frees nothing but tables, with [`scopegate_table_drop`], and revocations, with
//! [`scopegate_revocations_drop`]. The handle of a dropped table is given again to a later one, so
//! a host forgets it together with the table. Revocations have handles of their own.
//!
//! ## Results and errors
//!
//! Every call but the three that say otherwise gives a `u64`. When its high half is 0xffff_ffff,
//! the call failed: the highest byte of the low half is the number of the error and the other three
//! are a position in the text. Numbers below 200 are kinds of error of the engine (the crate
//! `scopegate-core` lists them with their codes); 200 nothing has this handle, 201 not UTF-8, 202 a
//! length beyond the input, 203 settings that mean nothing, 204 out of memory. A call that fails
//! changes nothing. Bytes are given as address × 2³² + length.
//!
//! `settings` has the catalog in bits 0–1 (0 root, 1 never, 2 filtered), the profile in bits 2–3 (0
//! acr, 1 distribution) and what removing a tag needs in bit 4 (0 delete, 1 metadata_write). Any
//! other value of these, and any other bit, is error 203.
//!
//! ## Exports
//!
//! | export | input | gives |
//! |---|---|---|
//! | `scopegate_abi_version() → u32` | | 2; ask this first |
//! | `scopegate_input(len) → u32` | | the address of the input, 0 when there is no memory |
//! | `scopegate_table_compile(len)` | action strings, separated by line feeds | bytes: a compiled table |
//! | `scopegate_table_load(name_len, len)` | the scope map's name, the table | a handle; the table was checked and copied |
//! | `scopegate_table_drop(table)` | | 0 |
//! | `scopegate_decide(table, len, settings)` | one scope | the denied action list × 2³² + the granted one |
//! | `scopegate_granted(table, len, settings) → u32` | one scope | the granted action list alone; 0, which grants nothing, also where anything is wrong |
//! | `scopegate_decide_batch(table, len, settings)` | scopes separated by spaces | bytes: for each scope the eight bytes of what `scopegate_decide` gives |
//! | `scopegate_claims(tables, len, settings)` | `tables` handles as `u32`, scopes separated by spaces | bytes: records, see `scopegate_api::abi` |
//! | `scopegate_explain(tables, len, settings)` | the same | bytes: a JSON array with an explanation for each scope |
//! | `scopegate_rules(tables, len, settings)` | the same | bytes: the rules that give what is granted, each once and with a line feed behind it: `my-map: repositories/app/content/read` |
//! | `scopegate_route(method_len, len, settings)` | a method, a request target | bytes: canonical path, line feed, required scopes separated by spaces |
//! | `scopegate_verify(access_len, scopes_len, settings)` | a token's access entries as scopes, one a line; required scopes separated by spaces | bytes: the missing scopes, none when all is there |
//! | `scopegate_admit_request(method_len, target_len, headers_len, access_len, realm_len, service_len, credential, settings)` | a method, a request target, header fields as `name: value`, one a line, a token's access entries as scopes, one a line, realm, service | bytes: what becomes of a request at the edge, see below; `credential` 0 none came, 1 one that is no good, 2 one that is good |
//! | `scopegate_admit(method_len, target_len, access_len, realm_len, service_len, credential, settings)` | the same without header fields | bytes: the same without a `Content-Type`, for GET and HEAD; any other method fails with `method_unknown`. Of version 1: a host that calls it drops `Content-Type` from what it sends on |
//! | `scopegate_header_names(list)` | | bytes: names of header fields in lower case, one a line; `list` 0: those of a request that may be sent on; 1: those of an answer that may not be passed on, the last of which ends with `*` and is a beginning; 2: those that every answer gets, with their values |
//! | `scopegate_accept_claims(payload_len, issuer_len, service_len, now_high, now_low)` | the payload of a token whose signature is good, as it was signed; issuer, service | bytes: whether its claims are accepted at a time, see below |
//! | `scopegate_challenge(realm_len, service_len, scopes_len, error)` | realm, service, required scopes | bytes: a `WWW-Authenticate` value; `error` 0 none, 1 invalid_token, 2 insufficient_scope |
//!
//! The module for hosts that do not link `scopegate-edge`, as the Worker, has these too (the
//! feature `feeds`):
//!
//! | export | input | gives |
//! |---|---|---|
//! | `scopegate_verifying_keys(len)` | a JSON web key set, as it was published | bytes: the keys of an issuer that verify, see below |
//! | `scopegate_revocations_new()` | | a handle of revocations, of which none is known |
//! | `scopegate_revocations_ingest(revocations, len)` | an answer of the revocation feed | bytes: whether it is taken, see below |
//! | `scopegate_revocations_has(revocations, len)` | the payload of a token whose claims were accepted | 1 for a token that is revoked, 0 for another; 1 also for a payload that cannot be read |
//! | `scopegate_revocations_drop(revocations)` | | 0 |
//!
//! An action list is eight nibbles, the first action in the lowest: 1 pull, 2 push, 3 delete, 4
//! metadata_read, 5 metadata_write, 6 deleted_read, 7 deleted_restore, 8 `*`, 0 after the last.
//! Unknown actions are never granted; `scopegate_decide` leaves them out, `scopegate_claims` lists
//! them as denied.
//!
//! What becomes of a request is parts with a line feed between them: `200`, the target to send, the
//! `Content-Type` to send (nothing: send none) and the scopes that it needed; or the status, the
//! value of `WWW-Authenticate` (nothing when there is none) and the body of the answer. A host
//! sends on this target and this type, whatever came, and of the other header fields those of
//! `scopegate_header_names`. The header fields that a decision needs are `Content-Type` and
//! `X-HTTP-Method-Override`, `X-HTTP-Method`, `X-Method-Override`, every line of them that came; a
//! host may give all. None may hold a line feed.
//!
//! Access entries stand one a line as `type:name:actions`, the actions separated by commas, and the
//! engine cannot tell an entry from a part of one. So a host leaves out an entry whose type holds a
//! colon or a line feed or whose name holds a line feed, and every action that is anything but
//! letters of `a` to `z`, `_` and `*`: no registry has such, and what is left out grants nothing.
//!
//! A time is in seconds since 1970, and its two halves are arguments. Claims that are accepted give
//! `accepted`, the second from which they are not any more, and the access entries in the form
//! above, with a line feed behind each part; claims that are not give one word: `malformed_claims`,
//! `wrong_issuer`, `wrong_audience`, `not_an_access_token`, `not_yet_valid`, `expired` or
//! `lifetime_too_long`. Whether a token was revoked is not asked here.
//!
//! The keys that verify are a JSON array of keys (RFC 7517), in the order of the set: `kid`, `alg`
//! (`ES256`, `RS256` or `EdDSA`), `kty` and the numbers of its type, with no blanks. Where there is
//! none, it is one word: `unreadable_keys` (the keys that are known stay), `too_many_keys`,
//! `duplicate_key` or `no_key` (there is no key any more).
//!
//! Of an answer of the feed it is one word and two more lines: `taken`, or `unreadable_feed`,
//! `older_feed`, `incomplete_feed`; the revision to ask with the next time; and the epoch, empty
//! while none is known. What is not taken changes nothing but the revision: behind
//! `incomplete_feed` it is 0, and the next answer is everything. How old the last answer may be is
//! the host's to decide.
//!
//! A trap means a defect of the engine. The host throws the instance away and makes another, in
//! which nothing is known.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod edge;
mod engine;
#[cfg(feature = "feeds")]
mod feeds;
#[cfg(target_arch = "wasm32")]
mod platform;
mod shared;
mod slots;

use engine::Engine;
use shared::Shared;

static ENGINE: Shared<Engine> = Shared::new(Engine::new());

/// Declares the exports: each one hands its arguments to the engine, and nothing else.
macro_rules! exports {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident),*) -> $result:ty = $method:ident;)*) => {
        $(
            $(#[$doc])*
            #[expect(unsafe_code, reason = "an export keeps its name, and no other symbol has this prefix")]
            #[unsafe(no_mangle)]
            pub extern "C" fn $name($($argument: u32),*) -> $result {
                ENGINE.with(|engine| engine.$method($($argument),*))
            }
        )*
    };
}

exports! {
    /// The version of this boundary.
    fn scopegate_abi_version() -> u32 = abi_version;
    /// The address of an input of at least `len` bytes.
    fn scopegate_input(len) -> u32 = input;
    /// Compiles action strings to a table.
    fn scopegate_table_compile(len) -> u64 = table_compile;
    /// Checks and keeps a table under the name of its scope map.
    fn scopegate_table_load(name_len, len) -> u64 = table_load;
    /// Forgets a table.
    fn scopegate_table_drop(table) -> u64 = table_drop;
    /// Decides one scope over one table.
    fn scopegate_decide(table, len, settings) -> u64 = decide;
    /// Gives what is granted of one scope over one table.
    fn scopegate_granted(table, len, settings) -> u32 = granted;
    /// Decides several scopes over one table.
    fn scopegate_decide_batch(table, len, settings) -> u64 = decide_batch;
    /// Decides the scopes of a request over the tables of a principal.
    fn scopegate_claims(tables, len, settings) -> u64 = claims;
    /// Explains the scopes of a request over the tables of a principal.
    fn scopegate_explain(tables, len, settings) -> u64 = explain;
    /// Names the rules that give what is granted.
    fn scopegate_rules(tables, len, settings) -> u64 = rules;
    /// Reads an HTTP request.
    fn scopegate_route(method_len, len, settings) -> u64 = route;
    /// Checks access entries against required scopes.
    fn scopegate_verify(access_len, scopes_len, settings) -> u64 = verify;
    /// Decides about a request at the edge.
    fn scopegate_admit_request(method_len, target_len, headers_len, access_len, realm_len, service_len, credential, settings) -> u64 = admit_request;
    /// Names header fields.
    fn scopegate_header_names(list) -> u64 = header_names;
    /// Decides about a request at the edge that only reads, for hosts of version 1.
    fn scopegate_admit(method_len, target_len, access_len, realm_len, service_len, credential, settings) -> u64 = admit;
    /// Says whether claims are accepted, or why not.
    fn scopegate_accept_claims(payload_len, issuer_len, service_len, now_high, now_low) -> u64 = accept_claims;
    /// Writes a challenge.
    fn scopegate_challenge(realm_len, service_len, scopes_len, error) -> u64 = challenge;
}

#[cfg(feature = "feeds")]
exports! {
    /// Chooses the keys of a set that verify.
    fn scopegate_verifying_keys(len) -> u64 = verifying_keys;
    /// Makes revocations of which none is known.
    fn scopegate_revocations_new() -> u64 = revocations_new;
    /// Takes an answer of the feed, or says why not.
    fn scopegate_revocations_ingest(revocations, len) -> u64 = revocations_ingest;
    /// Says whether a token is revoked.
    fn scopegate_revocations_has(revocations, len) -> u64 = revocations_has;
    /// Forgets revocations.
    fn scopegate_revocations_drop(revocations) -> u64 = revocations_drop;
}
