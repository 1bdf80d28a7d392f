//! `WWW-Authenticate` and the 401 body.
//!
//! Follows RFC 9110 §11.6.1, RFC 6750 §3 and what unmodified clients really accept:
//! <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>. There
//! is **no space after the commas**: `az` splits the header at spaces and reads only the second
//! word.
//!
//! ```text
//! Bearer realm="https://H/oauth2/token",service="H",scope="repository:R:pull",error="insufficient_scope"
//! ```
//!
//! Left out: reading the JSON body, which the `scopegate-api` crate does with a JSON library, and
//! credentials in answer to a challenge.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::access::RequiredScope;
use crate::error::{Error, ErrorKind};
use crate::lean::text::write_all;

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// How to authenticate.
    pub scheme: Scheme,
    /// Where to ask: the address of the token server.
    pub realm: String,
    /// For whom the token must be.
    pub service: Option<String>,
    /// The scopes to ask for, separated by spaces.
    pub scope: Option<String>,
    /// What was wrong with the token of the request, if it had one.
    pub error: Option<ChallengeError>,
}

/// How to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// With a token from the realm.
    Bearer,
    /// With a name and a password.
    Basic,
    /// In a way that registries do not use.
    Other(String),
}

/// What was wrong with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengeError {
    /// It is forged, expired, or for another audience.
    InvalidToken,
    /// It is good, and not enough.
    InsufficientScope,
    /// Something that another server says.
    Other(String),
}

impl ChallengeError {
    /// The value of the `error` parameter.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for ChallengeError {
    fn from(text: String) -> Self {
        match text.as_str() {
            "invalid_token" => Self::InvalidToken,
            "insufficient_scope" => Self::InsufficientScope,
            _ => Self::Other(text),
        }
    }
}

impl Challenge {
    /// The challenge of a registry: ask `realm` for a token for `service` that holds the required
    /// scopes.
    ///
    /// ```
    /// use scopegate_core::challenge::Challenge;
    /// use scopegate_core::route::{Settings, route};
    ///
    /// let wanted = route("GET", "/v2/samples/nginx/manifests/v1", &Settings::default())?;
    /// let challenge = Challenge::bearer("https://r.example/oauth2/token", "r.example", &wanted.scopes, None);
    /// assert_eq!(
    ///     challenge.to_string(),
    ///     r#"Bearer realm="https://r.example/oauth2/token",service="r.example",scope="repository:samples/nginx:pull""#
    /// );
    /// # Ok::<(), scopegate_core::Error>(())
    /// ```
    #[must_use]
    pub fn bearer(
        realm: &str,
        service: &str,
        required: &[RequiredScope<'_>],
        error: Option<ChallengeError>,
    ) -> Self {
        let mut scope = String::new();
        for (index, required) in required.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(scope, "{}{required}", if index > 0 { " " } else { "" });
        }
        Self {
            scheme: Scheme::Bearer,
            realm: realm.to_owned(),
            service: (!service.is_empty()).then(|| service.to_owned()),
            scope: (!scope.is_empty()).then_some(scope),
            error,
        }
    }

    /// Reads the value of a `WWW-Authenticate` header, which may hold several challenges.
    ///
    /// Space around commas and equals signs, unquoted values, and parameters of any name and case
    /// are read, as RFC 9110 has them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChallengeForm`] for `Bearer realm=`, [`ErrorKind::ChallengeRepeated`] for
    /// `Bearer realm="a",realm="b"`, [`ErrorKind::ChallengeRealm`] for `Bearer service="s"`.
    pub fn parse_all(header: &str) -> Result<Vec<Self>, Error> {
        Reader { text: header, position: 0 }.challenges()
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match &self.scheme {
            Scheme::Bearer => "Bearer",
            Scheme::Basic => "Basic",
            Scheme::Other(name) => name,
        };
        write_all(f, &[scheme, " realm="])?;
        Quoted(&self.realm).fmt(f)?;
        let parameters = [
            ("service", self.service.as_deref()),
            ("scope", self.scope.as_deref()),
            ("error", self.error.as_ref().map(ChallengeError::as_str)),
        ];
        for (name, value) in parameters {
            // Three clients lose the scope of a challenge with `service=""`.
            if let Some(value) = value.filter(|value| value.chars().any(is_printed)) {
                write_all(f, &[",", name, "="])?;
                Quoted(value).fmt(f)?;
            }
        }
        Ok(())
    }
}

/// Control characters, which would end the header, are left out.
fn is_printed(character: char) -> bool {
    !character.is_control()
}

/// A quoted string of what is printed of a value.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars().filter(|character| is_printed(*character)) {
            if matches!(character, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
        f.write_char('"')
    }
}

/// The parameters that a challenge of a registry may have.
const PARAMETERS: [&str; 4] = ["realm", "service", "scope", "error"];

