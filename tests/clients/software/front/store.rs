//! Repositories, tags and manifests in memory, and the calls on them.
//!
//! Follows the shapes of Azure Container Registry's data plane: lists with `n`, `last` and a `Link`
//! to the next page; attributes that lock against writing and deleting; times with seven digits.
//! Left out: blobs, uploads, and everything that is not called here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use scopegate_core::route::{Endpoint, Route};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::refusal;

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// What may be done with a thing: `deleteEnabled`, `writeEnabled`, `listEnabled`, `readEnabled`.
type Attributes = Map<String, Value>;

pub(super) struct Store {
    registry: String,
    repositories: Mutex<BTreeMap<String, Repository>>,
}

#[derive(Default)]
struct Repository {
    attributes: Attributes,
    tags: BTreeMap<String, Tag>,
    manifests: BTreeMap<String, Manifest>,
}

struct Tag {
    digest: String,
    attributes: Attributes,
}

struct Manifest {
    text: String,
    attributes: Attributes,
}

impl Store {
    pub(super) fn new(registry: &str) -> Self {
        Self { registry: registry.to_owned(), repositories: Mutex::default() }
    }

    /// Puts an image there that differs from every other; gives the digest of its manifest.
    pub(super) fn put(&self, repository: &str, tag: &str) -> String {
        let text = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256("{}"), "size": 2 },
            "layers": [],
            "annotations": { "org.opencontainers.image.ref.name": format!("{repository}:{tag}") },
        })
        .to_string();
        let digest = sha256(&text);
        let mut repositories = self.repositories.lock().unwrap();
        let repository = repositories.entry(repository.to_owned()).or_default();
        let tagged = Tag { digest: digest.clone(), attributes: Attributes::new() };
        repository.tags.insert(tag.to_owned(), tagged);
        let manifest = Manifest { text, attributes: Attributes::new() };
        repository.manifests.insert(digest.clone(), manifest);
        digest
    }

    /// Answers a request that may be answered.
    pub(super) fn answer(
        &self,
        method: &Method,
        route: &Route<'_>,
        query: &str,
        body: &[u8],
    ) -> Response {
        let mut repositories = self.repositories.lock().unwrap();
        if route.endpoint == Endpoint::Catalog {
            let names = repositories.keys().map(|name| (name.clone(), json!(name))).collect();
            return page(&route.path, query, "repositories", names, Map::new());
        }
        let name = route.scopes.first().map_or("", |scope| scope.name.as_ref());
        if method == Method::DELETE && route.endpoint == Endpoint::Repository {
            return match repositories.remove(name) {
                Some(gone) => gone.deleted(),
                None => unknown("NAME_UNKNOWN", &format!("repository \"{name}\" is not found")),
            };
        }
        let Some(repository) = repositories.get_mut(name) else {
            return unknown("NAME_UNKNOWN", &format!("repository \"{name}\" is not found"));
        };
        let call = Call { registry: &self.registry, name, route, query, body };
        call.answer(method, repository)
    }
}

/// A request about one repository.
struct Call<'a> {
    registry: &'a str,
    name: &'a str,
    route: &'a Route<'a>,
    query: &'a str,
    body: &'a [u8],
}

