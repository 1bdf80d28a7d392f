//! The engine against the referee, and what a token may never hold.

use scopegate_core::claims::Claims;
use scopegate_core::scope::MergedScope;
use scopegate_core::verify::Grant;
use scopegate_core::{
    Action, ActionSet, Decision, ResourceType, Scope, ScopeList, Settings, Table, claims, decide,
    decide_text,
};

use super::{compiled, map, neighbourhood, repository, settings};
use crate::naive;

/// One scope over the maps of one principal: the engine and the referee say the same, whatever the
/// catalog setting.
pub fn agrees_with_the_referee(maps: &[Vec<String>], scope: &str) {
    let tables: Vec<_> = maps.iter().map(|rules| compiled(rules)).collect();
    for settings in settings() {
        let expected = naive::decide(&maps.concat(), settings.catalog.as_str(), scope);
        let at_once = decide_text(&tables, scope, &settings);
        let decided = Scope::parse(scope).map(|scope| {
            let decision = decide(&tables, &scope, &settings);
            is_a_partition(&scope, decision);
            (words(&scope, decision), decision)
        });
        assert_eq!(
            at_once,
            decided.clone().map(|(_, decision)| decision),
            "{scope:?} over {maps:?}"
        );
        let decided = decided.ok().map(|(words, _)| words);
        assert_eq!(decided, expected, "{scope:?} over {maps:?}, {settings:?}");
    }
}

/// The compiled table, the naive union of the core and the referee give one answer for every name
/// that the rules are near to; the same table comes of the rules and of their texts.
pub fn compiled_equals_naive(rules: &[String]) {
    let (map, table) = (map(rules), compiled(rules));
    let texts = Table::compile_actions(rules.iter().map(String::as_str));
    assert_eq!(texts.as_ref(), Ok(&table), "{rules:?}");
    for name in neighbourhood(&map.rules) {
        let granted = table.granted(repository(&name));
        assert_eq!(granted, map.granted(repository(&name)), "{name} over {rules:?}");
        assert_eq!(granted.to_string(), refereed(rules, &name), "{name} over {rules:?}");
    }
}

/// Everything that the referee grants on a repository, in canonical order.
pub(super) fn refereed(rules: &[String], name: &str) -> String {
    let scope = format!("repository:{name}:*,deleted_read,deleted_restore");
    naive::decide(rules, "root", &scope).expect("a valid scope").0.join(",")
}

/// More rules never take anything away.
pub fn adding_never_removes(rules: &[String], more: &[String], scope: &str) {
    let (fewer, all) = (compiled(rules), compiled(&[rules, more].concat()));
    let Ok(scope) = Scope::parse(scope) else { return };
    for settings in settings() {
        let before = decide([&fewer], &scope, &settings).granted.set();
        let after = decide([&all], &scope, &settings).granted.set();
        assert!(after.is_superset(before), "{scope} loses {}", before.difference(after));
        assert_eq!(decide([&fewer, &all], &scope, &settings).granted.set(), after);
    }
}

/// Order, repetition and a split over several maps make no difference: not to a single byte of the
/// table.
pub fn order_never_matters(rules: &[String], other_order: &[String], scope: &str) {
    let (one, other) = (compiled(rules), compiled(other_order));
    assert_eq!(one.as_bytes(), other.as_bytes(), "{rules:?} and {other_order:?}");
    let twice = compiled(&[other_order, rules].concat());
    assert_eq!(one.as_bytes(), twice.as_bytes());
    let (left, right) = other_order.split_at(other_order.len() / 2);
    let Ok(scope) = Scope::parse(scope) else { return };
    for settings in settings() {
        let whole = decide([&one], &scope, &settings);
        assert_eq!(decide([&compiled(left), &compiled(right)], &scope, &settings), whole);
    }
}

/// Without a rule nothing is granted, and neither without a table.
pub fn no_rule_means_no_access(scope: &str) {
    let Ok(scope) = Scope::parse(scope) else { return };
    let none: [&Table<Vec<u8>>; 0] = [];
    for settings in settings() {
        let without_rules = decide([&compiled(&[])], &scope, &settings);
        assert_eq!(without_rules, decide(none, &scope, &settings));
        assert!(without_rules.granted.is_empty(), "{scope}");
        assert_eq!(without_rules.denied, scope.wanted());
    }
}

