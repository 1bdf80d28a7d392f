//! A secret key of 256 bits, from which the keys for each purpose are derived.
//!
//! Three forms are read: 32 raw bytes, 64 hexadecimal digits, and base64 of 32 bytes, with the
//! alphabet and the padding of either section of RFC 4648. White space around the two texts is
//! ignored. Everything else is refused, because a shorter text is a password and not a key.
//!
//! Keys for different purposes are derived with HMAC-SHA-256 and a label, so the same file may
//! serve two settings.
//!
//! Left out: where a key comes from, which is [`KeySource`](crate::config::KeySource)'s.

use std::fmt;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// The length of a key in bytes.
const LEN: usize = 32;
/// The maximum length of a text that holds one.
pub(crate) const MAX_TEXT_LEN: usize = 1024;

/// A secret key. It is overwritten when it is dropped.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; LEN]>);

/// Why bytes are not a key. They are never quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

impl SecretKey {
    /// Reads a key in one of its forms.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] for any other length, and for 32 bytes that are one byte repeated or that are
    /// all text: 32 hexadecimal digits are only 128 bits.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let key = raw(bytes).or_else(|| text(bytes)).ok_or(InvalidKey)?;
        let is_constant = key.iter().all(|byte| Some(byte) == key.first());
        if is_constant { Err(InvalidKey) } else { Ok(Self(key)) }
    }

    /// Makes a key.
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    #[expect(clippy::disallowed_methods, reason = "a key is made here")]
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = Zeroizing::new([0; LEN]);
        getrandom::fill(key.as_mut_slice())?;
        Ok(Self(key))
    }

    /// The key in base64, with a line feed at its end.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = base64::engine::general_purpose::STANDARD.encode(self.0.as_slice());
        text.push('\n');
        Zeroizing::new(text)
    }

    /// The key for one purpose.
    #[must_use]
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; LEN]> {
        let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, self.0.as_slice()), label.as_bytes());
        let mut derived = Zeroizing::new([0; LEN]);
        // Both have 32 bytes.
        derived.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        derived
    }

    /// Its id, which is no secret: 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        let id = self.derive("scopegate key id v1");
        id.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Leaves the key out.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretKey").field(&self.id()).finish()
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a key of 32 bytes in base64, in hexadecimal or raw; make one with `openssl rand -base64 32`",
        )
    }
}

impl std::error::Error for InvalidKey {}

fn raw(bytes: &[u8]) -> Option<Zeroizing<[u8; LEN]>> {
    let is_text = bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    let key: [u8; LEN] = bytes.try_into().ok()?;
    (!is_text).then(|| Zeroizing::new(key))
}

fn text(bytes: &[u8]) -> Option<Zeroizing<[u8; LEN]>> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let decoded = if text.len() == 2 * LEN { hexadecimal(text) } else { base64(text) };
    let decoded = Zeroizing::new(decoded?);
    decoded.as_slice().try_into().ok().map(Zeroizing::new)
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let byte = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        u8::from_str_radix(digits, 16).ok()
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, CONFIG).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_key(bytes: &[u8]) -> bool {
        SecretKey::read(bytes).is_ok()
    }

    #[test]
    fn one_key_in_every_form() {
        let raw: Vec<u8> = (0..32).map(|byte| byte * 8).collect();
        let key = SecretKey::read(&raw).unwrap();
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = base64::engine::general_purpose::STANDARD.encode(&raw);
        let url = base64.replace('+', "-").replace('/', "_");
        let written = key.to_text();
        for text in [
            &*hex,
            &hex.to_uppercase(),
            &format!(" {hex}\r\n"),
            &base64,
            &format!("{base64}\n"),
            base64.trim_end_matches('='),
            &url,
            url.trim_end_matches('='),
            &written,
        ] {
            assert_eq!(SecretKey::read(text.as_bytes()).unwrap().id(), key.id(), "{text}");
        }
    }

    #[test]
    fn what_is_no_key() {
        let hex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        assert!(is_key(hex.as_bytes()));
        for bytes in [
            &b""[..],
            b"secret",
            b"correct horse battery staple too",
            // 128 bits in hexadecimal, and in base64.
            b"00112233445566778899aabbccddeeff",
            b"ABEiM0RVZneImaq7zN3u/w==",
            &[0; 32],
            &[7; 31],
            &[200; 33],
            hex.replace('f', "g").as_bytes(),
            hex.replacen("00", "+0", 1).as_bytes(),
            "0".repeat(64).as_bytes(),
            "A".repeat(43).as_bytes(),
            &[hex.as_bytes(), b"00"].concat(),
        ] {
            assert!(!is_key(bytes), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn keys_of_purposes_differ_and_none_is_printed() {
        let (one, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        assert_ne!(one.id(), other.id());
        assert_eq!(one.id().len(), 16);
        assert_eq!(one.derive("a"), one.derive("a"));
        assert_ne!(one.derive("a"), one.derive("b"));
        assert_ne!(one.derive("a"), other.derive("a"));
        assert_eq!(format!("{one:?}"), format!("SecretKey({:?})", one.id()));
    }
}
