//! Documents that people have: what `az`, Terraform and ARM write, and what only looks like a scope
//! map.

use std::process::Command;

use crate::support::{Folder, case, case_runs};

#[test]
fn a_document_that_people_have_is_read() {
    for (name, pull, push) in [
        ("_repositories_admin.json", 0, 0),
        ("_repositories_pull.json", 0, 1),
        ("pull-bom.json", 0, 1),
        ("pull-utf16.json", 0, 1),
        ("arm-template.json", 0, 0),
        ("acl72.json", 0, 1),
        ("d2932.json", 1, 1),
    ] {
        for (action, exit) in [("pull", pull), ("push", push)] {
            let verdict = if exit == 0 { "granted" } else { "denied " };
            let scope = format!("repository:org/app:{action}");
            let args = format!("decide --profile distribution --scope-map CASE {scope}");
            case_runs(&args, name, (&format!("{verdict}  {scope}\n"), "", exit));
        }
    }
}

/// Files with two scope maps.
const LISTS: [&str; 2] = ["acr-list.json", "arm-list.json"];
const DECIDE: &str = "decide --profile distribution --scope-map CASE repository:a:pull,push";

#[test]
fn a_file_of_several_maps_needs_a_name() {
    for name in LISTS {
        let several = format!(
            "error: {name}: several scope maps: `_repositories_admin`, `_repositories_pull`\nhint: choose one with `--name`\n"
        );
        case_runs(DECIDE, name, ("", &several, 2));
        case_runs("diff CASE CASE", name, ("", &several, 2));
        case_runs(
            &format!("{DECIDE} --name _repositories_pull --name none"),
            name,
            ("", "error: no scope map is called `none`\nhint: there is `_repositories_pull`\n", 2),
        );
    }
}

/// As Azure compares them; and what one of several grants is granted.
#[test]
fn maps_are_chosen_by_their_names() {
    for name in LISTS {
        let one = format!("{DECIDE} --name _repositories_pull");
        let stdout = "granted  repository:a:pull\ndenied   repository:a:push\n";
        case_runs(&one, name, (stdout, "", 1));
        let both = format!("{DECIDE} --name _Repositories_Pull --name _repositories_admin");
        case_runs(&both, name, ("granted  repository:a:pull,push\n", "", 0));
        case_runs("diff CASE CASE --name _repositories_pull", name, ("", "", 0));
    }
}

#[test]
fn lint_reads_one_map_or_all() {
    case_runs(
        "lint CASE --name _repositories_pull",
        "acr-list.json",
        (
            "acr-list.json: actions[0]: pull_without_metadata_read: can pull, but can't list tags without metadata/read (`repositories/*/content/read`)
acr-list.json: actions[0]: root_wildcard: applies to all repositories, including future ones (`repositories/*/content/read`)
",
            "",
            0,
        ),
    );
    let output = Folder::new().run(&["lint", &case("arm-list.json")], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("arm-list.json: _repositories_pull: actions[0]: root_wildcard: "),
        "{text}"
    );
    assert!(
        text.contains("arm-list.json: _repositories_admin: actions[4]: root_wildcard: "),
        "{text}"
    );
}

/// A removed rule is no rule.
#[test]
fn a_diff_or_a_plan_is_refused() {
    let diff = "a diff, in which removed rules look like rules
hint: give the file as it is after the change, and compare two files with `scopegate diff`
";
    let plan = "a plan of Terraform, which has the rules of before and of after
hint: give what `terraform show -json` prints when the plan is applied, or the scope map as `az` shows it
";
    for (name, says) in [("d.diff", diff), ("d.minus", diff), ("d.plan", plan)] {
        let stderr = format!("error: {name}: {says}");
        case_runs("decide --scope-map CASE repository:team/app:push", name, ("", &stderr, 2));
        case_runs("lint CASE", name, ("", &stderr, 2));
    }
}

/// A system-defined map is read-only, so the token gets another one.
#[test]
fn explain_gives_the_token_another_map_than_a_system_defined_one() {
    let update = "fix: az acr token update --name $TOKEN --registry contoso --scope-map";
    let stdout = format!(
        "can't read the metadata of `charts/web`: covered only for other actions, by `*` content/read in _repositories_pull
{update} _repositories_pull_metadata_read
{update} _repositories_push_metadata_write
{update} _repositories_admin
fix: az acr scope-map create --name $SCOPE_MAP --registry contoso --repository charts/web content/read metadata/read && az acr token update --name $TOKEN --registry contoso --scope-map $SCOPE_MAP
"
    );
    let explain = "explain --scope-map CASE repository:charts/web:metadata_read";
    case_runs(explain, "_repositories_pull.json", (&stdout, "", 1));
}

#[test]
fn input_is_bounded_and_utf_8() {
    let folder = Folder::new();
    let stderr = |stdin: &[u8]| {
        let output = folder.run(&["lint", "-"], stdin);
        assert_eq!((output.stdout.as_slice(), output.status.code()), (&b""[..], Some(2)));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(stderr(&vec![b' '; 9 << 20]), "error: <stdin>: more than 8388608 bytes\n");
    assert_eq!(stderr(&vec![b'-'; 5 << 20]), "error: <stdin>: more than 4194304 bytes\n");
    assert_eq!(
        stderr(b"- \xff"),
        "error: <stdin>: not UTF-8 at byte 2\nhint: save the file as UTF-8\n"
    );
    for cut in [&b"\xff\xfe["[..], b"\xfe\xff\xd8\x00\x00["] {
        assert_eq!(
            stderr(cut),
            "error: <stdin>: not the UTF-16 that its first bytes say\nhint: save the file as UTF-8\n"
        );
    }
}

/// Every command that the command line's page names is there.
#[test]
fn documented_commands_exist() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mentions =
        page.split(['`', '$', '\n']).filter_map(|text| text.trim().strip_prefix("scopegate "));
    let names: std::collections::BTreeSet<&str> =
        mentions.filter_map(|rest| rest.split_whitespace().next()).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let output = Command::new(env!("CARGO_BIN_EXE_scopegate")).args([name, "--help"]).output();
        assert!(output.unwrap().status.success(), "there is no `scopegate {name}`");
    }
}
