//! `lint`.

use crate::support::{refuses, runs, runs_with};

#[test]
fn lint_tells_what_is_wrong_with_a_map() {
    let remark = "team.json: actions[0]: pull_without_metadata_read: can pull, but can't list tags without metadata/read (`repositories/sample/*/content/read`)\n";
    let errors = "push.yaml: actions[0]: push_without_pull: push won't work: it also needs content/read (`repositories/app/content/write`)
push.yaml: actions[1]: redundant: duplicate rule (`repositories/app/content/write`; because of actions[0])
";
    runs("lint list.yaml", "", 0);
    runs("lint --output json list.yaml", "[]\n", 0);
    runs("lint --strict list.yaml", "", 0);
    runs("lint team.json", remark, 0);
    runs("lint --strict team.json", remark, 1);
    runs("lint team.json push.yaml", &format!("{remark}{errors}"), 1);
    runs(
        "lint --output json push.yaml",
        concat!(
            r#"[{"file":"push.yaml","kind":"push_without_pull","error":true,"#,
            r#""message":"push won't work: it also needs content/read","#,
            r#""rule":0,"becauseOf":null,"action":"repositories/app/content/write"},"#,
            r#"{"file":"push.yaml","kind":"redundant","error":false,"message":"duplicate rule","#,
            r#""rule":1,"becauseOf":0,"action":"repositories/app/content/write"}]"#,
            "\n"
        ),
        1,
    );
    // A push to `a/b` works by the first rule, so this is a remark.
    runs(
        "lint partly.yaml",
        "partly.yaml: actions[0]: push_partly_without_pull: push works only where another rule grants content/read (`repositories/a/*/content/write`)\n",
        0,
    );
    refuses("lint list.yaml none.json", "error: none.json: no such file\n");
}

#[test]
fn lint_counts_the_rules_of_a_map() {
    let rules: Vec<_> = (0..600).map(|n| format!("- repositories/r{n}/metadata/read\n")).collect();
    let finding = "<stdin>: too_many_rules: over the limit of 500 rules per scope map\n";
    runs_with("lint -", &rules.concat(), (finding, "", 1));
}
