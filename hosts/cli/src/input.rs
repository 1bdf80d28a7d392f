//! Files and standard input, read whole, as text, and never without a bound.
//!
//! Left out: parsing, which is in [`maps`](crate::maps) and [`test`](crate::test).

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::report::BadInput;

/// The source of a text: a file, or standard input for `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// `-`
    Stdin,
    /// Anything else.
    File(PathBuf),
}

impl Input {
    /// Reads all of the text.
    pub(crate) fn read(&self) -> Result<String, BadInput> {
        let bytes = self.read_bytes().map_err(|error| BadInput::new(reason(&error)).at(self))?;
        if bytes.len() > MAX_BYTES {
            return Err(BadInput::new(format!("more than {MAX_BYTES} bytes")).at(self));
        }
        let text = decode(bytes).map_err(|problem| problem.at(self))?;
        if text.trim().is_empty() {
            return Err(BadInput::new("nothing in it").at(self));
        }
        Ok(text)
    }

    fn read_bytes(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::Stdin => read_bounded(io::stdin().lock()),
            Self::File(path) => read_bounded(File::open(path)?),
        }
    }

    /// The folder that relative paths in this text start from.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Stdin => Path::new(""),
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
        }
    }

    /// Refuses to read standard input twice: the second read would be empty.
    pub(crate) fn check_stdin<'a>(
        inputs: impl IntoIterator<Item = &'a Self>,
    ) -> Result<(), BadInput> {
        if inputs.into_iter().filter(|input| **input == Self::Stdin).count() > 1 {
            return Err(BadInput::new("`-` is standard input, which can be read only once")
                .hint("put one of them into a file"));
        }
        Ok(())
    }
}

/// The maximum number of bytes that are read. A document may be half as long; the rest lets its
/// parser report a longer one.
const MAX_BYTES: usize = 8 << 20;

/// The text in some bytes, without the byte-order mark that editors on Windows write, which no
/// parser of JSON expects. PowerShell writes UTF-16 where the output of a program goes into a file.
fn decode(bytes: Vec<u8>) -> Result<String, BadInput> {
    match *bytes.as_slice() {
        [0xff, 0xfe, ref rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, ref rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ref rest @ ..] => decode_utf8(rest.to_vec()),
        _ => decode_utf8(bytes),
    }
}

fn decode_utf8(bytes: Vec<u8>) -> Result<String, BadInput> {
    String::from_utf8(bytes).map_err(|error| {
        let position = error.utf8_error().valid_up_to();
        BadInput::new(format!("not UTF-8 at byte {position}")).hint("save the file as UTF-8")
    })
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, BadInput> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> =
        char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => {
            Err(BadInput::new("not the UTF-16 that its first bytes say")
                .hint("save the file as UTF-8"))
        }
    }
}

fn read_bounded(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of an I/O error, without the operating system's error number where possible.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::IsADirectory => "a directory, not a file".to_owned(),
        ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

impl From<OsString> for Input {
    fn from(argument: OsString) -> Self {
        if argument == "-" { Self::Stdin } else { Self::File(argument.into()) }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("<stdin>"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
