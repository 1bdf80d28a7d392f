//! What native hosts share: requests to other servers, limits of one client, certificates,
//! durations.
//!
//! | module | holds |
//! |---|---|
//! | [`answer`] | header fields of answers |
//! | `client` | requests to other servers, bounded; with the feature of this name |
//! | [`correlation`] | the ids of requests |
//! | `database` | opening SQLite or PostgreSQL; with the feature of this name |
//! | [`duration`] | durations as people write them |
//! | [`files`] | how many files, and so connections, this process may have open |
//! | [`forwarded`] | the client address of a request, behind trusted proxies |
//! | `keys` | public keys that verify signatures; with the feature of this name |
//! | [`networks`] | addresses and networks of them, and what a limit counts by |
//! | [`peers`] | how many connections one peer may have |
//! | [`rate`] | how often a key may ask |
//! | [`tls`] | a certificate that is read again when its files change |
//!
//! Left out: decisions about requests, which are the engine's.

pub mod answer;
#[cfg(feature = "client")]
pub mod client;
pub mod correlation;
#[cfg(feature = "database")]
pub mod database;
pub mod duration;
pub mod files;
pub mod forwarded;
#[cfg(feature = "keys")]
pub mod keys;
pub mod networks;
pub mod peers;
pub mod rate;
pub mod setting;
pub mod tls;
