//! Values that every module uses.
//!
//! | module | holds |
//! |---|---|
//! | [`client_id`] | the names of service principals |
//! | [`password`] | generated passwords and their digests |

pub(crate) mod client_id;
pub(crate) mod password;
