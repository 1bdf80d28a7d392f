//! A chart as an index of charts has it: what its `Chart.yaml` says, which Helm pushes as the
//! configuration of the manifest, and the digest of its archive.
//!
//! Follows <https://github.com/helm/community/blob/main/hips/hip-0006.md> for the manifest,
//! <https://helm.sh/docs/topics/charts/#the-chartyaml-file> for the configuration, and
//! <https://helm.sh/docs/topics/chart_repository/#the-index-file> for the entry.
//!
//! Anybody who may push writes these documents, so one is taken whole or not at all: members that
//! are known, of the types that Helm has for them, a name that is the repository's, a version that
//! is one. An entry is text that Helm and others read as JSON or as YAML, old ones too: it is one
//! line, and what does not print in YAML is escaped. Its keys are short, because YAML has no longer
//! ones.
//!
//! Left out: `import-values` of dependencies, which only the chart itself needs; members that Helm
//! does not know; fetching anything.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::registry::is_digest;

/// The configuration of a chart.
pub(super) const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// The archive of a chart.
const ARCHIVE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The longest configuration, in bytes.
pub(super) const MAX_CONFIG: usize = 256 * 1024;
/// The longest entry, in bytes. One that is longer has no annotations.
const MAX_ENTRY: usize = 16 * 1024;
/// The longest name of an annotation: YAML has none above 1024 characters, and one may be six.
const MAX_KEY: usize = 128;

/// What a manifest refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// The digest of the configuration.
    pub(super) config: String,
    /// The SHA-256 of the archive, in hexadecimal digits.
    archive: String,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

/// An entry, whose members are those of a `Chart.yaml` in the order of Helm's own.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<String>>,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keywords: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maintainers: Option<Vec<Maintainer>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kube_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dependencies: Option<Vec<Dependency>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_deserializing)]
    digest: String,
}

#[derive(Deserialize, Serialize)]
struct Maintainer {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Dependency {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
}

/// What a chart's tag is, which must be its version.
#[derive(Deserialize)]
struct Versioned {
    version: String,
}

/// What the manifest of a chart refers to.
///
/// # Errors
///
/// Why it is no chart.
pub(super) fn parts(manifest: &[u8]) -> Result<Parts, &'static str> {
    let manifest: Manifest =
        serde_json::from_slice(manifest).map_err(|_| "not the manifest of a chart")?;
    let Descriptor { media_type, digest, size } = manifest.config;
    if media_type != CONFIG || !is_digest(&digest) {
        return Err("not the configuration of a chart");
    }
    if size > MAX_CONFIG as u64 {
        return Err("the configuration is too long");
    }
    let mut archives = manifest.layers.iter().filter(|layer| layer.media_type == ARCHIVE);
    let (Some(archive), None) = (archives.next(), archives.next()) else {
        return Err("there is not one archive");
    };
    let archive = archive.digest.strip_prefix("sha256:").filter(|_| is_digest(&archive.digest));
    let archive = archive.ok_or("the archive has no digest that Helm knows")?;
    Ok(Parts { config: digest, archive: archive.to_owned() })
}

/// The entry of the chart that a repository has with this configuration.
///
/// # Errors
///
/// Why it is left out.
pub(super) fn entry(
    repository: &str,
    parts: &Parts,
    config: &[u8],
) -> Result<String, &'static str> {
    if config.len() > MAX_CONFIG {
        return Err("the configuration is too long");
    }
    let mut entry: Entry =
        serde_json::from_slice(config).map_err(|_| "the configuration is not a Chart.yaml")?;
    // Where Helm pushes it.
    if repository.rsplit('/').next() != Some(&entry.name) {
        return Err("the name is not the repository's");
    }
    if !is_version(&entry.version) {
        return Err("the version is not a semantic version");
    }
    let names = entry.annotations.iter().flatten().map(|(name, _)| name);
    if names.clone().any(|name| name.len() > MAX_KEY) {
        return Err("the name of an annotation is too long");
    }
    entry.digest.clone_from(&parts.archive);
    let text = written(&entry)?;
    if text.len() <= MAX_ENTRY {
        return Ok(text);
    }
    entry.annotations = None;
    let text = written(&entry)?;
    if text.len() <= MAX_ENTRY { Ok(text) } else { Err("the entry is too long") }
}

/// Whether the tag of a chart is its version: Helm writes `_` for `+`, which no tag has.
pub(super) fn is_tag_of(entry: &str, tag: &str) -> bool {
    let versioned: Result<Versioned, _> = serde_json::from_str(entry);
    versioned.is_ok_and(|chart| chart.version.replace('+', "_") == tag)
}

/// A semantic version, as Helm also takes it with a `v`.
fn is_version(text: &str) -> bool {
    Version::parse(text.strip_prefix('v').unwrap_or(text)).is_ok()
}

