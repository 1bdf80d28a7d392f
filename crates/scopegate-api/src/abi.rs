//! The integers and records that cross the boundary of the engine's WebAssembly module.
//!
//! The module's own header (crate `scopegate-wasm`) specifies the exports; this is the encoding of
//! what they take and give, written once for both sides. A decision crosses as packed integers,
//! never as JSON.
//!
//! A result is one `u64`. Its high half is [`FAILED`] when the call failed; the low half then holds
//! the error's number in its highest byte and the position, at most 2²⁴ − 1, in the others. Any
//! other result means what the export says: two action lists, a handle, or the address (high half)
//! and length (low half) of bytes.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use scopegate_core::ResourceType;
use scopegate_core::admission::{Admission, Credential};
use scopegate_core::claims::Claims;
use scopegate_core::route;
use scopegate_core::{ActionList, Catalog, Decision, Error, ErrorKind, ScopeList, Settings};

use crate::access::AccessEntry;
use crate::decision::{DecisionReport, InvalidScope};

/// The version of the boundary. A host asks for it first and refuses a module of another version.
pub const VERSION: u32 = 2;

/// The high half of the result of a call that failed.
pub const FAILED: u32 = u32::MAX;

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The engine refused a text.
    Refused(Error),
    /// No table has this handle.
    NoTable,
    /// The text is not UTF-8.
    NotText,
    /// A length exceeds the input.
    Length,
    /// A bit of the settings means nothing.
    Settings,
    /// There is no memory for what was asked.
    Memory,
}

impl Failure {
    const MAX_POSITION: u32 = (1 << 24) - 1;

    /// The result of a call that failed so.
    #[must_use]
    pub fn pack(self) -> u64 {
        let (number, position) = match self {
            Self::Refused(error) => (error.kind().number(), error.position()),
            Self::NoTable => (200, 0),
            Self::NotText => (201, 0),
            Self::Length => (202, 0),
            Self::Settings => (203, 0),
            Self::Memory => (204, 0),
        };
        let position = u32::try_from(position).unwrap_or(u32::MAX).min(Self::MAX_POSITION);
        u64::from(FAILED) << 32 | u64::from(number) << 24 | u64::from(position)
    }

    /// The failure in a result; `None` when the call did not fail.
    #[must_use]
    pub fn unpack(result: u64) -> Option<Self> {
        if (result >> 32) as u32 != FAILED {
            return None;
        }
        let position = (result as u32 & Self::MAX_POSITION) as usize;
        Some(match (result >> 24) as u8 {
            200 => Self::NoTable,
            201 => Self::NotText,
            203 => Self::Settings,
            204 => Self::Memory,
            number => match ErrorKind::from_number(number) {
                Some(kind) => Self::Refused(Error::new(kind, position)),
                None => Self::Length,
            },
        })
    }
}

impl core::fmt::Display for Failure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "{error}"),
            Self::NoTable => f.write_str("no such table in the engine"),
            Self::NotText => f.write_str("the text is not UTF-8"),
            Self::Length => f.write_str("a length exceeds the input"),
            Self::Settings => f.write_str("settings that mean nothing"),
            Self::Memory => f.write_str("the engine has no memory left"),
        }
    }
}

impl core::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// A decision as one integer: the granted list in the low half, the denied one in the high half.
#[must_use]
#[inline]
pub fn pack_decision(decision: Decision) -> u64 {
    u64::from(decision.denied.packed()) << 32 | u64::from(decision.granted.packed())
}

/// The decision in a result; `None` for an integer that does not encode one.
#[must_use]
#[inline]
pub fn unpack_decision(result: u64) -> Option<Decision> {
    let granted = ActionList::from_packed(result as u32)?;
    let denied = ActionList::from_packed((result >> 32) as u32)?;
    Some(Decision { granted, denied })
}

/// Settings as one integer: the catalog in bits 0 and 1, the profile in bits 2 and 3, what
/// untagging needs in bit 4.
#[must_use]
pub fn pack_settings(settings: &Settings, route: &route::Settings) -> u32 {
    let profile = match route.profile {
        route::Profile::Acr => 0,
        route::Profile::Distribution => 1 << 2,
    };
    let untag = match route.untag {
        route::Untag::Delete => 0,
        route::Untag::MetadataWrite => 1 << 4,
    };
    settings.catalog as u32 | profile | untag
}

