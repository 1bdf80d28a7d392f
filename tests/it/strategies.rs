//! Inputs that are realistic, and nasty where it may hurt.
//!
//! Names are drawn from so few components that rules and requests keep meeting: the same name,
//! above it, below it, beside it. Texts are valid ones with a few characters changed, because a
//! random text is refused at its first byte.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use scopegate_core::{Role, Rule, ScopeMap, Table};
use scopegate_tests::invariants::explanation::NamedMap;
use scopegate_tests::naive;

const ACTIONS: &[&str] = &[
    "pull",
    "push",
    "delete",
    "metadata_read",
    "metadata_write",
    "deleted_read",
    "deleted_restore",
    "*",
    "*",
    "",
    "PULL",
    "fly",
];

const PERMISSIONS: &[&str] =
    &["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"];

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

/// A part of a name: nearly always one of two.
fn component() -> impl Strategy<Value = String> {
    const ODD: &[&str] =
        &["0", "ab", "a-b", "a--b", "a.b", "a__b", "content", "read", "_tags", "abcdefgh"];
    prop_oneof![12 => one_of(&["a", "b"]), 1 => one_of(ODD)]
}

/// A repository name, now and then a long one.
pub(crate) fn name() -> impl Strategy<Value = String> {
    let plain = vec(component(), 1..=4).prop_map(|components| components.join("/"));
    prop_oneof![40 => plain, 1 => long_name()]
}

/// A name at the limit of length, or a little beyond.
fn long_name() -> impl Strategy<Value = String> {
    (0..4_usize, 250..=257_usize).prop_map(|(depth, len)| {
        let above = "a/".repeat(depth);
        format!("{above}{}", "a".repeat(len - above.len()))
    })
}

/// What a rule may cover.
pub(crate) fn pattern() -> impl Strategy<Value = String> {
    let below = name().prop_map(|name| format!("{name}/*"));
    prop_oneof![1 => Just("*".to_owned()), 4 => name(), 4 => below]
}

/// A valid rule.
pub(crate) fn rule() -> impl Strategy<Value = String> {
    let plain = (pattern(), one_of(PERMISSIONS))
        .prop_map(|(pattern, permission)| format!("repositories/{pattern}/{permission}"));
    let gateway = Just("gateway/connected-1/message/write".to_owned());
    let rule = prop_oneof![20 => plain, 1 => gateway];
    let spelled = (rule, prop::bool::weighted(0.05));
    spelled
        .prop_map(|(rule, loud)| if loud { rule.to_uppercase() } else { rule })
        .prop_filter("a rule", |rule| naive::is_rule(rule))
}

/// The rules of a small map.
pub(crate) fn rules() -> impl Strategy<Value = Vec<String>> {
    vec(rule(), 0..10)
}

/// The rules of a small map, and the same in another order.
pub(crate) fn shuffled_rules() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    rules().prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle()))
}

/// The rules of two maps: two that have nothing to do with each other, or one and what has become
/// of it.
pub(crate) fn changed_rules() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let unrelated = (rules(), rules());
    let grown =
        (rules(), vec(rule(), 0..3)).prop_map(|(old, more)| (old.clone(), [old, more].concat()));
    prop_oneof![unrelated, grown]
}

/// The maps of one principal, the last of which users cannot change.
pub(crate) fn named_maps() -> impl Strategy<Value = Vec<NamedMap>> {
    let names = ["", "first", "second", "_system"];
    vec(vec(rule(), 0..5), 1..=4).prop_map(move |maps| {
        let named = names.into_iter().rev().zip(maps);
        named.map(|(name, rules)| NamedMap { name: name.to_owned(), rules }).collect()
    })
}

/// A scope, nearly always a valid one.
pub(crate) fn scope() -> impl Strategy<Value = String> {
    const TYPES: &[&str] = &[
        "repository",
        "repository",
        "repository",
        "artifact-repository",
        "registry",
        "repository(plugin)",
        "repository(Plugin)",
    ];
    let host = name().prop_map(|name| format!("Reg-1.example:5000/{name}"));
    let fixed = one_of(&["*", "catalog", "deleted_catalog"]);
    let catalog = prop::sample::subsequence(ACTIONS, 0..3)
        .prop_map(|actions| format!("registry:catalog:*,{}", actions.join(",")));
    let any = (
        one_of(TYPES),
        prop_oneof![12 => name(), 1 => host, 2 => fixed],
        vec(one_of(ACTIONS), 0..5),
    )
        .prop_map(|(kind, name, actions)| format!("{kind}:{name}:{}", actions.join(",")));
    prop_oneof![12 => any, 1 => catalog]
}

