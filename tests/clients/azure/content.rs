//! The Azure SDKs for Go and Java push, pull, show and change what there is at each level, and
//! delete it.

use serde_json::{Value, json};

use super::{ALL, Scene};
use crate::drivers::sdk::{Credential, Sdk};
use crate::software::process::free_port;
use crate::software::registry::registries;
use crate::software::server::seed;

const NAME: &str = "team/made";
const TEXT: &str = "the text of a layer, which goes in chunks";
const FLAGS: [&str; 4] = ["delete", "write", "read", "list"];

/// One SDK, and the repository that it makes.
struct Made {
    scene: Scene,
    sdk: Sdk,
    digest: String,
}

#[test]
fn sdks_at_every_level() {
    for sdk in Sdk::with_content() {
        for registry in registries() {
            let scene = Scene::over(registry, free_port(), &seed(&[(NAME, ALL)]), None);
            let mut made = Made { scene, sdk, digest: String::new() };
            let calls: [&[&str]; 2] = [&["upload", NAME, "v1", TEXT], &["download", NAME, "v1"]];
            let uploaded = made.outcomes(&calls);
            assert_eq!(uploaded[1], Ok(json!(TEXT)), "{sdk:?} {uploaded:?}");
            made.digest = uploaded[0].as_ref().unwrap().as_str().unwrap().to_owned();
            made.is_shown_and_changed();
            made.is_deleted();
        }
    }
}

impl Made {
    #[track_caller]
    fn outcomes(&self, calls: &[&[&str]]) -> Vec<Result<Value, u64>> {
        let token = format!("MyToken:{}", self.scene.password());
        self.sdk.call(&self.scene.front, &Credential::Token(&token), calls)
    }

    #[track_caller]
    fn check(&self, table: &[(&[&str], Result<Value, u64>)]) {
        let calls: Vec<_> = table.iter().map(|(call, _)| *call).collect();
        for ((call, expected), outcome) in table.iter().zip(self.outcomes(&calls)) {
            assert_eq!(outcome, *expected, "{:?} {call:?}", self.sdk);
        }
    }

    /// What the gateway answers to a client that reads JSON as it is.
    fn raw(&self, path: &str) -> Value {
        let url = format!("{}/acr/v1/{NAME}{path}", self.scene.front.gateway());
        let request = reqwest::blocking::Client::new().get(url);
        let request = request.basic_auth("MyToken", Some(self.scene.password()));
        serde_json::from_str(&request.send().unwrap().text().unwrap()).unwrap()
    }

    /// Every member that the SDKs read, and each flag off and on again.
    fn is_shown_and_changed(&self) {
        let references = [NAME.to_owned(), format!("{NAME}:v1"), format!("{NAME}@{}", self.digest)];
        let shows = references.each_ref().map(|reference| ["show", reference]);
        let mut table: Vec<(&[&str], _)> = Vec::new();
        for (show, expected) in shows.iter().zip(self.expected()) {
            table.push((show, Ok(expected)));
        }
        let changes = references.iter().flat_map(|reference| {
            FLAGS.into_iter().flat_map(move |flag| {
                ["false", "true"].map(|value| ["change", reference, flag, value])
            })
        });
        let changes: Vec<_> = changes.collect();
        for change in &changes {
            let [_, _, flag, value] = *change;
            table.push((change, Ok(json!(FLAGS.map(|own| own != flag || value == "true")))));
        }
        self.check(&table);
    }

    /// What is shown of the repository, of its tag and of its manifest.
    fn expected(&self) -> [Value; 3] {
        let (repository, tag) = (self.raw(""), self.raw("/_tags/v1"));
        let manifest = self.raw(&format!("/_manifests/{}", self.digest));
        let registry = &repository["registry"];
        let begin = |name: &str, of: &Value| {
            let times = ["created", "lastUpdate"].map(|time| micros(of, time));
            vec![json!(name), json!(times[0]), json!(times[1]), json!([true, true, true, true])]
        };
        let rows = [
            (begin(NAME, &repository), json!([1, 1, registry])),
            (begin("v1", &tag["tag"]), json!([self.digest, registry, NAME])),
            (
                begin(&self.digest, &manifest["manifest"]),
                json!([TEXT.len(), "arm64", "linux", ["v1"], registry, NAME]),
            ),
        ];
        rows.map(|(mut begin, mut rest)| {
            begin.append(rest.as_array_mut().unwrap());
            Value::Array(begin)
        })
    }

    /// By its tags, by its digest, and whole.
    fn is_deleted(&self) {
        let digest = self.digest.as_str();
        let reference = format!("{NAME}@{digest}");
        self.check(&[
            (&["upload", NAME, "v2", TEXT], Ok(json!(digest))),
            (&["upload", NAME, "v3", TEXT], Ok(json!(digest))),
            (&["newest", NAME, digest], Ok(json!(["v3", "v2", "v1"]))),
            (&["untag", NAME, "v2"], Ok(Value::Null)),
            (&["untag", NAME, "v2"], Ok(Value::Null)),
            (&["newest", NAME, digest], Ok(json!(["v3", "v1"]))),
            (&["change", &reference, "delete", "false"], Ok(json!([false, true, true, true]))),
            (&["discard", NAME, digest], Err(405)),
            (&["delete", NAME], Err(405)),
            (&["change", &reference, "delete", "true"], Ok(json!([true, true, true, true]))),
            (&["discard", NAME, digest], Ok(Value::Null)),
            (&["discard", NAME, digest], Ok(Value::Null)),
            (&["show", &reference], Err(404)),
            (&["tag", NAME, "v1"], Err(404)),
            (&["upload", NAME, "v4", TEXT], Ok(json!(digest))),
            (&["delete", NAME], Ok(Value::Null)),
            (&["delete", NAME], Ok(Value::Null)),
            (&["repository", NAME], Err(404)),
        ]);
    }
}

/// A time as the SDKs have it, which read it strictly: in microseconds.
fn micros(of: &Value, name: &str) -> i64 {
    let text = of[format!("{name}Time")].as_str().unwrap_or_else(|| panic!("{of}"));
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}
