//! curl, which calls every body a form unless it is told otherwise.

use std::path::Path;
use std::process::Command;

use crate::software::process::run;

/// What came back: the status, and the header fields with their names in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: String,
    headers: Vec<String>,
}

impl Answer {
    /// The value of a header field.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let pairs = self.headers.iter().filter_map(|line| line.split_once(": "));
        pairs.filter(|(own, _)| *own == name).map(|(_, value)| value).next()
    }
}

/// curl towards one address, with one header field in every request.
pub(crate) struct Curl<'a> {
    pub(crate) host: &'a str,
    pub(crate) header: &'a str,
    /// Where the body of the last answer is kept.
    pub(crate) body: &'a Path,
}

impl Curl<'_> {
    /// One request: its method, its target, and whatever else curl is told.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, target: &str, more: &[&str]) -> Answer {
        let url = if target.starts_with('/') {
            format!("http://{}{target}", self.host)
        } else {
            target.to_owned()
        };
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "20", "--dump-header", "-"]);
        command.arg("--output").arg(self.body).args(["--header", self.header]).args(more);
        // Of a HEAD it waits for a body otherwise.
        match method {
            "HEAD" => command.arg("--head"),
            _ => command.args(["--request", method]),
        };
        let output = run(command.arg(url));
        // What comes before the last head is `100 Continue`.
        let normal = output.replace('\r', "");
        let head = normal.trim_end().rsplit("\n\n").next().unwrap_or_default();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let headers = lines.map(|line| match line.split_once(':') {
            Some((name, value)) => format!("{}:{value}", name.to_ascii_lowercase()),
            None => line.to_owned(),
        });
        Answer { status: status.to_owned(), headers: headers.collect() }
    }
}
