//! What the authority's endpoints have in common: the tenant of a path, the audience of a scope,
//! and forms.
//!
//! A path names the tenant, or one of the words for a client that does not know it; tokens name it.

use super::oauth_error::OAuthError;
use super::parameters::Parameters;
use crate::app::App;
use crate::config::REGISTRY_AUDIENCE;

/// The words for a tenant that is not known yet: there is one.
const ANY_TENANT: [&str; 2] = ["common", "organizations"];

/// The issuer of a tenant's ID tokens.
pub(super) fn authority_of(app: &App, tenant: &str) -> String {
    format!("{}/{tenant}/v2.0", app.settings.management_url())
}

/// The form. The query is ignored, and a secret in it is refused.
pub(super) fn form<'r>(
    query: Option<&'r str>,
    body: &'r [u8],
) -> Result<Parameters<'r>, OAuthError> {
    Parameters::of_post(query, &[])
        .and_then(|_| Parameters::of_post(None, body))
        .map_err(|_| OAuthError::invalid("a secret in the query; send it in the form"))
}

/// The audience of a scope: the address that the client was given, with or without a trailing
/// slash, and `/.default`. Only that of management is for management.
pub(super) fn audience(app: &App, scope: &str) -> Result<String, OAuthError> {
    let mut words = scope.split(' ').filter_map(|word| word.strip_suffix("/.default"));
    let resource = words.next().unwrap_or_default().trim_end_matches('/');
    let management = app.settings.management_url();
    if resource == management {
        return Ok(management.to_owned());
    }
    if resource == REGISTRY_AUDIENCE || is_registry(resource, &app.issuer.service) {
        return Ok(REGISTRY_AUDIENCE.to_owned());
    }
    Err(OAuthError::bad_request(
        "invalid_scope",
        "the scope must be this server's address or the registry's, followed by `/.default`",
    ))
}

/// Whether a resource is the registry's own address, as `get_token("https://REGISTRY/.default")`
/// names it. Letters of hosts have no case.
fn is_registry(resource: &str, service: &str) -> bool {
    resource.strip_prefix("https://").is_some_and(|host| host.eq_ignore_ascii_case(service))
}

/// Whether a path names the tenant that there is.
#[must_use]
pub(super) fn is_tenant(app: &App, tenant: &str) -> bool {
    ANY_TENANT.contains(&tenant) || app.policy().registry.tenant == tenant.to_ascii_lowercase()
}

pub(super) fn check_tenant(app: &App, tenant: &str) -> Result<(), OAuthError> {
    if is_tenant(app, tenant) {
        return Ok(());
    }
    Err(OAuthError::bad_request(
        "invalid_request",
        "there is no such tenant; `scopegate-server administrator` prints the one there is",
    ))
}

#[cfg(test)]
mod tests {
    use super::is_registry;

    #[test]
    fn addresses_of_the_registry() {
        for (resource, service, expected) in [
            ("https://registry.example.com", "registry.example.com", true),
            ("https://Registry.Example.com", "registry.example.com", true),
            ("https://localhost:5000", "localhost:5000", true),
            ("https://127.0.0.1:5000", "127.0.0.1:5000", true),
            ("https://[::1]:5000", "[::1]:5000", true),
            ("https://localhost", "localhost:5000", false),
            ("https://localhost:5001", "localhost:5000", false),
            ("https://localhost:5000/v2", "localhost:5000", false),
            ("https://user@localhost:5000", "localhost:5000", false),
            ("https://evil.localhost:5000", "localhost:5000", false),
            ("https://localhost:5000.evil", "localhost:5000", false),
            ("http://localhost:5000", "localhost:5000", false),
            ("localhost:5000", "localhost:5000", false),
            ("https://", "localhost:5000", false),
            ("", "localhost:5000", false),
        ] {
            assert_eq!(is_registry(resource, service), expected, "{resource} {service}");
        }
    }
}
