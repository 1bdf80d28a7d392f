//! Some scope maps, and everything that is asked about them.

use scopegate_api::analysis::{Difference, Finding, RepositoryClass};
use scopegate_api::claims::{AccessClaims, GrantType, PrincipalKind, UntagClaim, version};
use scopegate_api::decision::DecisionReport;
use scopegate_api::explanation::FullExplanation;
use scopegate_api::problem::Problem;
use scopegate_core::explain::NamedTable;
use scopegate_core::{
    Action, ActionSet, Catalog, RepositoryName, Rule, Scope, ScopeList, ScopeMap, Settings, Table,
    analysis, claims,
};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::value::{problem, setting, to_js, utf16};

/// A principal: scope maps, of which each may only add to what the others grant.
#[derive(Debug)]
#[wasm_bindgen]
pub struct Principal {
    names: Vec<String>,
    rules: Vec<Vec<Rule>>,
    tables: Vec<Table<Vec<u8>>>,
    settings: Settings,
}

#[wasm_bindgen]
impl Principal {
    /// A principal without rights. `catalog` says who may list repositories: `root` (when left
    /// out), `never` or `filtered`.
    ///
    /// # Errors
    ///
    /// A `Problem` for an invalid setting, such as `all`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_optional_param_type = "Catalog")] catalog: Option<String>,
    ) -> Result<Self, JsValue> {
        Ok(Self {
            names: Vec::new(),
            rules: Vec::new(),
            tables: Vec::new(),
            settings: Settings { catalog: setting(catalog.as_deref(), Catalog::parse)? },
        })
    }

    /// Adds a scope map. An action that is no rule grants nothing; `readRules` says why.
    ///
    /// # Errors
    ///
    /// A `Problem` when the rules cannot be compiled, such as 2^24 of them.
    pub fn add(&mut self, name: String, actions: Vec<String>) -> Result<(), JsValue> {
        let rules: Vec<Rule> = actions.iter().filter_map(|text| Rule::parse(text).ok()).collect();
        let table = Table::compile_rules(&rules).map_err(|error| problem(error, ""))?;
        self.names.push(name);
        self.rules.push(rules);
        self.tables.push(table);
        Ok(())
    }

    /// What a request gets: scopes separated by spaces.
    ///
    /// # Errors
    ///
    /// A `Problem` for a request with 129 scopes.
    #[wasm_bindgen(unchecked_return_type = "DecisionReport")]
    pub fn claims(&self, scopes: &str) -> Result<JsValue, JsValue> {
        let mut report = self.decide(scopes)?;
        for invalid in &mut report.invalid {
            invalid.position = utf16(&invalid.scope, invalid.position);
        }
        Ok(to_js(&report))
    }

    /// What may be done with each of these repositories, asked for or not.
    #[must_use]
    #[wasm_bindgen(unchecked_return_type = "RepositoryGrant[]")]
    pub fn granted(&self, repositories: Vec<String>) -> JsValue {
        let grants: Vec<_> = repositories.into_iter().map(|name| self.granted_on(name)).collect();
        to_js(&grants)
    }

    fn granted_on(&self, name: String) -> RepositoryGrant {
        match RepositoryName::parse(&name) {
            Ok(repository) => {
                let granted = self.tables.iter().map(|table| table.granted(repository));
                let granted = granted.fold(ActionSet::NONE, ActionSet::union);
                RepositoryGrant {
                    actions: granted.iter().map(Action::as_str).collect(),
                    name,
                    problem: None,
                }
            }
            Err(error) => {
                let position = utf16(&name, error.position());
                let problem = Problem { position, ..error.into() };
                RepositoryGrant { name, actions: Vec::new(), problem: Some(problem) }
            }
        }
    }

    /// Why a request gets what it gets: an explanation for each scope, merged as they are decided.
    /// `registry` goes into the commands.
    ///
    /// # Errors
    ///
    /// A `Problem` for a request with 129 scopes.
    #[wasm_bindgen(unchecked_return_type = "Explanation[]")]
    pub fn explain(&self, scopes: &str, registry: Option<String>) -> Result<JsValue, JsValue> {
        let named = self.names.iter().zip(&self.tables);
        let named: Vec<_> = named.map(|(name, table)| NamedTable { name, table }).collect();
        let mut explanations = Vec::new();
        for merged in &read(scopes)?.scopes {
            // A merged scope prints as the one scope that asks for the same, so it can always be
            // read back.
            let text = merged.to_string();
            if let Ok(scope) = Scope::parse(&text) {
                let registry = registry.as_deref();
                explanations.push(FullExplanation::new(&named, &scope, &self.settings, registry));
            }
        }
        Ok(to_js(&explanations))
    }

    /// What the owner of the map at this place may not have meant. Places of rules count those of
    /// its actions that are rules.
    #[must_use]
    #[wasm_bindgen(unchecked_return_type = "Finding[]")]
    pub fn lint(&self, place: usize) -> JsValue {
        let rules = self.rules.get(place).cloned().unwrap_or_default();
        let map = ScopeMap { name: None, description: String::new(), rules };
        let findings = analysis::lint(&map).unwrap_or_default();
        to_js(&findings.iter().map(Finding::from).collect::<Vec<_>>())
    }

    /// On which repositories this principal and an `old` one may do different things, each class
    /// with a repository to try it with.
    ///
    /// # Errors
    ///
    /// A `Problem` when the maps of one of them together are too large for one table.
    #[wasm_bindgen(unchecked_return_type = "Difference[]")]
    pub fn difference(&self, old: &Self) -> Result<JsValue, JsValue> {
        let differences = analysis::difference(&old.merged()?, &self.merged()?);
        Ok(to_js(&differences.into_iter().map(Difference::from).collect::<Vec<_>>()))
    }

    fn merged(&self) -> Result<Table<Vec<u8>>, JsValue> {
        Table::compile_rules(&self.rules.concat()).map_err(|error| problem(error, ""))
    }

    /// A repository for each class that the rules tell apart: each name, something below each
    /// prefix, and something that nothing matches.
    #[must_use]
    #[wasm_bindgen(unchecked_return_type = "RepositoryClass[]")]
    pub fn repositories(&self) -> JsValue {
        let classes = analysis::repositories(&self.tables);
        to_js(&classes.into_iter().map(RepositoryClass::from).collect::<Vec<_>>())
    }

    /// The claims of the access token that a request gets, without [`untag`](Self::untag).
    ///
    /// # Errors
    ///
    /// A `Problem` for a request with 129 scopes.
    #[wasm_bindgen(js_name = accessClaims, unchecked_return_type = "AccessClaims")]
    pub fn access_claims(&self, scopes: &str, subject: Subject) -> Result<JsValue, JsValue> {
        let access = self.decide(scopes)?.access;
        let issued_at = subject.issued_at as u64;
        Ok(to_js(&AccessClaims {
            jti: subject.id,
            sub: subject.name,
            nbf: issued_at,
            exp: issued_at.saturating_add(subject.lifetime.into()),
            iat: issued_at,
            iss: subject.issuer,
            aud: subject.service,
            version: version(&access).into(),
            rid: subject.registry_id,
            access,
            roles: Vec::new(),
            grant_type: GrantType::AccessToken,
            appid: None,
            principal: Some(PrincipalKind::Token),
            generation: Some(subject.generation.into()),
            provider: None,
            epoch: None,
        }))
    }

    /// The repositories of the claim `untag` of that token: a server writes it behind all others,
    /// where there are any.
    ///
    /// # Errors
    ///
    /// A `Problem` for a request with 129 scopes.
    pub fn untag(&self, scopes: &str) -> Result<Vec<String>, JsValue> {
        let asked = UntagClaim::scopes(&self.decide(scopes)?).join(" ");
        Ok(self.decide(&asked)?.access.into_iter().map(|entry| entry.name).collect())
    }

    fn decide(&self, scopes: &str) -> Result<DecisionReport, JsValue> {
        let request = read(scopes)?;
        Ok(DecisionReport::new(&request, &claims(&self.tables, &request, &self.settings)))
    }
}

/// For whom a token is, by whom and when.
#[derive(Clone, Debug, Default)]
#[wasm_bindgen(getter_with_clone)]
pub struct Subject {
    /// The name of the token.
    pub name: String,
    /// Who issues it.
    pub issuer: String,
    /// The registry that it is for.
    pub service: String,
    /// The registry's own id.
    #[wasm_bindgen(js_name = registryId)]
    pub registry_id: String,
    /// The id of the token that is issued.
    pub id: String,
    /// When it is issued, in seconds since 1970.
    #[wasm_bindgen(js_name = issuedAt)]
    pub issued_at: f64,
    /// How long it is valid, in seconds.
    pub lifetime: u32,
    /// How often rights were taken from the name.
    pub generation: u32,
}

#[wasm_bindgen]
impl Subject {
    /// An empty subject.
    #[must_use]
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }
}

/// What may be done with one repository.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct RepositoryGrant {
    /// The name, as it was given.
    name: String,
    /// The actions.
    actions: Vec<&'static str>,
    /// Why it is no name.
    problem: Option<Problem>,
}

fn read(scopes: &str) -> Result<ScopeList<'_>, JsValue> {
    ScopeList::parse([scopes]).map_err(|error| problem(error, scopes))
}
