//! Every password that was made, in exchange and at the token endpoint.

use crate::support::{NULL_GUID, basic};

use super::{SCOPE, SERVICE, Walk};

/// A client that logs in.
pub(super) struct Login {
    name: String,
    password: String,
}

impl Login {
    pub(super) fn new(name: &str, password: &str) -> Self {
        Self { name: name.to_owned(), password: password.to_owned() }
    }
}

/// Every one of them in exchange, as a password, and as the null GUID's.
pub(super) fn walk(walk: &mut Walk<'_>, logins: &[Login]) {
    let wrong = ["Reader", "exchanged-secret"].map(|name| Login::new(name, "exchanged-secret"));
    for Login { name, password } in logins.iter().chain(&wrong) {
        walk.server.get(&format!("/oauth2/token?{SERVICE}&{SCOPE}"), &basic(name, password));
        let form = format!("grant_type=access_token&{SERVICE}&access_token={name}:{password}");
        let answer = walk.server.post_to("/oauth2/exchange", &form);
        let Some(refresh) = answer["refresh_token"].as_str() else { continue };
        walk.knows(refresh);
        let form = format!("grant_type=password&username={NULL_GUID}&{SCOPE}&password={refresh}");
        let answer = walk.server.post(&form);
        walk.knows(answer["access_token"].as_str().unwrap());
        for token in [refresh, &format!("{refresh}A")] {
            walk.server.post_to("/oauth2/revoke", &format!("token={token}"));
            walk.server.post_to(&format!("/oauth2/revoke?token={token}"), "");
        }
    }
    let anonymous = walk.server.post(&format!("grant_type=password&{SCOPE}"));
    walk.secrets.extend(anonymous["access_token"].as_str().map(str::to_owned));
    for grant in ["refresh_token", "access_token_refresh_token", "access_token", "exchanged-secret"]
    {
        let form = format!(
            "grant_type={grant}&{SERVICE}&access_token=exchanged-secret&refresh_token=exchanged-secret&tenant=t"
        );
        walk.server.post_to("/oauth2/exchange", &form);
    }
}
