//! The decision log: one event for each token request, under the target `decision`.
//!
//! It has the principal, the address, the requested and granted scopes, the rules, and the engine.
//! It holds no secret: scopes, rules and names are texts of the policy, and an unknown name is left
//! out, because people type passwords into the wrong field.
//!
//! Texts from clients are bounded, and what looks like a secret in them is hidden; the log escapes
//! unprintable characters.

use std::net::IpAddr;
use std::time::Duration;

use super::metrics;
use scopegate_edge::target::{for_log, without_secrets};

/// The maximum length of a logged list, in bytes.
const MAX_LIST_LEN: usize = 8 * 1024;

/// One token request and its outcome.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decision<'a> {
    /// The scopes as the client wrote them.
    pub requested: &'a [&'a str],
    /// The granted access, as scopes.
    pub granted: Vec<String>,
    /// The denied access, as scopes.
    pub denied: Vec<String>,
    /// The repositories of the claim `untag`.
    pub untag: Vec<String>,
    /// Invalid scopes, each with its error.
    pub invalid: Vec<String>,
    /// The rules that granted access, as written in the scope maps.
    pub rules: Vec<String>,
    /// The principal; `None` when unknown. A refused one has proven its name.
    pub principal: Option<Principal<'a>>,
    /// The id of the issued or exchanged token.
    pub jti: Option<&'a str>,
    /// The id of the token that the client presented, once its signature was verified.
    pub presented_jti: Option<&'a str>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The id in the client's answer.
    pub correlation_id: &'a str,
    /// The SHA-256 of the engine that decided.
    pub engine: &'a str,
    /// The duration of the request.
    pub duration: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Principal<'a> {
    /// `token`, `admin`, `service_principal`, `identity` or `anonymous`.
    pub kind: &'static str,
    /// The name, as the policy writes it.
    pub name: &'a str,
    /// The identity provider's name in the configuration. An identity's name is unique only
    /// together with it.
    pub provider: Option<&'a str>,
}

/// A request at another proxy, and the status of its decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge<'a> {
    pub method: &'a str,
    /// Its path and query.
    pub target: &'a str,
    /// 200 when it is allowed.
    pub status: u16,
}

impl Decision<'_> {
    /// Logs and counts a token that was issued.
    pub(crate) fn issued(&self) {
        let kind = self.principal.map_or("anonymous", |principal| principal.kind);
        metrics::token_issued(kind);
        self.log("issued", None);
    }

    /// Logs an exchanged refresh token.
    pub(crate) fn exchanged(&self) {
        self.log("exchanged", None);
    }

    /// Logs and counts a refusal: the code of its reason, and a sentence for the log alone.
    pub(crate) fn refused(&self, reason: &'static str, detail: &'static str) {
        metrics::token_denied(reason);
        self.log("refused", Some((reason, detail)));
    }

    /// Logs a refresh token that was revoked.
    pub(crate) fn revoked(&self) {
        self.log("revoked", None);
    }

    /// Logs a token that was to be revoked and is not valid, and why.
    pub(crate) fn ignored(&self, reason: &'static str, detail: &'static str) {
        self.log("ignored", Some((reason, detail)));
    }

    /// Logs the decision about a request at another proxy. Its target is a client's text.
    pub(crate) fn at_edge(&self, edge: Edge<'_>) {
        tracing::info!(
            target: "decision",
            outcome = if edge.status == 200 { "forwarded" } else { "refused" },
            method = edge.method,
            request = joined(&[for_log(edge.target).as_str()], ""),
            status = edge.status,
            principal = self.principal.map(|principal| principal.kind),
            name = self.principal.map(|principal| principal.name),
            provider = self.principal.and_then(|principal| principal.provider),
            presented_jti = self.presented_jti,
            granted = joined(&self.granted, " "),
            address = self.address.map(|address| address.to_string()),
            correlation_id = self.correlation_id,
            engine_sha256 = self.engine,
            microseconds = u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX),
        );
    }

    fn log(&self, outcome: &'static str, refused: Option<(&'static str, &'static str)>) {
        let (reason, detail) = refused.unzip();
        let (kind, name) = self.principal.map(|p| (p.kind, p.name)).unzip();
        tracing::info!(
            target: "decision",
            outcome,
            reason,
            detail,
            principal = kind,
            name,
            provider = self.principal.and_then(|principal| principal.provider),
            jti = self.jti,
            presented_jti = self.presented_jti,
            requested = joined(&hidden(self.requested), " "),
            granted = joined(&self.granted, " "),
            denied = joined(&self.denied, " "),
            untag = Some(joined(&self.untag, " ")).filter(|names| !names.is_empty()),
            invalid = joined(&hidden(&self.invalid), "; "),
            rules = joined(&self.rules, "; "),
            address = self.address.map(|address| address.to_string()),
            correlation_id = self.correlation_id,
            engine_sha256 = self.engine,
            // Hours in microseconds are far below the maximum.
            microseconds = u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX),
        );
    }
}

