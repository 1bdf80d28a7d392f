//! The keys that sign tokens: one key in every form, the authority behind their certificates, and
//! who signs when.
//!
//! | module | holds |
//! |---|---|
//! | [`signing_key`] | one key: signing, verifying, JWK, certificate, id |
//! | [`authority`] | the certificate that every key's certificate is signed by |
//! | [`public_key`] | what can be computed from the public half: ids, JWK |
//! | [`certificate`] | what a certificate says |
//! | [`ring`] | all keys of the registry: who signs, who verifies, what is published |
//! | [`rotation`] | when a key follows another, and when an old one may go |
//! | [`steadiness`] | whether the clock can be planned by |
//! | [`import`](mod@import) | the key that an earlier version kept in its data folder |
//! | [`keeper`] | the keys in the database, shared by all servers of a registry |
//!
//! Everything but `keeper` and `import` is pure: records come in and go out, and the time is an
//! argument.

pub(crate) mod authority;
pub(crate) mod certificate;
pub(crate) mod import;
pub(crate) mod keeper;
pub(crate) mod public_key;
pub(crate) mod ring;
pub(crate) mod rotation;
pub(crate) mod signing_key;
pub(crate) mod steadiness;

pub use crate::store::{Algorithm, KeyRecord, RsaSize};
pub use authority::Authority;
pub use keeper::Keeper;
pub use ring::Ring;
pub(crate) use rotation::Plan;
pub use rotation::Rotation;
pub use signing_key::SigningKey;
