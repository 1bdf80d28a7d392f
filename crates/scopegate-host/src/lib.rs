//! What native hosts share: how much one client may ask of them.
//!
//! | module | holds |
//! |---|---|
//! | [`files`] | how many files, and so connections, this process may have open |
//! | [`networks`] | addresses and networks of them, and what a limit counts by |
//! | [`peers`] | how many connections one peer may have |
//! | [`rate`] | how often a key may ask |
//! | [`target`] | the target of a request as it may stand in a log |
//!
//! Left out: what is decided about a request, which is the engine's.

pub mod files;
pub mod networks;
pub mod peers;
pub mod rate;
pub mod target;
