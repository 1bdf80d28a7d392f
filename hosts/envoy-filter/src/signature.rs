//! The question whether a signature is good, and Envoy's answer.
//!
//! Envoy verifies for filters by its foreign function `verify_signature`, which takes and gives
//! messages of protobuf (`source/extensions/common/wasm/ext/verify_signature.proto`). They are as
//! small as this, so they are written and read here.
//!
//! Left out: every other message.

use scopegate_edge::jws::decode;

use crate::der;
use crate::keys::{Algorithm, Key};

/// The name of the function.
pub(crate) const FUNCTION: &str = "verify_signature";
/// The answer that says yes: the first field, true, and no other.
const YES: [u8; 2] = [0x08, 1];

/// What to ask about a signature in base64url; nothing when it cannot be one of this key.
#[must_use]
pub(crate) fn question(key: &Key, message: &str, signature: &str) -> Option<Vec<u8>> {
    let signature = decode(signature)?;
    let signature = match key.algorithm {
        Algorithm::Es256 => der::ecdsa(&signature)?,
        Algorithm::Rs256 => signature,
        Algorithm::EdDsa => return None,
    };
    let fields: [(u8, &[u8]); 4] =
        [(1, b"sha256"), (2, &key.der), (3, &signature), (4, message.as_bytes())];
    let mut question = Vec::new();
    for (number, content) in fields {
        // Bytes, by their length.
        question.push(number << 3 | 2);
        write_size(&mut question, content.len());
        question.extend_from_slice(content);
    }
    Some(question)
}

/// Whether an answer says that it is good. Whatever is not exactly that says no.
#[must_use]
pub(crate) fn is_yes(answer: &[u8]) -> bool {
    answer == YES
}

/// A question whose answer is yes, and one whose answer is no: a host that answers these two
/// otherwise cannot verify. The key and the signature are those of RFC 7515, A.3.
#[must_use]
pub(crate) fn samples() -> Option<[Vec<u8>; 2]> {
    let coordinate = |text| decode(text)?.try_into().ok();
    let x = coordinate("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")?;
    let y = coordinate("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")?;
    let key = Key { algorithm: Algorithm::Es256, der: der::p256(&x, &y) };
    let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let other = message.get(1..)?;
    Some([question(&key, message, signature)?, question(&key, other, signature)?])
}

/// Seven bits in each byte, the lowest first, and a mark on all but the last.
fn write_size(written: &mut Vec<u8>, mut size: usize) {
    while size >= 0x80 {
        written.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    written.push(size as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        let rsa = Key { algorithm: Algorithm::Rs256, der: vec![7; 130] };
        let asked = question(&rsa, "a.b", "AAAA").unwrap();
        let expected = [
            &[0x0a, 6][..],
            b"sha256",
            &[0x12, 0x82, 1],
            &[7; 130],
            &[0x1a, 3, 0, 0, 0],
            &[0x22, 3],
            b"a.b",
        ];
        assert_eq!(asked, expected.concat());
        assert_eq!(question(&rsa, "a.b", "AAA="), None);
        let ec = Key { algorithm: Algorithm::Es256, der: vec![] };
        assert_eq!(question(&ec, "a.b", "AAAA"), None);
        assert!(question(&ec, "a.b", &"A".repeat(86)).is_some());
    }

    /// Another library verifies the good one, and refuses the other.
    #[test]
    fn the_samples() {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

        for (sample, is_good) in samples().unwrap().iter().zip([true, false]) {
            let mut rest = &sample[..];
            let mut field = || {
                let (length, content) = (usize::from(rest[1]), &rest[2..]);
                let (content, after) = content.split_at(length);
                rest = after;
                content
            };
            let (_, key, signature, message) = (field(), field(), field(), field());
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key);
            assert_eq!(key.verify(message, signature).is_ok(), is_good);
        }
    }

    #[test]
    fn answers() {
        for (answer, expected) in [
            (&[8, 1][..], true),
            (&[8, 0], false),
            (&[], false),
            (&[8], false),
            (&[8, 1, 8, 0], false),
            (&[8, 1, 0x12, 1, b'x'], false),
            (&[0x12, 1, b'x'], false),
        ] {
            assert_eq!(is_yes(answer), expected, "{answer:?}");
        }
    }
}
