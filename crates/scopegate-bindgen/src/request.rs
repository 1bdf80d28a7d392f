//! What HTTP requests need, and what travels with them: challenges, scopes and references, read and
//! written.

use scopegate_api::access::AccessEntry;
use scopegate_api::challenge::Challenge as ReadChallenge;
use scopegate_api::decision::InvalidScope;
use scopegate_api::reference::Reference as ReadReference;
use scopegate_api::route::Route;
use scopegate_core::challenge::{Challenge, ChallengeError};
use scopegate_core::claims::DeniedEntry;
use scopegate_core::reference::Reference;
use scopegate_core::route::{Profile, Settings, Untag};
use scopegate_core::verify::Grant;
use scopegate_core::{
    Action, Permission, RequiredScope, Scope, ScopeList, challenge, route, verify,
};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::value::{problem, setting, to_js, utf16};

/// Which scopes an HTTP request needs, and its path in the one spelling that is decided on. `untag`
/// is what removing a tag needs: `delete` unless it is said.
///
/// # Errors
///
/// A `Problem` for a path or method that no registry has, and for an invalid setting, such as
/// `docker`.
#[wasm_bindgen(js_name = route, unchecked_return_type = "Route")]
pub fn route_request(
    method: &str,
    target: &str,
    #[wasm_bindgen(unchecked_param_type = "Profile")] profile: &str,
    #[wasm_bindgen(unchecked_optional_param_type = "Untag")] untag: Option<String>,
) -> Result<JsValue, JsValue> {
    let profile = setting(Some(profile), Profile::parse)?;
    let settings = Settings { profile, untag: setting(untag.as_deref(), Untag::parse)? };
    let route = route(method, target, &settings).map_err(|error| problem(error, target))?;
    Ok(to_js(&Route::from(route)))
}

/// The value of a `WWW-Authenticate` header that asks for these scopes. `error` is `invalid_token`
/// or `insufficient_scope`.
///
/// # Errors
///
/// A `Problem` for a text that is no scope.
#[wasm_bindgen(js_name = writeChallenge)]
pub fn write_challenge(
    realm: &str,
    service: &str,
    scopes: Vec<String>,
    error: Option<String>,
) -> Result<String, JsValue> {
    let error = error.map(ChallengeError::from);
    Ok(Challenge::bearer(realm, service, &required(&scopes)?, error).to_string())
}

/// The body of a 401 for a request that needs these scopes.
///
/// # Errors
///
/// A `Problem` for a text that is no scope.
#[wasm_bindgen(js_name = unauthorizedBody)]
pub fn unauthorized_body(message: &str, scopes: Vec<String>) -> Result<String, JsValue> {
    Ok(challenge::unauthorized_body(message, &required(&scopes)?))
}

/// Reads the value of a `WWW-Authenticate` header.
///
/// # Errors
///
/// A `Problem` for an invalid challenge.
#[wasm_bindgen(js_name = readChallenges, unchecked_return_type = "Challenge[]")]
pub fn read_challenges(header: &str) -> Result<JsValue, JsValue> {
    let challenges = Challenge::parse_all(header).map_err(|error| problem(error, header))?;
    Ok(to_js(&challenges.into_iter().map(ReadChallenge::from).collect::<Vec<_>>()))
}

/// Reads the scopes of a request, merged as they are decided.
///
/// # Errors
///
/// A `Problem` for a request with 129 scopes.
#[wasm_bindgen(js_name = readScopes, unchecked_return_type = "ScopeReport")]
pub fn read_scopes(text: &str) -> Result<JsValue, JsValue> {
    let request = ScopeList::parse([text]).map_err(|error| problem(error, text))?;
    // Without maps everything is denied, so what is denied is what was asked for.
    let asked = scopegate_core::claims(NOBODY, &request, &scopegate_core::Settings::default());
    let invalid = request.invalid.iter().map(|invalid| {
        let report = InvalidScope::from(invalid);
        InvalidScope { position: utf16(invalid.text, report.position), ..report }
    });
    Ok(to_js(&ScopeReport {
        scopes: asked
            .denied
            .iter()
            .map(|entry: &DeniedEntry<'_>| AccessEntry::from(entry))
            .collect(),
        invalid: invalid.collect(),
    }))
}

const NOBODY: [&scopegate_core::Table<Vec<u8>>; 0] = [];

/// The scopes of a request.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct ScopeReport {
    /// Merged, in the order of the request.
    scopes: Vec<AccessEntry>,
    /// The invalid scopes.
    invalid: Vec<InvalidScope>,
}

/// Reads the reference of an image.
///
/// # Errors
///
/// A `Problem` for an invalid reference.
#[wasm_bindgen(js_name = readReference, unchecked_return_type = "Reference")]
pub fn read_reference(text: &str) -> Result<JsValue, JsValue> {
    let reference = Reference::parse(text).map_err(|error| problem(error, text))?;
    Ok(to_js(&ReadReference::from(reference)))
}

/// What is missing in a token for a request: the access entries of the token, as scopes, against
/// the required scopes.
///
/// An entry that is no scope grants nothing.
///
/// # Errors
///
/// A `Problem` for an invalid required scope, and for an invalid profile.
#[wasm_bindgen(js_name = verify)]
pub fn verify_access(
    access: Vec<String>,
    scopes: Vec<String>,
    #[wasm_bindgen(unchecked_param_type = "Profile")] profile: &str,
) -> Result<Vec<String>, JsValue> {
    let profile = setting(Some(profile), Profile::parse)?;
    let required = required(&scopes)?;
    let grants: Vec<Grant<'_>> = access.iter().filter_map(|entry| Grant::read(entry)).collect();
    let missing = verify(grants.iter().copied(), &required, profile).err().unwrap_or_default();
    Ok(missing.iter().map(ToString::to_string).collect())
}

fn required(scopes: &[String]) -> Result<Vec<RequiredScope<'_>>, JsValue> {
    let read =
        |scope| Scope::parse(scope).map(RequiredScope::from).map_err(|error| problem(error, scope));
    scopes.iter().map(String::as_str).map(read).collect()
}

/// The actions that a scope map can grant on a repository.
#[must_use]
#[wasm_bindgen]
pub fn actions() -> Vec<String> {
    let permissions = Permission::ALL.into_iter().filter(|permission| permission.in_scope_maps());
    permissions.map(|permission| permission.action().to_string()).collect()
}

/// The permission of a scope map that grants an action: `content/read` for `pull`.
#[must_use]
#[wasm_bindgen(js_name = permissionFor)]
pub fn permission_for(action: &str) -> Option<String> {
    let permission = Permission::granting(Action::parse(action)?)?;
    permission.in_scope_maps().then(|| permission.to_string())
}
