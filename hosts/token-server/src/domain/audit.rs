//! The audit trail: whether it is whole, and who signed in.
//!
//! Changes need nothing from here: [`Write`](crate::store::Write) records what it writes, in its
//! own transaction.
//!
//! | module | holds |
//! |---|---|
//! | [`verify`] | which rows are missing, altered or moved |
//! | [`prune`] | deleting the oldest rows, after they were verified |
//! | [`archive`] | moving the oldest rows into a file, also those that do not verify |
//! | [`sign_ins`] | sign-ins, folded by minute |

pub(crate) mod archive;
pub(crate) mod prune;
pub(crate) mod sign_ins;
pub(crate) mod verify;