/// Reads a header from left to right.
struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    fn challenges(mut self) -> Result<Vec<Challenge>, Error> {
        let mut challenges = Vec::new();
        self.skip(b" \t,");
        while self.peek().is_some() {
            challenges.push(self.challenge()?);
            self.skip(b" \t,");
        }
        if challenges.is_empty() {
            return Err(self.malformed());
        }
        Ok(challenges)
    }

    fn challenge(&mut self) -> Result<Challenge, Error> {
        let start = self.position;
        let scheme = self.token()?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
            _ if scheme.eq_ignore_ascii_case("basic") => Scheme::Basic,
            other => Scheme::Other(other.to_owned()),
        };
        let mut values = PARAMETERS.map(|_| None);
        self.skip(b" \t");
        while let Some((name, at)) = self.parameter_name() {
            let value = self.value()?;
            let known = PARAMETERS.iter().position(|known| name.eq_ignore_ascii_case(known));
            if let Some(known) = known.and_then(|known| values.get_mut(known))
                && known.replace(value).is_some()
            {
                return Err(Error::new(ErrorKind::ChallengeRepeated, at));
            }
            self.skip(b" \t");
            if self.peek().is_some_and(|byte| byte != b',') {
                return Err(self.malformed());
            }
            self.skip(b" \t,");
        }
        let [realm, service, scope, error] = values;
        let realm = realm.ok_or(Error::new(ErrorKind::ChallengeRealm, start))?;
        Ok(Challenge { scheme, realm, service, scope, error: error.map(ChallengeError::from) })
    }

    /// The name of a parameter, with its equals sign; nothing, and no step, when another challenge
    /// or the end comes.
    fn parameter_name(&mut self) -> Option<(&'a str, usize)> {
        let start = self.position;
        let name = self.token().ok();
        self.skip(b" \t");
        match (name, self.peek()) {
            (Some(name), Some(b'=')) => {
                self.advance(1);
                self.skip(b" \t");
                Some((name, start))
            }
            _ => {
                self.position = start;
                None
            }
        }
    }

    fn value(&mut self) -> Result<String, Error> {
        if self.peek() != Some(b'"') {
            return self.token().map(ToOwned::to_owned);
        }
        let opening = self.position;
        self.advance(1);
        let mut value = String::new();
        let mut escaped = false;
        for (offset, character) in self.rest().char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => {
                    escaped = true;
                    continue;
                }
                '"' => {
                    self.advance(offset.saturating_add(1));
                    return Ok(value);
                }
                _ => {}
            }
            value.push(character);
        }
        Err(Error::new(ErrorKind::ChallengeForm, opening))
    }

    /// One or more characters of a token, RFC 9110 §5.6.2.
    fn token(&mut self) -> Result<&'a str, Error> {
        let is_token =
            |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".iter().any(|other| other == b);
        let rest = self.rest();
        let len = rest.as_bytes().iter().take_while(|byte| is_token(byte)).count();
        match rest.get(..len) {
            Some(token) if len > 0 => {
                self.advance(len);
                Ok(token)
            }
            _ => Err(self.malformed()),
        }
    }

    fn skip(&mut self, skipped: &[u8]) {
        while skipped.iter().any(|byte| self.peek() == Some(*byte)) {
            self.advance(1);
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.position = self.position.saturating_add(bytes);
    }

    fn malformed(&self) -> Error {
        Error::new(ErrorKind::ChallengeForm, self.position)
    }
}