/// JSON in one line that a reader of YAML takes for the same.
fn written(entry: &Entry) -> Result<String, &'static str> {
    let json = serde_json::to_string(entry).map_err(|_| "the entry cannot be written")?;
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        // Beyond ASCII these stand in strings alone.
        match letter {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            _ => text.push(letter),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::registry::sha256;
    use super::*;

    fn manifest(config: &Value, layers: &Value) -> Vec<u8> {
        json!({ "schemaVersion": 2, "config": config, "layers": layers }).to_string().into_bytes()
    }

    fn known() -> Parts {
        Parts { config: sha256(b"config"), archive: "ab".repeat(32) }
    }

    #[test]
    fn manifests() {
        let digest = sha256(b"");
        let config = |size: usize| json!({ "mediaType": CONFIG, "digest": digest, "size": size });
        let layer = |digest: &str| json!({ "mediaType": ARCHIVE, "digest": digest, "size": 1 });
        let signature = json!({ "mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov", "digest": digest, "size": 1 });
        let hex = digest.trim_start_matches("sha256:").to_owned();
        let parts = |config: &Value, layers: Value| parts(&manifest(config, &layers));
        let good = parts(&config(MAX_CONFIG), json!([signature, layer(&digest)]));
        assert_eq!(good, Ok(Parts { config: digest.clone(), archive: hex.clone() }));
        let long = format!("sha512:{hex}{hex}");
        for (config, layers) in [
            (config(MAX_CONFIG + 1), json!([layer(&digest)])),
            (config(1), json!([])),
            (config(1), json!([layer(&digest), layer(&digest)])),
            (config(1), json!([layer(&long)])),
            (config(1), json!([layer("sha256:../../x")])),
            (config(1), json!(7)),
            (json!({ "mediaType": "m", "digest": digest, "size": 1 }), json!([layer(&digest)])),
            (json!({ "mediaType": CONFIG, "digest": "x", "size": 1 }), json!([layer(&digest)])),
            (json!({ "mediaType": CONFIG, "digest": digest, "size": -1 }), json!([layer(&digest)])),
        ] {
            parts(&config, layers.clone()).expect_err(&format!("{config} {layers}"));
        }
        for text in ["", "[]", "{}", "\0"] {
            super::parts(text.as_bytes()).expect_err(text);
        }
    }

    #[test]
    fn entries() {
        let config = json!({
            "name": "app", "version": "1.0.0+b1", "apiVersion": "v2", "appVersion": "7",
            "type": "application", "description": "d", "home": "h", "icon": "i", "sources": ["s"],
            "keywords": ["k"], "maintainers": [{ "name": "m", "email": "e", "url": "u" }],
            "deprecated": true, "annotations": { "a": "b" }, "kubeVersion": ">=1",
            "dependencies": [{ "name": "d", "version": "1", "repository": "r", "alias": "x" }],
        });
        let mut expected = config.clone();
        expected["digest"] = json!(known().archive);
        let mut more = config;
        more["unknown"] = json!([{ "a": [[1]] }]);
        more["urls"] = json!(["https://elsewhere.example/app.tgz"]);
        more["digest"] = json!("00");
        let text = entry("team/app", &known(), more.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        for (tag, is_it) in [("1.0.0_b1", true), ("1.0.0", false), ("latest", false)] {
            assert_eq!(is_tag_of(&text, tag), is_it, "{tag}");
        }
    }

    /// What anybody who may push can write.
    #[test]
    fn hostile_charts_are_left_out() {
        let (deep, long) = ("[".repeat(100_000), "x".repeat(MAX_ENTRY));
        let key = "k".repeat(MAX_KEY + 1);
        for more in [
            format!(r#""unknown":{deep}"#),
            format!(r#""description":"{long}""#),
            format!(r#""annotations":{{"{key}":""}}"#),
            r#""annotations":{"a":7}"#.to_owned(),
            r#""keywords":{"a":"b"}"#.to_owned(),
            r#""keywords":[null]"#.to_owned(),
            r#""maintainers":["m"]"#.to_owned(),
            r#""dependencies":[{}]"#.to_owned(),
            r#""deprecated":"yes""#.to_owned(),
            r#""name":"app""#.to_owned(),
            r#""description":"\ud800""#.to_owned(),
        ] {
            let config = format!(r#"{{"name":"app","version":"1.0.0",{more}}}"#);
            let left_out = entry("app", &known(), config.as_bytes());
            left_out.expect_err(more.get(..40).unwrap_or(&more));
        }
        for (name, version) in [
            ("other", "1.0.0"),
            ("a/app", "1.0.0"),
            ("../app", "1.0.0"),
            ("", "1.0.0"),
            ("app", ""),
            ("app", "latest"),
            ("app", "1.0"),
            ("app", "1.0.0 x"),
        ] {
            let config = json!({ "name": name, "version": version }).to_string();
            let left_out = entry("a/app", &known(), config.as_bytes());
            left_out.expect_err(&format!("{name} {version}"));
        }
        for text in ["", "[]", "7", "{}", "\0", "{\"name\":\"app\",\"version\":\"1.0.0\"}x"] {
            entry("app", &known(), text.as_bytes()).expect_err(text);
        }
        let blank = " ".repeat(MAX_CONFIG) + r#"{"name":"app","version":"1.0.0"}"#;
        entry("app", &known(), blank.as_bytes()).expect_err("blanks");
    }

    /// Annotations are the longest part of an entry, and the one that Helm needs least.
    #[test]
    fn long_annotations_go_before_the_chart_does() {
        let config = json!({
            "name": "app", "version": "v1.0.0", "description": "d", "annotations": { "a": "x".repeat(MAX_ENTRY) },
        });
        let text = entry("app", &known(), config.to_string().as_bytes()).unwrap();
        let digest = known().archive;
        let expected =
            json!({ "name": "app", "version": "v1.0.0", "description": "d", "digest": digest });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    /// Readers of JSON and of YAML see one text.
    #[test]
    fn an_entry_reads_alike_as_json_and_as_yaml() {
        let hostile = "\0\u{1b}[2J\u{7f}\u{85}\u{9f}\u{a0}\u{2028}\u{2029}\u{feff}\u{ffff}\u{1f600} #: - \"'\\\n---\n...\t{}[],&*!|>%@`";
        let config = json!({
            "name": "app", "version": "1.0.0", "description": hostile, "annotations": { hostile: hostile },
        });
        let text = entry("app", &known(), config.to_string().as_bytes()).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["description"], hostile);
        assert_eq!(json["annotations"][hostile], hostile);
        assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), json);
        assert!(!text.chars().any(char::is_control) && !text.contains('\u{feff}'), "{text}");
    }
}
