//! The rules of the server: who asks, what they may do, what is signed, what may be changed.
//!
//! Nothing here knows a status code or a route. A function takes what it needs and gives a value or
//! an error of its own; the time is an argument.
//!
//! | module | holds |
//! |---|---|
//! | [`principal`] | who asks: a set of scope maps, however they showed it |
//! | [`identity`] | identities from OpenID providers, and what their claims are bound to |
//! | [`policy`] | what the server knows, as a snapshot that requests read |
//! | [`decision`] | what a principal gets of what is asked for |
//! | [`issue`] | claims, signed and verified |
//! | [`lifetimes`] | how long tokens last |
//! | [`authority`] | tokens of the built-in authority |
//! | [`keys`] | the keys that sign, and who signs when |
//! | [`edit`] | what may be changed, and what a change means for tokens already issued |
//! | [`seed`] | scope maps and principals from a file |
//! | [`bundle`] | what the edge is told: compiled scope maps and ended tokens, signed |
//! | [`generations`] | which tokens are not good any more |
//! | [`signed`] | documents that are signed once a minute |
//! | [`guard`] | how often, and how many at once |
//! | [`reason`] | why credentials are refused |
//! | [`doctor`] | why a registry refuses a token |

pub(crate) mod authority;
pub(crate) mod bundle;
pub(crate) mod decision;
pub(crate) mod doctor;
pub(crate) mod edit;
pub(crate) mod generations;
pub(crate) mod guard;
pub(crate) mod identity;
pub(crate) mod issue;
pub(crate) mod keys;
pub(crate) mod lifetimes;
pub(crate) mod policy;
pub(crate) mod principal;
pub(crate) mod reason;
pub(crate) mod seed;
pub(crate) mod signed;
