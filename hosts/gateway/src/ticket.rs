//! Tickets: the address of an index of charts that opens without a credential, for a minute.
//!
//! The registry's own service answers `/helm/v1/<name>/index.yaml` with a redirect to its storage,
//! whose address has a signature in it, and clients follow it without their token. So a generated
//! index has such an address, too:
//!
//! ```text
//! ticket = base64url(nonce ciphertext tag)       AES-256-GCM
//! text   = seconds since 1970 (eight bytes, the first the highest) token
//! aad    = "scopegate index ticket v1:" path
//! ```
//!
//! In it is the token that the client presented, encrypted: a client with the ticket is treated as
//! the token's holder, with all that this needs to be true at that moment, and at this path alone.
//! An address in a log does not tell the token. The key is in the index of
//! artifacts, so that every gateway of several opens what another one wrote.
//!
//! Left out: tickets that open once.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The parameter of the address.
pub(crate) const PARAMETER: &str = "ticket";
/// For how long a ticket opens, in seconds.
const LIFETIME: u64 = 60;
/// The longest ticket, in characters: an address of this length passes everywhere.
const MAX_TICKET: usize = 6 * 1024;
/// What a ticket is for.
const PURPOSE: &str = "scopegate index ticket v1:";
/// The length of a key, in bytes.
const KEY_LEN: usize = 32;
/// How long the time in a ticket is, in bytes.
const TIME_LEN: usize = 8;

/// Writes and opens tickets.
pub(crate) struct Tickets(RandomizedNonceKey);

impl Tickets {
    /// With a key as it is kept.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub(crate) fn new(key: &str) -> anyhow::Result<Self> {
        let key = STANDARD.decode(key)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key);
        key.map(Self).map_err(|_| anyhow::anyhow!("the ticket key is invalid"))
    }

    /// A new key, as it is kept.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub(crate) fn new_key() -> anyhow::Result<String> {
        let mut key = [0; KEY_LEN];
        let filled = aws_lc_rs::rand::fill(&mut key);
        filled.map_err(|_| anyhow::anyhow!("there are no random bytes"))?;
        Ok(STANDARD.encode(key))
    }

    /// A ticket for a path; nothing for a token that is too long for an address.
    #[must_use]
    pub(crate) fn write(&self, path: &str, token: &str, now: u64) -> Option<String> {
        let mut sealed = now.saturating_add(LIFETIME).to_be_bytes().to_vec();
        sealed.extend_from_slice(token.as_bytes());
        let nonce = self.0.seal_in_place_append_tag(aad(path), &mut sealed).ok()?;
        let ticket = URL_SAFE_NO_PAD.encode([nonce.as_ref(), sealed.as_slice()].concat());
        (ticket.len() <= MAX_TICKET).then_some(ticket)
    }

    /// The token in a ticket for a path.
    #[must_use]
    pub(crate) fn open(&self, path: &str, ticket: &str, now: u64) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(ticket).ok().filter(|_| ticket.len() <= MAX_TICKET)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let (nonce, mut sealed) = (Nonce::try_assume_unique_for_key(nonce).ok()?, sealed.to_vec());
        let opened = self.0.open_in_place(nonce, aad(path), &mut sealed).ok()?;
        let (until, token) = opened.split_at_checked(TIME_LEN)?;
        let until = u64::from_be_bytes(until.try_into().ok()?);
        let token = String::from_utf8(token.to_vec()).ok()?;
        (now < until).then_some(token)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets")
    }
}

/// The ticket in a query; nothing where there are two.
#[must_use]
pub(crate) fn of(query: &str) -> Option<String> {
    let mut tickets = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == PARAMETER);
    match (tickets.next(), tickets.next()) {
        (Some((_, ticket)), None) => Some(ticket.into_owned()),
        _ => None,
    }
}

fn aad(path: &str) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE.as_bytes(), path.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/helm/v1/repo/index.yaml";
    const NOW: u64 = 1_800_000_000;

    fn tickets() -> Tickets {
        Tickets::new(&Tickets::new_key().unwrap()).unwrap()
    }

    #[test]
    fn a_ticket_opens_its_path_for_a_minute() {
        let tickets = tickets();
        let ticket = tickets.write(PATH, "a.b.c", NOW).unwrap();
        for (path, now, expected) in [
            (PATH, NOW, Some("a.b.c")),
            (PATH, NOW + 59, Some("a.b.c")),
            (PATH, NOW + 60, None),
            (PATH, u64::MAX, None),
            ("/helm/v1/other/index.yaml", NOW, None),
            ("/v2/repo/manifests/v1", NOW, None),
            ("", NOW, None),
        ] {
            assert_eq!(tickets.open(path, &ticket, now).as_deref(), expected, "{path} {now}");
        }
        assert!(!ticket.contains("a.b.c") && !ticket.contains("YS5iLm"), "{ticket}");
        assert_ne!(tickets.write(PATH, "a.b.c", NOW), Some(ticket.clone()));
        assert_eq!(super::tests::tickets().open(PATH, &ticket, NOW), None);
    }

    #[test]
    fn what_is_no_ticket_opens_nothing() {
        let tickets = tickets();
        let ticket = tickets.write(PATH, "a.b.c", NOW).unwrap();
        let flipped = |index: usize| {
            let mut bytes = URL_SAFE_NO_PAD.decode(&ticket).unwrap();
            bytes[index] ^= 1;
            URL_SAFE_NO_PAD.encode(bytes)
        };
        let length = URL_SAFE_NO_PAD.decode(&ticket).unwrap().len();
        let cut = ticket.get(4..).unwrap();
        for text in ["", "x", "a.b.c", "AAAAAAAAAAAAAAAA", cut, &(ticket.clone() + "AAAA")] {
            assert_eq!(tickets.open(PATH, text, NOW), None, "{text}");
        }
        for index in 0..length {
            assert_eq!(tickets.open(PATH, &flipped(index), NOW), None, "{index}");
        }
        assert_eq!(tickets.write(PATH, &"x".repeat(MAX_TICKET), NOW), None);
        for key in ["", "AAAA", "?"] {
            assert!(Tickets::new(key).is_err(), "{key}");
        }
    }

    #[test]
    fn queries() {
        for (query, expected) in [
            ("ticket=abc", Some("abc")),
            ("x=1&ticket=a%62c", Some("abc")),
            ("ticket=a&ticket=b", None),
            ("Ticket=a", None),
            ("", None),
        ] {
            assert_eq!(of(query).as_deref(), expected, "{query}");
        }
    }
}
