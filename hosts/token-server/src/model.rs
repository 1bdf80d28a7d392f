//! Values that every room has words for.
//!
//! | module | holds |
//! |---|---|
//! | [`client_id`] | the names of service principals |
//! | [`password`] | generated passwords and their digests |

pub(crate) mod client_id;
pub(crate) mod password;
