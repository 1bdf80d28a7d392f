//! What a host writes down for each case, and the digest of it all.

use std::fmt::Write as _;

use scopegate_api::abi::{self, Failure};
use scopegate_api::access::AccessEntry;
use scopegate_api::decision::DecisionReport;
use scopegate_core::admission::{self, Authority, Request, admit};
use scopegate_core::verify::Grant;
use scopegate_core::{Error, ErrorKind, ScopeList, ScopeMap, Table, claims};
use sha2::{Digest as _, Sha256};

use super::cases::{Case, Credential, Group};

/// Where clients of the cases get their tokens.
pub const AUTHORITY: Authority<'static> =
    Authority { realm: "https://registry.test/oauth2/token", service: "registry.test" };

/// The digest of a stream of answers: the SHA-256 of the SHA-256 of each group, because a browser
/// hashes only what it has whole.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    of_groups: Vec<u8>,
    cases: usize,
}

impl Digest {
    /// Adds the lines of a group.
    pub fn add<S: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = S>) {
        let mut group = Sha256::new();
        for line in lines {
            group.update(line.as_ref());
            group.update("\n");
            self.cases += 1;
        }
        self.of_groups.extend_from_slice(&group.finalize());
    }

    /// The number of answers, and the digest of them all in hex.
    #[must_use]
    pub fn finish(&self) -> String {
        let mut text = self.cases.to_string() + " ";
        for byte in Sha256::digest(&self.of_groups) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// The engine itself, natively: what every host is compared with.
#[derive(Debug)]
pub struct Native {
    table: Table<Vec<u8>>,
}

impl Native {
    /// The engine with the map of a group.
    ///
    /// # Panics
    ///
    /// When the map is none: the cases have none of those.
    #[must_use]
    pub fn new(group: &Group) -> Self {
        let map =
            ScopeMap::parse(group.map.iter().map(String::as_str)).expect("the map of a group");
        Self { table: Table::compile([&map]).expect("the map of a group") }
    }

    /// The line of a case.
    #[must_use]
    pub fn line(&self, case: &Case) -> String {
        line(&self.decide(case), &admission(case))
    }

    fn decide(&self, case: &Case) -> String {
        let (settings, _) = abi::unpack_settings(case.settings).expect("settings");
        match ScopeList::parse([case.scopes.as_str()]) {
            Ok(request) => {
                report(&DecisionReport::new(&request, &claims([&self.table], &request, &settings)))
            }
            Err(error) => refused(error.into()),
        }
    }
}

/// What becomes of the request of a case, as the engine's boundary writes it.
#[must_use]
pub fn admission(case: &Case) -> String {
    abi::write_admission(&admitted(case))
}

/// What becomes of the request of a case.
///
/// # Panics
///
/// When its settings are none: the cases have none of those.
#[must_use]
pub fn admitted(case: &Case) -> admission::Admission<'_> {
    let (_, settings) = abi::unpack_settings(case.settings).expect("settings");
    let grants = case.access.lines().filter_map(Grant::read);
    let credential = match case.credential {
        Credential::Absent => admission::Credential::Absent,
        Credential::Invalid => admission::Credential::Invalid,
        Credential::Valid => admission::Credential::Valid(grants),
    };
    let request = Request { method: &case.method, target: &case.target, headers: headers(case) };
    admit(request, credential, AUTHORITY, &settings)
}

/// The header fields of the request of a case.
pub fn headers(case: &Case) -> impl Iterator<Item = (&[u8], &[u8])> {
    case.content_types.iter().map(|value| (&b"Content-Type"[..], value.as_bytes()))
}

/// The line of a case: what was decided, and what becomes of the request.
#[must_use]
pub fn line(decided: &str, admitted: &str) -> String {
    [decided, "\t", admitted].concat()
}

/// A decision as text.
#[must_use]
pub fn report(report: &DecisionReport) -> String {
    parts(report).join("\t")
}

/// What was granted, what was denied, and the invalid scopes, each as text.
#[must_use]
pub fn parts(report: &DecisionReport) -> [String; 3] {
    let list = |entries: &[AccessEntry]| -> String {
        entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let invalid: Vec<String> = report
        .invalid
        .iter()
        .map(|invalid| {
            format!("{}@{}:{}", code_of(&invalid.message), invalid.position, invalid.scope)
        })
        .collect();
    [list(&report.access), list(&report.denied), invalid.join(" ")]
}

/// A request that was refused as a whole.
///
/// # Panics
///
/// When the engine failed in another way.
#[must_use]
pub fn refused(failure: Failure) -> String {
    match failure {
        Failure::Refused(error) => refusal(error),
        other => panic!("{other}"),
    }
}

fn refusal(error: Error) -> String {
    format!("refused {}@{}", error.kind().code(), error.position())
}

/// The code of the error that this message speaks of.
fn code_of(message: &str) -> &'static str {
    let speaks_of = |kind: &&ErrorKind| {
        message.strip_prefix(kind.message()).is_some_and(|rest| rest.starts_with(": "))
    };
    ErrorKind::ALL.iter().find(speaks_of).map_or("unknown", |kind| kind.code())
}
