//! The cases: a scope map, requested scopes, and a request with its credential.
//!
//! Names are drawn from few components, so that rules, scopes, requests and tokens keep meeting
//! each other, and texts are good ones with a few characters changed, because a random text is
//! refused at its first byte. Requests are drawn from the tricks that have got past other people's
//! proxies.

use serde::Serialize;

/// How many cases share a map: compiling one for each would be all that is measured.
const PER_GROUP: usize = 500;

/// Cases over one scope map.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// The rules.
    pub map: Vec<String>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// Scopes, separated by spaces.
    pub scopes: String,
    /// The method of a request.
    pub method: String,
    /// Its target.
    pub target: String,
    /// The values of its `Content-Type`, one for each line of that.
    pub content_types: Vec<String>,
    /// What came with it.
    pub credential: Credential,
    /// What the token holds, as scopes, one a line; nothing without a good token.
    pub access: String,
    /// The settings of the engine, as they cross its boundary.
    pub settings: u32,
}

/// What came with a request, as it crosses the engine's boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "u32")]
pub enum Credential {
    /// Nothing.
    Absent = 0,
    /// A token that is no good.
    Invalid = 1,
    /// A good token.
    Valid = 2,
}

impl From<Credential> for u32 {
    fn from(credential: Credential) -> Self {
        credential as Self
    }
}

/// The groups of the first `cases` cases, always the same ones.
pub fn groups(cases: usize) -> impl Iterator<Item = Group> {
    let mut random = Random(0x5c09_e6a7_e001_u64);
    let mut left = cases;
    std::iter::from_fn(move || {
        let count = left.min(PER_GROUP);
        left -= count;
        (count > 0).then(|| random.group(count))
    })
}

/// SplitMix64, <https://prng.di.unimi.it/splitmix64.c>: a dozen lines that will never change under
/// us.
struct Random(u64);

const COMPONENTS: &[&str] =
    &["a", "b", "a", "b", "team", "app-1", "x.y", "a__b", "tags", "blobs", "manifests", "_catalog"];
