//! Values that every module uses.
//!
//! | module | holds |
//! |---|---|
//! | [`audit`] | the rows of the audit trail, and the chain that seals them |
//! | [`client_id`] | the names of service principals |
//! | [`password`] | generated passwords and their digests |
//! | [`password_user`] | user names whose password is a token |
//! | [`principal_id`] | which principal |
//! | [`secret_key`] | a key of 256 bits, and the keys derived from it |

pub(crate) mod audit;
pub(crate) mod client_id;
pub(crate) mod password;
pub(crate) mod password_user;
pub(crate) mod principal_id;
pub(crate) mod secret_key;
