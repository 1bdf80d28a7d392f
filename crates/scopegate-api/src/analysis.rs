//! What is known about scope maps without any request: findings about one, and the differences
//! between two.

use alloc::string::String;
use alloc::vec::Vec;

use scopegate_core::analysis as core_analysis;
use scopegate_core::{Action, ActionSet};
use serde::Serialize;

/// Something that the owner of a map may not have meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The stable name of the kind of finding.
    pub kind: &'static str,
    /// Whether the map does not do what it says; otherwise it is a remark.
    pub error: bool,
    /// What it is about, in a few words.
    pub message: &'static str,
    /// The place of the rule among the rules of the map; `null` when it is the map as a whole.
    pub rule: Option<usize>,
    /// The place of the rule that makes it so.
    pub because_of: Option<usize>,
}

impl From<&core_analysis::Finding> for Finding {
    fn from(finding: &core_analysis::Finding) -> Self {
        Self {
            kind: finding.kind.code(),
            error: finding.kind.is_error(),
            message: finding.kind.message(),
            rule: finding.rule,
            because_of: finding.because_of,
        }
    }
}

/// A class of repositories on which two maps grant different things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Difference {
    /// The repositories of the class: a name, or what lies below a prefix and is mentioned by no
    /// rule.
    pub pattern: String,
    /// A repository of the class, to try it with.
    pub witness: String,
    /// The actions that the new map grants there and the old one does not.
    pub gained: Vec<&'static str>,
    /// The actions that the old map grants there and the new one does not.
    pub lost: Vec<&'static str>,
}

impl From<core_analysis::Difference> for Difference {
    fn from(difference: core_analysis::Difference) -> Self {
        let core_analysis::Difference { pattern, witness, gained, lost } = difference;
        Self { pattern, witness, gained: words(gained), lost: words(lost) }
    }
}

/// A class of repositories that the rules of a map tell apart from all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RepositoryClass {
    /// The repositories of the class: a name, `prefix/*` for what lies below and no rule mentions,
    /// `*` for what no rule mentions at all.
    pub pattern: String,
    /// A repository of the class, to try it with.
    pub witness: String,
}

impl From<core_analysis::Class> for RepositoryClass {
    fn from(class: core_analysis::Class) -> Self {
        Self { pattern: class.pattern, witness: class.witness }
    }
}

fn words(actions: ActionSet) -> Vec<&'static str> {
    actions.iter().map(Action::as_str).collect()
}
