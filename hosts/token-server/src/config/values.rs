//! Values that are more than text: words of a short list.
//!
//! Left out: text, durations and addresses, which are read alike in every host.

use std::time::Duration;

use scopegate_core::Catalog;
use scopegate_core::route::{Profile, Untag};
use scopegate_core::scope_map::Role;
use scopegate_host::setting::Text;
use serde::{Deserialize, Deserializer, de};

pub(super) fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    scopegate_host::duration::deserialize(deserializer).map(Some)
}

pub(super) fn catalog<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Catalog, D::Error> {
    const EXPECTED: &str = "root, never or filtered";
    let text = deserializer.deserialize_str(Text(EXPECTED))?;
    Catalog::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {EXPECTED}")))
}

pub(super) fn profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Profile, D::Error> {
    const EXPECTED: &str = "acr or distribution";
    let text = deserializer.deserialize_str(Text(EXPECTED))?;
    Profile::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {EXPECTED}")))
}

pub(super) fn untag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Untag, D::Error> {
    const EXPECTED: &str = "delete or metadata-write";
    let text = deserializer.deserialize_str(Text(EXPECTED))?;
    Untag::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {EXPECTED}")))
}

pub(super) fn roles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Role>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let roles = names.iter().map(|name| {
        Role::parse(name).ok_or_else(|| {
            let known = Role::ALL.map(Role::as_str).join(", ");
            de::Error::custom(format!("there is no role `{name}`, only {known}"))
        })
    });
    roles.collect()
}
