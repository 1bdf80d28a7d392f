//! `types.d.ts` is written from the Rust types: here is what writes it, and the check that it is
//! current.
//!
//! `SCOPEGATE_BLESS=1 cargo test -p scopegate-bindgen` writes the file again.

use std::path::Path;

use scopegate_api::DocumentError;
use scopegate_api::access::AccessEntry;
use scopegate_api::analysis::{Difference, Finding, RepositoryClass};
use scopegate_api::assertion::{
    Assertion, AssertionFile, CatalogSetting, InlineScopeMap, ScopeMapSource,
};
use scopegate_api::challenge::Challenge;
use scopegate_api::claims::{AccessClaims, GrantType, PrincipalKind};
use scopegate_api::decision::{DecisionReport, InvalidScope};
use scopegate_api::explanation::{Edit, FullExplanation, Miss, Reason, Replacement, RuleRef};
use scopegate_api::problem::Problem;
use scopegate_api::reference::Reference;
use scopegate_api::route::Route;
use scopegate_api::scope_map::WrittenScopeMap;
use scopegate_core::route::{Profile, Untag};
use ts_rs::{Config, TS};

use crate::document::RuleReport;
use crate::principal::RepositoryGrant;
use crate::request::ScopeReport;

/// Each declaration, with what is written about its type and its fields.
fn declarations() -> String {
    let config = Config::default();
    let mut text = String::from(
        "// Written from the Rust types by `SCOPEGATE_BLESS=1 cargo test -p scopegate-bindgen`.\n",
    );
    let profiles = Profile::ALL.map(|profile| format!("\"{}\"", profile.as_str()));
    let profile = profiles.join(" | ");
    text.push_str(&format!(
        "\n/**\n * What listing tags needs: metadata/read, or pull.\n */\nexport type Profile = {profile};\n"
    ));
    let untags = Untag::ALL.map(|untag| format!("\"{}\"", untag.as_str()));
    let untag = untags.join(" | ");
    text.push_str(&format!(
        "\n/**\n * What removing a tag, and not its manifest, needs: delete, or metadata/write.\n */\nexport type Untag = {untag};\n"
    ));
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {$(
            text.push('\n');
            text.push_str(&<$type>::docs().unwrap_or_default());
            text.push_str("export ");
            text.push_str(&<$type>::decl(&config));
            text.push('\n');
        )*};
    }
    declare!(
        CatalogSetting,
        Problem,
        DocumentError,
        AccessEntry,
        InvalidScope,
        DecisionReport,
        RuleReport,
        RepositoryGrant,
        RuleRef,
        Miss,
        Reason,
        Edit,
        Replacement,
        FullExplanation,
        Finding,
        Difference,
        RepositoryClass,
        Route,
        Challenge,
        Reference,
        ScopeReport,
        WrittenScopeMap<'static>,
        InlineScopeMap<'static>,
        ScopeMapSource<'static>,
        Assertion,
        AssertionFile<'static>,
        GrantType,
        PrincipalKind,
        AccessClaims,
    );
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the declarations are regenerated on request")]
fn declarations_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("types.d.ts");
    if std::env::var_os("SCOPEGATE_BLESS").is_some() {
        std::fs::write(&path, declarations()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(kept, declarations(), "run `SCOPEGATE_BLESS=1 cargo test -p scopegate-bindgen`");
}
