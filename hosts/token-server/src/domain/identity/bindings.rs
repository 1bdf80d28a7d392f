//! The bindings from an identity's claims to scope maps, roles and rules.
//!
//! A binding holds when every entry of its `match` holds: a claim holds a value when it equals it
//! (text, number or boolean) or is an array with it. The grants of all bindings that hold are
//! merged. A binding that fails only by the type or the case of a value grants nothing, and is
//! named in the log.
//!
//! ```text
//! rule        := "repositories/" part ( "/" part )* "/" permission
//! part        := component | "*" | placeholder
//! placeholder := "{" claim "}"                        one component
//!              | "{+" claim "}"                       one component or several, as in RFC 6570
//! ```
//!
//! A placeholder is a whole component of the repository. Its claim must be exactly one component,
//! or several where the rule says so, such as a group of two levels. So a claim selects among the
//! repositories of the rule, and never widens it: a token cannot add a wildcard, another
//! permission, or an unexpected slash. A rule whose claim does not fit grants nothing, and the log
//! says why.
//!
//! Left out: any expression on claims beyond equality, and denial.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use scopegate_core::scope_map::MapName;
use scopegate_core::{RepositoryName, Role, Rule, ScopeMap};
use serde_json::Value;

use super::claims::{ClaimName, Claims, select};
use crate::config::providers::BindingConfig;

/// The bindings of one provider.
#[derive(Clone, Debug, Default)]
pub struct Bindings(Vec<Binding>);

/// The grants of a set of claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Scope maps by their names, as the configuration writes them.
    pub scope_maps: Vec<String>,
    pub roles: Vec<Role>,
    /// Rules, their placeholders filled.
    pub rules: Vec<Rule>,
    /// Rules that the claims did not fit, for the decision log.
    pub left_out: Vec<LeftOut>,
    /// Bindings that the claims miss by the type or the case of a value, for the same log.
    pub near_misses: Vec<NearMiss>,
}

/// A binding that does not hold, though its values look equal to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The index of the binding in the configuration.
    pub binding: usize,
    /// The claim that differs.
    pub claim: String,
    /// How it differs. The value is also in the configuration, and so may be logged.
    pub reason: String,
}

/// A rule that granted nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The rule, as the configuration writes it.
    pub rule: String,
    /// Why it granted nothing.
    pub reason: String,
}

impl Bindings {
    /// The maximum size of the claims, as JSON in bytes, that a refresh token carries for its
    /// bindings.
    pub const MAX_MENTIONED: usize = 4096;

    /// Reads bindings.
    ///
    /// # Errors
    ///
    /// When a binding has no `match`, holds for every token without a claim that narrows it, grants
    /// nothing, or names an invalid claim, value, scope map, role or rule.
    pub fn read(configs: &[BindingConfig]) -> anyhow::Result<Self> {
        let read =
            |(index, config)| Binding::read(config).with_context(|| format!("bindings[{index}]"));
        configs.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The grants of these claims.
    #[must_use]
    pub fn bind(&self, claims: &Claims) -> Bound {
        let mut bound = Bound::default();
        for (index, binding) in self.0.iter().enumerate() {
            if binding.holds(claims) {
                binding.add_to(&mut bound, claims);
            } else {
                bound.near_misses.extend(binding.near_misses(index, claims).unwrap_or_default());
            }
        }
        bound
    }

    /// Every scope map that a binding names; some more than once.
    pub fn scope_maps(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|binding| &binding.scope_maps).map(String::as_str)
    }

    /// The claims that a binding mentions. On these alone, [`Bindings::bind`] has the same result
    /// as on all claims.
    ///
    /// `None` when they take more than [`Bindings::MAX_MENTIONED`] bytes as JSON.
    #[must_use]
    pub fn mentioned(&self, claims: &Claims) -> Option<BTreeMap<String, Value>> {
        let mentioned = select(claims, self.0.iter().flat_map(Binding::claim_names));
        let size = serde_json::to_string(&mentioned).map_or(usize::MAX, |text| text.len());
        (size <= Self::MAX_MENTIONED).then_some(mentioned)
    }
}

impl Bound {
    /// Whether the claims grant nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scope_maps.is_empty() && self.roles.is_empty() && self.rules.is_empty()
    }
}

#[derive(Clone, Debug)]
struct Binding {
    conditions: Vec<Condition>,
    scope_maps: Vec<String>,
    roles: Vec<Role>,
    templates: Vec<Template>,
}

