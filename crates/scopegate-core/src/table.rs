//! The compiled form of rules: a flat byte blob, checked once, read in place.
//!
//! A table is what a server keeps for each scope map, what travels to an edge, and what the
//! WebAssembly engine loads. It is position-independent, has no pointers, and the same rules in any
//! order give the same bytes.
//!
//! | module | holds |
//! |---|---|
//! | `format` | the bytes: header, slots, keys |
//! | `compile` | rules → bytes |
//! | `lookup` | name → what is granted: how a look-up works |
//! | `check` | bytes from anywhere → a table, or an error |
//!
//! Left out: signing, versions of a policy, and compression, which belong to the protocols that
//! carry a table.

mod check;
mod compile;
mod format;
mod lookup;

use alloc::vec::Vec;
use core::fmt;

use self::format::Header;
pub use self::format::MAX_PROBE;
pub(crate) use self::format::View;
pub(crate) use self::lookup::{FewPrefixes, Key};
use crate::action::ActionSet;
use crate::error::Error;
use crate::name::RepositoryName;
use crate::pattern::Pattern;
use crate::scope::ResourceName;

/// A checked table over some storage of its bytes: `Table<Vec<u8>>` owns them, `Table<&[u8]>` reads
/// them where they are.
#[derive(Clone, Copy)]
pub struct Table<B> {
    bytes: B,
    header: Header,
}

impl<B: AsRef<[u8]>> Table<B> {
    /// Checks bytes that claim to be a table and reads them where they are.
    ///
    /// Every property that look-ups rely on is checked, so that a table from anywhere either is
    /// refused here or answers exactly as its rules say. It takes time in proportion to the number
    /// of entries, once.
    ///
    /// # Errors
    ///
    /// [`TableVersion`](crate::ErrorKind::TableVersion) for a table of another version,
    /// [`TableMalformed`](crate::ErrorKind::TableMalformed) for anything else that is wrong.
    pub fn load(bytes: B) -> Result<Self, Error> {
        let header = Header::from_bytes(bytes.as_ref())?;
        let table = Self { bytes, header };
        table.view().check()?;
        Ok(table)
    }

    /// The bytes of the table.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        View { bytes: self.bytes.as_ref(), header: &self.header }
    }

    /// A copy that owns its bytes; `None` when there is no memory for it.
    #[must_use]
    pub fn try_to_owned(&self) -> Option<Table<Vec<u8>>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(self.as_bytes().len()).ok()?;
        bytes.extend_from_slice(self.as_bytes());
        Some(Table { bytes, header: self.header })
    }

    /// What the table grants on a resource: the union of all rules that cover it. Only the root
    /// wildcard covers `*` and names with a host.
    #[must_use]
    #[inline]
    pub fn granted<'n>(&self, name: impl Into<ResourceName<'n>>) -> ActionSet {
        self.view().granted(name)
    }

    /// What rules on `*` grant.
    #[must_use]
    #[inline]
    pub fn root(&self) -> ActionSet {
        self.header.root
    }

    /// What at least one rule grants on at least one repository.
    #[must_use]
    #[inline]
    pub fn anywhere(&self) -> ActionSet {
        self.header.any
    }

    /// The rules of the table, sorted by name; the root wildcard is not among them.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.view().entries().into_iter()
    }

    /// The rules on `name` and on the names above it, the shortest first; the root wildcard is not
    /// among them.
    pub fn entries_on<'t>(&'t self, name: RepositoryName<'_>) -> Vec<Entry<'t>> {
        self.view().entries_on(name)
    }
}

/// What the rules of a table say about one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name that the rules are about.
    pub name: RepositoryName<'a>,
    /// What rules on exactly this name grant.
    pub exact: ActionSet,
    /// What rules on everything below this name grant.
    pub below: ActionSet,
}

impl<'a> Entry<'a> {
    /// The rules of this entry, as (pattern, actions) with at least one action.
    pub fn patterns(self) -> impl Iterator<Item = (Pattern<'a>, ActionSet)> {
        [(Pattern::Exact(self.name), self.exact), (Pattern::Prefix(self.name), self.below)]
            .into_iter()
            .filter(|(_, actions)| !actions.is_empty())
    }
}

impl<B: AsRef<[u8]>> fmt::Debug for Table<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self.entries().collect::<Vec<_>>();
        f.debug_struct("Table")
            .field("root", &self.header.root)
            .field("entries", &patterns)
            .finish()
    }
}

impl<B: AsRef<[u8]>, C: AsRef<[u8]>> PartialEq<Table<C>> for Table<B> {
    fn eq(&self, other: &Table<C>) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<B: AsRef<[u8]>> Eq for Table<B> {}

#[cfg(test)]
mod tests {
    use super::format::{HEADER_LEN, SLOT_LEN};
    use super::*;
    use crate::action::{Action, Permission};
    use crate::error::ErrorKind;
    use crate::lean::hash;
    use crate::scope_map::{Rule, ScopeMap};
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::{String, ToString};

    fn compile(rules: &[&str]) -> Table<Vec<u8>> {
        Table::compile([&ScopeMap::parse(rules.iter().copied()).unwrap()]).unwrap()
    }

    #[track_caller]
    fn grants(table: &Table<Vec<u8>>, name: &str, expected: &str) {
        let granted = table.granted(RepositoryName::parse(name).unwrap());
        assert_eq!(granted.to_string(), expected, "{name}");
    }

