//! The names of service principals: client ids.

use uuid::Uuid;

/// The client id of the local administrator.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// Whether a name has the form of a client id: a GUID in any spelling, though only the canonical
/// one exists, or the local administrator's.
#[must_use]
pub(crate) fn is_client_id(name: &str) -> bool {
    Uuid::try_parse(name).is_ok() || name.eq_ignore_ascii_case(ADMINISTRATOR)
}
