//! The address of a syslog server.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};
use url::Url;

const EXPECTED: &str = "udp://HOST:514, tcp://HOST:601 or unix:///dev/log";

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogTarget {
    /// Host and port.
    Udp(String),
    /// Host and port.
    Tcp(String),
    /// The path of a socket for datagrams.
    Unix(PathBuf),
}

impl SyslogTarget {
    /// Reads `udp://host:514`, `tcp://host:601` or `unix:///dev/log`. The ports may be left out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let at = |port| {
            let host = url.host_str().filter(|host| !host.is_empty())?;
            Some(format!("{host}:{}", url.port().unwrap_or(port)))
        };
        match url.scheme() {
            "udp" => at(514).map(Self::Udp),
            "tcp" => at(601).map(Self::Tcp),
            "unix" if url.path().len() > 1 => Some(Self::Unix(url.path().into())),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for SyslogTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is not {EXPECTED}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, target) in [
            ("udp://siem:1514", SyslogTarget::Udp("siem:1514".into())),
            ("udp://siem", SyslogTarget::Udp("siem:514".into())),
            ("udp://[::1]", SyslogTarget::Udp("[::1]:514".into())),
            ("tcp://127.0.0.1", SyslogTarget::Tcp("127.0.0.1:601".into())),
            ("unix:///dev/log", SyslogTarget::Unix("/dev/log".into())),
        ] {
            assert_eq!(SyslogTarget::parse(text), Some(target), "{text}");
        }
        for text in
            ["", "siem", "siem:514", "http://siem", "tls://siem", "file:///x", "unix:///", "udp://"]
        {
            assert_eq!(SyslogTarget::parse(text), None, "{text}");
        }
    }
}