/// The settings in an integer.
///
/// # Errors
///
/// [`Failure::Settings`] for bits that mean nothing, 0x20 for example.
#[inline]
pub fn unpack_settings(bits: u32) -> Result<(Settings, route::Settings), Failure> {
    let catalog = match bits & 3 {
        0 => Catalog::Root,
        1 => Catalog::Never,
        2 => Catalog::Filtered,
        _ => return Err(Failure::Settings),
    };
    let profile = match bits >> 2 & 3 {
        0 => route::Profile::Acr,
        1 => route::Profile::Distribution,
        _ => return Err(Failure::Settings),
    };
    let untag = match bits >> 4 {
        0 => route::Untag::Delete,
        1 => route::Untag::MetadataWrite,
        _ => return Err(Failure::Settings),
    };
    Ok((Settings { catalog }, route::Settings { profile, untag }))
}

/// What a record of decided claims is about; its first word.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum RecordKind {
    Access = 0,
    Denied = 1,
    Invalid = 2,
}

/// Writes decided claims as records of little-endian `u32` words.
///
/// | word | of an access or denied entry | of an invalid piece |
/// |---|---|---|
/// | 0 | 0 access, 1 denied | 2 |
/// | 1 | resource type: 0 repository, 1 registry, 2 artifact-repository | number of the error |
/// | 2, 3 | offset and length of the name in `text` | offset and length of the piece in `text` |
/// | 4 | the action list | position of the error in the piece |
/// | 5 | number of unknown actions, each of which follows as offset and length in `text` | 0 |
pub fn write_claims(text: &str, request: &ScopeList<'_>, claims: &Claims<'_>, out: &mut Vec<u8>) {
    let mut words = |words: &[u32]| {
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
    };
    for entry in &claims.access {
        let [offset, len] = span(text, entry.name.as_str());
        let kind = RecordKind::Access as u32;
        words(&[kind, entry.resource_type as u32, offset, len, entry.actions.packed(), 0]);
    }
    for entry in &claims.denied {
        let [offset, len] = span(text, entry.name.as_str());
        let (kind, unknown) = (RecordKind::Denied as u32, entry.actions.unknown.len() as u32);
        words(&[
            kind,
            entry.resource_type as u32,
            offset,
            len,
            entry.actions.known.packed(),
            unknown,
        ]);
        for word in &entry.actions.unknown {
            words(&span(text, word));
        }
    }
    for piece in &request.invalid {
        let [offset, len] = span(text, piece.text);
        let (kind, error) = (RecordKind::Invalid as u32, piece.error);
        words(&[kind, error.kind().number().into(), offset, len, error.position() as u32, 0]);
    }
}

/// Offset and length of a part of `text`. The name `*` may stand for itself elsewhere: it has
/// length 0 at the end then.
fn span(text: &str, part: &str) -> [u32; 2] {
    let offset = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    match text.get(offset..offset.wrapping_add(part.len())) {
        Some(same) if same == part => [offset as u32, part.len() as u32],
        _ => [text.len() as u32, 0],
    }
}

/// Reads the records that [`write_claims`] wrote; `None` when they are none.
///
/// ```
/// use scopegate_api::abi::{read_claims, write_claims};
/// use scopegate_api::decision::DecisionReport;
/// use scopegate_core::{ScopeList, ScopeMap, Settings, Table, claims};
///
/// let table = Table::compile([&ScopeMap::parse(["repositories/*/content/read"])?])?;
/// let text = "repository:*:pull,fly repository:app:push oops";
/// let request = ScopeList::parse([text])?;
/// let claims = claims([&table], &request, &Settings::default());
/// let mut records = Vec::new();
/// write_claims(text, &request, &claims, &mut records);
/// assert_eq!(read_claims(text, &records), Some(DecisionReport::new(&request, &claims)));
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[must_use]
pub fn read_claims(text: &str, records: &[u8]) -> Option<DecisionReport> {
    let (words, rest) = records.as_chunks::<4>();
    let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
    if !rest.is_empty() {
        return None;
    }
    let part = |offset: u32, len: u32| {
        let (offset, len) = (offset as usize, len as usize);
        text.get(offset..offset.checked_add(len)?)
    };
    let mut report = DecisionReport::default();
    while let Some(kind) = words.next() {
        let (what, offset, len) = (words.next()?, words.next()?, words.next()?);
        let (packed, unknown) = (words.next()?, words.next()?);
        let piece = part(offset, len)?;
        if kind == RecordKind::Invalid as u32 {
            let kind = ErrorKind::from_number(u8::try_from(what).ok()?)?;
            report.invalid.push(InvalidScope::new(piece, Error::new(kind, packed as usize)));
            continue;
        }
        let resource_type = ResourceType::ALL.get(what as usize)?;
        let known = ActionList::from_packed(packed)?;
        let mut entry = AccessEntry {
            resource_type: resource_type.as_str().to_owned(),
            name: if piece.is_empty() { "*" } else { piece }.to_owned(),
            actions: known.iter().map(|action| action.as_str().to_owned()).collect(),
        };
        for _ in 0..unknown {
            entry.actions.push(part(words.next()?, words.next()?)?.to_owned());
        }
        if kind == RecordKind::Access as u32 {
            report.access.push(entry);
        } else {
            report.denied.push(entry);
        }
    }
    Some(report)
}

