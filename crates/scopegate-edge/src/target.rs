//! The target of a request, redacted for a log.
//!
//! People put secrets into queries, where no registry reads one. So only the values of parameters
//! that registries read stay in a query. A `;` and a `#` begin a parameter too, wherever they are,
//! and so does a second `?`: a target is logged before it is refused, and must show no more in
//! another reading.
//!
//! Paths stay, because they name what was asked for, but for what looks like a secret in them.
//!
//! Left out: secrets of another form in a path, such as a password that a person has chosen.

use alloc::string::String;

/// The parameters whose values stay.
const SHOWN: [&str; 9] =
    ["artifactType", "digest", "from", "last", "mount", "n", "orderby", "reference", "tag"];
/// The replacement of a value.
const HIDDEN: &str = "***";
/// The length of a shorter secret than any of ours: they have 36 characters.
const MIN_SECRET: usize = 32;
/// What a parameter begins with.
const SEPARATORS: [char; 4] = ['?', '&', ';', '#'];

/// A target without the values of parameters that no registry reads.
///
/// ```
/// use scopegate_edge::target::for_log;
///
/// assert_eq!(for_log("/v2/a/tags/list?n=5&password=hunter2"), "/v2/a/tags/list?n=5&password=***");
/// ```
#[must_use]
pub fn for_log(target: &str) -> String {
    let mut shown = String::with_capacity(target.len());
    let mut is_path = true;
    for piece in target.split_inclusive(SEPARATORS) {
        let text = piece.strip_suffix(SEPARATORS).unwrap_or(piece);
        if is_path {
            shown.push_str(&without_secrets(text));
        } else {
            push_parameter(&mut shown, text);
        }
        is_path = false;
        shown.extend(piece.chars().next_back().filter(|letter| SEPARATORS.contains(letter)));
    }
    shown
}

fn push_parameter(shown: &mut String, text: &str) {
    match text.split_once('=') {
        Some((name, _)) if !SHOWN.contains(&name) => {
            shown.push_str(name);
            shown.push('=');
            shown.push_str(HIDDEN);
        }
        // A piece without a name may be a value.
        None if !text.is_empty() && !SHOWN.contains(&text) => shown.push_str(HIDDEN),
        _ => shown.push_str(&without_secrets(text)),
    }
}

/// A text without what may be a token or a generated password, which people paste into the wrong
/// place: a long run of their characters with an upper-case letter, which no repository has.
///
/// ```
/// use scopegate_edge::target::without_secrets;
///
/// let pasted = "repository:sgp_orLPSoOCPJNVx79jH1t6WByfyOG-G75B:pull";
/// assert_eq!(without_secrets(pasted), "repository:***:pull");
/// ```
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let is_between = |letter: char| !letter.is_ascii_alphanumeric() && !"-_.".contains(letter);
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_between) {
        let run = piece.strip_suffix(is_between).unwrap_or(piece);
        let is_secret =
            run.len() >= MIN_SECRET && run.bytes().any(|byte| byte.is_ascii_uppercase());
        shown.push_str(if is_secret { HIDDEN } else { run });
        shown.extend(piece.chars().next_back().filter(|letter| is_between(*letter)));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_no_registry_reads_are_hidden() {
        for (target, expected) in [
            ("", ""),
            ("/v2/", "/v2/"),
            ("/v2/?", "/v2/?"),
            ("/v2/_catalog?n=1&last=a%2Fb", "/v2/_catalog?n=1&last=a%2Fb"),
            (
                "/v2/a/blobs/uploads/?mount=sha256:0&from=b",
                "/v2/a/blobs/uploads/?mount=sha256:0&from=b",
            ),
            (
                "/v2/a/blobs/uploads/u?_state=x&digest=d",
                "/v2/a/blobs/uploads/u?_state=***&digest=d",
            ),
            ("/v2/?access_token=x", "/v2/?access_token=***"),
            ("/v2/?a=x=y&n", "/v2/?a=***&n"),
            ("/v2/?hunter2", "/v2/?***"),
            ("/v2/?p%61ssword=x", "/v2/?p%61ssword=***"),
            // What others take for the next parameter, or for a fragment.
            ("/v2/?n=5;access_token=x", "/v2/?n=5;access_token=***"),
            ("/v2/?n=5?access_token=x&&n=é;é", "/v2/?n=5?access_token=***&&n=é;***"),
            ("/v2/?n=5#access_token=x", "/v2/?n=5#access_token=***"),
            ("/v2/#access_token=x", "/v2/#access_token=***"),
            ("/v2/;access_token=x/a?n=1", "/v2/;access_token=***?n=1"),
            // What was pasted into the wrong place.
            (
                "/v2/eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln/tags/list?last=sgp_orLPSoOCPJNVx79jH1t6WByfyOG-G75B",
                "/v2/***/tags/list?last=***",
            ),
            (
                "/v2/team/Application-With-A-Name/blobs/sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                "/v2/team/Application-With-A-Name/blobs/sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            ),
        ] {
            assert_eq!(for_log(target), expected, "{target}");
        }
    }
}
