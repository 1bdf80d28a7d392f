//! The sources of the configuration, merged in their order.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use figment::error::{Actual, Kind};
use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};
use serde_saphyr::UserMessageFormatter;

use super::{Config, Limits, Rate};

const PREFIX: &str = "SCOPEGATE_";
const FILE: &str = "SCOPEGATE_CONFIG";

/// The values of one source, with the source's name.
pub(super) struct Layer {
    /// Its origin, for error messages: `SCOPEGATE_LISTEN`, `--listen`, `the file scopegate.yaml`.
    origin: String,
    values: Dict,
}

/// The process's environment variables with our prefix.
pub(super) fn process_environment() -> anyhow::Result<Vec<(String, String)>> {
    let ours = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with(PREFIX))?;
        Some((name, value))
    });
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(_) => bail!("{name} is not UTF-8"),
    })
    .collect()
}

/// The file that the environment names.
pub(super) fn file_of(environment: &[(String, String)]) -> Option<PathBuf> {
    let named = environment.iter().find(|(name, value)| name == FILE && !value.is_empty());
    named.map(|(_, value)| value.into())
}

/// The merged sources. Later flags override earlier ones.
pub(super) fn extract(
    file: Option<&Path>,
    environment: &[(String, String)],
    flags: &[Layer],
) -> anyhow::Result<Config> {
    let mut figment = Figment::from(&default_rates());
    if let Some(path) = file {
        figment = figment.merge(&read_file(path)?);
    }
    for (name, value) in environment {
        if let Some(path) = path_of(name, value) {
            figment = figment.merge(&Layer::one(name.clone(), &path, value)?);
        }
    }
    for flag in flags {
        figment = figment.merge(flag);
    }
    // Lossy: text becomes a number or a boolean where one is expected, because the environment and
    // flags hold only text.
    figment.extract_lossy().map_err(|error| anyhow::anyhow!("{}", in_words(&error)))
}

/// The default rates: a source may set only one half of a rate.
fn default_rates() -> Layer {
    let Limits { per_address, per_principal, .. } = Limits::default();
    let rate = |rate: Rate| {
        let halves = [("rate", Value::from(rate.rate)), ("burst", Value::from(rate.burst))];
        Value::from(
            halves.map(|(name, half)| (name.to_owned(), half)).into_iter().collect::<Dict>(),
        )
    };
    let rates = [("perAddress", rate(per_address)), ("perPrincipal", rate(per_principal))];
    let limits: Dict = rates.map(|(name, rate)| (name.to_owned(), rate)).into_iter().collect();
    let values = Dict::from([("limits".to_owned(), Value::from(limits))]);
    Layer { origin: "the defaults".to_owned(), values }
}

impl Layer {
    /// A value at a path such as `limits.body`. Text that begins as a JSON list or object is read
    /// as one.
    pub(super) fn one(origin: String, path: &str, text: &str) -> anyhow::Result<Self> {
        let value = match text.trim_start().chars().next() {
            Some('[' | '{') => serde_json::from_str::<Value>(text)
                .ok()
                .with_context(|| format!("{origin} begins as JSON but is invalid"))?,
            _ => return Self::text(origin, path, text),
        };
        Self::nested(origin, path, value)
    }

    /// A value that is always text.
    pub(super) fn text(origin: String, path: &str, text: &str) -> anyhow::Result<Self> {
        Self::nested(origin, path, Value::from(text))
    }

    fn nested(origin: String, path: &str, value: Value) -> anyhow::Result<Self> {
        let mut nested = value;
        for part in path.rsplit('.') {
            if part.is_empty() {
                bail!("{origin} names no value");
            }
            nested = Value::from(Dict::from([(part.to_owned(), nested)]));
        }
        let values = nested.into_dict().unwrap_or_default();
        Ok(Self { origin, values })
    }
}

impl Provider for &Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(spelt_out(self.values.clone())))
    }
}

/// Spells `management: false` out, so that the sources merge.
fn spelt_out(mut values: Dict) -> Dict {
    if let Some(management) = values.get_mut("management") {
        let is_short = match management {
            Value::Bool(..) => true,
            Value::String(_, text) => matches!(text.as_str(), "true" | "false"),
            _ => false,
        };
        if is_short {
            *management = Value::from(Dict::from([("enabled".to_owned(), management.clone())]));
        }
    }
    values
}