/// The credential of a request as an integer: 0 absent, 1 invalid, 2 valid.
#[must_use]
pub fn pack_credential<G>(credential: &Credential<G>) -> u32 {
    match credential {
        Credential::Absent => 0,
        Credential::Invalid => 1,
        Credential::Valid(_) => 2,
    }
}

/// The credential of a request from an integer and what it grants.
///
/// # Errors
///
/// [`Failure::Settings`] for an integer that means nothing, 3 for example.
pub fn unpack_credential<G>(number: u32, grants: G) -> Result<Credential<G>, Failure> {
    match number {
        0 => Ok(Credential::Absent),
        1 => Ok(Credential::Invalid),
        2 => Ok(Credential::Valid(grants)),
        _ => Err(Failure::Settings),
    }
}

/// What becomes of a request, as text, its parts with a line feed between them.
///
/// | part | of a request that goes on | of one that is answered |
/// |---|---|---|
/// | 1 | `200` | the status |
/// | 2 | the target to send | the value of `WWW-Authenticate`, nothing when there is none |
/// | 3 | the `Content-Type` to send, nothing for none | the body, which ends with a line feed |
/// | 4 | the scopes that it needed, separated by spaces | |
#[must_use]
pub fn write_admission(admission: &Admission<'_>) -> String {
    match admission {
        Admission::Forward(forward) => {
            let content_type = forward.content_type.unwrap_or_default();
            ["200\n", &forward.target, "\n", content_type, "\n", &forward.route.to_string()]
                .concat()
        }
        Admission::Refusal(refusal) => {
            let challenge = refusal.challenge.as_deref().unwrap_or_default();
            [&refusal.status.to_string(), "\n", challenge, "\n", &refusal.body].concat()
        }
    }
}

/// What becomes of a request, as a host reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenAdmission<'t> {
    /// It goes on.
    Forward {
        /// The target to send.
        target: &'t str,
        /// The `Content-Type` to send, in place of whatever came; `None`: send none.
        content_type: Option<&'t str>,
        /// The scopes that it needed, separated by spaces.
        scopes: &'t str,
    },
    /// It is answered.
    Refusal {
        /// The status.
        status: u16,
        /// The value of `WWW-Authenticate`.
        challenge: Option<&'t str>,
        /// The body.
        body: &'t str,
    },
}

/// Reads a text that [`write_admission`] wrote; `None` when it is none.
///
/// ```
/// use scopegate_api::abi::{WrittenAdmission, read_admission};
///
/// let forward = WrittenAdmission::Forward { target: "/v2/", content_type: None, scopes: "" };
/// assert_eq!(read_admission("200\n/v2/\n\n"), Some(forward));
/// assert_eq!(read_admission("200\n/v2/"), None);
/// ```
#[must_use]
pub fn read_admission(text: &str) -> Option<WrittenAdmission<'_>> {
    let some = |text: &'_ str| !text.is_empty();
    let (status, rest) = text.split_once('\n')?;
    let (head, rest) = rest.split_once('\n')?;
    if status != "200" {
        let status = status.parse().ok()?;
        let challenge = Some(head).filter(|head| some(head));
        return Some(WrittenAdmission::Refusal { status, challenge, body: rest });
    }
    let (content_type, scopes) = rest.split_once('\n')?;
    let content_type = Some(content_type).filter(|content_type| some(content_type));
    Some(WrittenAdmission::Forward { target: head, content_type, scopes })
}

