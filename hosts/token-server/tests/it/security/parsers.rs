//! Whatever the server reads: nothing makes it panic, and what it takes is what was written.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scopegate_host::networks::Networks;
use scopegate_server::testing::clock;
use scopegate_server::testing::domain::principal::Credentials;
use scopegate_server::testing::domain::seed::Seed;
use scopegate_server::testing::http::address::client_address;
use scopegate_server::testing::http::management::resource::Ids;
use scopegate_server::testing::http::oauth::parameters::Parameters;
use serde_json::Value;

use crate::support::{PUBLIC_URL, Provider, Server, basic, encoded};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// Text that is nearly a token.
fn nearly_a_token() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(String::new()),
        "[A-Za-z0-9_-]{0,40}",
        any::<String>(),
        r#"\{"(alg|kid|iss|aud|exp)":("[a-zA-Z0-9]{0,5}"|[0-9]{1,20})\}"#
            .prop_map(|text| URL_SAFE_NO_PAD.encode(text)),
    ];
    vec(part, 0..5).prop_map(|parts| parts.join("."))
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn an_authorization_is_read_as_it_was_written(header in prop_oneof![
        vec(any::<u8>(), 0..40),
        any::<String>().prop_map(|text| format!("Basic {}", STANDARD.encode(text)).into_bytes()),
        "[Bb]asic +[A-Za-z0-9+/=:]{0,40} *".prop_map(String::into_bytes),
    ]) {
        let Ok(Credentials::Password { name, password }) = Credentials::basic(&header) else {
            return Ok(());
        };
        prop_assert!(!name.contains(':'));
        let again = Credentials::basic(basic(&name, &password).as_bytes()).ok();
        let is_same = again == Some(Credentials::Password { name, password });
        prop_assert!(is_same);
    }

    #[test]
    fn a_form_of_any_bytes_is_read_in_one_way(query in any::<String>(), form in vec(any::<u8>(), 0..200)) {
        let Ok(parameters) = Parameters::of_post(Some(&query), &form) else { return Ok(()) };
        for name in ["scope", "grant_type", ""] {
            let all: Vec<_> = parameters.all(name).collect();
            let one = parameters.one(name);
            prop_assert_eq!(one.is_err(), all.iter().any(|value| *value != all[0]));
        }
    }

    #[test]
    fn a_form_is_read_as_it_was_written(
        pairs in vec((select(&["scope", "a", "A", ""][..]), any::<String>()), 0..8),
        at in 0_usize..8,
    ) {
        let (query, form) = pairs.split_at(at.min(pairs.len()));
        let encode = |pairs: &[(&str, String)]| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            encoded(&pairs)
        };
        let (query, form) = (encode(query), encode(form));
        let parameters = Parameters::of_post(Some(&query), form.as_bytes()).unwrap();
        for name in ["scope", "a", "A"] {
            let written: Vec<_> =
                pairs.iter().filter(|(n, _)| *n == name).map(|(_, value)| value.as_str()).collect();
            prop_assert_eq!(parameters.all(name).collect::<Vec<_>>(), written);
        }
    }

    #[test]
    fn a_seed_of_any_text_is_read_or_refused_in_few_words(text in prop_oneof![
        any::<String>(),
        "(registry|scopeMaps|tokens|servicePrincipals): ?[\\[\\]{}a-z0-9:,&*!| \n-]{0,60}",
        r#"tokens: \[\{name: [^\n]{0,10}, passwords: \[\{name: password1, sha256: ['"]?[0-9a-fg+]{0,70}['"]?\}\]\}\]"#,
    ]) {
        // An error may say where it is, and never runs over the text.
        let read = serde_saphyr::from_str::<Seed>(&text);
        let message = read.err().map(|error| error.without_snippet().to_string());
        prop_assert!(message.is_none_or(|message| message.len() < 2000));
    }

    #[test]
    fn what_a_client_says_of_its_address_changes_nothing(
        entries in vec(prop_oneof![
            any::<[u8; 4]>().prop_map(|ip| std::net::Ipv4Addr::from(ip).to_string()),
            any::<u128>().prop_map(|ip| format!("[{}]:1", std::net::Ipv6Addr::from(ip))),
            "[ -~]{0,12}",
        ], 0..6),
        left in "[ -~]{0,30}",
        trusted in proptest::sample::select(vec![vec![], vec!["192.0.2.9"], vec!["192.0.2.9", "0.0.0.0/1"]]),
    ) {
        let peer = "192.0.2.9".parse().unwrap();
        let proxies = Networks::parse(trusted.iter().copied()).unwrap();
        let read = |list: &str| {
            let mut headers = HeaderMap::new();
            headers.append("x-forwarded-for", HeaderValue::from_str(list).unwrap());
            client_address(peer, &headers, &proxies, false)
        };
        let list = entries.join(",");
        let address = read(&list);
        if proxies.is_empty() {
            prop_assert_eq!(address, peer);
        }
        // Whatever a client writes to the left of what our proxies wrote changes nothing.
        if !proxies.contain(address) {
            prop_assert_eq!(read(&format!("{left},{list}")), address);
        }
    }
}

/// A token has one spelling: no other text with the same meaning passes.
#[test]
fn a_token_of_any_text_is_refused_but_for_the_one_that_was_issued() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let refresh = runtime.block_on(server.login("Reader", "secret-one"));
    let access = runtime.block_on(server.by_password("Reader", "secret-one", "")).access_token();
    let (issuer, now) = (&server.app.issuer, clock::now());
    proptest!(config(2000), |(text in nearly_a_token())| {
        prop_assert!(issuer.verify_refresh(&text, now).is_none());
        prop_assert!(issuer.verify_access(&text, now).is_none());
        prop_assert!(issuer.verify::<Value>(&text, PUBLIC_URL, now).is_none());
    });
    proptest!(config(2000), |(at in 0_usize..2000, other in "[A-Za-z0-9_=. +/-]", is_inserted in any::<bool>())| {
        for (good, is_refresh) in [(&refresh, true), (&access, false)] {
            let at = at % good.len();
            let end = if is_inserted { at } else { at + 1 };
            let text = format!("{}{other}{}", &good[..at], &good[end..]);
            let is_same = text == *good;
            prop_assert_eq!(issuer.verify_refresh(&text, now).is_some(), is_same && is_refresh, "{}", text);
            prop_assert_eq!(issuer.verify_access(&text, now).is_some(), is_same && !is_refresh, "{}", text);
        }
    });
}

#[test]
fn an_identity_of_any_text_is_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let provider = runtime.block_on(Provider::start());
    let providers = provider.providers("[{match: {groups: x}, roles: [AcrPull]}]");
    proptest!(config(2000), |(text in nearly_a_token())| {
        prop_assert!(runtime.block_on(providers.identify(&text, clock::now())).is_err());
    });
}

#[test]
fn an_id_of_management_is_read_as_it_was_written() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let ids = Ids::new(&server.app);
    proptest!(config(2000), |(name in "[a-zA-Z0-9/%._ -]{0,12}|\\PC{0,5}", head in any::<String>(), upper in any::<bool>())| {
        let id = ids.child("tokens", &name);
        let id = if upper { id.replace("subscriptions", "SUBSCRIPTIONS") } else { id };
        let is_name = !name.is_empty() && !name.contains('/');
        prop_assert_eq!(ids.name("tokens", &id).ok(), is_name.then_some(name.as_str()));
        prop_assert!(ids.name("scopeMaps", &id).is_err());
        let other = format!("{head}{name}");
        prop_assert!(ids.name("tokens", &other).is_err());
    });
}
