//! The user names under which a provider's tokens are taken as passwords.
//!
//! docker and its like send a name and a password, and no token. A password goes further than a
//! token does that a job shows: clients keep it, and proxies and logs may see it. So only tokens
//! that are for one audience are taken, one of the provider's, and none that opens the cluster or
//! the provider which issued it.
//!
//! Kubernetes takes a service account's token for its API server's audience: by default the issuer
//! itself, or `https://kubernetes.default.svc…`
//! (<https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/>). Such an
//! audience is refused in the configuration, so that no token with it is ever taken.

use anyhow::bail;
use serde_json::Value;

use crate::config::providers::ProviderConfig;
use crate::domain::reason::Reason;
use crate::model::password_user::check_password_user;

/// The domains of API servers in AKS and EKS.
const HOSTED: [&str; 5] =
    [".azmk8s.io", ".azmk8s.us", ".azk8s.cn", ".eks.amazonaws.com", ".eks.amazonaws.com.cn"];

/// The user names of one provider.
#[derive(Clone, Debug, Default)]
pub(super) struct PasswordUsers(Vec<String>);

impl PasswordUsers {
    /// Reads the names, and checks the audiences of their passwords.
    ///
    /// # Errors
    ///
    /// For a name that another principal may have, for one that is listed twice, and for an
    /// audience that opens the cluster or the provider itself.
    pub(super) fn read(config: &ProviderConfig) -> anyhow::Result<Self> {
        let names = &config.password_users;
        for (index, name) in names.iter().enumerate() {
            if let Err(error) = check_password_user(name) {
                bail!("`{}`: {error}", name.escape_debug());
            }
            if names.iter().take(index).any(|other| other.eq_ignore_ascii_case(name)) {
                bail!("`{name}` is listed twice: its case does not count");
            }
        }
        let own = config.audiences.iter().find(|audience| is_own(audience, &config.issuer));
        if let (false, Some(audience)) = (names.is_empty(), own) {
            bail!(
                "tokens for the audience `{audience}` open the cluster or the provider that issues them, so they are not passwords: write an audience of the registry alone"
            );
        }
        Ok(Self(names.clone()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.iter().any(|user| user.eq_ignore_ascii_case(name))
    }
}

/// Refuses a password whose `aud` is neither one text nor a list of one.
pub(super) fn check_one_audience(audience: Option<&Value>) -> Result<(), Reason> {
    let is_one = match audience {
        Some(Value::String(_)) => true,
        Some(Value::Array(values)) => matches!(values.as_slice(), [Value::String(_)]),
        _ => false,
    };
    if is_one { Ok(()) } else { Err(Reason::NotOneAudience) }
}

/// Whether an audience is that of a cluster's API server, or of the issuer itself.
fn is_own(audience: &str, issuer: &str) -> bool {
    let audience = audience.trim().trim_end_matches('/').to_ascii_lowercase();
    if audience == issuer.trim_end_matches('/').to_ascii_lowercase() {
        return true;
    }
    // The API servers of k3s and rke2 take these names beside their address, and older clusters the
    // first.
    if ["api", "k3s", "rke2"].contains(&audience.as_str()) {
        return true;
    }
    let address = audience.split_once("://").map_or(audience.as_str(), |(_, address)| address);
    let host = address.split(['/', ':', '?', '#']).next().unwrap_or_default().trim_end_matches('.');
    let is_in_cluster = host == "kubernetes"
        || host == "kubernetes.default"
        || host.starts_with("kubernetes.default.");
    let is_hosted =
        host == "container.googleapis.com" || HOSTED.iter().any(|domain| host.ends_with(domain));
    is_in_cluster || is_hosted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(users: &Value, audiences: &Value) -> Result<PasswordUsers, String> {
        let config = json!({
            "name": "p", "issuer": "https://i.example/", "audiences": audiences, "passwordUsers": users,
        });
        let config = serde_json::from_value(config).unwrap();
        PasswordUsers::read(&config).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn names() {
        let users = read(&json!(["token", "JWT"]), &json!(["a"])).unwrap();
        for (name, expected) in [("token", true), ("TOKEN", true), ("jwt", true), ("t", false)] {
            assert_eq!(users.contains(name), expected, "{name}");
        }
        for (users, says) in [
            (json!([""]), "1 to 50"),
            (json!(["a\u{1b}[2Jb"]), "`a\\u{1b}[2Jb`: write 1 to 50"),
            (json!(["administrator"]), "client ids look"),
            (json!(["jwt", "Jwt"]), "listed twice"),
        ] {
            let error = read(&users, &json!(["a"])).unwrap_err();
            assert!(error.contains(says), "{users} {error}");
        }
    }

    #[test]
    fn audiences_of_a_cluster_are_refused() {
        for (audience, is_refused) in [
            ("https://containerregistry.azure.net", false),
            ("registry.example.com", false),
            ("https://kubernetes-registry.example.com", false),
            ("https://kubernetes.example.com", false),
            ("https://registry.default.svc.cluster.local", false),
            ("https://i.example/registry", false),
            ("https://kubernetes.default.svc", true),
            ("https://kubernetes.default.svc.cluster.local", true),
            ("https://kubernetes.default.svc.", true),
            ("https://Kubernetes.Default.svc:443/", true),
            ("https://kubernetes.default", true),
            ("https://kubernetes", true),
            ("kubernetes.default.svc", true),
            ("k3s", true),
            ("api", true),
            ("https://x-1.hcp.westeurope.azmk8s.io", true),
            ("https://container.googleapis.com/v1/projects/p/locations/l/clusters/c", true),
            ("https://ABC.gr7.eu-west-1.eks.amazonaws.com", true),
            ("https://oidc.eks.eu-west-1.amazonaws.com", false),
            ("https://i.example", true),
            ("https://i.example/", true),
            ("https://I.example", true),
        ] {
            let audiences = json!(["registry.example.com", audience]);
            let refused = read(&json!(["token"]), &audiences).err();
            assert_eq!(refused.is_some(), is_refused, "{audience} {refused:?}");
            // Without passwords it is a matter of the provider's tokens alone.
            assert!(read(&json!([]), &audiences).is_ok(), "{audience}");
        }
    }

    #[test]
    fn one_audience() {
        for (audience, is_one) in [
            (json!("a"), true),
            (json!(["a"]), true),
            (json!(["a", "b"]), false),
            (json!(["a", "a"]), false),
            (json!([]), false),
            (json!([["a"]]), false),
            (json!({"a": "a"}), false),
            (json!(7), false),
            (json!(null), false),
        ] {
            assert_eq!(check_one_audience(Some(&audience)).is_ok(), is_one, "{audience}");
        }
        assert!(check_one_audience(None).is_err());
    }
}
