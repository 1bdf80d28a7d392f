//! Method + path + query → the scopes that an HTTP request needs. The only path parser in the
//! project.
//!
//! Follows the paths of <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>,
//! the access rules of
//! <https://github.com/distribution/distribution/blob/main/registry/handlers/app.go>, and Azure
//! Container Registry's `/acr/v1` and `/helm/v1`.
//!
//! The path is split at its slashes, each segment is percent-decoded exactly once, and whatever two
//! readers could read in two ways is refused: empty and dot segments, an escaped slash outside the
//! repository name, a second layer of escapes, control characters, backslashes. A proxy forwards
//! [`Route::path`], the one spelling that was decided on, never the text that came in.
//!
//! An escaped slash *inside* the name is accepted, because the Azure SDKs send
//! `/acr/v1/team%2Fapp/_tags`.
//!
//! Left out: whether the repository exists, locks, sizes, and the bodies.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::access::{RequiredScope, ResourceType};
use crate::action::{Action, ActionList};
use crate::error::{Error, ErrorKind};
use crate::lean::text::{contains, cut, find, pieces};
use crate::name::RepositoryName;
use crate::reference::{is_digest, is_tag, is_word};

/// What a host may set about routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whose rules hold where registries differ.
    pub profile: Profile,
    /// What removing a tag needs.
    pub untag: Untag,
}

/// Whose rules hold where registries differ: listing tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Azure Container Registry: listing tags needs `metadata_read`.
    #[default]
    Acr,
    /// CNCF distribution: listing tags needs `pull`.
    Distribution,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 2] = [Self::Acr, Self::Distribution];

    /// The name of this profile.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acr => "acr",
            Self::Distribution => "distribution",
        }
    }

    /// The profile with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|profile| profile.as_str() == text)
    }

    /// What listing the tags of a repository needs.
    #[must_use]
    pub const fn list_tags(self) -> Action {
        match self {
            Self::Acr => Action::MetadataRead,
            Self::Distribution => Action::Pull,
        }
    }
}

/// What removing a tag (and not its manifest) needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Untag {
    /// `delete`, as the service demands on the wire.
    #[default]
    Delete,
    /// `metadata_write`, as the documentation says.
    MetadataWrite,
}

impl Untag {
    /// Every setting.
    pub const ALL: [Self; 2] = [Self::Delete, Self::MetadataWrite];

    /// The name of this setting.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::MetadataWrite => "metadata-write",
        }
    }

    /// The setting with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|untag| untag.as_str() == text)
    }

    const fn action(self) -> Action {
        match self {
            Self::Delete => Action::Delete,
            Self::MetadataWrite => Action::MetadataWrite,
        }
    }
}

/// What a request is, and what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// Which row of the API.
    pub endpoint: Endpoint,
    /// What a token must hold, in the order of the challenge. Empty for `/v2/` alone, which any
    /// valid token may ask.
    pub scopes: Vec<RequiredScope<'a>>,
    /// The path in its one canonical spelling, without the query; borrowed where it came in that
    /// spelling.
    pub path: Cow<'a, str>,
}

/// The rows of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/v2/`
    Base,
    /// `/v2/_catalog` and `/acr/v1/_catalog`
    Catalog,
    /// `/v2/<name>/manifests/<reference>`
    Manifest,
    /// `/v2/<name>/blobs/<digest>`
    Blob,
    /// `/v2/<name>/blobs/uploads/`
    StartUpload,
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload,
    /// `/v2/<name>/tags/list`
    TagsList,
    /// `/v2/<name>/referrers/<digest>`
    Referrers,
    /// `/acr/v1/<name>`
    Repository,
    /// `/acr/v1/<name>/_tags` and `/acr/v1/<name>/_manifests`
    MetadataList,
    /// `/acr/v1/<name>/_tags/<tag>`
    TagMetadata,
    /// `/acr/v1/<name>/_manifests/<digest>`
    ManifestMetadata,
    /// `/acr/v1/<name>/_metadata`, below a tag and below a manifest too
    CustomMetadata,
    /// `/acr/v1/_deleted/_catalog`
    DeletedCatalog,
    /// `/acr/v1/_deleted/<name>/_tags` and `_manifests`
    DeletedList,
    /// `/acr/v1/_deleted/<name>/_manifests/<digest>`
    DeletedManifest,
    /// `/helm/v1/<repo>/index.yaml`
    HelmIndex,
    /// `/helm/v1/<repo>/_charts` and `_blobs`
    HelmContent,
}

