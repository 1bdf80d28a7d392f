//! The few forms of ASN.1 that keys and signatures are handed to Envoy in, in DER (X.690).
//!
//! Left out: reading them.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// `ecPublicKey` on `prime256v1`, with their frame: everything before the two coordinates of a key
/// (RFC 5480).
const P256: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// `rsaEncryption`, without parameters (RFC 3279).
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A key on P-256, by its coordinates.
#[must_use]
pub(crate) fn p256(x: &[u8; 32], y: &[u8; 32]) -> Vec<u8> {
    [&P256[..], x, y].concat()
}

/// A key of RSA, by its modulus and exponent, unsigned and the largest byte first.
#[must_use]
pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = element(SEQUENCE, &[integer(modulus), integer(exponent)].concat());
    // No bit of the last byte is unused.
    let numbers = element(BIT_STRING, &[&[0], &numbers[..]].concat());
    element(SEQUENCE, &[&RSA[..], &numbers].concat())
}

/// A signature of ECDSA, whose two numbers a token has one behind the other; nothing when they are
/// not of P-256.
#[must_use]
pub(crate) fn ecdsa(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_first_chunk::<32>()?;
    (s.len() == 32).then(|| element(SEQUENCE, &[integer(r), integer(s)].concat()))
}

/// A number that is not negative: no more bytes than it needs, and none that would make it
/// negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let (_, number) = number.split_at_checked(zeros).unwrap_or_default();
    let is_positive = number.first().is_some_and(|first| *first < 0x80);
    let sign: &[u8] = if is_positive { &[] } else { &[0] };
    element(INTEGER, &[sign, number].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let size = content.len().to_be_bytes();
    let zeros = size.iter().take_while(|byte| **byte == 0).count();
    let (_, size) = size.split_at_checked(zeros).unwrap_or_default();
    let mut written = vec![tag];
    match size {
        [] => written.push(0),
        [short] if *short < 0x80 => written.push(*short),
        #[allow(clippy::cast_possible_truncation, reason = "a size has eight bytes at most")]
        long => {
            written.push(0x80 | long.len() as u8);
            written.extend(long);
        }
    }
    written.extend(content);
    written
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    };

    use super::*;

    /// Enough signatures for numbers that are shorter than others, or begin with a high bit.
    #[test]
    fn keys_and_signatures_of_p256() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = pair.public_key();
        let (x, y) = public.as_ref()[1..].split_first_chunk::<32>().unwrap();
        let der: PublicKeyX509Der<'_> = public.as_der().unwrap();
        assert_eq!(p256(x, y.try_into().unwrap()), der.as_ref());
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public);
        for n in 0..2000_u32 {
            let message = n.to_be_bytes();
            let signature = pair.sign(&SystemRandom::new(), &message).unwrap();
            let written = ecdsa(signature.as_ref()).unwrap();
            verifier
                .verify(&message, &written)
                .unwrap_or_else(|_| panic!("{:?}", signature.as_ref()));
        }
        for wrong in [0, 63, 65] {
            assert_eq!(ecdsa(&vec![1; wrong]), None, "{wrong}");
        }
        assert_eq!(ecdsa(&[0; 64]), Some(vec![0x30, 6, 2, 1, 0, 2, 1, 0]));
    }

    #[test]
    fn keys_of_rsa() {
        for size in [rsa::KeySize::Rsa2048, rsa::KeySize::Rsa3072] {
            let pair = rsa::KeyPair::generate(size).unwrap();
            let public = pair.public_key();
            let der: PublicKeyX509Der<'_> = public.as_der().unwrap();
            let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
            let exponent = public.exponent().big_endian_without_leading_zero().to_vec();
            assert_eq!(super::rsa(&modulus, &exponent), der.as_ref());
            let padded = [vec![0], modulus].concat();
            assert_eq!(super::rsa(&padded, &exponent), der.as_ref());
        }
    }
}
