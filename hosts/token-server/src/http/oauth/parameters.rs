//! The parameters of a request, from its query and its form.
//!
//! Follows what clients really send: scopes as repeated parameters and separated by spaces, in
//! queries and in forms; unknown parameters are ignored.
//!
//! A secret is never read from a query: queries are stored in logs of proxies, in histories and in
//! `Referer`.

use std::borrow::Cow;

use crate::http::error::RouteError;

/// The parameters of a request.
pub struct Parameters<'r>(Vec<(Cow<'r, str>, Cow<'r, str>)>);

/// The parameters that are read only from a form.
const SECRETS: [&str; 7] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "password",
    "refresh_token",
];

impl<'r> Parameters<'r> {
    /// Reads the query of a GET. Secrets are ignored.
    #[must_use]
    pub fn of_get(query: Option<&'r str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect())
    }

    /// Reads the query and the form of a POST.
    ///
    /// # Errors
    ///
    /// [`RouteError::BadRequest`] for a query with `password=` or another secret.
    pub fn of_post(query: Option<&'r str>, form: &'r [u8]) -> Result<Self, RouteError> {
        let Self(mut parameters) = Self::of_get(query);
        if parameters.iter().any(|(name, _)| SECRETS.contains(&&**name)) {
            return Err(RouteError::BadRequest(
                "a password or a token in the query; send it in the form",
            ));
        }
        parameters.extend(form_urlencoded::parse(form));
        Ok(Self(parameters))
    }

    /// Every value of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A parameter that may occur once. Two different values are refused: two readers could
    /// disagree about it.
    ///
    /// # Errors
    ///
    /// [`RouteError::BadRequest`] for `service=a&service=b`.
    pub fn one(&self, name: &str) -> Result<Option<&str>, RouteError> {
        let mut values = self.all(name);
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            return Err(RouteError::BadRequest("a parameter with two values; send it once"));
        }
        Ok(first)
    }

    /// A required parameter.
    ///
    /// # Errors
    ///
    /// [`RouteError::BadRequest`] with `message` when it is missing or empty.
    pub fn required(&self, name: &str, message: &'static str) -> Result<&str, RouteError> {
        self.one(name)?.filter(|value| !value.is_empty()).ok_or(RouteError::BadRequest(message))
    }

    /// Whether a parameter has this value.
    ///
    /// # Errors
    ///
    /// The error of [`Parameters::one`].
    pub fn is(&self, name: &str, value: &str) -> Result<bool, RouteError> {
        Ok(self.one(name)? == Some(value))
    }
}

/// Leaves the values out: passwords and tokens are among them.
impl std::fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