fn read_file(path: &Path) -> anyhow::Result<Layer> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let values: Option<Dict> = serde_saphyr::from_str(&text).map_err(|error| {
        // Without the excerpt of the file: it could hold a password.
        let error = error.without_snippet().render_with_formatter(&UserMessageFormatter);
        anyhow::anyhow!("{name}: {error}")
    })?;
    Ok(Layer { origin: name.to_string(), values: without_empty(values.unwrap_or_default()) })
}

/// Drops sections without a value: every line of them is commented out.
fn without_empty(values: Dict) -> Dict {
    let kept = values.into_iter().filter_map(|(name, value)| match value {
        Value::Empty(..) => None,
        Value::Dict(tag, inner) => Some((name, Value::Dict(tag, without_empty(inner)))),
        value => Some((name, value)),
    });
    kept.collect()
}

/// The path of the value that a variable holds: `limits.perAddress` for
/// `SCOPEGATE_LIMITS__PER_ADDRESS`.
fn path_of(name: &str, value: &str) -> Option<String> {
    let rest = name.strip_prefix(PREFIX).filter(|_| name != FILE)?;
    let is_ours = !is_service_link(rest, value);
    is_ours.then(|| rest.split("__").map(camel_case).collect::<Vec<_>>().join("."))
}

/// Whether a variable is one of those that Kubernetes makes for a service of our name: it gives
/// them to every container around it.
///
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_service_link(rest: &str, value: &str) -> bool {
    let words: Vec<_> = rest.split('_').collect();
    let is_pair = |second: &str| words.windows(2).any(|pair| pair == ["SERVICE", second]);
    let is_numbered = words.windows(2).any(|pair| match pair {
        ["PORT", number] => !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    });
    let is_address = words.last() == Some(&"PORT") && value.contains("://");
    is_pair("HOST") || is_pair("PORT") || is_numbered || is_address
}

fn camel_case(part: &str) -> String {
    let mut words = part.split('_');
    let mut name = words.next().unwrap_or_default().to_ascii_lowercase();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.extend(letters.map(|letter| letter.to_ascii_lowercase()));
    }
    name
}

/// An error with the path of the value and its source.
///
/// The library's own text begins with the name of a profile, which is not in any source, and quotes
/// a value of the wrong type.
fn in_words(error: &Error) -> String {
    let what = match &error.kind {
        Kind::InvalidType(actual, expected) => {
            format!("{} where {} is expected", kind_of(actual), without_type(expected))
        }
        Kind::UnknownField(name, known) => {
            format!("unknown field `{name}`, not one of {}", known.join(", "))
        }
        Kind::UnknownVariant(name, known) => format!("`{name}` is not one of {}", known.join(", ")),
        kind => kind.to_string(),
    };
    let mut message = String::new();
    if let Some(metadata) = &error.metadata {
        message.push_str(&metadata.name);
        message.push_str(": ");
    }
    if !error.path.is_empty() {
        message.push_str(&error.path.join("."));
        message.push_str(": ");
    }
    message + &what
}

/// The expectation, without the names of types.
fn without_type(expected: &str) -> &str {
    match expected {
        "usize" | "u32" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

fn kind_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) | Actual::Bytes(_) => "text",
        Actual::Seq => "a list",
        Actual::Map => "an object",
        Actual::Unit | Actual::Option => "nothing",
        _ => "another kind of value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables() {
        for (name, value, path) in [
            ("SCOPEGATE_LISTEN", "", Some("listen")),
            ("SCOPEGATE_PUBLIC_URL", "", Some("publicUrl")),
            ("SCOPEGATE_LIMITS__PER_ADDRESS__RATE", "", Some("limits.perAddress.rate")),
            ("SCOPEGATE_TOKENS__X5C", "", Some("tokens.x5c")),
            ("SCOPEGATE_TYPO", "", Some("typo")),
            ("SCOPEGATE_CONFIG", "", None),
            ("SCOPEGATE_SERVICE_HOST", "10.0.0.1", None),
            ("SCOPEGATE_SERVICE_PORT", "443", None),
            ("SCOPEGATE_SERVICE_PORT_HTTP", "443", None),
            ("SCOPEGATE_PORT", "tcp://10.0.0.1:443", None),
            ("SCOPEGATE_PORT", "5001", Some("port")),
            ("SCOPEGATE_PORT_5001_TCP_PROTO", "tcp", None),
            ("SCOPEGATE_SERVER_SERVICE_HOST", "10.0.0.1", None),
            ("SCOPEGATE_SERVER_PORT_5001_TCP", "tcp://10.0.0.1:5001", None),
            ("OTHER", "", None),
        ] {
            assert_eq!(path_of(name, value).as_deref(), path, "{name}={value}");
        }
    }
}
