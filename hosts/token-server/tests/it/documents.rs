//! What the documents say is so: commands, flags, values of the configuration and examples are
//! those of the program.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use scopegate_server::testing::config::{Cli, Config, Source};
use scopegate_server::testing::domain::identity::Providers;
use scopegate_server::testing::domain::seed::Seed;
use serde_json::Value;

/// A document, by its path in the project.
struct Document {
    path: &'static str,
    text: String,
}

impl Document {
    fn all() -> [Self; 7] {
        [
            "README.md",
            "CHANGELOG.md",
            "docs/architecture.md",
            "docs/compatibility.md",
            "docs/quickstart.md",
            "docs/restore.md",
            "docs/token-server.md",
        ]
        .map(Self::read)
    }

    fn read(path: &'static str) -> Self {
        Self { path, text: std::fs::read_to_string(root().join(path)).unwrap() }
    }

    /// The blocks of code in a language.
    fn blocks(&self, language: &str) -> Vec<&str> {
        let fence = format!("```{language}\n");
        let blocks = self.text.split(fence.as_str()).skip(1);
        blocks.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
    }

    /// Code within sentences.
    fn pieces(&self) -> Vec<&str> {
        let outside = self.text.split("```").step_by(2);
        outside.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
    }
}

/// Every `scopegate-server` that a person may copy names a command that there is, and flags that it
/// has.
#[test]
fn commands_and_flags_exist() {
    let mut seen = 0;
    for document in Document::all() {
        let blocks = [document.blocks("sh"), document.blocks("console")].concat();
        let lines = blocks.iter().flat_map(|block| block.lines());
        let lines = lines.map(|line| line.trim_start_matches("$ "));
        for line in lines.chain(document.pieces()) {
            let words: Vec<&str> =
                line.split('#').next().unwrap_or_default().split_whitespace().collect();
            if let [program, words @ ..] = words.as_slice()
                && program.ends_with("scopegate-server")
                && !words.is_empty()
            {
                check_command(document.path, line, words);
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "only {seen} commands were found");
}

#[track_caller]
fn check_command(path: &str, line: &str, words: &[&str]) {
    let mut command = Cli::command();
    command.build();
    let mut command = &command;
    for word in words {
        if let Some(flag) = word.strip_prefix("--") {
            let known = command.get_arguments().any(|argument| argument.get_long() == Some(flag));
            assert!(known, "{path}: `{line}`: no flag --{flag}");
        } else if command.has_subcommands() {
            let next = command.find_subcommand(word);
            command = next.unwrap_or_else(|| panic!("{path}: `{line}`: no command {word}"));
        }
    }
}

/// A value that a sentence names by its path is in the example of the configuration, which another
/// test holds to the program.
#[test]
fn values_of_the_configuration_exist() {
    let example = std::fs::read_to_string(root().join("examples/scopegate.yaml")).unwrap();
    let example: Value = serde_saphyr::from_str(&example.replace("#: ", "")).unwrap();
    let mut seen = 0;
    for document in Document::all() {
        for piece in document.pieces() {
            let path = piece.split(':').next().unwrap_or_default();
            let Some((section, rest)) = path.split_once('.') else { continue };
            if !rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') {
                continue;
            }
            let Some(section) = example.get(section).filter(|section| section.is_object()) else {
                continue;
            };
            let value = rest.split('.').try_fold(section, |value, name| value.get(name));
            assert!(value.is_some(), "{}: there is no `{path}`", document.path);
            seen += 1;
        }
    }
    assert!(seen > 5, "only {seen} values were found");
}

/// Configurations, in documents and as examples.
#[test]
fn configurations_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![root().join("examples/ci.yaml")];
    for (index, block) in Document::all().iter().flat_map(|d| d.blocks("yaml")).enumerate() {
        let file = folder.path().join(format!("{index}.yaml"));
        std::fs::write(&file, block).unwrap();
        files.push(file);
    }
    assert!(files.len() > 1);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let source = Source { config: Some(file), ..Source::default() };
        let config = Config::load(&source, &[]).unwrap_or_else(|e| panic!("{text}\n{e:#}"));
        Providers::open(&config.providers).unwrap_or_else(|e| panic!("{text}\n{e:#}"));
    }
}

#[test]
fn the_example_of_a_seed_is_accepted() {
    let text = std::fs::read_to_string(root().join("examples/seed.yaml")).unwrap();
    let seed: Seed = serde_saphyr::from_str(&text).unwrap();
    assert!(!seed.scope_maps.is_empty() && !seed.tokens.is_empty());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
