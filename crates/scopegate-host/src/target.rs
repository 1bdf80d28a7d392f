//! The target of a request, redacted for a log.
//!
//! People put secrets into queries, where no registry reads one. So only the values of parameters
//! that registries read stay in a query.

/// The parameters whose values stay.
const SHOWN: [&str; 9] =
    ["artifactType", "digest", "from", "last", "mount", "n", "orderby", "reference", "tag"];
/// The replacement of a value.
const HIDDEN: &str = "***";

/// A target without the values of parameters that no registry reads.
///
/// ```
/// use scopegate_host::target::for_log;
///
/// assert_eq!(for_log("/v2/a/tags/list?n=5&password=hunter2"), "/v2/a/tags/list?n=5&password=***");
/// ```
#[must_use]
pub fn for_log(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let parameters: Vec<String> = query.split('&').map(parameter).collect();
    [path, "?", &parameters.join("&")].concat()
}

fn parameter(text: &str) -> String {
    match text.split_once('=') {
        Some((name, _)) if !SHOWN.contains(&name) => [name, "=", HIDDEN].concat(),
        // A piece without a name may be a value.
        None if !text.is_empty() && !SHOWN.contains(&text) => HIDDEN.to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_no_registry_reads_are_hidden() {
        for (target, expected) in [
            ("/v2/", "/v2/"),
            ("/v2/?", "/v2/?"),
            ("/v2/_catalog?n=1&last=a%2Fb", "/v2/_catalog?n=1&last=a%2Fb"),
            (
                "/v2/a/blobs/uploads/?mount=sha256:0&from=b",
                "/v2/a/blobs/uploads/?mount=sha256:0&from=b",
            ),
            ("/v2/?access_token=x", "/v2/?access_token=***"),
            ("/v2/?a=x=y&n", "/v2/?a=***&n"),
            ("/v2/?hunter2", "/v2/?***"),
            ("/v2/?p%61ssword=x?y", "/v2/?p%61ssword=***"),
        ] {
            assert_eq!(for_log(target), expected, "{target}");
        }
    }
}
