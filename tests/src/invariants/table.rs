//! Compiled tables, from us or from anywhere.

use scopegate_core::analysis::rules;
use scopegate_core::{Rule, ScopeMap, Table};

use super::{compiled, decision, neighbourhood, repository};

/// A compiled table loads as itself, and gives back rules that compile to the same bytes.
pub fn loads_as_itself(rules_of_map: &[String]) {
    let table = compiled(rules_of_map);
    let loaded = Table::load(table.as_bytes()).expect("a compiled table");
    assert_eq!(loaded, table);
    let again = Table::compile_rules(&rules(&loaded)).expect("rules that fit a table");
    assert_eq!(again, table);
}

/// Bytes from anywhere are refused, or answer exactly as the rules that they give back: to the
/// core's union and to the referee.
pub fn answers_as_its_rules(bytes: &[u8]) {
    let Ok(table) = Table::load(bytes) else { return };
    let rules = rules(&table);
    let texts: Vec<String> = rules.iter().map(Rule::to_string).collect();
    let map = ScopeMap { rules, ..ScopeMap::default() };
    for name in neighbourhood(&map.rules) {
        let granted = table.granted(repository(&name));
        assert_eq!(granted, map.granted(repository(&name)), "{name} over {texts:?}");
        assert_eq!(granted.to_string(), decision::refereed(&texts, &name), "{name} over {texts:?}");
    }
    let anywhere =
        map.rules.iter().filter_map(Rule::grant).map(|(_, permission)| permission.action());
    assert_eq!(table.anywhere(), anywhere.collect());
    assert!(table.anywhere().is_superset(table.root()));
    recompiles(&table, &map, &texts);
}

/// The rules make the same table again, up to its seed, and those that a scope map may hold are
/// written as one would write them.
fn recompiles(table: &Table<&[u8]>, map: &ScopeMap, texts: &[String]) {
    let again = Table::compile([map]).expect("rules that fit a table");
    assert_eq!((again.root(), again.anywhere()), (table.root(), table.anywhere()));
    assert!(again.entries().eq(table.entries()), "{texts:?}");
    for (rule, text) in map.rules.iter().zip(texts) {
        let in_maps = rule.grant().is_some_and(|(_, permission)| permission.in_scope_maps());
        assert_eq!(Rule::parse(text).ok().as_ref(), in_maps.then_some(rule), "{text}");
    }
}
