//! The built-in maps: those of roles, and the anonymous client's.
//!
//! They are ordinary scope maps, compiled once; decisions treat them like any other.

use scopegate_core::Table;
use scopegate_core::scope_map::Role;
use scopegate_runtime::{PolicyTable, Runtime};

const ANONYMOUS: [&str; 2] = ["repositories/*/content/read", "repositories/*/metadata/read"];

/// The built-in maps.
#[derive(Debug)]
pub struct BuiltIn {
    roles: Vec<(Role, PolicyTable)>,
    /// Pulling from every repository and listing its tags, as the service grants to anonymous
    /// clients.
    pub anonymous: PolicyTable,
}

impl BuiltIn {
    /// Compiles them.
    ///
    /// # Errors
    ///
    /// When the engine fails.
    pub fn compile(runtime: &Runtime) -> anyhow::Result<Self> {
        let roles = Role::ALL.into_iter().map(|role| {
            // Roles hold permissions that have no action string, so their maps are compiled from
            // values.
            let table = Table::compile([&role.scope_map()])
                .map_err(|error| anyhow::anyhow!("{}: {error}", role.as_str()))?;
            Ok((role, runtime.load(role.as_str(), table.as_bytes().to_vec())?))
        });
        Ok(Self {
            roles: roles.collect::<anyhow::Result<_>>()?,
            anonymous: runtime.compile("anonymous", ANONYMOUS)?,
        })
    }

    /// The map of a role.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<&PolicyTable> {
        self.roles.iter().find(|(known, _)| *known == role).map(|(_, table)| table)
    }
}