/// Reads a request.
///
/// `target` is the path with its query, as in the request line.
///
/// ```
/// use scopegate_core::route::{Settings, route};
///
/// let route = route("POST", "/v2/team%2Fapp/blobs/uploads/?mount=sha256:00&from=base", &Settings::default())?;
/// assert_eq!(route.path, "/v2/team/app/blobs/uploads/");
/// assert_eq!(route.scopes[0].to_string(), "repository:team/app:pull,push");
/// assert_eq!(route.scopes[1].to_string(), "repository:base:pull");
/// # Ok::<(), scopegate_core::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::PathUnknown`] for `/v3/`, [`ErrorKind::PathAmbiguous`] for `/v2/a//b/manifests/x`,
/// [`ErrorKind::MethodUnknown`] for `POST /v2/_catalog`, [`ErrorKind::ReferenceInvalid`] for
/// `/v2/app/manifests/.x`, [`ErrorKind::QueryAmbiguous`] for a mount with two sources,
/// [`ErrorKind::QueryCharacter`] for `?n=1;from=a`, [`ErrorKind::MethodOverride`] for
/// `?_method=DELETE`, and the errors of [`RepositoryName::parse`] for the name. The position is
/// that of the segment in the target.
pub fn route<'a>(method: &str, target: &'a str, settings: &Settings) -> Result<Route<'a>, Error> {
    if let Some(fragment) = find(target, b'#') {
        return Err(Error::new(ErrorKind::PathAmbiguous, fragment));
    }
    let (path, query) = cut(target, b'?').unwrap_or((target, ""));
    let segments = split(path)?;
    let row = Row::read(path, &segments)?;
    check_query(query, path.len().saturating_add(1))?;
    let actions = Method::parse(method).and_then(|method| row.actions(method, settings));
    let actions = actions.ok_or(Error::new(ErrorKind::MethodUnknown, 0))?;
    let mut scopes = Vec::new();
    if let Some((resource_type, name)) = row.resource() {
        scopes.push(RequiredScope { resource_type, name, actions });
    }
    if row.endpoint == Endpoint::StartUpload {
        let start = path.len().saturating_add(1);
        let source = mount_source(query, start)?;
        scopes.extend(source.filter(|source| source.name != row.name()));
    }
    Ok(Route { endpoint: row.endpoint, path: row.path(), scopes })
}

/// One decoded segment and its position in the target.
#[derive(Clone, Debug)]
struct Segment<'a> {
    text: Cow<'a, str>,
    position: usize,
}

impl Segment<'_> {
    fn has_slash(&self) -> bool {
        !self.is_raw() && contains(&self.text, b'/')
    }

    /// Whether nothing had to be decoded, so that the text is a part of the target.
    fn is_raw(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    fn ambiguous(&self) -> Error {
        Error::new(ErrorKind::PathAmbiguous, self.position)
    }
}

/// More segments than all paths have whose name is short.
const USUAL_SEGMENTS: usize = 8;

/// The segments of a path. Only the last may be empty, when the path ends with a slash.
fn split(path: &str) -> Result<Vec<Segment<'_>>, Error> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(Error::new(ErrorKind::PathUnknown, 0));
    };
    let mut segments = Vec::with_capacity(USUAL_SEGMENTS);
    let mut position = 1_usize;
    for raw in pieces(rest, b'/') {
        let end = position.saturating_add(raw.len());
        let ambiguous = Error::new(ErrorKind::PathAmbiguous, position);
        if raw.is_empty() && end < path.len() {
            return Err(ambiguous);
        }
        segments.push(Segment { text: decode_segment(raw).ok_or(ambiguous)?, position });
        position = end.saturating_add(1);
    }
    Ok(segments)
}

/// The text of a segment; `None` where two readers could read it in two ways.
fn decode_segment(raw: &str) -> Option<Cow<'_, str>> {
    if raw.bytes().all(|byte| is_path_byte(byte) && byte != b'+') {
        return (!is_hidden(raw)).then_some(Cow::Borrowed(raw));
    }
    let text = decode(raw)?;
    let has_slash = contains(&text, b'/');
    let is_bad = |part: &str| is_hidden(part) || (has_slash && part.is_empty());
    let is_bad = pieces(&text, b'/').any(is_bad) || !text.bytes().all(is_path_byte);
    (!is_bad).then_some(text)
}

fn is_hidden(part: &str) -> bool {
    matches!(part, "." | "..")
}

/// Whether a decoded byte may be in a path at all.
const fn is_path_byte(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'\\' | b'%' | b'?' | b'#')
}

/// Decodes percent escapes once; `None` for an invalid escape, or for bytes that are not UTF-8.
fn decode(raw: &str) -> Option<Cow<'_, str>> {
    decode_with(raw, b'+')
}

