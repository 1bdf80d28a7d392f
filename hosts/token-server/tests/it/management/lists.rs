//! Lists and their pages.

use std::collections::BTreeSet;

use scopegate_server::testing::domain::edit::scope_maps::{self, ScopeMapEdit};
use scopegate_server::testing::domain::edit::tokens::{self, TokenEdit};
use scopegate_server::testing::model::password_user::ReservedNames;
use scopegate_server::testing::store::TokenRecord;
use serde_json::Value;

use crate::support::management::{Registry, get};

/// The path of the next page.
fn next_page(page: &Value) -> Option<String> {
    let link = page["nextLink"].as_str();
    link.map(|link| link.strip_prefix("https://r.test").unwrap().to_owned())
}

async fn registry_with_tokens(count: usize) -> Registry {
    let registry = Registry::start().await;
    let mut write = registry.server.write().await;
    for number in 0..count {
        let name = format!("Token-{number:04}");
        tokens::put(&mut write, &name, &ReservedNames::new("registry"), TokenEdit::default())
            .await
            .unwrap();
    }
    registry.server.commit(write).await;
    registry
}

/// Makes or deletes a token before and one behind where a list stands.
async fn come_and_go(registry: &Registry, number: usize) {
    let mut write = registry.server.write().await;
    for name in [format!("aaa-{number:04}"), format!("zzz-{number:04}")] {
        if !write.delete::<TokenRecord>(&name).await.unwrap() {
            tokens::put(&mut write, &name, &ReservedNames::new("registry"), TokenEdit::default())
                .await
                .unwrap();
        }
    }
    registry.server.commit(write).await;
}

/// Every token is in the list exactly once, although others come and go between the pages.
#[tokio::test]
async fn a_list_holds_every_token_once_while_others_come_and_go() {
    let registry = registry_with_tokens(1200).await;
    for (query, pages) in [
        ("", 3),
        ("?$top=500", 3),
        ("?$top=400", 4),
        ("?$top=77&api-version=2026-09-01-preview", 16),
    ] {
        let mut next = Some(format!("tokens{query}"));
        let (mut seen, mut count) = (Vec::new(), 0);
        while let Some(path) = next {
            let page = registry.must(get(path)).await;
            let tokens = page["value"].as_array().unwrap().iter();
            seen.extend(tokens.map(|token| token["name"].as_str().unwrap().to_owned()));
            next = next_page(&page);
            count += 1;
            come_and_go(&registry, count).await;
        }
        let stayed: Vec<_> = seen.iter().filter(|name| name.starts_with("Token-")).collect();
        assert_eq!(stayed.len(), 1200, "{query}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{query}");
        assert!(stayed.is_sorted());
        assert!(count >= pages, "{query}: {count}");
    }
}

/// Scope maps are long, so a page has a hundred of them, whatever is asked for.
#[tokio::test]
async fn a_page_of_scope_maps_is_short() {
    let registry = Registry::start().await;
    let mut write = registry.server.write().await;
    for number in 0..250 {
        let edit = ScopeMapEdit { description: None, actions: Some(Vec::new()) };
        scope_maps::put(&mut write, &format!("map-{number:03}"), edit).await.unwrap();
    }
    registry.server.commit(write).await;
    let (mut next, mut pages) = (Some("scopeMaps?$top=500".to_owned()), Vec::new());
    while let Some(path) = next {
        let page = registry.must(get(path)).await;
        pages.push(page["value"].as_array().unwrap().len());
        next = next_page(&page);
    }
    assert_eq!(pages, [100, 100, 55]);
}
