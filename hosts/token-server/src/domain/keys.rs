//! The keys that sign tokens, the authority behind their certificates, and their rotation.
//!
//! | module | holds |
//! |---|---|
//! | [`signing_key`] | one key: signing, verifying, JWK, certificate, id |
//! | [`authority`] | the certificate that every key's certificate is signed by |
//! | [`public_key`] | the public half: ids, JWK |
//! | [`certificate`] | the fields of a certificate that are used |
//! | [`ring`] | all keys of the registry: which signs, which verify, which are published |
//! | [`rotation`] | when a new key is made, and when an old one may be deleted |
//! | [`steadiness`] | whether the clock is steady enough for planning |
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
