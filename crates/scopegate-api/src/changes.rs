//! Texts that are about a change: a diff, and a plan of Terraform.
//!
//! Both have rules in them that are there no more, or are not there yet. Some of their lines read
//! as YAML, and a removed rule would be taken for one that grants. So they are told by their form,
//! and refused with what to give instead.
//!
//! Left out: what the change would come to, which `scopegate diff` says of two documents.

use crate::document::DocumentError;

/// What is wrong with a text that reads as a list and is the removed lines of a diff.
pub(crate) fn removed_line(text: &str) -> Option<DocumentError> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next()?.strip_prefix('-')?;
    let is_alone = lines.next().is_none();
    let item = first.trim_start();
    let indent = first.len().saturating_sub(item.len());
    // A list of one item in YAML has one space there; what was indented in its file has more.
    let is_indented = indent > 1 || first.starts_with('\t');
    let is_removed = is_item_of_json(item) || (is_alone && is_indented && item.starts_with('"'));
    is_removed.then(diff)
}

/// What is wrong with a text that could not be read, where it is a change or the language of
/// Terraform.
pub(crate) fn named(text: &str) -> Option<DocumentError> {
    if text.lines().any(is_of_a_plan) {
        return Some(DocumentError::plan());
    }
    if text.lines().any(is_of_a_diff) {
        return Some(diff());
    }
    let is_block = |line: &str| line.trim_start().starts_with("resource \"");
    text.lines().any(is_block).then(|| {
        let hint = "give what `terraform show -json` prints, or the scope map as `az` shows it";
        DocumentError::at("", "Terraform's language, not JSON or YAML", hint)
    })
}

fn diff() -> DocumentError {
    let hint =
        "give the file as it is after the change, and compare two files with `scopegate diff`";
    DocumentError::at("", "a diff, in which removed rules look like rules", hint)
}

fn is_of_a_plan(line: &str) -> bool {
    let line = line.trim_start();
    let is_heading =
        line.starts_with("# ") && [" will be ", " must be "].iter().any(|it| line.contains(it));
    is_heading
        || line.starts_with("Plan: ")
        || line.starts_with("Terraform will perform")
        || ["~ resource \"", "- resource \"", "+ resource \"", "-/+ resource \""]
            .iter()
            .any(|start| line.starts_with(start))
}

fn is_of_a_diff(line: &str) -> bool {
    let is_header =
        ["diff --git ", "--- a/", "+++ b/", "@@ -"].iter().any(|it| line.starts_with(it));
    let is_added = line.strip_prefix('+').is_some_and(|rest| rest.trim_start().starts_with('"'));
    is_header
        || is_added
        || line.strip_prefix('-').is_some_and(|rest| is_item_of_json(rest.trim_start()))
}

/// Whether a line is a text in quotes and a comma, which ends no item of a list in YAML.
fn is_item_of_json(text: &str) -> bool {
    text.starts_with('"') && text.trim_end().ends_with("\",")
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use crate::scope_map::WrittenScopeMap;

    const DIFF: &str = "a diff, in which removed rules look like rules";
    const PLAN: &str = "a plan of Terraform, which has the rules of before and of after";
    const RULE: &str = "\"repositories/team/app/content/write\"";

    #[track_caller]
    fn refuses(text: &str, expected: &str) {
        let error = WrittenScopeMap::read_all(text).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
        assert!(error.hint.is_some(), "{text}");
    }

    #[test]
    fn a_removed_line_is_no_rule() {
        for text in [
            &alloc::format!("-    {RULE}\n"),
            &alloc::format!("-    {RULE},\n"),
            &alloc::format!("-  {RULE}"),
            &alloc::format!("\n-\t{RULE}\n\n"),
            &alloc::format!("-    {RULE},\n-    {RULE}\n"),
            &alloc::format!("-    {RULE},\n+    {RULE}\n"),
            &alloc::format!("+    {RULE}\n"),
            &alloc::format!("@@ -2,7 +2,7 @@\n-    {RULE},\n"),
        ] {
            refuses(text, DIFF);
        }
    }

    #[test]
    fn a_list_is_a_list() {
        for text in [
            alloc::format!("- {RULE}\n"),
            alloc::format!("- {RULE}\n- {RULE}\n"),
            alloc::format!("-   {RULE}\n-   {RULE}\n"),
            alloc::format!("  - {RULE}\n"),
            "-    repositories/team/app/content/write\n".to_string(),
        ] {
            assert!(WrittenScopeMap::read_all(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn plans_and_blocks() {
        let block =
            "resource \"azurerm_container_registry_scope_map\" \"ci\" {\n  actions = []\n}\n";
        refuses(block, "Terraform's language, not JSON or YAML");
        refuses(&alloc::format!("  ~ {block}"), PLAN);
        refuses("Terraform will perform the following actions:\n  x {\n", PLAN);
    }
}