const ACTIONS: &[&str] = &[
    "pull",
    "push",
    "delete",
    "metadata_read",
    "metadata_write",
    "deleted_read",
    "deleted_restore",
    "*",
    "fly",
    "PULL",
    "",
];
const PERMISSIONS: &[&str] = &[
    "content/read",
    "content/write",
    "content/delete",
    "metadata/read",
    "metadata/write",
    "content/read",
];
const TYPES: &[&str] = &[
    "repository",
    "repository",
    "repository",
    "registry",
    "artifact-repository",
    "repository(plugin)",
    "repo",
];
const METHODS: &[&str] =
    &["GET", "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "get", "CONNECT"];
/// `N` is a name, `D` a digest, `T` a tag, `U` the id of an upload.
const PATHS: &[&str] = &[
    "/v2/",
    "/v2",
    "/v2/_catalog",
    "/v2/N/manifests/T",
    "/v2/N/manifests/D",
    "/v2/N/blobs/D",
    "/v2/N/blobs/uploads/",
    "/v2/N/blobs/uploads",
    "/v2/N/blobs/uploads/U",
    "/v2/N/tags/list",
    "/v2/N/referrers/D",
    "/acr/v1/_catalog",
    "/acr/v1/N",
    "/acr/v1/N/_tags",
    "/acr/v1/N/_tags/T",
    "/acr/v1/N/_manifests",
    "/acr/v1/N/_manifests/D",
    "/acr/v1/_deleted/N/_tags",
    "/acr/v1/N/_metadata/T",
    "/helm/v1/N/index.yaml",
    "/helm/v1/N/_charts/T/T",
    "/v3/N",
    "/",
];
/// What is put somewhere into a path.
const TRICKS: &[&str] = &[
    "%2F", "%2f", "%252F", "//", "/./", "/../", "..%2f", "%2e%2e/", "%00", "%41", "A", "\\", "%5C",
    ";", "+", "%20", "#", "?", "%", "%zz", "*", "@", ":", "/", "~", "%c3%a9",
];
/// `N` is a name, `D` a digest.
const QUERIES: &[&str] = &[
    "",
    "",
    "",
    "?n=10",
    "?n=1&last=N",
    "?mount=D&from=N",
    "?from=N&mount=D",
    "?mount=D",
    "?mount=D&from=N&from=N",
    "?%66rom=N&mount=D",
    "?mount=D&from=N%2Fx",
    "?digest=D",
    "?from=A",
    "?x=a+b&from=N",
    "?",
    "?service=a&scope=b",
    "?n=%0d%0aX:1",
    "?from=",
    "?x=1;mount=D;from=N",
    "?mount=D&from=N&origin=other.example",
    "?ns=docker.io",
    "?_method=DELETE",
];
/// What a body may be called.
const CONTENT_TYPES: &[&str] = &[
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json; charset=utf-8",
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "Application/X-WWW-Form-Urlencoded;charset=UTF-8",
    "multipart/form-data; boundary=x",
    "application/octet-stream, multipart/form-data",
    "text/plain",
    "",
];

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Whether something happens that happens once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    fn joined(
        &mut self,
        least: usize,
        most: usize,
        by: &str,
        mut each: impl FnMut(&mut Self) -> String,
    ) -> String {
        let count = least + self.below(most - least + 1);
        let parts: Vec<String> = (0..count).map(|_| each(self)).collect();
        parts.join(by)
    }

    fn name(&mut self) -> String {
        if self.once_in(200) {
            return "a/".repeat(self.below(4)) + &"b".repeat(245 + self.below(12));
        }
        self.joined(1, 4, "/", |random| random.one_of(COMPONENTS).to_owned())
    }

    fn actions(&mut self) -> String {
        self.joined(1, 3, ",", |random| random.one_of(ACTIONS).to_owned())
    }

    /// A good text, or now and then one with a trick in it.
    fn spoilt(&mut self, text: String, once_in: usize) -> String {
        if !self.once_in(once_in) {
            return text;
        }
        let at = self.below(text.len() + 1);
        match text.split_at_checked(at) {
            Some((before, after)) => [before, self.one_of(TRICKS), after].concat(),
            None => text,
        }
    }

    fn rule(&mut self) -> String {
        let pattern = match self.below(10) {
            0 => "*".to_owned(),
            1..=4 => self.name() + "/*",
            _ => self.name(),
        };
        ["repositories/", &pattern, "/", self.one_of(PERMISSIONS)].concat()
    }

    /// Rules of which none is refused: a map with a bad rule has no table.
    fn map(&mut self) -> Vec<String> {
        let count = 1 + self.below(12);
        let rules = std::iter::repeat_with(|| self.rule());
        rules.filter(|rule| scopegate_core::Rule::parse(rule).is_ok()).take(count).collect()
    }

    fn scope(&mut self) -> String {
        let name = match self.below(20) {
            0 => "*".to_owned(),
            1 => "catalog".to_owned(),
            2 => "r.example:5000/".to_owned() + &self.name(),
            _ => self.name(),
        };
        let scope = [self.one_of(TYPES), ":", &name, ":", &self.actions()].concat();
        self.spoilt(scope, 12)
    }

    fn target(&mut self, name: &str) -> String {
        let mut target = String::new();
        let template = [self.one_of(PATHS), self.one_of(QUERIES)].concat();
        for character in template.chars() {
            match character {
                'N' => {
                    let name = if self.once_in(3) { self.name() } else { name.to_owned() };
                    target += &if self.once_in(6) { name.replace('/', "%2F") } else { name };
                }
                'D' => target += &format!("sha256:{:064x}", self.next()),
                'T' => target += self.one_of(&["v1", "latest", "1.0.0+b", ".x", "a b"]),
                'U' => target += self.one_of(&["6b3c9a93-af5d", "a_b=", "x"]),
                _ => target.push(character),
            }
        }
        self.spoilt(target, 4)
    }

    fn content_types(&mut self) -> Vec<String> {
        let count = [0, 1, 1, 1, 1, 1, 1, 2][self.below(8)];
        (0..count).map(|_| self.one_of(CONTENT_TYPES).to_owned()).collect()
    }

    fn access(&mut self, name: &str) -> String {
        self.joined(0, 3, "\n", |random| match random.below(12) {
            0 => "registry:catalog:*".to_owned(),
            1 => "repository:*:pull".to_owned(),
            2 => ["artifact-repository:", name, ":", &random.actions()].concat(),
            3 => random.scope(),
            4 => ["repository:", &random.name(), ":pull"].concat(),
            5..=7 => {
                ["repository:", name, ":pull,push,delete,metadata_read,metadata_write"].concat()
            }
            _ => ["repository:", name, ":", &random.actions()].concat(),
        })
    }

    fn case(&mut self) -> Case {
        let name = self.name();
        let credential = match self.below(10) {
            0 => Credential::Absent,
            1 => Credential::Invalid,
            _ => Credential::Valid,
        };
        let access =
            if credential == Credential::Valid { self.access(&name) } else { String::new() };
        Case {
            scopes: self.joined(1, 3, " ", Self::scope),
            method: self.one_of(METHODS).to_owned(),
            target: self.target(&name),
            content_types: self.content_types(),
            credential,
            access,
            settings: [0, 0, 0, 1, 2, 4, 16, 20][self.below(8)],
        }
    }

    fn group(&mut self, count: usize) -> Group {
        Group { map: self.map(), cases: (0..count).map(|_| self.case()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case keeps its place: a shorter run is the beginning of a longer one.
    #[test]
    fn the_first_cases_are_always_the_same() {
        let text = |cases| {
            groups(cases).map(|group| serde_json::to_string(&group).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(text(1000), text(1500)[..2]);
        assert_eq!(groups(501).map(|group| group.cases.len()).collect::<Vec<_>>(), [500, 1]);
    }
}