impl Call<'_> {
    fn answer(&self, method: &Method, repository: &mut Repository) -> Response {
        match (method.as_str(), self.route.endpoint) {
            ("PATCH", _) => self.update(repository),
            ("GET", Endpoint::Repository) => ok(&self.repository(repository)),
            ("GET", Endpoint::MetadataList) => self.list(repository),
            ("GET", Endpoint::TagMetadata) => self.tag(repository),
            ("GET", Endpoint::ManifestMetadata) => self.manifest(repository),
            ("GET", Endpoint::TagsList) => self.tag_names(repository),
            ("GET" | "HEAD", Endpoint::Manifest) => self.content(repository),
            ("DELETE", Endpoint::TagMetadata) => self.untag(repository),
            ("DELETE", Endpoint::Manifest) => self.delete(repository),
            _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "not in this stand-in"),
        }
    }

    /// The tag, the digest or the list at the end of the path.
    fn last(&self) -> &str {
        self.route.path.rsplit('/').next().unwrap_or_default()
    }

    fn update(&self, repository: &mut Repository) -> Response {
        let Ok(Value::Object(changes)) = serde_json::from_slice(self.body) else {
            return refusal(StatusCode::BAD_REQUEST, "UNSUPPORTED", "attributes are an object");
        };
        let attributes = match self.route.endpoint {
            Endpoint::Repository => Some(&mut repository.attributes),
            Endpoint::TagMetadata => {
                repository.tags.get_mut(self.last()).map(|t| &mut t.attributes)
            }
            _ => repository.manifests.get_mut(self.last()).map(|m| &mut m.attributes),
        };
        let Some(attributes) = attributes else {
            return unknown("TAG_UNKNOWN", "the specified tag does not exist");
        };
        attributes.extend(changes.into_iter().filter(|(_, value)| !value.is_null()));
        match self.route.endpoint {
            Endpoint::Repository => ok(&self.repository(repository)),
            Endpoint::TagMetadata => self.tag(repository),
            _ => self.manifest(repository),
        }
    }

    fn repository(&self, repository: &Repository) -> Value {
        let mut shown = dated(self.about());
        shown.insert("manifestCount".into(), json!(repository.manifests.len()));
        shown.insert("tagCount".into(), json!(repository.tags.len()));
        shown.insert("changeableAttributes".into(), changeable(&repository.attributes));
        Value::Object(shown)
    }

    fn list(&self, repository: &Repository) -> Response {
        if self.last() == "_tags" {
            let each = repository.tags.iter();
            let tags = each.map(|(name, tag)| (name.clone(), tag.shown(name))).collect();
            return page(&self.route.path, self.query, "tags", tags, self.about());
        }
        let each = repository.manifests.iter();
        let manifests =
            each.map(|(digest, _)| (digest.clone(), repository.shown(digest))).collect();
        page(&self.route.path, self.query, "manifests", manifests, self.about())
    }

    fn tag(&self, repository: &Repository) -> Response {
        let Some(tag) = repository.tags.get(self.last()) else {
            return unknown("TAG_UNKNOWN", "the specified tag does not exist");
        };
        let mut shown = self.about();
        shown.insert("tag".into(), tag.shown(self.last()));
        ok(&Value::Object(shown))
    }

    fn manifest(&self, repository: &Repository) -> Response {
        if !repository.manifests.contains_key(self.last()) {
            return unknown("MANIFEST_UNKNOWN", "the specified manifest does not exist");
        }
        let mut shown = self.about();
        shown.insert("manifest".into(), repository.shown(self.last()));
        ok(&Value::Object(shown))
    }

    fn tag_names(&self, repository: &Repository) -> Response {
        let tags = repository.tags.keys().map(|name| (name.clone(), json!(name))).collect();
        let about = Map::from_iter([("name".to_owned(), json!(self.name))]);
        page(&self.route.path, self.query, "tags", tags, about)
    }

    fn content(&self, repository: &Repository) -> Response {
        let reference = self.last();
        let digest = repository.tags.get(reference).map_or(reference, |tag| &tag.digest);
        let Some(manifest) = repository.manifests.get(digest) else {
            return unknown("MANIFEST_UNKNOWN", &format!("manifest \"{reference}\" is not found"));
        };
        let headers = [("content-type", MANIFEST_TYPE), ("docker-content-digest", digest)];
        (headers, manifest.text.clone()).into_response()
    }

    fn untag(&self, repository: &mut Repository) -> Response {
        let Some(tag) = repository.tags.get(self.last()) else {
            return unknown("TAG_UNKNOWN", "the specified tag does not exist");
        };
        if is_locked(&tag.attributes) {
            return locked();
        }
        repository.tags.remove(self.last());
        StatusCode::ACCEPTED.into_response()
    }

    fn delete(&self, repository: &mut Repository) -> Response {
        let digest = self.last();
        let Some(manifest) = repository.manifests.get(digest) else {
            return unknown("MANIFEST_UNKNOWN", &format!("manifest \"{digest}\" is not found"));
        };
        let tags = repository.tags.values().filter(|tag| tag.digest == digest);
        if is_locked(&manifest.attributes) || tags.into_iter().any(|tag| is_locked(&tag.attributes))
        {
            return locked();
        }
        repository.manifests.remove(digest);
        repository.tags.retain(|_, tag| tag.digest != digest);
        StatusCode::ACCEPTED.into_response()
    }

    fn about(&self) -> Attributes {
        let about = [("registry", self.registry), ("imageName", self.name)];
        about.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }
}