/// The same in a query, where a space may be written as a plus.
pub(crate) fn decode_form(raw: &str) -> Option<Cow<'_, str>> {
    decode_with(raw, b' ')
}

fn decode_with(raw: &str, plus: u8) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next())? << 4 | hex(rest.next())?,
            b'+' => plus,
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    let value = char::from(*digit?).to_digit(16)?;
    u8::try_from(value).ok()
}

/// A row of the API: the literal segments before the name, and, where there is a name, the parts
/// after it. A name is one segment or more, as many as can be, because a repository may be called
/// `tags` or `blobs`.
type Pattern = (Endpoint, &'static [&'static str], Option<&'static [Part]>);

/// One segment after the name.
#[derive(Clone, Copy)]
enum Part {
    Literal(&'static str),
    /// A tag or a digest.
    Reference,
    Digest,
    Tag,
    Upload,
    File,
}

/// The rows of the API. The first one that fits is the one.
static ROWS: [Pattern; 31] = {
    use Endpoint as E;
    use Part::{Digest, File, Literal as W, Reference, Tag, Upload};
    const V2: &[&str] = &["v2"];
    const ACR: &[&str] = &["acr", "v1"];
    const DELETED: &[&str] = &["acr", "v1", "_deleted"];
    const HELM: &[&str] = &["helm", "v1"];
    [
        (E::Base, V2, None),
        (E::Base, &["v2", ""], None),
        (E::Catalog, &["v2", "_catalog"], None),
        (E::StartUpload, V2, Some(&[W("blobs"), W("uploads")])),
        (E::StartUpload, V2, Some(&[W("blobs"), W("uploads"), W("")])),
        (E::Upload, V2, Some(&[W("blobs"), W("uploads"), Upload])),
        (E::TagsList, V2, Some(&[W("tags"), W("list")])),
        (E::Manifest, V2, Some(&[W("manifests"), Reference])),
        (E::Blob, V2, Some(&[W("blobs"), Digest])),
        (E::Referrers, V2, Some(&[W("referrers"), Digest])),
        (E::Catalog, &["acr", "v1", "_catalog"], None),
        (E::DeletedCatalog, &["acr", "v1", "_deleted", "_catalog"], None),
        (E::DeletedList, DELETED, Some(&[W("_tags")])),
        (E::DeletedList, DELETED, Some(&[W("_manifests")])),
        (E::DeletedManifest, DELETED, Some(&[W("_manifests"), Digest])),
        (E::MetadataList, ACR, Some(&[W("_tags")])),
        (E::MetadataList, ACR, Some(&[W("_manifests")])),
        (E::CustomMetadata, ACR, Some(&[W("_metadata")])),
        (E::CustomMetadata, ACR, Some(&[W("_metadata"), Tag])),
        (E::TagMetadata, ACR, Some(&[W("_tags"), Tag])),
        (E::CustomMetadata, ACR, Some(&[W("_tags"), Tag, W("_metadata")])),
        (E::CustomMetadata, ACR, Some(&[W("_tags"), Tag, W("_metadata"), Tag])),
        (E::ManifestMetadata, ACR, Some(&[W("_manifests"), Digest])),
        (E::CustomMetadata, ACR, Some(&[W("_manifests"), Digest, W("_metadata")])),
        (E::CustomMetadata, ACR, Some(&[W("_manifests"), Digest, W("_metadata"), Tag])),
        (E::Repository, ACR, Some(&[])),
        (E::HelmIndex, HELM, Some(&[W("index.yaml")])),
        (E::HelmContent, HELM, Some(&[W("_charts")])),
        (E::HelmContent, HELM, Some(&[W("_charts"), File])),
        (E::HelmContent, HELM, Some(&[W("_charts"), File, File])),
        (E::HelmContent, HELM, Some(&[W("_blobs"), File])),
    ]
};

impl Part {
    /// Whether a segment can be here. What refers to something is looked at when the row is known.
    fn fits(self, segment: &Segment<'_>) -> bool {
        match self {
            Self::Literal(literal) => segment.text == literal,
            _ => true,
        }
    }

    /// Whether a text is what this part says.
    fn is_met(self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => text == literal,
            Self::Reference => is_tag(text) || is_digest(text),
            Self::Digest => is_digest(text),
            Self::Tag => is_tag(text),
            Self::Upload => is_upload_id(text),
            Self::File => is_file_name(text),
        }
    }
}

