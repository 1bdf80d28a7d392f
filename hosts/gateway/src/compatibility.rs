//! Answers as Azure Container Registry gives them, where those of the engine say the same in other
//! words: with `compatibility: acr`.
//!
//! Follows <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>: a write to a chart
//! repository of Helm 2 is challenged with `artifact-repository:repo:*`. The engine names the
//! actions that the request needs; a token for `*` has them, as far as its holder may have any.
//!
//! Left out: what is decided. The same tokens open the same requests.

use scopegate_core::admission::Refusal;
use scopegate_core::challenge::{Challenge, unauthorized_body};
use scopegate_core::route::{Endpoint, Settings, route};
use scopegate_core::{Action, ActionSet, RequiredScope};

/// A refusal in the words of the service.
#[must_use]
pub(crate) fn as_acr(refusal: Refusal, method: &str, target: &str, settings: &Settings) -> Refusal {
    let is_read = matches!(method, "GET" | "HEAD");
    let route = route(method, target, settings).ok();
    let route = route.filter(|route| route.endpoint == Endpoint::HelmContent && !is_read);
    let challenge = refusal.challenge.as_deref().and_then(|text| Challenge::parse_all(text).ok());
    let (Some(route), Some([challenge])) = (route, challenge.as_deref()) else { return refusal };
    let any = |scope: RequiredScope<'_>| RequiredScope {
        actions: ActionSet::of(Action::Any).into(),
        name: scope.name.into_owned().into(),
        resource_type: scope.resource_type,
    };
    let scopes: Vec<RequiredScope<'_>> = route.scopes.into_iter().map(any).collect();
    let scope = scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let challenge = Challenge { scope: Some(scope), ..challenge.clone() };
    Refusal {
        challenge: Some(challenge.to_string()),
        body: unauthorized_body("authentication required", &scopes),
        ..refusal
    }
}

#[cfg(test)]
mod tests {
    use scopegate_core::admission::{Admission, Authority, Credential, Request, admit};
    use scopegate_core::verify::Grant;

    use super::*;

    const SETTINGS: Settings = Settings {
        profile: scopegate_core::route::Profile::Acr,
        untag: scopegate_core::route::Untag::Delete,
    };

    /// The challenge without its realm and service, and the detail of the body, before and after.
    fn refused(method: &str, target: &str, held: Option<&str>) -> [(String, String); 2] {
        let authority = Authority { realm: "https://r/oauth2/token", service: "r" };
        let credential =
            held.map_or(Credential::Absent, |held| Credential::Valid(Grant::read(held)));
        let request = Request { method, target, headers: [] };
        let Admission::Refusal(refusal) = admit(request, credential, authority, &SETTINGS) else {
            panic!("{method} {target} goes on")
        };
        let after = as_acr(refusal.clone(), method, target, &SETTINGS);
        assert_eq!((after.status, &after.missing), (refusal.status, &refusal.missing));
        [refusal, after].map(|refusal| {
            let challenge = refusal.challenge.unwrap_or_default();
            let begin = r#"Bearer realm="https://r/oauth2/token",service="r","#;
            let challenge = challenge.strip_prefix(begin).unwrap_or(&challenge).to_owned();
            let detail = refusal.body.split("\"detail\":").nth(1).unwrap_or_default();
            (challenge, detail.trim_end_matches("}]}\n").to_owned())
        })
    }

    #[test]
    fn writes_of_charts() {
        let detail = r#"[{"Type":"artifact-repository","Name":"repo","Action":"*"}]"#;
        let scope = r#"scope="artifact-repository:repo:*""#;
        for (method, target, held, challenge) in [
            ("PUT", "/helm/v1/repo/_blobs/app-1.0.0.tgz", None, scope.to_owned()),
            ("DELETE", "/helm/v1/repo/_charts/app/1.0.0", None, scope.to_owned()),
            (
                "PUT",
                "/helm/v1/repo/_blobs/app-1.0.0.tgz",
                Some("artifact-repository:repo:pull"),
                format!(r#"{scope},error="insufficient_scope""#),
            ),
        ] {
            let [_, after] = refused(method, target, held);
            assert_eq!(after, (challenge, detail.to_owned()), "{method} {target}");
        }
    }

    #[test]
    fn everything_else_is_the_engines() {
        for (method, target) in [
            ("GET", "/helm/v1/repo/index.yaml"),
            ("GET", "/helm/v1/repo/_charts"),
            ("HEAD", "/helm/v1/repo/_charts/app/1.0.0"),
            ("PUT", "/v2/app/manifests/v1"),
            ("DELETE", "/acr/v1/app/_tags/v1"),
            ("GET", "/v2/_catalog"),
            ("GET", "/v2/"),
            ("PUT", "/helm/v1/repo/index.yaml"),
            ("PUT", "/nothing"),
        ] {
            let [before, after] = refused(method, target, None);
            assert_eq!(before, after, "{method} {target}");
        }
    }
}
