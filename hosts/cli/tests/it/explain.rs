//! `explain`.

use crate::support::{refuses, runs, runs_with};

#[test]
fn explain_says_why_and_how_to_fix_it() {
    runs(
        "explain --scope-map team.json repository:sample/x:pull,push repository:sample:pull",
        "can pull `sample/x`: granted by `sample/*` content/read in MyScopeMap
can't push to `sample/x`: covered only for other actions, by `sample/*` content/read in MyScopeMap
fix: az acr scope-map update --name MyScopeMap --registry myregistry --add-repository sample/x content/write
can't pull `sample`: `sample/*` content/read covers repositories below `sample`, not `sample` itself
fix: az acr scope-map update --name MyScopeMap --registry myregistry --add-repository sample content/read
",
        1,
    );
    runs(
        "explain --scope-map list.yaml --registry other repository:app:pull,push",
        "can pull `app`: granted by `app` content/read
can't push to `app`: covered only for other actions, by `app` content/read, `app` metadata/read
fix: az acr scope-map update --name $SCOPE_MAP --registry other --add-repository app content/write
",
        1,
    );
}

#[test]
fn explain_answers_in_json() {
    runs(
        "explain --scope-map list.yaml --output json repository:app:pull",
        concat!(
            r#"[{"scope":"repository:app:pull","text":"can pull `app`: granted by `app` content/read\n","#,
            r#""reasons":[{"action":"pull","granted":true,"#,
            r#""rules":[{"scopeMap":"","pattern":"app","permission":"content/read"}],"misses":[]}],"edits":[],"replacements":[]}]"#,
            "\n"
        ),
        0,
    );
}

#[test]
fn explain_reads_what_decide_reads() {
    runs(
        "explain --scope-map list.yaml repository:app:pull 'repository:app: repository:app:pull'",
        "can pull `app`: granted by `app` content/read\n",
        0,
    );
    runs_with(
        "explain --scope-map list.yaml --catalog filtered registry:catalog:* repository:app",
        "",
        (
            "can list the repositories: granted by `app` metadata/read\n",
            "error: missing colon at byte 14 of `repository:app`\nhint: use `type:name:actions`\n",
            2,
        ),
    );
    refuses("explain --scope-map none.json a:b:c", "error: none.json: no such file\n");
}