/// Before a list is cut: what is left of a secret there would be too short to look like one.
fn hidden(texts: &[impl AsRef<str>]) -> Vec<String> {
    texts.iter().map(|text| without_secrets(text.as_ref())).collect()
}

fn joined(texts: &[impl AsRef<str>], separator: &str) -> String {
    let mut list = String::new();
    for text in texts {
        if !list.is_empty() {
            list.push_str(separator);
        }
        list.push_str(text.as_ref());
        if list.len() > MAX_LIST_LEN {
            list.truncate(list.floor_char_boundary(MAX_LIST_LEN));
            list.push('…');
            break;
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::config::Log;
    use crate::telemetry::log::layer;

    /// The log line of one decision.
    fn logged(log: &Log, decision: &Decision<'_>) -> String {
        let path = tempfile::NamedTempFile::new().unwrap();
        let writer = std::sync::Mutex::new(path.reopen().unwrap());
        let subscriber = tracing_subscriber::registry().with(layer(log, writer));
        tracing::subscriber::with_default(subscriber, || {
            decision.issued();
            decision.refused("unknown_token", "an unknown token");
        });
        std::fs::read_to_string(path.path()).unwrap()
    }

    fn decision() -> Decision<'static> {
        Decision {
            requested: &["repository:app:pull,push", "x\ninfo forged"],
            granted: vec!["repository:app:pull".into()],
            denied: vec!["repository:app:push".into()],
            untag: vec!["app".into(), "team/app".into()],
            invalid: vec!["x: no scope".into()],
            rules: vec!["repositories/app/content/read".into()],
            principal: Some(Principal { kind: "identity", name: "Reader", provider: Some("ci") }),
            jti: Some("3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
            presented_jti: Some("6d7e1c90-4f89-41d3-9a0c-0305e82c3302"),
            address: Some("203.0.113.1".parse().unwrap()),
            correlation_id: "7d3f1c2e-0000-4a5b-8c9d-0123456789ab",
            engine: "abc",
            duration: Duration::from_micros(1500),
        }
    }

    #[test]
    fn one_object_a_line() {
        let text = logged(&Log { json: true, decisions: true }, &decision());
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [issued, refused] = &lines[..] else { panic!("{text}") };
        assert_eq!(issued["target"], "decision");
        let fields = &issued["fields"];
        for (field, value) in [
            ("outcome", "issued"),
            ("principal", "identity"),
            ("name", "Reader"),
            ("provider", "ci"),
            ("jti", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
            ("presented_jti", "6d7e1c90-4f89-41d3-9a0c-0305e82c3302"),
            ("requested", "repository:app:pull,push x\ninfo forged"),
            ("granted", "repository:app:pull"),
            ("denied", "repository:app:push"),
            ("untag", "app team/app"),
            ("invalid", "x: no scope"),
            ("rules", "repositories/app/content/read"),
            ("address", "203.0.113.1"),
            ("correlation_id", "7d3f1c2e-0000-4a5b-8c9d-0123456789ab"),
            ("engine_sha256", "abc"),
        ] {
            assert_eq!(fields[field], value, "{field}");
        }
        assert_eq!(fields["microseconds"], 1500);
        assert_eq!(refused["fields"]["reason"], "unknown_token");
        assert_eq!(refused["fields"]["detail"], "an unknown token");
    }

    #[test]
    fn text_cannot_be_forged() {
        let text = logged(&Log { json: false, decisions: true }, &decision());
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn decisions_can_be_left_out() {
        assert_eq!(logged(&Log { json: false, decisions: false }, &decision()), "");
    }

    #[test]
    fn what_is_pasted_into_a_scope_is_hidden() {
        let password = "sgp_orLPSoOCPJNVx79jH1t6WByfyOG-G75B";
        let pasted = format!("repository:{password}:pull");
        // Cut in the middle of it, if it was still there.
        let long = format!("{}{password}", "a:".repeat(MAX_LIST_LEN / 2 - 8));
        for requested in [&[pasted.as_str()][..], &["repository:a:pull", long.as_str()]] {
            let invalid = vec![format!("`{pasted}`: uppercase letter")];
            let text = logged(
                &Log { json: false, decisions: true },
                &Decision { requested, invalid, ..decision() },
            );
            assert!(!text.contains("sgp_orLP"), "{text}");
            assert!(text.contains("***"), "{text}");
        }
    }

    #[test]
    fn lists_are_bounded() {
        let long = "é".repeat(MAX_LIST_LEN);
        for list in [vec![long.as_str()], vec!["a"; MAX_LIST_LEN]] {
            let text = joined(&list, " ");
            assert!(text.len() <= MAX_LIST_LEN + '…'.len_utf8() && text.ends_with('…'));
        }
        assert_eq!(joined(&["a", "b"], "; "), "a; b");
    }
}