/// The type, name and action of a token's access entry.
pub(crate) fn grant() -> impl Strategy<Value = [String; 3]> {
    let kind =
        one_of(&["repository", "repository", "registry", "artifact-repository", "Repository"]);
    let name = prop_oneof![4 => component(), 1 => Just("*".to_owned())];
    (kind, name, one_of(ACTIONS)).prop_map(|(kind, name, action)| [kind, name, action])
}

/// The scopes of a request, in one parameter, some of them broken.
pub(crate) fn request() -> impl Strategy<Value = String> {
    let piece = prop_oneof![5 => scope(), 1 => mutated(scope())];
    vec(piece, 0..6).prop_map(|pieces| pieces.join(" "))
}

/// The target of an HTTP request, with the slashes of its name written in some way.
pub(crate) fn target() -> impl Strategy<Value = String> {
    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let slash = prop_oneof![8 => one_of(&["/", "%2F"]), 1 => one_of(&["%252F", "//", "/../"])];
    let deep =
        (one_of(ROOTS), name(), slash, one_of(TAILS)).prop_map(|(root, name, slash, tail)| {
            let name = name.replace('/', &slash);
            format!("{root}/{name}/{tail}").replace('D', DIGEST)
        });
    prop_oneof![20 => deep, 1 => one_of(NAMELESS)]
}

/// A request as it is written, for one repository: its target, header fields and a body that is a
/// form.
pub(crate) fn whole_request() -> impl Strategy<Value = String> {
    let path = one_of(&["blobs/uploads/", "blobs/uploads/u", "manifests/v1", "tags/list"]);
    let pair = one_of(&[
        "mount=sha256:0",
        "from=secret/vault",
        "from=team/app",
        "%66rom=secret%2Fvault",
        "from=",
        "ns=docker.io",
        "origin=a",
        "_method=PUT",
        "digest=sha256:0",
        "x",
    ]);
    let query = vec((one_of(&["&", "&", "&", ";", "&&"]), pair), 0..4);
    let header = prop_oneof![
        4 => one_of(TYPES).prop_map(|value| format!("\nContent-Type: {value}")),
        1 => one_of(&["X-HTTP-Method-Override: PUT", "Content_Type: text/plain", "Accept: a, b"])
            .prop_map(|line| format!("\n{line}")),
    ];
    let written = (path, query, vec(header, 0..3)).prop_map(|(path, query, headers)| {
        let query: String = query.into_iter().map(|(separator, pair)| separator + &pair).collect();
        let headers = headers.concat();
        let body = "mount=sha256:0&from=secret/vault";
        format!("/v2/team/app/{path}?{query}{headers}\n\n{body}")
    });
    let written = written.boxed();
    prop_oneof![3 => written.clone(), 1 => mutated(written)]
}

/// What a body may be called.
const TYPES: &[&str] = &[
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; bad",
    "MULTIPART/form-data; boundary=x",
    "multipart/form-data; boundary*=utf-8''x",
    "application/octet-stream, multipart/form-data",
    "application/vnd.oci.image.manifest.v1+json",
    "application/x-url-encoded",
    "",
];

const ROOTS: &[&str] = &["/v2", "/acr/v1", "/acr/v1/_deleted", "/helm/v1"];

/// What may follow a name, `D` standing for a digest; the last lines are tricks.
const TAILS: &[&str] = &[
    "manifests/v1",
    "manifests/D",
    "blobs/D",
    "blobs/uploads",
    "blobs/uploads/",
    "blobs/uploads/?mount=D&from=a/b",
    "blobs/uploads/?from=a%2Fb&x=%20+",
    "blobs/uploads/a=-1",
    "tags/list",
    "referrers/D",
    "",
    "_metadata/k",
    "_tags",
    "_tags/v1",
    "_tags/v1/_metadata",
    "_manifests",
    "_manifests/D",
    "_manifests/D/_metadata/k",
    "index.yaml",
    "_charts/c/1.0+2",
    "_blobs/f",
    "blobs/uploads/..",
    "blobs/uploads/%2e%2E",
    "manifests%2Fv1",
    "manifests/v1%2500",
];

const NAMELESS: &[&str] =
    &["/v2/", "/v2", "/v2/_catalog?n=1", "/acr/v1/_catalog", "/acr/v1/_deleted/_catalog"];