/// A token holds nothing that was not asked for, `*` standing for the five, and a literal `*` for
/// nothing but the registry.
pub fn claims_hold_only_what_was_asked(rules: &[String], parameters: &[&str]) {
    let Ok(request) = ScopeList::parse(parameters.iter().copied()) else { return };
    for settings in settings() {
        let claims = claims([&compiled(rules)], &request, &settings);
        for entry in &claims.access {
            let same = |scope: &&MergedScope<'_>| {
                (scope.resource_type, scope.name) == (entry.resource_type, entry.name)
            };
            let scope = request.scopes.iter().find(same).expect("an entry that was asked for");
            let mut asked = scope.actions.known.set();
            if scope.resource_type != ResourceType::Registry && asked.contains(Action::Any) {
                asked = asked.difference(ActionSet::of(Action::Any)).union(ActionSet::REPOSITORY);
            }
            assert!(asked.is_superset(entry.actions.set()), "{entry} for {scope}");
        }
        are_what_the_referee_gives(rules, &request, &claims, &settings);
    }
}

/// What is left of a token, issued under some rules, where others decide now: what both give. Under
/// its own rules nothing is lost.
pub fn a_token_keeps_what_both_give(issued: &[String], now: &[String], parameters: &[&str]) {
    let Ok(request) = ScopeList::parse(parameters.iter().copied()) else { return };
    for settings in settings() {
        for entry in claims([&compiled(issued)], &request, &settings).access {
            let text = entry.to_string();
            let grant = Grant::read(&text).expect("an entry of a token");
            assert_eq!(grant.narrowed([&compiled(issued)], &settings), grant, "{text}");
            let left = grant.narrowed([&compiled(now)], &settings).actions;
            let refereed = naive::decide(now, settings.catalog.as_str(), &text).expect("a scope").0;
            let refereed: ActionSet =
                refereed.iter().filter_map(|word| Action::parse(word)).collect();
            assert_eq!(left, refereed, "{text} over {now:?}, {settings:?}");
            assert!(grant.actions.is_superset(left), "{text}");
        }
    }
}

/// One entry for each merged scope of which something is granted or denied, in the order of the
/// request.
fn are_what_the_referee_gives(
    rules: &[String],
    request: &ScopeList<'_>,
    claims: &Claims<'_>,
    settings: &Settings,
) {
    let (mut access, mut denied) = (Vec::new(), Vec::new());
    for scope in &request.scopes {
        let text = scope.to_string();
        let expected = naive::decide(rules, settings.catalog.as_str(), &text).expect("a scope");
        let entry = |actions: &[String]| {
            format!("{}:{}:{}", scope.resource_type, scope.name, actions.join(","))
        };
        access.extend((!expected.0.is_empty()).then(|| entry(&expected.0)));
        denied.extend((!expected.1.is_empty()).then(|| entry(&expected.1)));
    }
    assert_eq!(claims.access.iter().map(ToString::to_string).collect::<Vec<_>>(), access);
    assert_eq!(claims.denied.iter().map(ToString::to_string).collect::<Vec<_>>(), denied);
}

/// Granted and denied are the wanted actions, each in one of the two.
fn is_a_partition(scope: &Scope<'_>, decision: Decision) {
    let (granted, denied) = (decision.granted.set(), decision.denied.set());
    assert!(granted.intersection(denied).is_empty(), "{scope}");
    assert_eq!(granted.union(denied), scope.wanted().set(), "{scope}");
}

/// A decision in the referee's words.
fn words(scope: &Scope<'_>, decision: Decision) -> (Vec<String>, Vec<String>) {
    let named = |action: Action| action.to_string();
    let unknown = scope.unknown_actions().map(str::to_owned);
    let granted = decision.granted.iter().map(named).collect();
    (granted, decision.denied.iter().map(named).chain(unknown).collect())
}