/// The body of a 401: one error whose detail names each missing (type, name, action).
///
/// The keys of the detail are capitalised, unlike those of a token's claims; that is how the
/// service prints them.
///
/// ```
/// use scopegate_core::challenge::unauthorized_body;
/// use scopegate_core::route::{Settings, route};
///
/// let wanted = route("GET", "/v2/app/manifests/v1", &Settings::default())?;
/// assert_eq!(
///     unauthorized_body("authentication required", &wanted.scopes),
///     concat!(
///         r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","#,
///         r#""detail":[{"Type":"repository","Name":"app","Action":"pull"}]}]}"#,
///         "\n"
///     )
/// );
/// # Ok::<(), scopegate_core::Error>(())
/// ```
#[must_use]
pub fn unauthorized_body(message: &str, required: &[RequiredScope<'_>]) -> String {
    let mut body = String::new();
    let _ = write_body(&mut body, message, required);
    body
}

fn write_body(body: &mut String, message: &str, required: &[RequiredScope<'_>]) -> fmt::Result {
    let message = Json(message);
    write!(body, r#"{{"errors":[{{"code":"UNAUTHORIZED","message":{message},"detail":"#)?;
    if required.is_empty() {
        body.write_str("null")?;
    } else {
        let each = required.iter().flat_map(|scope| scope.actions.iter().map(move |a| (scope, a)));
        for (index, (scope, action)) in each.enumerate() {
            body.write_char(if index == 0 { '[' } else { ',' })?;
            let (resource_type, name) = (scope.resource_type, Json(&scope.name));
            write!(body, r#"{{"Type":"{resource_type}","Name":{name},"Action":"{action}"}}"#)?;
        }
        body.write_char(']')?;
    }
    body.write_str("}]}\n")
}

/// The body of a refusal that is no 401: one error, with a hint as its detail.
pub(crate) fn error_body(code: &str, message: &str, hint: &str) -> String {
    let mut body = String::new();
    let (message, hint) = (Json(message), Json(hint));
    // Writing to a string cannot fail.
    let _ =
        writeln!(body, r#"{{"errors":[{{"code":"{code}","message":{message},"detail":{hint}}}]}}"#);
    body
}

/// A JSON string.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\u{0}'..='\u{1f}' => write!(f, "\\u{:04x}", character as u32)?,
                _ => f.write_char(character)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Settings, route};
    use alloc::string::ToString;

    const BASE: &str = r#"Bearer realm="https://H/oauth2/token",service="H""#;

    #[test]
    fn challenges_are_written_to_the_byte() {
        for (method, target, error, expected) in [
            ("GET", "/v2/", None, ""),
            ("GET", "/v2/r/manifests/x", None, r#",scope="repository:r:pull""#),
            (
                "POST",
                "/v2/r/blobs/uploads/?mount=d&from=s",
                Some(ChallengeError::InsufficientScope),
                r#",scope="repository:r:pull,push repository:s:pull",error="insufficient_scope""#,
            ),
            (
                "GET",
                "/v2/_catalog",
                Some(ChallengeError::InvalidToken),
                r#",scope="registry:catalog:*",error="invalid_token""#,
            ),
        ] {
            let route = route(method, target, &Settings::default()).unwrap();
            let challenge = Challenge::bearer("https://H/oauth2/token", "H", &route.scopes, error);
            assert_eq!(challenge.to_string(), [BASE, expected].concat());
            assert_eq!(Challenge::parse_all(&challenge.to_string()), Ok([challenge].into()));
        }
    }

    #[test]
    fn headers_of_other_servers_are_read() {
        for (header, canonical) in [
            (
                r#"bearer Realm="https://H/t" , service=H"#,
                r#"Bearer realm="https://H/t",service="H""#,
            ),
            (r#"Bearer realm = "a\"b\\c""#, r#"Bearer realm="a\"b\\c""#),
            (r#"Bearer realm="r",error="slow_down""#, r#"Bearer realm="r",error="slow_down""#),
            (r#"Bearer realm="r",max_age=1,service="s""#, r#"Bearer realm="r",service="s""#),
            ("Bearer realm=\"r\",service=\"\0\",scope=\"\"", r#"Bearer realm="r""#),
            (r#"Basic realm="r""#, r#"Basic realm="r""#),
            (r#"Bearer realm="a", Basic realm="b""#, r#"Bearer realm="a" + Basic realm="b""#),
            (
                r#", Negotiate realm=x,,Bearer realm="b","#,
                r#"Negotiate realm="x" + Bearer realm="b""#,
            ),
        ] {
            let challenges = Challenge::parse_all(header).unwrap();
            let printed: Vec<String> = challenges.iter().map(ToString::to_string).collect();
            assert_eq!(printed.join(" + "), canonical, "{header}");
        }
    }

    #[test]
    fn headers_that_are_none() {
        use ErrorKind::{ChallengeForm, ChallengeRealm, ChallengeRepeated};
        for (header, kind, position) in [
            ("", ChallengeForm, 0),
            ("  ", ChallengeForm, 2),
            ("Bearer", ChallengeRealm, 0),
            ("Bearer realm=", ChallengeForm, 13),
            ("Bearer realm=\"open", ChallengeForm, 13),
            ("Bearer realm=\"a\" service=\"s\"", ChallengeForm, 17),
            ("Bearer realm=a,realm=b", ChallengeRepeated, 15),
            ("Bearer service=\"s\"", ChallengeRealm, 0),
            ("Basic dXNlcg==", ChallengeForm, 13),
            ("\u{e9}", ChallengeForm, 0),
        ] {
            assert_eq!(Challenge::parse_all(header), Err(Error::new(kind, position)), "{header:?}");
        }
    }

    #[test]
    fn nothing_ends_the_header_early() {
        let challenge = Challenge::bearer("r\r\nSet-Cookie: x", "s\0", &[], None);
        assert_eq!(challenge.to_string(), r#"Bearer realm="rSet-Cookie: x",service="s""#);
    }

    #[test]
    fn bodies() {
        assert_eq!(
            unauthorized_body("a \"quoted\"\nline", &[]),
            "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"a \\\"quoted\\\"\\u000aline\",\"detail\":null}]}\n"
        );
        let required = route("PUT", "/v2/a/manifests/x", &Settings::default()).unwrap().scopes;
        let body = unauthorized_body("m", &required);
        assert!(body.contains(
            r#"[{"Type":"repository","Name":"a","Action":"pull"},{"Type":"repository","Name":"a","Action":"push"}]"#
        ));
    }
}
