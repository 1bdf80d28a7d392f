//! User names whose password is a token, and the names that no scope-map token may be created
//! under.
//!
//! Clients such as docker send a name and a password. Under `token`, and under the names that the
//! configuration lists for a provider (`passwordUsers`), the password is a token of the built-in
//! authority or of the provider. Such a name is never one of a principal: not a client id, not the
//! registry's name, not one of a scope-map token. Names are compared as those of scope-map tokens
//! are: without the case of ASCII letters.
//!
//! Left out: a scope-map token that was created before the name was listed, or that a backup brings
//! back. The name is its own then, where clients authenticate.

use uuid::Uuid;

use crate::model::client_id::is_client_id;

/// The name for tokens of the built-in authority, which no setting takes away.
pub(crate) const TOKEN_USER: &str = "token";
/// The longest name, in bytes, as of a scope-map token.
const MAX_LEN: usize = 50;

/// Checks a name that the configuration lists.
///
/// # Errors
///
/// For an empty name, a longer one, one with other characters than printable ASCII or with a colon,
/// and one in the form of a client id. The text says what to write instead.
pub(crate) fn check_password_user(name: &str) -> Result<(), &'static str> {
    // A colon ends the name in `Authorization: Basic`.
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    if name.is_empty() || name.len() > MAX_LEN || !name.bytes().all(is_allowed) {
        return Err("write 1 to 50 printable ASCII characters without spaces and `:`");
    }
    if Uuid::try_parse(name).is_ok_and(|id| id.is_nil()) {
        return Err("its password is a token of the registry: write another name");
    }
    if is_client_id(name) {
        return Err("this is how client ids look: write another name");
    }
    Ok(())
}

/// The names that no scope-map token may be created under.
#[derive(Clone, Debug)]
pub struct ReservedNames {
    registry: String,
    password_users: Vec<String>,
}

impl ReservedNames {
    /// The registry's own name, and [`TOKEN_USER`].
    #[must_use]
    pub fn new(registry: &str) -> Self {
        Self { registry: registry.to_owned(), password_users: vec![TOKEN_USER.to_owned()] }
    }

    /// The same with the names that providers list.
    #[must_use]
    pub fn and<'n>(mut self, password_users: impl IntoIterator<Item = &'n str>) -> Self {
        for name in password_users {
            if !self.is_password_user(name) {
                self.password_users.push(name.to_owned());
            }
        }
        self
    }

    /// Whether a name is the registry's own.
    #[must_use]
    pub fn is_registry(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.registry)
    }

    /// Whether the password of a user is a token.
    #[must_use]
    pub fn is_password_user(&self, name: &str) -> bool {
        self.password_users.iter().any(|user| name.eq_ignore_ascii_case(user))
    }

    /// The users whose password is a token.
    pub fn password_users(&self) -> impl Iterator<Item = &str> {
        self.password_users.iter().map(String::as_str)
    }
}

/// The warning about a scope-map token under such a name.
#[must_use]
pub(crate) fn taken(name: &str) -> String {
    format!(
        "the scope-map token `{name}` has a user name whose password would be a token of a provider or of the authority; the name is the scope-map token's alone until that is deleted"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_collide_are_refused() {
        let (longest, longer) = ("x".repeat(50), "x".repeat(51));
        for (name, says) in [
            ("token", None),
            ("jwt", None),
            ("oauth2accesstoken", None),
            ("$oauthtoken", None),
            ("<token>", None),
            ("_json_key", None),
            (&*longest, None),
            (&*longer, Some("1 to 50")),
            ("", Some("1 to 50")),
            ("a:b", Some("1 to 50")),
            (":", Some("1 to 50")),
            ("a b", Some("1 to 50")),
            ("a\nb", Some("1 to 50")),
            ("a\0", Some("1 to 50")),
            ("a\u{7f}", Some("1 to 50")),
            ("to\u{212a}en", Some("1 to 50")),
            ("tökén", Some("1 to 50")),
            ("00000000-0000-0000-0000-000000000000", Some("token of the registry")),
            ("{00000000-0000-0000-0000-000000000000}", Some("token of the registry")),
            ("00000000000000000000000000000000", Some("token of the registry")),
            ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", Some("client ids look")),
            ("3F2504E04F8941D39A0C0305E82C3301", Some("client ids look")),
            ("urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301", Some("1 to 50")),
            ("{3f2504e0-4f89-41d3-9a0c-0305e82c3301}", Some("client ids look")),
            ("administrator", Some("client ids look")),
            ("Administrator", Some("client ids look")),
        ] {
            let error = check_password_user(name).err();
            assert_eq!(error.is_some(), says.is_some(), "{name:?} {error:?}");
            assert!(error.unwrap_or_default().contains(says.unwrap_or_default()), "{name:?}");
        }
    }

    #[test]
    fn names_are_compared_as_those_of_tokens() {
        let names = ReservedNames::new("Registry").and(["JWT", "Token", "jwt"]);
        assert_eq!(names.password_users().collect::<Vec<_>>(), ["token", "JWT"]);
        for (name, is_password_user, is_registry) in [
            ("token", true, false),
            ("TOKEN", true, false),
            ("jwt", true, false),
            ("JwT", true, false),
            ("to\u{212a}en", false, false),
            ("tokens", false, false),
            ("", false, false),
            ("registry", false, true),
        ] {
            let found = (names.is_password_user(name), names.is_registry(name));
            assert_eq!(found, (is_password_user, is_registry), "{name}");
        }
    }
}