    #[test]
    fn the_documented_example_adds_up() {
        let table = compile(&[
            "repositories/sample/*/content/read",
            "repositories/sample/teama/*/content/write",
            "repositories/sample/teama/projectb/content/delete",
        ]);
        for (name, expected) in [
            ("sample/teama/projectb", "pull,push,delete"),
            ("sample/teama/projectc", "pull,push"),
            ("sample/teama/projectb/x", "pull,push"),
            ("sample/teama", "pull"),
            ("sample/other", "pull"),
            ("sample", ""),
            ("samples/x", ""),
            ("other", ""),
        ] {
            grants(&table, name, expected);
        }
    }

    #[test]
    fn the_root_covers_everything() {
        let table = compile(&["repositories/*/content/read", "repositories/a/content/write"]);
        grants(&table, "a", "pull,push");
        grants(&table, "a/b", "pull");
        grants(&table, "z", "pull");
        assert_eq!(table.granted(ResourceName::Any).to_string(), "pull");
    }

    #[test]
    fn no_rule_means_no_access() {
        let table = compile(&["gateway/connected/config/read"]);
        grants(&table, "a", "");
        assert_eq!(table.anywhere(), ActionSet::NONE);
        assert_eq!(table.as_bytes().len(), HEADER_LEN);
    }

    #[test]
    fn order_and_repetition_give_the_same_bytes() {
        let table = compile(&["repositories/a/content/read", "repositories/b/*/content/read"]);
        let other = compile(&[
            "repositories/b/*/content/read",
            "repositories/a/content/read",
            "repositories/b/*/content/read",
        ]);
        assert_eq!(table, other);
    }

    fn large(count: usize) -> Table<Vec<u8>> {
        let rules: Vec<String> = (0..count)
            .map(|n| match n % 4 {
                0 => format!("repositories/team{n}/*/content/read"),
                1 => format!("repositories/team{}/svc/*/content/write", n - 1),
                _ => format!("repositories/team{}/svc/app-{n}/content/delete", n / 4 * 4),
            })
            .collect();
        compile(&rules.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn large_tables_find_every_key() {
        for count in [1, 2, 10, 500, 20_000] {
            let table = large(count);
            assert_eq!(table.entries().count(), count);
            for entry in table.entries() {
                let granted = table.granted(entry.name);
                assert!(granted.is_superset(entry.exact), "{}", entry.name);
            }
        }
    }

    #[test]
    fn a_table_loads_as_itself() {
        for table in [compile(&[]), compile(&["repositories/*/content/read"]), large(500)] {
            assert_eq!(Table::load(table.as_bytes()).unwrap(), table);
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed_or_harmless() {
        let table = large(8);
        let mut bytes = table.as_bytes().to_vec();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = Table::load(bytes.as_slice()) {
                // What still loads must be the table of other rules, and answer exactly as those.
                let rules: Vec<_> = other
                    .entries()
                    .flat_map(Entry::patterns)
                    .chain([(Pattern::Root, other.root())])
                    .flat_map(|(pattern, actions)| {
                        actions
                            .iter()
                            .filter_map(Permission::granting)
                            .map(move |p| Rule::granting(pattern, p))
                    })
                    .collect();
                let map = ScopeMap { rules, ..ScopeMap::default() };
                for entry in other.entries().chain(table.entries()) {
                    assert_eq!(other.granted(entry.name), map.granted(entry.name), "bit {bit}");
                }
            }
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    /// Among 300,000 names of one length some share a tag, and of those some share a home. Only the
    /// key tells them apart.
    #[test]
    fn names_that_hash_alike_are_told_apart() {
        let mut by_tag = BTreeMap::new();
        let mut alike = 0;
        for number in 0..300_000 {
            let name = format!("p/{number:06}");
            let Some(other) =
                by_tag.insert(hash::of(name.as_bytes(), hash::seed(0)) as u32, name.clone())
            else {
                continue;
            };
            // What lies above counts for either, and is found although the other one's slot is met
            // below it.
            let rule = format!("repositories/{other}/content/read");
            let table = compile(&[&rule, "repositories/p/*/content/write"]);
            let home = |name: &str| {
                let hash = hash::of(name.as_bytes(), table.header.seed);
                (hash as u32, hash::home(hash, table.header.homes))
            };
            alike += usize::from(home(&name) == home(&other));
            grants(&table, &other, "pull,push");
            grants(&table, &name, "push");
        }
        assert!(alike > 0, "no two names hash alike, so nothing was tested");
    }

    #[test]
    fn no_name_lies_below_a_prefix_that_leaves_no_room() {
        for (len, has_room) in [(253, true), (254, false), (255, false)] {
            let name = "a".repeat(len);
            let pattern = Pattern::Prefix(RepositoryName::parse(&name).unwrap());
            let rule = Rule::granting(pattern, Permission::MetadataRead);
            let table = Table::compile_rules([&rule]).unwrap();
            assert_eq!(table.anywhere().contains(Action::MetadataRead), has_room, "{len}");
            // Nor is a table with such a rule loaded: it could not be written down as rules.
            let mut bytes = compile(&[&format!("repositories/{name}/metadata/read")]).bytes;
            let key = bytes.len() - len;
            for slot in bytes[HEADER_LEN..key].chunks_mut(SLOT_LEN).filter(|slot| slot[8] > 0) {
                slot.swap(10, 12);
            }
            assert_eq!(Table::load(bytes).is_ok(), has_room, "{len}");
        }
    }

    #[test]
    fn truncated_tables_are_refused() {
        let table = large(8);
        for len in 0..table.as_bytes().len() {
            assert!(Table::load(&table.as_bytes()[..len]).is_err(), "{len}");
        }
        assert_eq!(
            Table::load(b"SGT\x02".as_slice()).unwrap_err(),
            Error::new(ErrorKind::TableVersion, 3)
        );
    }
}