impl Binding {
    fn read(config: &BindingConfig) -> anyhow::Result<Self> {
        let Some(conditions) = &config.r#match else {
            bail!("nothing says whom it is for: write `match: {{claim: value}}`");
        };
        if config.rules.len() > ScopeMap::MAX_RULES {
            bail!("more than {} rules: write a scope map and name it", ScopeMap::MAX_RULES);
        }
        for name in &config.scope_maps {
            MapName::parse(name).map_err(|error| {
                anyhow::anyhow!("scope map `{name}`: {error} ({})", error.kind().hint())
            })?;
        }
        let binding = Self {
            conditions: conditions.iter().map(Condition::read).collect::<Result<_, _>>()?,
            scope_maps: config.scope_maps.clone(),
            roles: config.roles.iter().map(|name| read_role(name)).collect::<Result<_, _>>()?,
            templates: config.rules.iter().map(|t| Template::read(t)).collect::<Result<_, _>>()?,
        };
        binding.check()?;
        Ok(binding)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.scope_maps.is_empty() && self.roles.is_empty() && self.templates.is_empty() {
            bail!("it grants nothing: write `scopeMaps`, `roles` or `rules`");
        }
        if !self.conditions.is_empty() {
            return Ok(());
        }
        // Every token of the provider, and so every account there, would have its grants.
        if !self.scope_maps.is_empty() || !self.roles.is_empty() {
            bail!(
                "`match: {{}}` holds for every token of the provider: name a claim and its value, or \
                 leave `scopeMaps` and `roles` out"
            );
        }
        if let Some(template) = self.templates.iter().find(|t| !t.has_placeholder()) {
            bail!(
                "`match: {{}}` holds for every token of the provider: name a claim and its value, or \
                 write a placeholder into `{}`, such as `repositories/{{sub}}/*/content/read`",
                template.text
            );
        }
        Ok(())
    }

    fn holds(&self, claims: &Claims) -> bool {
        self.conditions.iter().all(|condition| condition.holds(claims))
    }

    /// The near misses, when every failing condition fails by type or case alone.
    fn near_misses(&self, binding: usize, claims: &Claims) -> Option<Vec<NearMiss>> {
        let failing = self.conditions.iter().filter(|condition| !condition.holds(claims));
        failing
            .map(|condition| {
                let reason = condition.nearly_holds(claims)?;
                Some(NearMiss { binding, claim: condition.claim.to_string(), reason })
            })
            .collect()
    }

    fn add_to(&self, bound: &mut Bound, claims: &Claims) {
        for name in &self.scope_maps {
            add_once(&mut bound.scope_maps, name.clone(), |a, b| a.eq_ignore_ascii_case(b));
        }
        for role in &self.roles {
            add_once(&mut bound.roles, *role, PartialEq::eq);
        }
        for template in &self.templates {
            match template.fill(claims) {
                Ok(rule) => add_once(&mut bound.rules, rule, PartialEq::eq),
                Err(reason) => {
                    bound.left_out.push(LeftOut { rule: template.text.clone(), reason });
                }
            }
        }
    }

    fn claim_names(&self) -> impl Iterator<Item = &ClaimName> {
        let of_conditions = self.conditions.iter().map(|condition| &condition.claim);
        of_conditions.chain(self.templates.iter().flat_map(Template::claim_names))
    }
}

fn add_once<T>(list: &mut Vec<T>, item: T, same: impl Fn(&T, &T) -> bool) {
    if !list.iter().any(|known| same(known, &item)) {
        list.push(item);
    }
}

fn read_role(name: &str) -> anyhow::Result<Role> {
    Role::parse(name).with_context(|| {
        let known = Role::ALL.map(Role::as_str).join(", ");
        format!("role `{name}` is unknown: write one of {known}")
    })
}

/// One entry of a `match`.
#[derive(Clone, Debug)]
struct Condition {
    claim: ClaimName,
    /// The accepted values.
    values: Vec<Value>,
}

impl Condition {
    fn read((name, value): (&String, &Value)) -> anyhow::Result<Self> {
        let claim = ClaimName::parse(name).map_err(anyhow::Error::msg)?;
        let values = match value {
            Value::Array(values) => values.clone(),
            value => vec![value.clone()],
        };
        if values.is_empty() {
            bail!("match `{name}`: no value is in an empty list: write a value");
        }
        if !values.iter().all(is_comparable) {
            bail!("match `{name}`: write a text, a whole number, true, false, or a list of these");
        }
        if let Some(value) = values.iter().find(|value| can_never_be(name, value)) {
            let kind = type_of(value);
            bail!(
                "match `{name}`: {value} is {kind}, and this claim never is: write a text in quotes"
            );
        }
        Ok(Self { claim, values })
    }