/// A path that fits a row of the API.
struct Row<'a, 's> {
    endpoint: Endpoint,
    raw_path: &'a str,
    segments: &'s [Segment<'a>],
    /// The segments of the name, none where the row has no name.
    name: &'s [Segment<'a>],
    /// The segments after the name, and what they must be.
    tail: &'s [Segment<'a>],
    parts: &'static [Part],
}

impl<'a, 's> Row<'a, 's> {
    fn read(raw_path: &'a str, segments: &'s [Segment<'a>]) -> Result<Self, Error> {
        let mut rows = ROWS.iter().filter_map(|pattern| Self::fit(*pattern, raw_path, segments));
        let Some(row) = rows.find(|row| !row.has_marker_in_name()) else {
            // `tags%2Flist` and `tags/list/` are tricks, not unknown paths.
            let is_trick =
                |s: &&Segment<'_>| s.has_slash() || (s.text.is_empty() && s.position > 1);
            let trick = segments.iter().find(is_trick);
            return Err(trick.map_or(Error::new(ErrorKind::PathUnknown, 0), Segment::ambiguous));
        };
        let last = segments.last().filter(|last| last.text.is_empty() && !row.ends_in_slash());
        match last.or_else(|| row.tail.iter().find(|segment| segment.has_slash())) {
            Some(segment) => Err(segment.ambiguous()),
            None => row.checked(),
        }
    }

    fn fit(
        (endpoint, literals, after_name): Pattern,
        raw_path: &'a str,
        segments: &'s [Segment<'a>],
    ) -> Option<Self> {
        let parts = after_name.unwrap_or_default();
        let (head, rest) = segments.split_at_checked(literals.len())?;
        let (name, tail) = rest.split_at_checked(rest.len().checked_sub(parts.len())?)?;
        let fits = after_name.is_some() != name.is_empty()
            && parts.iter().zip(tail).all(|(part, segment)| part.fits(segment))
            && literals.iter().zip(head).all(|(literal, segment)| segment.text == *literal);
        fits.then_some(Self { endpoint, raw_path, segments, name, tail, parts })
    }

    /// Outside `/v2`, the first segment that begins with `_` ends the name, because no component of
    /// a name can.
    fn has_marker_in_name(&self) -> bool {
        let is_v2 = self.segments.first().is_some_and(|root| root.text == "v2");
        let is_open = is_v2 || self.endpoint == Endpoint::HelmIndex;
        !is_open && self.name.iter().any(|segment| segment.text.starts_with('_'))
    }

    /// Whether the canonical path ends in a slash.
    fn ends_in_slash(&self) -> bool {
        matches!(self.endpoint, Endpoint::Base | Endpoint::StartUpload)
    }

    fn checked(self) -> Result<Self, Error> {
        if let Some(first) = self.name.first() {
            RepositoryName::parse(&self.name())
                .map_err(|error| Error::new(error.kind(), first.position))?;
        }
        for (part, segment) in self.parts.iter().zip(self.tail) {
            if !part.is_met(&segment.text) {
                return Err(Error::new(ErrorKind::ReferenceInvalid, segment.position));
            }
        }
        Ok(self)
    }

