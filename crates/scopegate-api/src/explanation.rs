//! An explanation as data: for each action the rules or the near misses, and the edits with their
//! commands.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use scopegate_core::explain::{self as core_explain, NamedTable, Substitute};
use scopegate_core::{Scope, Settings};
use serde::{Deserialize, Serialize};

/// Why one scope is granted or denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// The scope, in canonical spelling.
    pub scope: String,
    /// The same in sentences, one for each action.
    pub text: String,
    /// One reason for each action, in the order of the request.
    pub reasons: Vec<Reason>,
    /// The smallest edits that allow what was denied, one for each scope map that can be edited.
    pub edits: Vec<Edit>,
}

/// Why one scope is granted or denied, with replacements for scope maps that cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(rename = "Explanation"))]
pub struct FullExplanation {
    /// The scope, in canonical spelling.
    pub scope: String,
    /// The same in sentences, one for each action.
    pub text: String,
    /// One reason for each action, in the order of the request.
    pub reasons: Vec<Reason>,
    /// The smallest edits that allow what was denied, one for each scope map that can be edited.
    pub edits: Vec<Edit>,
    /// What to give the token instead of scope maps that cannot be edited, the least first; none
    /// where an edit helps.
    pub replacements: Vec<Replacement>,
}

/// Why one action is granted or denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The action.
    pub action: String,
    /// Whether it may be had.
    pub granted: bool,
    /// The rules that grant it.
    pub rules: Vec<RuleRef>,
    /// The rules that come closest, the closest first.
    pub misses: Vec<Miss>,
}

/// A rule of a scope map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleRef {
    /// The name of the map, empty when it has none.
    pub scope_map: String,
    /// The repository or pattern.
    pub pattern: String,
    /// The permission.
    pub permission: String,
}

/// A rule that does not grant an action, and nearly does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Miss {
    /// The rule.
    pub rule: RuleRef,
    /// What is wrong with it, as a stable code.
    pub why: String,
    /// The same for people.
    pub message: String,
}

/// A change to a scope map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Edit {
    /// The map to change, empty when it has no name.
    pub scope_map: String,
    /// The repository or pattern to add permissions on.
    pub pattern: String,
    /// The permissions to add.
    pub permissions: Vec<String>,
    /// The same as action strings of a map.
    pub actions: Vec<String>,
    /// The command that makes the change.
    pub command: String,
}

/// A scope map to give a token instead of a system-defined one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Replacement {
    /// The map that cannot be edited.
    pub scope_map: String,
    /// The system-defined map to take instead; empty for a map of one's own, whose name is free.
    pub with: String,
    /// The action strings of a map of one's own; none for a system-defined one.
    pub actions: Vec<String>,
    /// The commands that make the change, in their order.
    pub commands: Vec<String>,
}

impl Explanation {
    /// An explanation as data. `registry` goes into the commands.
    #[must_use]
    #[inline(never)]
    pub fn new(explanation: &core_explain::Explanation<'_>, registry: Option<&str>) -> Self {
        Self {
            scope: explanation.scope.to_string(),
            text: explanation.to_string(),
            reasons: explanation.reasons.iter().map(Reason::from).collect(),
            edits: explanation.edits.iter().map(|edit| Edit::new(edit, registry)).collect(),
        }
    }
}

/// Explanations as JSON, a list; `None` where there is no memory. It is written here, because this
/// crate is compiled for its size where that matters, and no decision waits for it.
#[inline(never)]
#[must_use]
pub fn to_json(explanations: &[Explanation]) -> Option<Vec<u8>> {
    serde_json::to_vec(explanations).ok()
}

impl FullExplanation {
    /// Explains one scope over the scope maps of one principal. `registry` goes into the commands.
    #[must_use]
    pub fn new<B: AsRef<[u8]>>(
        maps: &[NamedTable<'_, B>],
        scope: &Scope<'_>,
        settings: &Settings,
        registry: Option<&str>,
    ) -> Self {
        let Explanation { scope: text_of_scope, text, reasons, edits } =
            Explanation::new(&core_explain::explain(maps, scope, settings), registry);
        let replacements = core_explain::replacements(maps, scope, settings);
        let replacements = replacements.iter().map(|it| Replacement::new(it, registry)).collect();
        Self { scope: text_of_scope, text, reasons, edits, replacements }
    }
}

impl From<&core_explain::Reason> for Reason {
    fn from(reason: &core_explain::Reason) -> Self {
        Self {
            action: reason.action.clone(),
            granted: reason.granted,
            rules: reason.rules.iter().map(RuleRef::from).collect(),
            misses: reason.misses.iter().map(Miss::from).collect(),
        }
    }
}

impl From<&core_explain::RuleRef> for RuleRef {
    fn from(rule: &core_explain::RuleRef) -> Self {
        Self {
            scope_map: rule.scope_map.clone(),
            pattern: rule.pattern.clone(),
            permission: rule.permission.as_str().to_owned(),
        }
    }
}

impl From<&core_explain::Miss> for Miss {
    fn from(miss: &core_explain::Miss) -> Self {
        Self {
            rule: RuleRef::from(&miss.rule),
            why: miss.why.code().to_owned(),
            message: miss.why.message().to_owned(),
        }
    }
}

impl Edit {
    fn new(edit: &core_explain::Edit, registry: Option<&str>) -> Self {
        Self {
            scope_map: edit.scope_map.clone(),
            pattern: edit.pattern.clone(),
            permissions: edit.permissions.iter().map(|p| p.as_str().to_owned()).collect(),
            actions: edit.rules().iter().map(ToString::to_string).collect(),
            command: edit.az_command(registry),
        }
    }
}

impl Replacement {
    fn new(replacement: &core_explain::Replacement, registry: Option<&str>) -> Self {
        let (with, actions) = match &replacement.with {
            Substitute::SystemDefined(name) => (*name, Vec::new()),
            Substitute::UserDefined(map) => {
                ("", map.rules().iter().map(ToString::to_string).collect())
            }
        };
        Self {
            scope_map: replacement.scope_map.clone(),
            with: with.to_owned(),
            actions,
            commands: replacement.az_commands(registry),
        }
    }
}