/// The header fields of a request, as text: a line for each, `name: value`. `None` where a field
/// cannot be a line.
///
/// ```
/// use scopegate_api::abi::write_headers;
///
/// assert_eq!(write_headers([(&b"Accept"[..], &b"*/*"[..])]).as_deref(), Some(&b"Accept: */*\n"[..]));
/// assert_eq!(write_headers([(&b"Accept"[..], &b"a\nContent-Type: b"[..])]), None);
/// ```
#[must_use]
pub fn write_headers<'h>(
    headers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
) -> Option<Vec<u8>> {
    let mut lines = Vec::new();
    for (name, value) in headers {
        if name.contains(&b':') || name.contains(&b'\n') || value.contains(&b'\n') {
            return None;
        }
        for part in [name, b": ", value, b"\n"] {
            lines.extend_from_slice(part);
        }
    }
    Some(lines)
}

/// The header fields in lines that [`write_headers`] wrote. A line without a colon is a field
/// without a value.
pub fn read_headers(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon).unwrap_or((line, b""));
        (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii())
    })
}

/// The access entries of a token as the boundary takes them: as scopes, one a line. What would be
/// read as something else there is left out, and so grants nothing: an entry whose type has a colon
/// or whose name has two lines, and an action that is two. No registry has such.
///
/// ```
/// use scopegate_api::abi::write_access;
/// use scopegate_api::access::AccessEntry;
///
/// let entry = |name: &str, actions: &[&str]| AccessEntry {
///     resource_type: "repository".into(),
///     name: name.into(),
///     actions: actions.iter().map(|action| (*action).into()).collect(),
/// };
/// let entries = [entry("a", &["pull", "push"]), entry("b\nrepository:c", &["pull"]), entry("d", &["pull,push", "pull"])];
/// assert_eq!(write_access(&entries), "repository:a:pull,push\nrepository:d:pull\n");
/// ```
#[must_use]
pub fn write_access<'e>(entries: impl IntoIterator<Item = &'e AccessEntry>) -> String {
    let is_word = |action: &str| {
        !action.is_empty()
            && action.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'*'))
    };
    let mut lines = String::new();
    for AccessEntry { resource_type, name, actions } in entries {
        if resource_type.contains([':', '\n']) || name.contains('\n') {
            continue;
        }
        for part in [resource_type, ":", name, ":"] {
            lines.push_str(part);
        }
        let mut separator = "";
        for action in actions.iter().filter(|action| is_word(action)) {
            lines.push_str(separator);
            lines.push_str(action);
            separator = ",";
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_survive_the_boundary() {
        let refused = |position| Failure::Refused(Error::new(ErrorKind::NameUpperCase, position));
        for failure in [
            refused(0),
            refused(16_777_215),
            Failure::NoTable,
            Failure::NotText,
            Failure::Length,
            Failure::Settings,
            Failure::Memory,
        ] {
            assert_eq!(Failure::unpack(failure.pack()), Some(failure));
            assert_eq!(unpack_decision(failure.pack()), None);
        }
        assert_eq!(Failure::unpack(refused(1 << 30).pack()), Some(refused(16_777_215)));
    }

    #[test]
    fn decisions_survive_the_boundary() {
        let all: ActionList = scopegate_core::Action::ALL.into_iter().collect();
        for decision in [
            Decision::default(),
            Decision { granted: all, denied: ActionList::NONE },
            Decision { granted: ActionList::NONE, denied: all },
        ] {
            assert_eq!(unpack_decision(pack_decision(decision)), Some(decision));
            assert_eq!(Failure::unpack(pack_decision(decision)), None);
        }
    }

    #[test]
    fn settings_survive_the_boundary() {
        for catalog in Catalog::ALL {
            for profile in route::Profile::ALL {
                for untag in [route::Untag::Delete, route::Untag::MetadataWrite] {
                    let settings = (Settings { catalog }, route::Settings { profile, untag });
                    let bits = pack_settings(&settings.0, &settings.1);
                    assert_eq!(unpack_settings(bits), Ok(settings));
                }
            }
        }
        for bits in [3, 0b1000, 0b1100, 0x20, 0x8000_0000] {
            assert_eq!(unpack_settings(bits), Err(Failure::Settings), "{bits:#x}");
        }
    }

    #[test]
    fn broken_records_are_refused() {
        let record = [0_u32, 0, 0, 3, 1, 0].map(u32::to_le_bytes).concat();
        assert!(read_claims("app", &record).is_some());
        for len in 1..record.len() {
            assert_eq!(read_claims("app", &record[..len]), None, "{len}");
        }
        for (word, value) in [(1, 9), (2, 99), (3, 99), (4, 0xf), (5, 1)] {
            let mut broken = record.clone();
            broken[word * 4] = value;
            assert_eq!(read_claims("app", &broken), None, "{word}");
        }
    }
}