/// A header with one or two challenges.
pub(crate) fn header() -> impl Strategy<Value = String> {
    let parameter =
        (one_of(&["realm", "Service", "scope", "error", "max_age"]), name(), any::<bool>())
            .prop_map(|(key, value, quoted)| {
                // A quote and a backslash in a quoted value, each behind a backslash.
                if quoted { format!(r#"{key}="{value}\" \\""#) } else { format!("{key} = {value}") }
            });
    let challenge = (one_of(&["Bearer", "basic", "Negotiate"]), vec(parameter, 0..4))
        .prop_map(|(scheme, parameters)| format!("{scheme} realm=r,{}", parameters.join(", ")));
    vec(challenge, 1..3).prop_map(|challenges| challenges.join(","))
}

/// A scope map as a document, in each of its forms.
pub(crate) fn document() -> impl Strategy<Value = String> {
    (rules(), 0..4).prop_map(|(rules, form)| {
        let list = serde_json::to_string(&rules).expect("JSON");
        match form {
            0 => list,
            1 => format!(r#"{{"name":"some-map","description":"x","actions":{list}}}"#),
            2 => format!("properties:\n  actions: {list}\n"),
            _ => rules.iter().map(|rule| format!("- '{rule}'\n")).collect(),
        }
    })
}

/// A text with some characters put in, taken out or replaced.
pub(crate) fn mutated(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let characters: Vec<char> =
        "aA0/:*,._- %#?(){}[]=&+\"'\\\n\0\u{7f}\u{e9}\u{212a}".chars().collect();
    let change = (any::<Index>(), 0..3, select(characters));
    (text, vec(change, 0..4)).prop_map(|(text, changes)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (place, kind, character) in changes {
            let place = place.index(characters.len() + 1);
            match characters.get_mut(place) {
                Some(old) if kind == 0 => *old = character,
                Some(_) if kind == 1 => drop(characters.remove(place)),
                _ => characters.insert(place, character),
            }
        }
        characters.into_iter().collect()
    })
}

/// Any text at all, and texts that nearly mean something.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => any::<String>(),
        2 => mutated(name()),
        2 => mutated(pattern()),
        2 => mutated(rule()),
        2 => mutated(request()),
        2 => mutated(target()),
        2 => mutated(header()),
        2 => mutated(document()),
    ]
}

/// The bytes of a table, spoilt in a few places, and now and then anything at all.
pub(crate) fn table() -> impl Strategy<Value = Vec<u8>> {
    let long = long_name().prop_map(|name| vec![format!("repositories/{name}/metadata/read")]);
    let rules = prop_oneof![4 => rules(), 1 => long];
    let role = prop::option::of(select(&Role::ALL[..]));
    let spoilt = (rules, role, vec(spoiling(), 0..4)).prop_map(|(rules, role, spoilings)| {
        let rules = rules.iter().filter_map(|rule| Rule::parse(rule).ok()).collect();
        let map = ScopeMap { rules, ..ScopeMap::default() };
        let role = role.map(Role::scope_map).unwrap_or_default();
        let mut bytes = Table::compile([&map, &role]).expect("a table").as_bytes().to_vec();
        spoilings.into_iter().for_each(|spoiling| spoiling.apply(&mut bytes));
        bytes
    });
    prop_oneof![30 => spoilt, 1 => vec(any::<u8>(), 0..200)]
}

/// A change to a table that has some chance not to be noticed.
#[derive(Clone, Debug)]
enum Spoiling {
    /// One bit anywhere.
    Flip(Index, u32),
    /// One bit of the actions in the header or in a slot.
    FlipAction(Index, u32),
    /// What a slot grants on a name and what it grants below change places.
    Swap(Index),
}

fn spoiling() -> impl Strategy<Value = Spoiling> {
    (any::<Index>(), 0..8_u32, 0..4).prop_map(|(place, bit, kind)| match kind {
        0 => Spoiling::Flip(place, bit),
        1 => Spoiling::FlipAction(place, bit),
        _ => Spoiling::Swap(place),
    })
}

impl Spoiling {
    /// Changes a table, of which the header is as long as two slots.
    fn apply(self, bytes: &mut [u8]) {
        let (rows, _) = bytes.as_chunks_mut::<16>();
        match self {
            Self::Flip(place, bit) => *place.get_mut(bytes) ^= 1 << bit,
            Self::FlipAction(place, bit) => match place.index(3 * rows.len()) {
                0..3 => rows[1][8] ^= 1 << bit,
                3..6 => rows[1][10] ^= 1 << bit,
                field => rows[field / 3][10 + 2 * (field % 3)] ^= 1 << bit,
            },
            Self::Swap(place) => place.get_mut(&mut rows[1..]).swap(10, 12),
        }
    }
}