impl Repository {
    fn deleted(&self) -> Response {
        let manifests: Vec<_> = self.manifests.keys().collect();
        let tags: Vec<_> = self.tags.keys().collect();
        let body = json!({ "manifestsDeleted": manifests, "tagsDeleted": tags });
        (StatusCode::ACCEPTED, ok(&body)).into_response()
    }

    /// One of its manifests, in lists and alone.
    fn shown(&self, digest: &str) -> Value {
        let tagged = self.tags.iter().filter(|(_, tag)| tag.digest == digest);
        let tags: Vec<_> = tagged.map(|(name, _)| name).collect();
        let manifest = self.manifests.get(digest);
        let mut shown = dated(Map::new());
        shown.insert("digest".into(), json!(digest));
        shown.insert("imageSize".into(), json!(manifest.map_or(0, |manifest| manifest.text.len())));
        shown.insert("mediaType".into(), json!(MANIFEST_TYPE));
        shown.insert("tags".into(), json!(tags));
        let attributes = manifest.map(|manifest| &manifest.attributes);
        let attributes = attributes.map_or_else(|| json!({}), changeable);
        shown.insert("changeableAttributes".into(), attributes);
        Value::Object(shown)
    }
}

impl Tag {
    fn shown(&self, name: &str) -> Value {
        let mut shown = dated(Map::new());
        shown.insert("name".into(), json!(name));
        shown.insert("digest".into(), json!(self.digest));
        shown.insert("signed".into(), json!(false));
        shown.insert("changeableAttributes".into(), changeable(&self.attributes));
        Value::Object(shown)
    }
}

/// Part of a list, and where the rest is.
fn page(
    path: &str,
    query: &str,
    key: &str,
    items: Vec<(String, Value)>,
    mut about: Attributes,
) -> Response {
    let parameter = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(n, _)| *n == name).map(|(_, value)| value.replace("%2F", "/")).next()
    };
    let last = parameter("last").unwrap_or_default().replace("%3A", ":");
    let limit = parameter("n").and_then(|n| n.parse().ok()).unwrap_or(100);
    let rest: Vec<_> = items.into_iter().filter(|(name, _)| *name > last).collect();
    let next = rest.get(limit.max(1) - 1).filter(|_| rest.len() > limit).map(|(name, _)| {
        let last = name.replace('/', "%2F").replace(':', "%3A");
        format!("<{path}?last={last}&n={limit}&orderby=>; rel=\"next\"")
    });
    let shown: Vec<_> = rest.into_iter().take(limit).map(|(_, value)| value).collect();
    about.insert(key.to_owned(), Value::Array(shown));
    let mut response = ok(&Value::Object(about));
    if let Some(link) = next.and_then(|link| link.try_into().ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

fn ok(body: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (content_type, body.to_string()).into_response()
}

fn unknown(code: &str, message: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, code, message)
}

fn locked() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is disallowed.")
}

/// A thing that may not be written may not be deleted either.
fn is_locked(attributes: &Attributes) -> bool {
    ["writeEnabled", "deleteEnabled"]
        .iter()
        .any(|name| attributes.get(*name) == Some(&json!(false)))
}

fn changeable(attributes: &Attributes) -> Value {
    let mut all = Attributes::new();
    for name in ["deleteEnabled", "writeEnabled", "readEnabled", "listEnabled"] {
        all.insert(name.to_owned(), json!(true));
    }
    all.extend(attributes.clone());
    Value::Object(all)
}

/// With the two times that everything has; nothing here is ever old.
fn dated(mut shown: Attributes) -> Attributes {
    let now = format!("{:.7}", Timestamp::now());
    shown.insert("createdTime".into(), json!(now));
    shown.insert("lastUpdateTime".into(), json!(now));
    shown
}

fn sha256(text: &str) -> String {
    let mut digest = String::from("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}