    fn name(&self) -> Cow<'a, str> {
        match self.raw(self.name) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(joined(self.name)),
        }
    }

    /// The raw text of segments, if nothing of them had to be decoded.
    fn raw(&self, segments: &[Segment<'a>]) -> Option<&'a str> {
        let (first, last) = (segments.first()?, segments.last()?);
        let end = last.position.checked_add(last.text.len())?;
        let raw = self.raw_path.get(first.position..end);
        raw.filter(|_| segments.iter().all(Segment::is_raw))
    }

    fn resource(&self) -> Option<(ResourceType, Cow<'a, str>)> {
        match self.endpoint {
            Endpoint::Base => None,
            Endpoint::Catalog => Some((ResourceType::Registry, "catalog".into())),
            Endpoint::DeletedCatalog => Some((ResourceType::Registry, "deleted_catalog".into())),
            Endpoint::HelmIndex | Endpoint::HelmContent => {
                Some((ResourceType::ArtifactRepository, self.name()))
            }
            _ => Some((ResourceType::Repository, self.name())),
        }
    }

    /// What the method needs; `None` when the row does not have it.
    fn actions(&self, method: Method, settings: &Settings) -> Option<ActionList> {
        use Action::{
            Any, Delete, DeletedRead, DeletedRestore, MetadataRead, MetadataWrite, Pull, Push,
        };
        use Endpoint as E;
        use Method as M;
        let actions: &[Action] = match (self.endpoint, method) {
            (E::Base, M::Get) => &[],
            (E::Catalog | E::DeletedCatalog, M::Get) => &[Any],
            (E::Manifest | E::Blob | E::Upload | E::Referrers, M::Get) => &[Pull],
            (E::Manifest, M::Put) => &[Pull, Push],
            (E::Manifest | E::Blob | E::Upload, M::Delete) => &[Delete],
            (E::StartUpload, M::Post) => &[Pull, Push],
            (E::Upload, M::Patch | M::Put) => &[Pull, Push],
            (E::TagsList, M::Get) => &[settings.profile.list_tags()],
            (E::Repository | E::MetadataList | E::CustomMetadata, M::Get) => &[MetadataRead],
            (E::TagMetadata | E::ManifestMetadata, M::Get) => &[MetadataRead],
            (E::Repository | E::TagMetadata | E::ManifestMetadata, M::Patch) => &[MetadataWrite],
            (E::CustomMetadata, M::Put | M::Delete) => &[MetadataWrite],
            (E::Repository | E::ManifestMetadata, M::Delete) => &[Delete],
            (E::TagMetadata, M::Delete) => &[settings.untag.action()],
            (E::DeletedList, M::Get) => &[DeletedRead],
            (E::DeletedManifest, M::Post) => &[DeletedRead, DeletedRestore],
            (E::HelmIndex | E::HelmContent, M::Get) => &[Pull],
            (E::HelmContent, M::Put) => &[Pull, Push],
            (E::HelmContent, M::Delete) => &[Delete, Pull],
            _ => return None,
        };
        Some(ActionList::of(actions))
    }

    fn path(&self) -> Cow<'a, str> {
        let misses_slash = self.ends_in_slash() && !self.raw_path.ends_with('/');
        if !misses_slash && self.segments.iter().all(Segment::is_raw) {
            return Cow::Borrowed(self.raw_path);
        }
        let slash = if misses_slash { "/" } else { "" };
        Cow::Owned(["/", &joined(self.segments), slash].concat())
    }
}

/// The segments with a slash between one and the next.
fn joined(segments: &[Segment<'_>]) -> String {
    let mut text = String::new();
    for (index, segment) in segments.iter().enumerate() {
        text.push_str(if index > 0 { "/" } else { "" });
        text.push_str(&segment.text);
    }
    text
}

/// The methods that some row has. A HEAD may do what a GET may.
#[derive(Clone, Copy)]
enum Method {
    Get,
    Put,
    Post,
    Patch,
    Delete,
}

impl Method {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "GET" | "HEAD" => Some(Self::Get),
            "PUT" => Some(Self::Put),
            "POST" => Some(Self::Post),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// Refuses a query that readers take apart in different ways, whatever the path is. `start` is its
/// position in the target.
///
/// A query goes on as it is, so nothing in it may end the line; a semicolon separated two pairs for
/// Go until 1.17, and for others still.
fn check_query(query: &str, start: usize) -> Result<(), Error> {
    let is_bad = |byte: u8| !byte.is_ascii_graphic() || byte == b';';
    if let Some(position) = query.bytes().position(is_bad) {
        return Err(Error::new(ErrorKind::QueryCharacter, start.saturating_add(position)));
    }
    let mut position = start;
    for pair in pieces(query, b'&') {
        if has_key(pair, "_method") {
            return Err(Error::new(ErrorKind::MethodOverride, position));
        }
        position = position.saturating_add(pair.len()).saturating_add(1);
    }
    Ok(())
}

/// Whether a pair of a query has this key, decoded as a registry does.
pub(crate) fn has_key(pair: &str, key: &str) -> bool {
    let (written, _) = cut(pair, b'=').unwrap_or((pair, ""));
    decode_form(written).is_some_and(|decoded| decoded == key)
}

/// The repository that an upload wants to mount a blob from: pulling there is needed too. An empty
/// `from` names none.
fn mount_source<'a>(query: &'a str, start: usize) -> Result<Option<RequiredScope<'a>>, Error> {
    let ambiguous = |position| Error::new(ErrorKind::QueryAmbiguous, position);
    let mut source = None;
    let mut position = start;
    for pair in pieces(query, b'&') {
        let (key, value) = cut(pair, b'=').unwrap_or((pair, ""));
        let (key, value) = decode_form(key).zip(decode_form(value)).ok_or(ambiguous(position))?;
        if key == "from" && source.replace((value, position)).is_some() {
            return Err(ambiguous(position));
        }
        position = position.saturating_add(pair.len()).saturating_add(1);
    }
    let Some((name, position)) = source.filter(|(name, _)| !name.is_empty()) else {
        return Ok(None);
    };
    RepositoryName::parse(&name).map_err(|error| Error::new(error.kind(), position))?;
    Ok(Some(RequiredScope {
        resource_type: ResourceType::Repository,
        name,
        actions: ActionList::of(&[Action::Pull]),
    }))
}

