//! Ids of resources, and pages of lists.
//!
//! An id is the path of Azure Resource Manager, compared without case. An id in a body must belong
//! to the registry of the request, so that no request reaches another registry.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ManagementError;
use crate::app::App;
use crate::domain::edit::EditError;
use crate::store::Page;

/// The one resource group, of every registry.
pub(crate) const GROUP: &str = "scopegate";
pub(crate) const REGISTRY_TYPE: &str = "Microsoft.ContainerRegistry/registries";

/// The ids of one registry's resources.
#[derive(Clone, Debug)]
pub struct Ids {
    base: String,
}

impl Ids {
    /// The ids in a registry.
    #[must_use]
    pub fn new(app: &App) -> Self {
        let subscription = app.policy().registry.subscription.clone();
        let name = &app.settings.registry_name;
        Self {
            base: format!(
                "/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/{REGISTRY_TYPE}/{name}"
            ),
        }
    }

    /// The registry's own id.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.base
    }

    /// The id of a scope map, a token or a service principal: `kind` is `scopeMaps`, `tokens` or
    /// `servicePrincipals`.
    #[must_use]
    pub fn child(&self, kind: &str, name: &str) -> String {
        format!("{}/{kind}/{name}", self.base)
    }

    /// The name in an id that a body holds.
    ///
    /// # Errors
    ///
    /// [`EditError::Invalid`] for an id of another registry or kind.
    pub fn name<'i>(&self, kind: &str, id: &'i str) -> Result<&'i str, EditError> {
        let parent = format!("{}/{kind}/", self.base);
        let (head, name) = id.split_at_checked(parent.len()).unwrap_or((id, ""));
        if head.eq_ignore_ascii_case(&parent) && !name.is_empty() && !name.contains('/') {
            return Ok(name);
        }
        // Not quoted: in a confused field it may be a secret.
        Err(EditError::Invalid(format!("this is not an id like `{parent}NAME`")))
    }
}

/// A list, or a page of one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The resources.
    pub value: Vec<T>,
    /// Where the next page is.
    #[serde(rename = "nextLink", skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

/// How a client asks for a page.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The maximum number of items, 1 to 500.
    #[serde(rename = "$top")]
    top: Option<String>,
    /// Where the page begins, from a `nextLink`.
    #[serde(rename = "$skiptoken")]
    skip_token: Option<String>,
}

/// The name at the end of a path.
#[derive(Debug)]
pub(crate) struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ManagementError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ManagementError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|error| ManagementError::BadRequest(error.to_string()))?;
        let name = params.iter().find(|(name, _)| *name == "name");
        let name = name.map(|(_, value)| value.to_owned());
        match name {
            Some(name) if !name.contains(char::is_control) => Ok(Self(name)),
            // No row has such a name, and PostgreSQL refuses a NUL in a query.
            Some(_) => Err(EditError::NotFound("there is nothing with this name".into()).into()),
            None => Err(ManagementError::BadRequest("a path without a name".into())),
        }
    }
}

impl PageQuery {
    /// The page.
    ///
    /// # Errors
    ///
    /// [`ManagementError::BadRequest`] for `$top=0` and `$top=many`.
    pub(crate) fn page(&self) -> Result<Page, ManagementError> {
        let mut page = Page::first();
        if let Some(top) = &self.top {
            let limit = top.parse().ok().filter(|limit| (1..=Page::MAX).contains(limit));
            page.limit = limit.ok_or_else(|| {
                ManagementError::BadRequest(format!("`$top` is a number from 1 to {}", Page::MAX))
            })?;
        }
        page.after = self.skip_token.clone().unwrap_or_default();
        Ok(page)
    }
}

impl<T> List<T> {
    /// All of it.
    #[must_use]
    pub(crate) fn all(value: Vec<T>) -> Self {
        Self { value, next_link: None }
    }

    /// One page. `last` is the key of its last row; a page that is not full is the last one.
    #[must_use]
    pub(crate) fn page(
        value: Vec<T>,
        page: &Page,
        last: Option<String>,
        app: &App,
        uri: &Uri,
    ) -> Self {
        Self::filtered_page(value, page, last, &[], app, uri)
    }

    /// One page of a list with a filter, whose parameters the next page's address has too.
    #[must_use]
    pub(crate) fn filtered_page(
        value: Vec<T>,
        page: &Page,
        last: Option<String>,
        filter: &[(&str, &str)],
        app: &App,
        uri: &Uri,
    ) -> Self {
        let is_full = i64::try_from(value.len()).is_ok_and(|len| len == page.limit);
        let next_link = last.filter(|_| is_full).map(|last| {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(filter)
                .append_pair("$top", &page.limit.to_string())
                .append_pair("$skiptoken", &last)
                .finish();
            format!("{}{}?{query}", app.settings.management_url(), uri.path())
        });
        Self { value, next_link }
    }
}
