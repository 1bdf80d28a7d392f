//! The target of a request, redacted for a log.
//!
//! People put secrets into queries, where no registry reads one. So only the values of parameters
//! that registries read stay in a query. A `;` and a `#` begin a parameter too, wherever they are,
//! and so does a second `?`: a target is logged before it is refused, and must show no more in
//! another reading.
//!
//! Left out: paths, which name what was asked for.

use alloc::string::String;

/// The parameters whose values stay.
const SHOWN: [&str; 9] =
    ["artifactType", "digest", "from", "last", "mount", "n", "orderby", "reference", "tag"];
/// The replacement of a value.
const HIDDEN: &str = "***";
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
            shown.push_str(text);
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
        _ => shown.push_str(text),
    }
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
        ] {
            assert_eq!(for_log(target), expected, "{target}");
        }
    }
}