    /// How the claim differs from the first value that looks equal.
    fn nearly_holds(&self, claims: &Claims) -> Option<String> {
        let actual = match self.claim.find(claims)? {
            Value::Array(actual) => actual.as_slice(),
            value => std::slice::from_ref(value),
        };
        actual
            .iter()
            .find_map(|actual| self.values.iter().find_map(|value| differs_only_in(actual, value)))
    }

    fn holds(&self, claims: &Claims) -> bool {
        match self.claim.find(claims) {
            Some(Value::Array(actual)) => actual.iter().any(|value| self.values.contains(value)),
            Some(value) => self.values.contains(value),
            None => false,
        }
    }
}

/// How two values differ that look equal to a person; `None` for any others.
fn differs_only_in(actual: &Value, value: &Value) -> Option<String> {
    let (actual_text, text) = (bare(actual)?, bare(value)?);
    if !actual_text.eq_ignore_ascii_case(&text) {
        return None;
    }
    let (actual_type, expected_type) = (type_of(actual), type_of(value));
    if actual_type == expected_type {
        return Some(format!("the token and the binding write `{text}` in different case"));
    }
    let fix = match actual {
        Value::String(_) => "with quotes",
        _ => "without quotes",
    };
    Some(format!("the token has {actual_type}, the binding {expected_type}: write `{text}` {fix}"))
}

/// A value as a person reads it.
fn bare(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "a boolean",
        Value::Null | Value::Array(_) | Value::Object(_) => "no single value",
    }
}

/// Whether a claim cannot have this value in any token: RFC 7519, 8693 and 9068 and OpenID Connect
/// say that it is a text.
fn can_never_be(claim: &str, value: &Value) -> bool {
    const TEXTS: [&str; 9] =
        ["iss", "sub", "aud", "jti", "azp", "client_id", "scope", "nonce", "at_hash"];
    TEXTS.contains(&claim) && !value.is_string()
}

/// Whether equality with a value is unambiguous. It is not for fractions.
fn is_comparable(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Bool(_) => true,
        Value::Number(number) => !number.is_f64(),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// A rule with placeholders. INVARIANT: with a component in place of each placeholder it is a rule
/// that covers repositories.
#[derive(Clone, Debug)]
struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    /// Text of the rule, lower case.
    Text(String),
    /// One component, or several.
    Claim(ClaimName, Width),
}

/// How many components a placeholder may fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    /// `{claim}`
    One,
    /// `{+claim}`
    Several,
}

impl Template {
    fn read(text: &str) -> anyhow::Result<Self> {
        Self::parse(text).with_context(|| format!("rule `{text}`"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((claim, behind)) = after.split_once('}') else {
                bail!("a `{{` without `}}`: write `{{claim}}`");
            };
            if !before.ends_with('/') || !behind.starts_with('/') {
                bail!(
                    "`{{{claim}}}` is not a whole component: write `/{{{claim}}}/`, with nothing beside it"
                );
            }
            parts.push(literal(before)?);
            let (claim, width) = match claim.strip_prefix('+') {
                Some(claim) => (claim, Width::Several),
                None => (claim, Width::One),
            };
            parts.push(Part::Claim(ClaimName::parse(claim).map_err(anyhow::Error::msg)?, width));
            rest = behind;
        }
        // Two slashes end every rule: the one before the permission, and the one within it.
        if !parts.is_empty() && rest.matches('/').count() < 2 {
            bail!("a placeholder is a part of the repository: write the permission out");
        }
        parts.push(literal(rest)?);
        let template = Self { text: text.to_owned(), parts };
        let example = template.fill_with(|_, _| Ok("x"))?;
        let rule = Rule::parse(&example)
            .map_err(|error| anyhow::anyhow!("{error} ({})", error.kind().hint()))?;
        if rule.grant().is_none() {
            bail!("a rule for a gateway grants nothing here: write `repositories/…`");
        }
        Ok(template)
    }

    fn has_placeholder(&self) -> bool {
        self.claim_names().next().is_some()
    }

    fn claim_names(&self) -> impl Iterator<Item = &ClaimName> {
        self.parts.iter().filter_map(|part| match part {
            Part::Claim(name, _) => Some(name),
            Part::Text(_) => None,
        })
    }

    /// The rule, with its placeholders filled from these claims.
    fn fill(&self, claims: &Claims) -> Result<Rule, String> {
        let text = self
            .fill_with(|name, width| components(name, width, claims))
            .map_err(|reason: anyhow::Error| reason.to_string())?;
        Rule::parse(&text).map_err(|error| error.to_string())
    }

    fn fill_with<'a>(
        &self,
        components: impl Fn(&ClaimName, Width) -> anyhow::Result<&'a str>,
    ) -> anyhow::Result<String> {
        self.parts.iter().try_fold(String::new(), |mut text, part| {
            text.push_str(match part {
                Part::Text(literal) => literal,
                Part::Claim(name, width) => components(name, *width)?,
            });
            Ok(text)
        })
    }
}

