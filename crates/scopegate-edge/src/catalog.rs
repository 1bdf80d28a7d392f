//! Who may list the repositories.
//!
//! | setting | an entry on the registry opens |
//! |---|---|
//! | `root` | the list |
//! | `filtered` | the list, where the host takes out what its reader may not see; elsewhere nothing |
//! | `never` | nothing |
//!
//! Left out: taking names out of a list, which is the host's.

use scopegate_core::{Catalog, ResourceType};

/// Whether access entries of a type open anything.
///
/// ```
/// use scopegate_core::{Catalog, ResourceType};
/// use scopegate_edge::catalog::is_open;
///
/// assert!(is_open(ResourceType::Registry, Catalog::Root, false));
/// assert!(!is_open(ResourceType::Registry, Catalog::Never, true));
/// assert!(is_open(ResourceType::Repository, Catalog::Never, false));
/// ```
#[must_use]
pub fn is_open(resource_type: ResourceType, catalog: Catalog, can_filter: bool) -> bool {
    resource_type != ResourceType::Registry
        || match catalog {
            Catalog::Root => true,
            Catalog::Filtered => can_filter,
            Catalog::Never => false,
        }
}