/// A tag that may also hold `+`, as versions of charts do.
fn is_file_name(text: &str) -> bool {
    is_word(text, |b| matches!(b, b'.' | b'_' | b'-' | b'+'))
}

/// `[A-Za-z0-9_.=-]{1,128}`
fn is_upload_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'=' | b'-'))
}

/// The text of a route for logs and tests: its scopes, separated by spaces.
impl core::fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, scope) in self.scopes.iter().enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            scope.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[track_caller]
    fn needs(method: &str, target: &str, settings: Settings, scopes: &str, path: &str) {
        let target = target.replace('D', DIGEST);
        let route = route(method, &target, &settings)
            .map(|route| (route.to_string(), route.path.into_owned()));
        assert_eq!(route, Ok((scopes.into(), path.replace('D', DIGEST))), "{method} {target}");
    }

    #[track_caller]
    fn refuses(method: &str, target: &str, kind: ErrorKind) {
        let error = route(method, target, &Settings::default()).map(|route| route.to_string());
        assert_eq!(error.map_err(Error::kind), Err(kind), "{method} {target}");
    }

    /// Every row of the API with every method it has.
    #[test]
    fn rows() {
        for (methods, target, scopes) in [
            ("GET HEAD", "/v2/", ""),
            ("GET HEAD", "/v2/_catalog", "registry:catalog:*"),
            ("GET HEAD", "/v2/r/manifests/v1", "repository:r:pull"),
            ("GET HEAD", "/v2/r/manifests/D", "repository:r:pull"),
            ("PUT", "/v2/r/manifests/v1", "repository:r:pull,push"),
            ("DELETE", "/v2/r/manifests/D", "repository:r:delete"),
            ("GET HEAD", "/v2/r/blobs/D", "repository:r:pull"),
            ("DELETE", "/v2/r/blobs/D", "repository:r:delete"),
            ("POST", "/v2/r/blobs/uploads/", "repository:r:pull,push"),
            ("GET HEAD", "/v2/r/blobs/uploads/a-1", "repository:r:pull"),
            ("PATCH PUT", "/v2/r/blobs/uploads/a-1", "repository:r:pull,push"),
            ("DELETE", "/v2/r/blobs/uploads/a-1", "repository:r:delete"),
            ("GET HEAD", "/v2/r/tags/list", "repository:r:metadata_read"),
            ("GET HEAD", "/v2/r/referrers/D", "repository:r:pull"),
            ("GET HEAD", "/acr/v1/_catalog", "registry:catalog:*"),
            ("GET HEAD", "/acr/v1/r", "repository:r:metadata_read"),
            ("PATCH", "/acr/v1/r", "repository:r:metadata_write"),
            ("DELETE", "/acr/v1/r", "repository:r:delete"),
            ("GET HEAD", "/acr/v1/r/_tags", "repository:r:metadata_read"),
            ("GET HEAD", "/acr/v1/r/_tags/v1", "repository:r:metadata_read"),
            ("PATCH", "/acr/v1/r/_tags/v1", "repository:r:metadata_write"),
            ("DELETE", "/acr/v1/r/_tags/v1", "repository:r:delete"),
            ("GET HEAD", "/acr/v1/r/_manifests", "repository:r:metadata_read"),
            ("GET HEAD", "/acr/v1/r/_manifests/D", "repository:r:metadata_read"),
            ("PATCH", "/acr/v1/r/_manifests/D", "repository:r:metadata_write"),
            ("DELETE", "/acr/v1/r/_manifests/D", "repository:r:delete"),
            ("GET HEAD", "/acr/v1/r/_metadata", "repository:r:metadata_read"),
            ("PUT DELETE", "/acr/v1/r/_metadata/k", "repository:r:metadata_write"),
            ("GET HEAD", "/acr/v1/r/_tags/v1/_metadata/k", "repository:r:metadata_read"),
            ("PUT", "/acr/v1/r/_manifests/D/_metadata/k", "repository:r:metadata_write"),
            ("GET HEAD", "/acr/v1/_deleted/_catalog", "registry:deleted_catalog:*"),
            ("GET HEAD", "/acr/v1/_deleted/r/_tags", "repository:r:deleted_read"),
            ("GET HEAD", "/acr/v1/_deleted/r/_manifests", "repository:r:deleted_read"),
            (
                "POST",
                "/acr/v1/_deleted/r/_manifests/D",
                "repository:r:deleted_read,deleted_restore",
            ),
            ("GET HEAD", "/helm/v1/repo/index.yaml", "artifact-repository:repo:pull"),
            ("GET HEAD", "/helm/v1/repo/_charts", "artifact-repository:repo:pull"),
            ("GET HEAD", "/helm/v1/repo/_charts/c/1.0.0+b", "artifact-repository:repo:pull"),
            ("DELETE", "/helm/v1/repo/_charts/c/1.0.0", "artifact-repository:repo:delete,pull"),
            ("PUT", "/helm/v1/repo/_blobs/c-1.tgz", "artifact-repository:repo:pull,push"),
        ] {
            for method in ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "get", "OPTIONS", ""] {
                let single = methods.split(' ').any(|has| has == method);
                // A target may be in several rows: other methods are tested there.
                if single {
                    needs(method, target, Settings::default(), scopes, target);
                } else if matches!(method, "get" | "OPTIONS" | "") {
                    refuses(method, &target.replace('D', DIGEST), ErrorKind::MethodUnknown);
                }
            }
        }
    }

    #[test]
    fn methods_that_a_row_does_not_have() {
        for (method, target) in [
            ("POST", "/v2/"),
            ("POST", "/v2/_catalog"),
            ("PATCH", "/v2/r/manifests/v1"),
            ("PUT", "/v2/r/tags/list"),
            ("GET", "/v2/r/blobs/uploads/"),
            ("DELETE", "/acr/v1/r/_tags"),
            ("PUT", "/acr/v1/r"),
            ("PUT", "/helm/v1/repo/index.yaml"),
        ] {
            refuses(method, target, ErrorKind::MethodUnknown);
        }
    }

    #[test]
    fn settings_change_two_rows() {
        let distribution = Settings { profile: Profile::Distribution, ..Settings::default() };
        needs("GET", "/v2/r/tags/list", distribution, "repository:r:pull", "/v2/r/tags/list");
        let documented = Settings { untag: Untag::MetadataWrite, ..Settings::default() };
        let tag = "/acr/v1/r/_tags/v1";
        needs("DELETE", tag, documented, "repository:r:metadata_write", tag);
        needs("DELETE", "/acr/v1/r", documented, "repository:r:delete", "/acr/v1/r");
    }

    #[test]
    fn one_spelling_is_forwarded() {
        for (target, path) in [
            ("/v2", "/v2/"),
            ("/v2/team%2Fapp/manifests/v1", "/v2/team/app/manifests/v1"),
            ("/v2/team%2fapp/tags/list", "/v2/team/app/tags/list"),
            ("/v2/%74eam/app/tags/list?n=1", "/v2/team/app/tags/list"),
            ("/acr/v1/team%2Fapp/_tags", "/acr/v1/team/app/_tags"),
            ("/v2/a/manifests/b/manifests/c", "/v2/a/manifests/b/manifests/c"),
            ("/v2/tags/list/tags/list", "/v2/tags/list/tags/list"),
            ("/v2/blobs/uploads/blobs/D", "/v2/blobs/uploads/blobs/D"),
            (
                "/v2/a/manifests/sha256%3A0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "/v2/a/manifests/D",
            ),
        ] {
            let target = target.replace('D', DIGEST);
            let route =
                route("GET", &target, &Settings::default()).map(|route| route.path.into_owned());
            assert_eq!(route, Ok(path.replace('D', DIGEST)), "{target}");
        }
    }

    #[test]
    fn mounts() {
        let push = "repository:r:pull,push";
        for (query, scopes) in [
            ("?mount=D&from=s", "repository:r:pull,push repository:s:pull"),
            ("?from=team%2Fs", "repository:r:pull,push repository:team/s:pull"),
            ("?mount=D", push),
            ("?mount=D&from=r", push),
            ("?mount=D&from=", push),
            ("?digest=D&FROM=s", push),
        ] {
            let target = ["/v2/r/blobs/uploads/", query].concat();
            needs("POST", &target, Settings::default(), scopes, "/v2/r/blobs/uploads/");
        }
        for (query, kind) in [
            ("?from=a&from=a", ErrorKind::QueryAmbiguous),
            ("?from=a&%66rom=b", ErrorKind::QueryAmbiguous),
            ("?from=%zz", ErrorKind::QueryAmbiguous),
            ("?from=A", ErrorKind::NameUpperCase),
            ("?from=a+b", ErrorKind::NameCharacter),
            ("?from=team%252Fs", ErrorKind::NameCharacter),
            ("?from=*", ErrorKind::NameCharacter),
            ("?from=&from=a", ErrorKind::QueryAmbiguous),
            ("?x=1;mount=D;from=s", ErrorKind::QueryCharacter),
        ] {
            refuses("POST", &["/v2/r/blobs/uploads/", query].concat(), kind);
        }
        assert!(route("GET", "/v2/r/tags/list?from=a&from=%zz", &Settings::default()).is_ok());
    }

    #[test]
    fn queries() {
        let list = "/v2/r/tags/list?n=1";
        for (more, kind) in [
            (";last=a", ErrorKind::QueryCharacter),
            ("&last=\u{e9}", ErrorKind::QueryCharacter),
            ("&last=a b", ErrorKind::QueryCharacter),
            ("\r\nX: y", ErrorKind::QueryCharacter),
            ("&_method=DELETE", ErrorKind::MethodOverride),
            ("&%5Fmethod", ErrorKind::MethodOverride),
        ] {
            let target = [list, more].concat();
            refuses("GET", &target, kind);
            let error = route("GET", &target, &Settings::default()).unwrap_err();
            assert!(error.position() >= list.len(), "{target}");
        }
        assert!(
            route("GET", "/v2/r/tags/list?last=%3B%C3%A9&method=x", &Settings::default()).is_ok()
        );
    }

    #[test]
    fn tricks() {
        use ErrorKind::{PathAmbiguous, PathUnknown, ReferenceInvalid};
        for (target, kind) in [
            ("/v2//a/manifests/x", PathAmbiguous),
            ("//v2/a/manifests/x", PathAmbiguous),
            ("/v2/a/./manifests/x", PathAmbiguous),
            ("/v2/a/../b/manifests/x", PathAmbiguous),
            ("/v2/a/%2e%2e/b/manifests/x", PathAmbiguous),
            ("/v2/a%2F..%2Fb/manifests/x", PathAmbiguous),
            ("/v2/a%2F%2Fb/manifests/x", PathAmbiguous),
            ("/v2/%2Fa/manifests/x", PathAmbiguous),
            ("/v2/a%252Fb/manifests/x", PathAmbiguous),
            ("/v2/a%5Cb/manifests/x", PathAmbiguous),
            ("/v2/a\\b/manifests/x", PathAmbiguous),
            ("/v2/a%00/manifests/x", PathAmbiguous),
            ("/v2/a%/manifests/x", PathAmbiguous),
            ("/v2/a%4/manifests/x", PathAmbiguous),
            ("/v2/a%zz/manifests/x", PathAmbiguous),
            ("/v2/a/manifests/x%3Fy", PathAmbiguous),
            ("/v2/a/manifests/x%2Fy", PathAmbiguous),
            ("/v2/a/tags%2Flist", PathAmbiguous),
            ("/v2/a/manifests/x#y", PathAmbiguous),
            ("/v2/a/caf\u{e9}/manifests/x", PathAmbiguous),
            ("/v2/a%C3%A9/manifests/x", PathAmbiguous),
            ("/v2/a%FF/manifests/x", PathAmbiguous),
            ("/v2%2F_catalog", PathAmbiguous),
            ("", PathUnknown),
            ("/", PathUnknown),
            ("*", PathUnknown),
            ("v2/", PathUnknown),
            ("https://r/v2/", PathUnknown),
            ("/V2/a/tags/list", PathUnknown),
            ("/v2/a", PathUnknown),
            ("/v2/_catalog/", PathAmbiguous),
            ("/v2/manifests/x", PathUnknown),
            ("/v2/tags/list", PathUnknown),
            ("/v2/a/manifests/x/", PathAmbiguous),
            ("/v1/a/manifests/x", PathUnknown),
            ("/acr/v1", PathUnknown),
            ("/acr/v1/_deleted", PathUnknown),
            ("/helm/v1/repo", PathUnknown),
            ("/v2/a/manifests/", PathAmbiguous),
            ("/v2/a/manifests/.x", ReferenceInvalid),
            ("/v2/a/manifests/sha256:12", ReferenceInvalid),
            ("/v2/a/blobs/v1", ReferenceInvalid),
            ("/v2/a/referrers/v1", ReferenceInvalid),
            ("/acr/v1/a/_tags/-x", ReferenceInvalid),
            ("/acr/v1/a/_manifests/v1", ReferenceInvalid),
            ("/v2/A/manifests/x", ErrorKind::NameUpperCase),
            ("/v2/a_/manifests/x", ErrorKind::NameSeparator),
            ("/acr/v1/a/_secret", PathUnknown),
        ] {
            refuses("GET", target, kind);
        }
    }
}
