//! What a manifest says of itself: sizes, the type of its configuration, the manifests of an index.
//!
//! Follows <https://github.com/opencontainers/image-spec/blob/main/manifest.md> and
//! `image-index.md`, and Docker's forms of the same. The size of an image is the size of its
//! layers. Any other document has a type and no more.
//!
//! What goes into the index is bounded here: a media type is one of RFC 6838, and a word is short
//! and has no control character. Anything else is left out.
//!
//! Left out: fetching anything.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::registry::is_digest;
use super::time;
use crate::index::{Facts, Reference};

/// How many manifests of an index are looked at.
pub(super) const MOST_REFERENCES: usize = 1000;
/// The longest media type, of two names of 127 bytes.
const LONGEST_TYPE: usize = 255;
/// The longest configuration that is looked into.
const LONGEST_CONFIG: u64 = 4 * 1024 * 1024;
/// The longest word for an architecture or a system.
const LONGEST_WORD: usize = 64;
/// When a maker says that something was made.
const CREATED: &str = "org.opencontainers.image.created";
/// Configurations that tell a platform.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Document {
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Platform {
    architecture: Option<String>,
    os: Option<String>,
    created: Option<String>,
}

/// What a manifest says. The second part is the configuration that says more.
pub(super) fn of_manifest(media_type: &str, body: &[u8]) -> (Facts, Option<String>) {
    let document: Document = serde_json::from_slice(body).unwrap_or_default();
    let size = document.layers.iter().flatten().fold(0_u64, |sum, it| sum.saturating_add(it.size));
    let made = document.annotations.as_ref().and_then(|all| all.get(CREATED));
    let config = document.config.filter(|config| is_media_type(&config.media_type));
    let platform = config.as_ref().filter(|config| {
        IMAGE_CONFIGS.contains(&config.media_type.as_str())
            && is_digest(&config.digest)
            && config.size <= LONGEST_CONFIG
    });
    let platform = platform.map(|config| config.digest.clone());
    let references = document.manifests.into_iter().flatten().filter(|it| is_digest(&it.digest));
    let media_type = match media_type.split(';').next().unwrap_or_default().trim() {
        "" | "application/octet-stream" => document.media_type,
        media_type => Some(media_type.to_owned()),
    };
    let facts = Facts {
        media_type: media_type.filter(|text| is_media_type(text)).unwrap_or_default(),
        image_size: i64::try_from(size).unwrap_or(i64::MAX),
        config_media_type: config.map(|config| config.media_type),
        made: made.and_then(|text| time::read(text)),
        references: references.take(MOST_REFERENCES).map(reference).collect(),
        ..Facts::default()
    };
    (facts, platform)
}

fn reference(descriptor: Descriptor) -> Reference {
    let Platform { architecture, os, .. } = descriptor.platform.unwrap_or_default();
    Reference { digest: descriptor.digest, architecture: named(architecture), os: named(os) }
}

/// Adds what the configuration of an image says.
pub(super) fn add_config(facts: &mut Facts, body: &[u8]) {
    let config: Platform = serde_json::from_slice(body).unwrap_or_default();
    facts.architecture = named(config.architecture);
    facts.os = named(config.os);
    facts.made = config.created.and_then(|text| time::read(&text)).or(facts.made);
}

/// A word that says something. No database keeps a NUL, and no platform has one.
fn named(word: Option<String>) -> Option<String> {
    word.filter(|word| {
        (1..=LONGEST_WORD).contains(&word.len()) && !word.chars().any(char::is_control)
    })
}

/// Whether a text is a media type, without parameters.
///
/// ```text
/// type-name = subtype-name = restricted-name
/// restricted-name = restricted-name-first *126restricted-name-chars
/// ```
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= LONGEST_TYPE
        && text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

    #[test]
    fn images() {
        let digest = super::super::registry::sha256(b"");
        let body = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{}","digest":"{digest}","size":3}},"layers":[{{"size":5}},{{"size":7}}],"annotations":{{"{CREATED}":"2020-01-01T00:00:00Z"}}}}"#,
            IMAGE_CONFIGS[0]
        );
        let (mut facts, config) = of_manifest(IMAGE, body.as_bytes());
        assert_eq!(config, Some(digest));
        assert_eq!((facts.image_size, facts.made), (12, time::read("2020-01-01T00:00:00Z")));
        assert_eq!(facts.config_media_type.as_deref(), Some(IMAGE_CONFIGS[0]));
        add_config(
            &mut facts,
            br#"{"architecture":"arm64","os":"linux","created":"2021-01-01T00:00:00Z"}"#,
        );
        assert_eq!(facts.architecture.as_deref(), Some("arm64"));
        assert_eq!(facts.made, time::read("2021-01-01T00:00:00Z"));
        add_config(&mut facts, br#"{"architecture":"","os":7}"#);
        assert_eq!((facts.architecture, facts.os), (None, None));
    }

    #[test]
    fn indexes() {
        let digest = super::super::registry::sha256(b"");
        let body = format!(
            r#"{{"manifests":[{{"digest":"{digest}","size":9,"platform":{{"architecture":"amd64","os":"linux"}}}},{{"digest":"../x"}}]}}"#
        );
        let (facts, config) = of_manifest(INDEX, body.as_bytes());
        assert_eq!((config, facts.image_size), (None, 0));
        let expected =
            Reference { digest, architecture: Some("amd64".into()), os: Some("linux".into()) };
        assert_eq!(facts.references, [expected]);
    }

    #[test]
    fn what_is_no_manifest_has_a_type() {
        for body in ["", "[]", "{}", r#"{"layers":[{"size":-1}]}"#, r#"{"manifests":7}"#, "\0"] {
            let expected = Facts { media_type: IMAGE.into(), ..Facts::default() };
            assert_eq!(of_manifest(IMAGE, body.as_bytes()), (expected, None), "{body}");
        }
        let body = r#"{"mediaType":"m/m","layers":[{"size":18446744073709551615},{"size":1}]}"#;
        let (facts, _) = of_manifest("", body.as_bytes());
        assert_eq!((facts.media_type.as_str(), facts.image_size), ("m/m", i64::MAX));
    }

    #[test]
    fn texts_that_are_kept() {
        let long = format!("a/{}", "b".repeat(254));
        for (text, expected) in [
            (IMAGE, true),
            (long.strip_suffix('b').unwrap(), true),
            (&long, false),
            ("a/b\0", false),
            ("a/b\u{e9}", false),
            ("a/b c", false),
            ("a/.b", false),
            ("a/b/c", false),
            ("a/", false),
            ("a", false),
        ] {
            let config = serde_json::json!({ "mediaType": text });
            let body = serde_json::json!({ "mediaType": text, "config": config }).to_string();
            let (facts, _) = of_manifest("", body.as_bytes());
            let kept = expected.then_some(text);
            assert_eq!(facts.media_type, kept.unwrap_or_default(), "{text}");
            assert_eq!(facts.config_media_type.as_deref(), kept, "{text}");
        }
        for (word, expected) in [
            ("amd64", true),
            ("", false),
            ("a\0b", false),
            ("a\u{1b}[m", false),
            (&"a".repeat(64), true),
            (&"a".repeat(65), false),
        ] {
            let kept = expected.then(|| word.to_owned());
            assert_eq!(named(Some(word.to_owned())), kept, "{word:?}");
        }
    }
}