fn literal(text: &str) -> anyhow::Result<Part> {
    if text.contains('}') {
        bail!("a `}}` without `{{`: write `{{claim}}`");
    }
    Ok(Part::Text(text.to_ascii_lowercase()))
}

/// The claim as components of a repository's name. The reasons leave its value out: it is
/// untrusted, and reasons are logged.
fn components<'a>(name: &ClaimName, width: Width, claims: &'a Claims) -> anyhow::Result<&'a str> {
    let value = name.find(claims).with_context(|| format!("the token has no claim `{name}`"))?;
    let Value::String(text) = value else {
        bail!("claim `{name}` is not a text");
    };
    if width == Width::One && text.contains('/') {
        bail!(
            "claim `{name}` has a slash, and is more than one component: write `{{+{name}}}` where that is meant"
        );
    }
    RepositoryName::parse(text).map_err(|error| anyhow::anyhow!("claim `{name}`: {error}"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use proptest::sample::select as one_of;
    use serde_json::json;

    fn read(yaml: &str) -> Result<Bindings, String> {
        let configs: Vec<BindingConfig> = serde_saphyr::from_str(yaml).unwrap();
        Bindings::read(&configs).map_err(|error| format!("{error:#}"))
    }

    fn claims(value: Value) -> Claims {
        serde_json::from_value(value).unwrap()
    }

    /// The grants of claims, in one line.
    fn opened(bindings: &Bindings, value: Value) -> String {
        let bound = bindings.bind(&claims(value));
        let roles = bound.roles.iter().map(|role| role.as_str().to_owned());
        let rules = bound.rules.iter().map(ToString::to_string);
        bound.scope_maps.into_iter().chain(roles).chain(rules).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn matching() {
        for (condition, value, holds) in [
            ("{a: x}", json!({"a": "x"}), true),
            ("{a: x}", json!({"a": "X"}), false),
            ("{a: x}", json!({"a": ["w", "x"]}), true),
            ("{a: x}", json!({"a": [["x"]]}), false),
            ("{a: x}", json!({"a": {"x": "x"}}), false),
            ("{a: x}", json!({"a": null}), false),
            ("{a: x}", json!({}), false),
            ("{a: [x, z2]}", json!({"a": "z2"}), true),
            ("{a: [x, z2]}", json!({"a": ["z", "z2"]}), true),
            ("{a: [x, z2]}", json!({"a": "z"}), false),
            ("{a: x, b: z2}", json!({"a": "x", "b": "z2"}), true),
            ("{a: x, b: z2}", json!({"a": "x"}), false),
            ("{a: 1}", json!({"a": 1}), true),
            ("{a: 1}", json!({"a": "1"}), false),
            ("{a: 1}", json!({"a": 1.0}), false),
            ("{a: true}", json!({"a": true}), true),
            ("{a: true}", json!({"a": "true"}), false),
            ("{a: 'true'}", json!({"a": "true"}), true),
            ("{/a/b: x}", json!({"a": {"b": ["x"]}}), true),
            ("{/a/b: x}", json!({"/a/b": "x"}), false),
            ("{a/b: x}", json!({"a/b": "x"}), true),
            ("{a.b: x}", json!({"a": {"b": "x"}}), false),
            ("{a: ''}", json!({}), false),
        ] {
            let bindings = read(&format!("[{{match: {condition}, roles: [AcrPull]}}]")).unwrap();
            assert_eq!(!opened(&bindings, value.clone()).is_empty(), holds, "{condition} {value}");
        }
    }

    #[test]
    fn bindings_add_up() {
        let bindings = read(
            "- {match: {a: x}, scopeMaps: [some-map, other-map], roles: [acrpull]}
- {match: {b: z2}, scopeMaps: [Some-Map], roles: [AcrPull, AcrPush], rules: ['repositories/Q/{c}/content/read']}
",
        )
        .unwrap();
        for (value, expected) in [
            (json!({"a": "x"}), "some-map other-map AcrPull"),
            (json!({"b": "z2"}), "Some-Map AcrPull AcrPush"),
            (
                json!({"b": "z2", "c": "z"}),
                "Some-Map AcrPull AcrPush repositories/q/z/content/read",
            ),
            (json!({"a": "x", "b": "z2"}), "some-map other-map AcrPull AcrPush"),
            (json!({}), ""),
        ] {
            assert_eq!(opened(&bindings, value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn placeholders() {
        let long = "a".repeat(250);
        for (rule, value, expected) in [
            (
                "repositories/{a}/*/content/read",
                json!("octo"),
                Ok("repositories/octo/*/content/read"),
            ),
            ("repositories/{a}/content/read", json!("a-b"), Ok("repositories/a-b/content/read")),
            (
                "repositories/x/{a}/{a}/y/content/read",
                json!("o"),
                Ok("repositories/x/o/o/y/content/read"),
            ),
            ("repositories/{a}/*/content/read", json!("octo/evil"), Err("more than one component")),
            ("repositories/{a}/*/content/read", json!("*"), Err("claim `a`: invalid character")),
            ("repositories/{a}/*/content/read", json!("a/*"), Err("more than one component")),
            ("repositories/{a}/*/content/read", json!(".."), Err("claim `a`: misplaced separator")),
            ("repositories/{a}/*/content/read", json!("%2f"), Err("claim `a`: invalid character")),
            ("repositories/{a}/*/content/read", json!("Octo"), Err("claim `a`: uppercase letter")),
            (
                "repositories/{a}/*/content/read",
                json!(""),
                Err("claim `a`: the repository name is empty"),
            ),
            ("repositories/{a}/*/content/read", json!("{b}"), Err("claim `a`: invalid character")),
            // The Kelvin sign, whose lower case is `k`.
            (
                "repositories/{a}/*/content/read",
                json!("\u{212a}"),
                Err("claim `a`: invalid character"),
            ),
            ("repositories/{a}/*/content/read", json!(1), Err("claim `a` is not a text")),
            ("repositories/{a}/*/content/read", json!(["octo"]), Err("claim `a` is not a text")),
            ("repositories/{b}/*/content/read", json!("octo"), Err("no claim `b`")),
            (
                "repositories/{a}/*/content/read",
                json!("group/sub"),
                Err("write `{+a}` where that is meant"),
            ),
            (
                "repositories/{+a}/*/content/read",
                json!("group/sub"),
                Ok("repositories/group/sub/*/content/read"),
            ),
            (
                "repositories/{+a}/*/content/read",
                json!("octo"),
                Ok("repositories/octo/*/content/read"),
            ),
            (
                "repositories/x/{+a}/content/read",
                json!("group/sub/app"),
                Ok("repositories/x/group/sub/app/content/read"),
            ),
            (
                "repositories/{+a}/*/content/read",
                json!("octo/*"),
                Err("claim `a`: invalid character"),
            ),
            ("repositories/{+a}/*/content/read", json!("octo/"), Err("claim `a`: extra slash")),
            (
                "repositories/{+a}/*/content/read",
                json!("../x"),
                Err("claim `a`: misplaced separator"),
            ),
            ("repositories/{+a}/*/content/read", json!("a//b"), Err("claim `a`: extra slash")),
            ("repositories/{a}/{a}/content/read", json!(long), Err("too long (maximum 255 bytes)")),
        ] {
            let bindings = read(&format!("[{{match: {{}}, rules: ['{rule}']}}]")).unwrap();
            let bound = bindings.bind(&claims(json!({ "a": value })));
            match expected {
                Ok(expected) => {
                    assert_eq!(
                        bound.rules.iter().map(ToString::to_string).collect::<Vec<_>>(),
                        [expected]
                    );
                    assert_eq!(bound.left_out, []);
                }
                Err(reason) => {
                    assert!(bound.is_empty(), "{rule} {value}");
                    assert_eq!(bound.left_out[0].rule, rule);
                    assert!(bound.left_out[0].reason.contains(reason), "{:?}", bound.left_out);
                }
            }
        }
    }

    #[track_caller]
    fn nearly_holds(conditions: &str, value: Value, expected: &[(&str, &str)]) {
        let bindings = read(&format!("[{{match: {conditions}, roles: [AcrPull]}}]")).unwrap();
        let bound = bindings.bind(&claims(value.clone()));
        let misses = bound.near_misses.iter();
        let found: Vec<_> =
            misses.map(|miss| (miss.claim.as_str(), miss.reason.as_str())).collect();
        assert_eq!(found, expected, "{conditions} {value}");
        assert!(found.is_empty() || bound.is_empty(), "{conditions} {value}");
    }

    #[test]
    fn near_misses() {
        let quotes = "the token has a text, the binding a boolean: write `true` with quotes";
        let number = "the token has a text, the binding a number: write `74` with quotes";
        let text = "the token has a number, the binding a text: write `74` without quotes";
        let case = "the token and the binding write `Octo` in different case";
        for (conditions, value, expected) in [
            ("{a: true}", json!({"a": "true"}), &[("a", quotes)][..]),
            ("{a: 74}", json!({"a": "74"}), &[("a", number)]),
            ("{a: '74'}", json!({"a": 74}), &[("a", text)]),
            ("{a: '74'}", json!({"a": ["x", 74]}), &[("a", text)]),
            ("{a: Octo}", json!({"a": "octo"}), &[("a", case)]),
            ("{a: true, b: x}", json!({"a": "true", "b": "x"}), &[("a", quotes)]),
            (
                "{a: true, b: Octo}",
                json!({"a": "true", "b": "octo"}),
                &[("a", quotes), ("b", case)],
            ),
            // Another condition fails anyway, so the type is not the reason.
            ("{a: true, b: x}", json!({"a": "true", "b": "y"}), &[]),
            ("{a: true, b: x}", json!({"a": "true"}), &[]),
            ("{a: true}", json!({"a": "false"}), &[]),
            ("{a: x}", json!({"a": {"x": "x"}}), &[]),
            ("{a: true}", json!({"a": true}), &[]),
        ] {
            nearly_holds(conditions, value, expected);
        }
    }

    #[test]
    fn nested_claims_fill_placeholders() {
        let bindings =
            read("[{match: {}, rules: ['repositories/{/team/name}/{https://e.example/x}/content/read']}]")
                .unwrap();
        let value = json!({"team": {"name": "core"}, "https://e.example/x": "app"});
        assert_eq!(opened(&bindings, value), "repositories/core/app/content/read");
    }

    #[test]
    fn errors_say_what_to_write_instead() {
        for (binding, says) in [
            (
                "{roles: [AcrPull]}",
                "bindings[0]: nothing says whom it is for: write `match: {claim: value}`",
            ),
            ("{match: {a: x}}", "bindings[0]: it grants nothing: write `scopeMaps`"),
            ("{match: {}, roles: [AcrPull]}", "holds for every token"),
            ("{match: {}, scopeMaps: [some-map]}", "holds for every token"),
            (
                "{match: {}, rules: [repositories/a/content/read]}",
                "write a placeholder into `repositories/a/content/read`",
            ),
            (
                "{match: {}, rules: ['repositories/{a}/content/read', 'repositories/*/content/read']}",
                "write a placeholder into `repositories/*/content/read`",
            ),
            ("{match: {a: []}, roles: [AcrPull]}", "match `a`: no value is in an empty list"),
            ("{match: {a: null}, roles: [AcrPull]}", "match `a`: write a text"),
            ("{match: {a: 1.5}, roles: [AcrPull]}", "match `a`: write a text, a whole number"),
            ("{match: {a: {b: c}}, roles: [AcrPull]}", "match `a`: write a text"),
            (
                "{match: {sub: 1}, roles: [AcrPull]}",
                "match `sub`: 1 is a number, and this claim never is",
            ),
            ("{match: {aud: [a, true]}, roles: [AcrPull]}", "match `aud`: true is a boolean"),
            ("{match: {'': x}, roles: [AcrPull]}", "names no claim: write `sub`"),
            ("{match: {/a~: x}, roles: [AcrPull]}", "is not a JSON pointer: write `~0`"),
            (
                "{match: {a: x}, roles: [AcrSign]}",
                "role `AcrSign` is unknown: write one of AcrPull, AcrPush",
            ),
            (
                "{match: {a: x}, scopeMaps: ['a b']}",
                "scope map `a b`: invalid scope map name (use 5 to 50",
            ),
            (
                "{match: {a: x}, rules: [repositories/a/content/pull]}",
                "rule `repositories/a/content/pull`: unknown permission (use content/read",
            ),
            (
                "{match: {a: x}, rules: [gateway/a/config/read]}",
                "a rule for a gateway grants nothing",
            ),
            (
                "{match: {a: x}, rules: ['gateway/{a}/config/read']}",
                "a rule for a gateway grants nothing",
            ),
            ("{match: {a: x}, rules: ['repositories/{a}/read']}", "write the permission out"),
            ("{match: {a: x}, rules: ['repositories/x/{a}/read']}", "write the permission out"),
            ("{match: {a: x}, rules: ['repositories/x/content/{a}']}", "is not a whole component"),
            ("{match: {a: x}, rules: ['{a}/x/content/read']}", "is not a whole component"),
            ("{match: {a: x}, rules: ['/{a}/x/content/read']}", "not a valid rule"),
            (
                "{match: {a: x}, rules: ['repositories/a-{a}/content/read']}",
                "write `/{a}/`, with nothing beside it",
            ),
            (
                "{match: {a: x}, rules: ['repositories/{a}*/content/read']}",
                "is not a whole component",
            ),
            (
                "{match: {a: x}, rules: ['repositories/{a}{b}/content/read']}",
                "is not a whole component",
            ),
            ("{match: {a: x}, rules: ['repositories/*/{a}/content/read']}", "text after the `*`"),
            ("{match: {a: x}, rules: ['repositories/{a/content/read']}", "a `{` without `}`"),
            ("{match: {a: x}, rules: ['repositories/a}/content/read']}", "a `}` without `{`"),
            ("{match: {a: x}, rules: ['repositories/{}/content/read']}", "names no claim"),
            ("{match: {a: x}, rules: ['repositories/{+}/content/read']}", "names no claim"),
        ] {
            let error = read(&format!("[{binding}]")).unwrap_err();
            assert!(error.contains(says), "{binding}: {error}");
        }
    }

    #[test]
    fn what_refresh_tokens_carry() {
        let bindings = read(
            "- {match: {a: x, /b/c: z2}, roles: [AcrPull]}
- {match: {}, rules: ['repositories/{d}/content/read']}
",
        )
        .unwrap();
        let all = json!({"a": "x", "b": {"c": "z2", "secret": 1}, "d": "z", "email": "e@example"});
        let expected = json!({"a": "x", "b": {"c": "z2"}, "d": "z"});
        assert_eq!(json!(bindings.mentioned(&claims(all))), expected);
        let room = Bindings::MAX_MENTIONED - r#"{"a":""}"#.len();
        assert!(bindings.mentioned(&claims(json!({"a": "x".repeat(room)}))).is_some());
        assert!(bindings.mentioned(&claims(json!({"a": "x".repeat(room + 1)}))).is_none());
        assert!(bindings.mentioned(&claims(json!({"e": "x".repeat(room + 1)}))).is_some());
    }

    // ── properties ──

    const PLACEHOLDER: &str = "{}";

    const NAMES: &[&str] = &["a", "b", "/a/b", "/b/a", "/a/0"];

    /// A claim's value: nearly a component, or any value.
    fn value() -> impl Strategy<Value = Value> {
        const TEXTS: &[&str] = &[
            "x",
            "octo",
            "a/b",
            "*",
            "x/*",
            "X",
            "",
            "..",
            ".",
            "x/content/write",
            "{a}",
            "x y",
            "x\n",
            "é",
            "x%2fy",
            "x/",
            "/x",
            "-",
            "a--b",
            "_",
            "x\0",
        ];
        let leaf = prop_oneof![
            4 => one_of(TEXTS).prop_map(|text| json!(text)),
            2 => "[a-z0-9._/*{}-]{0,6}".prop_map(Value::String),
            1 => any::<String>().prop_map(Value::String),
            1 => any::<i64>().prop_map(|number| json!(number)),
            1 => any::<f64>().prop_map(|number| json!(number)),
            1 => any::<bool>().prop_map(|boolean| json!(boolean)),
            1 => Just(Value::Null),
            1 => Just(json!("a".repeat(255))),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..3).prop_map(Value::Array),
                btree_map(one_of(&["a", "b", "c"][..]).prop_map(str::to_owned), inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn any_claims() -> impl Strategy<Value = Claims> {
        btree_map(one_of(&["a", "b", "c", "/a/b"][..]).prop_map(str::to_owned), value(), 0..5)
    }

    /// A rule with at least one placeholder.
    fn template() -> impl Strategy<Value = String> {
        let placeholder = || one_of(NAMES).prop_map(|name| format!("{{{name}}}"));
        let component =
            || prop_oneof![one_of(&["x", "Team", "q"][..]).prop_map(str::to_owned), placeholder()];
        let end = one_of(&["", "/*"][..]);
        let permission = one_of(&["content/read", "metadata/write"][..]);
        (vec(component(), 0..3), placeholder(), vec(component(), 0..2), end, permission).prop_map(
            |(before, placeholder, after, end, permission)| {
                let pattern = [before, vec![placeholder], after].concat().join("/");
                format!("repositories/{pattern}{end}/{permission}")
            },
        )
    }

    fn condition() -> impl Strategy<Value = (String, Value)> {
        let value =
            prop_oneof![one_of(&["x", "octo"][..]).prop_map(|text| json!(text)), Just(json!(true))];
        (one_of(NAMES).prop_map(str::to_owned), value)
    }

    fn config() -> impl Strategy<Value = BindingConfig> {
        (btree_map(one_of(NAMES).prop_map(str::to_owned), condition(), 1..3), vec(template(), 0..3))
            .prop_map(|(conditions, rules)| BindingConfig {
                r#match: Some(conditions.into_values().collect()),
                scope_maps: vec!["some-map".into()],
                roles: vec!["AcrPull".into()],
                rules,
            })
    }

    /// Splits a template independently of this module: no claim's name in these tests contains a
    /// component of another.
    fn components(template: &str) -> Vec<String> {
        let mut text = template.to_owned();
        for name in NAMES {
            text = text.replace(&format!("{{{name}}}"), PLACEHOLDER);
        }
        text.to_ascii_lowercase().split('/').map(str::to_owned).collect()
    }

    /// Whether the template, each placeholder read as any one component, covers `name`.
    fn covers(template: &[String], name: &str) -> bool {
        let pattern = &template[1..template.len() - 2];
        let names: Vec<_> = name.split('/').collect();
        let (pattern, deeper) = match pattern.split_last() {
            Some((last, before)) if last == "*" => (before, true),
            _ => (pattern, false),
        };
        let enough =
            if deeper { names.len() > pattern.len() } else { names.len() == pattern.len() };
        enough && pattern.iter().zip(names).all(|(part, name)| part == PLACEHOLDER || part == name)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn a_placeholder_only_narrows(
            template in template(),
            claims in any_claims(),
            name in "[xq]|octo|(x|q|octo|team)(/(x|q|octo|team)){0,4}",
        ) {
            let config = BindingConfig {
                r#match: Some(BTreeMap::new()),
                scope_maps: Vec::new(),
                roles: Vec::new(),
                rules: vec![template.clone()],
            };
            let bound = Bindings::read(&[config]).unwrap().bind(&claims);
            prop_assert_eq!(bound.rules.len() + bound.left_out.len(), 1);
            let expected = components(&template);
            for rule in &bound.rules {
                let text = rule.to_string();
                let parts: Vec<_> = text.split('/').collect();
                prop_assert_eq!(parts.len(), expected.len());
                for (part, expected) in parts.iter().zip(&expected) {
                    let filled = expected == PLACEHOLDER && RepositoryName::parse(part).is_ok();
                    prop_assert!(filled || expected == part, "{} for {}", text, template);
                }
                // Names that the rule covers, built from the rule itself, and an unrelated one.
                let (pattern, permission) = rule.grant().unwrap();
                prop_assert_eq!(permission.to_string(), expected[expected.len() - 2..].join("/"));
                let below = pattern.to_string().replace('*', "some/where");
                for name in [below, name.clone()] {
                    let covered = RepositoryName::parse(&name).is_ok_and(|name| pattern.matches(name));
                    prop_assert!(!covered || covers(&expected, &name), "{} {}", text, name);
                }
            }
        }

        #[test]
        fn what_is_mentioned_is_enough(configs in vec(config(), 0..4), claims in any_claims()) {
            let bindings = Bindings::read(&configs).unwrap();
            let Some(mentioned) = bindings.mentioned(&claims) else { return Ok(()) };
            // As it comes out of a refresh token.
            let text = serde_json::to_string(&mentioned).unwrap();
            prop_assert!(text.len() <= Bindings::MAX_MENTIONED);
            let carried: Claims = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(bindings.bind(&carried), bindings.bind(&claims));
        }
    }
}
