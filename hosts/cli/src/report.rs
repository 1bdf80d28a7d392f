//! The output of a command: its answer, the errors of its input, and the exit code.
//!
//! An answer is collected and then written at once, so that a closed pipe is not an error, and so
//! that untrusted text is escaped in one function: unprintable characters are escaped, and no scope
//! can forge a line of output.
//!
//! Left out: colours, and a log.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use scopegate_api::DocumentError;
use scopegate_core::Error;
use serde::Serialize;

/// In which form an answer is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// For programs, one line
    Json,
}

/// The outcome of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// All granted, no findings, equivalent maps, or all assertions hold.
    Yes = 0,
    /// The opposite.
    No = 1,
    /// The input is invalid.
    BadInput = 2,
}

/// What a command prints, and its exit code.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    output: String,
    problems: Vec<BadInput>,
}

impl Answer {
    /// An empty answer.
    pub(crate) fn new(status: Status) -> Self {
        Self { status, output: String::new(), problems: Vec::new() }
    }

    /// An answer as one line of JSON.
    pub(crate) fn json(status: Status, document: &impl Serialize) -> Result<Self, BadInput> {
        let json = serde_json::to_string(document)
            .map_err(|error| BadInput::new(format!("no JSON can be written: {error}")))?;
        Ok(Self { output: json + "\n", ..Self::new(status) })
    }

    /// Adds one line, with the text escaped.
    pub(crate) fn line(&mut self, text: impl Display) {
        self.output.push_str(&visible(&text.to_string()));
        self.output.push('\n');
    }

    /// Adds an error of the input. It goes to standard error, and the status becomes bad input.
    pub(crate) fn problem(&mut self, problem: BadInput) {
        self.status = Status::BadInput;
        self.problems.push(problem);
    }
}

impl From<BadInput> for Answer {
    fn from(problem: BadInput) -> Self {
        let mut answer = Self::new(Status::BadInput);
        answer.problem(problem);
        answer
    }
}

/// An error of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadInput {
    message: String,
    hint: Option<String>,
}

impl BadInput {
    /// With a message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same, with a hint.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same, with its location.
    pub(crate) fn at(self, location: impl Display) -> Self {
        Self { message: format!("{location}: {}", self.message), ..self }
    }
}

impl From<Error> for BadInput {
    fn from(error: Error) -> Self {
        Self::new(error.to_string()).hint(error.kind().hint())
    }
}

impl From<DocumentError> for BadInput {
    fn from(error: DocumentError) -> Self {
        Self { message: error.to_string(), hint: error.hint }
    }
}

/// Prints an answer and returns its exit code.
pub(crate) fn print(answer: Result<Answer, BadInput>) -> ExitCode {
    let mut answer = answer.unwrap_or_else(Answer::from);
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(answer.output.as_bytes()).and_then(|()| stdout.flush());
    // A closed pipe means that the reader has enough.
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        answer.problem(BadInput::new(format!("the answer cannot be written: {error}")));
    }
    let mut stderr = io::stderr().lock();
    for BadInput { message, hint } in &answer.problems {
        // A failure here cannot be reported.
        let _ = writeln!(stderr, "error: {}", clipped(visible(message)));
        if let Some(hint) = hint {
            let _ = writeln!(stderr, "hint: {}", visible(hint));
        }
    }
    ExitCode::from(answer.status as u8)
}

/// Untrusted text, made safe for a line on a terminal: line feeds, escape sequences and all other
/// unprintable characters are escaped.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\'' | '"' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// The maximum length of a message, in characters. It begins with the location and ends with the
/// offending text, which may be arbitrarily long.
const MAX_SHOWN: usize = 400;

fn clipped(text: String) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.split_at(end).0),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_does_not_print_is_printed() {
        for (text, shown) in [
            ("`a/b` is granted pull", "`a/b` is granted pull"),
            ("it's \"quoted\" \\ café", "it's \"quoted\" \\ café"),
            ("a\ngranted  b", "a\\ngranted  b"),
            ("\u{1b}[2K\r\0", "\\u{1b}[2K\\r\\0"),
            ("\u{202e}\u{200b}\u{9b}", "\\u{202e}\\u{200b}\\u{9b}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
