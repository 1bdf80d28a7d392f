//! The domain of the server: authentication, decisions, signing and changes.
//!
//! Nothing here depends on a status code or a route. A function takes what it needs and returns a
//! value or a domain error; the time is an argument.
//!
//! | module | holds |
//! |---|---|
//! | [`principal`] | who sends a request: credentials to scope maps |
//! | [`identity`] | identities from OpenID providers, and what their claims are bound to |
//! | [`policy`] | the policy, as a snapshot that requests read |
//! | [`decision`] | the access that a principal gets of the requested scopes |
//! | [`issue`] | claims, signed and verified |
//! | [`lifetimes`] | how long tokens last |
//! | [`authority`] | tokens of the built-in authority |
//! | [`token_password`] | a token of a provider or of the authority as a password |
//! | [`login`] | people who sign in at the authority |
//! | [`audit`] | whether the audit trail is whole, and who signed in |
//! | [`keys`] | the keys that sign, and their rotation |
//! | [`edit`] | changes, and their effect on issued tokens |
//! | [`restore`] | restoring a backup, which revives nothing |
//! | [`seed`] | scope maps and principals from a file |
//! | [`bundle`] | the policy for the edge: compiled scope maps and revoked tokens, signed |
//! | [`generations`] | which tokens are revoked |
//! | [`signed`] | documents that are signed once a minute |
//! | [`guard`] | the limits of rate and concurrency |
//! | [`reason`] | why credentials are refused |
//! | [`doctor`] | why a registry refuses a token |

pub(crate) mod audit;
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
pub(crate) mod login;
pub(crate) mod policy;
pub(crate) mod principal;
pub(crate) mod reason;
pub(crate) mod restore;
pub(crate) mod seed;
pub(crate) mod signed;
pub(crate) mod token_password;
