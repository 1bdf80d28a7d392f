//! The names of service principals: client ids.

use uuid::Uuid;

/// The client id of the local administrator.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// Whether a name is that of a service principal: a GUID in any spelling, though only the usual one
/// is anybody's, or the local administrator's.
#[must_use]
pub(crate) fn is_client_id(name: &str) -> bool {
    Uuid::try_parse(name).is_ok() || name.eq_ignore_ascii_case(ADMINISTRATOR)
}
