//! References of images: where an image is, and what of it is meant.
//!
//! Follows <https://github.com/distribution/reference/blob/main/reference.go>, with the rule of the
//! clients for what is a host: the part before the first slash is one when it holds a dot or a
//! colon, is `localhost`, or has an upper-case letter, which no repository has.
//!
//! ```text
//! reference := [ registry "/" ] name [ ":" tag ] [ "@" digest ]
//! tag       := [A-Za-z0-9_] [A-Za-z0-9._-]*                    at most 128 bytes
//! digest    := algorithm ":" hex
//! ```
//!
//! Left out: which registry is meant when none is named (docker takes Docker Hub, podman asks its
//! configuration), and transports such as `docker://`, which belong to the command that
//! names the image.

use crate::error::{Error, ErrorKind};
use crate::lean::text::cut;
use crate::name::RepositoryName;
use crate::scope::{is_host, is_port};

/// The reference of an image, borrowed from the text that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The host of the registry, with its port.
    pub registry: Option<&'a str>,
    /// The repository.
    pub repository: RepositoryName<'a>,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest.
    pub digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads a reference.
    ///
    /// ```
    /// use scopegate_core::reference::Reference;
    ///
    /// let reference = Reference::parse("myregistry.azurecr.io/samples/nginx:v1")?;
    /// assert_eq!(reference.registry, Some("myregistry.azurecr.io"));
    /// assert_eq!(reference.repository.as_str(), "samples/nginx");
    /// assert_eq!(reference.tag, Some("v1"));
    /// # Ok::<(), scopegate_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NameHost`] for `-a.example/app`, [`ErrorKind::ReferenceInvalid`] for `app:` and
    /// `app@sha256:0`, and the errors of [`RepositoryName::parse`].
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let (named, digest) = match cut(text, b'@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(Error::new(ErrorKind::ReferenceInvalid, named.len().saturating_add(1)));
        }
        let (registry, rest) = split_registry(named)?;
        let start = named.len().saturating_sub(rest.len());
        let (name, tag) = match cut(rest, b':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (rest, None),
        };
        let repository = RepositoryName::parse(name).map_err(|error| error.shifted(start))?;
        if tag.is_some_and(|tag| !is_tag(tag)) {
            let position = start.saturating_add(name.len()).saturating_add(1);
            return Err(Error::new(ErrorKind::ReferenceInvalid, position));
        }
        Ok(Self { registry, repository, tag, digest })
    }
}

/// The registry, when one is named, and what follows it.
fn split_registry(text: &str) -> Result<(Option<&str>, &str), Error> {
    let Some((first, rest)) = cut(text, b'/') else {
        return Ok((None, text));
    };
    let names_host = first == "localhost"
        || first.bytes().any(|b| matches!(b, b'.' | b':') || b.is_ascii_uppercase());
    if !names_host {
        return Ok((None, text));
    }
    if is_authority(first) {
        Ok((Some(first), rest))
    } else {
        Err(Error::new(ErrorKind::NameHost, 0))
    }
}

/// A host, with a port or without. An IPv6 address is in brackets.
fn is_authority(text: &str) -> bool {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| cut(text, b']')) {
        let is_address = address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
        return is_address
            && !address.is_empty()
            && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    match cut(text, b':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(text),
    }
}

/// `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`
pub(crate) fn is_tag(text: &str) -> bool {
    is_word(text, |b| matches!(b, b'.' | b'_' | b'-'))
}

/// At most 128 letters, digits, and what is in `also`; a letter, a digit or an underscore first.
pub(crate) fn is_word(text: &str, also: fn(u8) -> bool) -> bool {
    let first = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(first)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || also(b))
}

/// An algorithm, a colon, and hexadecimal digits: exactly as many as the algorithm has where it is
/// known.
pub(crate) fn is_digest(text: &str) -> bool {
    let Some((algorithm, digits)) = cut(text, b':') else {
        return false;
    };
    let lower = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match algorithm {
        "sha256" => lower && digits.len() == 64,
        "sha512" => lower && digits.len() == 128,
        _ => {
            is_algorithm(algorithm)
                && (32..=1024).contains(&digits.len())
                && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }
    }
}

fn is_algorithm(text: &str) -> bool {
    text.as_bytes().split(|byte| matches!(byte, b'+' | b'.' | b'_' | b'-')).all(|piece| {
        piece.first().is_some_and(u8::is_ascii_alphabetic)
            && piece.iter().all(u8::is_ascii_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[track_caller]
    fn reads(text: &str, registry: &str, repository: &str, tag: &str, digest: &str) {
        let text = text.replace('D', DIGEST);
        let digest = digest.replace('D', DIGEST);
        let reference = Reference::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let parts = [
            reference.registry,
            Some(reference.repository.as_str()),
            reference.tag,
            reference.digest,
        ];
        let parts = parts.map(Option::unwrap_or_default);
        assert_eq!(parts, [registry, repository, tag, &digest], "{text}");
    }

    #[track_caller]
    fn refuses(text: &str, kind: ErrorKind, position: usize) {
        let error = Reference::parse(text).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, position), "{text}");
    }

    #[test]
    fn references() {
        for (text, registry, repository, tag, digest) in [
            ("app", "", "app", "", ""),
            ("app:v1", "", "app", "v1", ""),
            ("team/app", "", "team/app", "", ""),
            ("team/app:v1@D", "", "team/app", "v1", "D"),
            ("app@D", "", "app", "", "D"),
            ("localhost/app", "localhost", "app", "", ""),
            ("localhost:5000/team/app:v1", "localhost:5000", "team/app", "v1", ""),
            (
                "myregistry.azurecr.io/samples/nginx:v1",
                "myregistry.azurecr.io",
                "samples/nginx",
                "v1",
                "",
            ),
            ("127.0.0.1:5000/app", "127.0.0.1:5000", "app", "", ""),
            ("[::1]:5000/app:v1", "[::1]:5000", "app", "v1", ""),
            ("[::1]/app", "[::1]", "app", "", ""),
            ("MyRegistry/app", "MyRegistry", "app", "", ""),
            ("registry/app", "", "registry/app", "", ""),
            ("a.b/c/d/e:Tag_1.0-x", "a.b", "c/d/e", "Tag_1.0-x", ""),
        ] {
            reads(text, registry, repository, tag, digest);
        }
    }

    #[test]
    fn texts_that_are_none() {
        for (text, kind, position) in [
            ("", ErrorKind::NameEmpty, 0),
            ("App", ErrorKind::NameUpperCase, 0),
            ("reg.example/", ErrorKind::NameEmpty, 12),
            ("reg.example/Team/app", ErrorKind::NameUpperCase, 12),
            ("reg.example//app", ErrorKind::NameComponentEmpty, 12),
            ("-a.example/app", ErrorKind::NameHost, 0),
            ("reg:port/app", ErrorKind::NameHost, 0),
            ("[::1/app", ErrorKind::NameHost, 0),
            ("[]:1/app", ErrorKind::NameHost, 0),
            ("https://reg.example/app", ErrorKind::NameHost, 0),
            ("app:", ErrorKind::ReferenceInvalid, 4),
            ("app:.x", ErrorKind::ReferenceInvalid, 4),
            ("reg.example/app:a:b", ErrorKind::ReferenceInvalid, 16),
            ("app@sha256:0", ErrorKind::ReferenceInvalid, 4),
            ("app@", ErrorKind::ReferenceInvalid, 4),
        ] {
            refuses(text, kind, position);
        }
        refuses(&String::from("a").repeat(256), ErrorKind::NameTooLong, 255);
    }
}
