//! The client address of a request.
//!
//! For any peer but a trusted proxy it is the peer's own. A proxy appends the address that it saw
//! to `X-Forwarded-For`. From the right, each entry was written by a trusted proxy as long as the
//! next one is a trusted proxy's; the first other address is the client, and the entries left of it
//! are the client's invention. Trusted proxies are configured, and our own gateways authenticate in
//! [`GATEWAY`]; the header of any other peer is untrusted.
//!
//! Left out: whether the credentials of a gateway are valid, and `Forwarded` of RFC 7239.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::networks::Networks;

/// The header that proxies append to.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The header field of the credentials of one of our own gateways.
pub const GATEWAY: HeaderName = HeaderName::from_static("x-scopegate-gateway");

/// The client's address, from the connection's and the trusted proxies. An own gateway that sent
/// the request wrote one entry, whatever proxies are between.
///
/// ```
/// use http::HeaderMap;
/// use scopegate_host::forwarded::{FORWARDED_FOR, client_address};
/// use scopegate_host::networks::Networks;
///
/// let headers = HeaderMap::from_iter([(FORWARDED_FOR, "203.0.113.1".parse().unwrap())]);
/// let (peer, proxies) = ("10.0.0.1".parse().unwrap(), Networks::parse(["10.0.0.0/8"]).unwrap());
/// let client = client_address(peer, &headers, &proxies, false);
/// assert_eq!(client.to_string(), "203.0.113.1");
/// ```
#[must_use]
pub fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &Networks,
    is_from_gateway: bool,
) -> IpAddr {
    let mut client = peer;
    let mut is_from_gateway = is_from_gateway;
    // Several lines of the header are one list, in their order.
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    while proxies.contain(client) || std::mem::take(&mut is_from_gateway) {
        // An entry that is not an address was not written by a trusted proxy, and neither was
        // anything left of it.
        match entries.next().and_then(|entry| parse_entry(entry.trim())) {
            Some(entry) => client = entry,
            None => break,
        }
    }
    client.to_canonical()
}

/// An entry with or without a port, brackets around an IPv6 address or not.
fn parse_entry(entry: &str) -> Option<IpAddr> {
    let bare = || entry.parse().ok();
    let with_port = || entry.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    bare().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(proxies: &[&str], lines: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let proxies = Networks::parse(proxies.iter().copied()).unwrap();
        let peer = "192.0.2.9".parse().unwrap();
        let address = client_address(peer, &headers, &proxies, false);
        assert_eq!(address.to_string(), expected, "{proxies:?} {lines:?}");
    }

    #[test]
    fn a_gateway_says_one_address() {
        for (proxies, line, expected) in [
            (&[][..], "203.0.113.1", "203.0.113.1"),
            (&[], "10.0.0.1, 203.0.113.1", "203.0.113.1"),
            (&[], "unknown", "192.0.2.9"),
            (&["192.0.2.9"], "203.0.113.1", "203.0.113.1"),
            (&["192.0.2.9"], "203.0.113.1, 198.51.100.1", "203.0.113.1"),
            (&["192.0.2.9"], "10.0.0.1, 203.0.113.1, 198.51.100.1", "203.0.113.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(FORWARDED_FOR, line.parse().unwrap());
            let proxies = Networks::parse(proxies.iter().copied()).unwrap();
            let address = client_address("192.0.2.9".parse().unwrap(), &headers, &proxies, true);
            assert_eq!(address.to_string(), expected, "{proxies:?} {line}");
        }
    }

    /// Audit 6: a count of hops believed a direct client.
    #[test]
    fn the_header_of_anybody_but_a_proxy_is_not_read() {
        check(&[], &[], "192.0.2.9");
        check(&[], &["203.0.113.1"], "192.0.2.9");
        check(&["198.51.100.0/24"], &["203.0.113.1"], "192.0.2.9");
    }

    #[test]
    fn the_first_from_the_right_that_is_no_proxy_is_the_client() {
        let one = &["192.0.2.9"];
        check(one, &["203.0.113.1"], "203.0.113.1");
        check(one, &["10.0.0.1, 203.0.113.1"], "203.0.113.1");
        check(one, &["127.0.0.1,127.0.0.1, 203.0.113.1"], "203.0.113.1");
        check(one, &["127.0.0.1", "203.0.113.1"], "203.0.113.1");
        let two = &["192.0.2.9", "198.51.100.0/24"];
        check(two, &["10.0.0.1, 203.0.113.1, 198.51.100.1"], "203.0.113.1");
        check(two, &["10.0.0.1", "203.0.113.1", "198.51.100.1"], "203.0.113.1");
        check(two, &["10.0.0.1, 203.0.113.1", "198.51.100.1"], "203.0.113.1");
        // A client reached the inner proxy directly.
        check(two, &["203.0.113.1"], "203.0.113.1");
        // A proxy's own request.
        check(two, &["198.51.100.1"], "198.51.100.1");
        // No header from a proxy that should write one: the connection's address.
        check(one, &[], "192.0.2.9");
        // An invalid entry is not skipped: the entries left of it were not written by a trusted
        // proxy.
        check(one, &["203.0.113.1, unknown"], "192.0.2.9");
        check(two, &["203.0.113.1, unknown, 198.51.100.1"], "198.51.100.1");
        check(two, &["203.0.113.1,, 198.51.100.1"], "198.51.100.1");
        check(one, &["203.0.113.1,"], "192.0.2.9");
        check(one, &["\u{fc}"], "192.0.2.9");
    }

    #[test]
    fn entries() {
        for (entry, expected) in [
            ("203.0.113.1", Some("203.0.113.1")),
            ("203.0.113.1:4711", Some("203.0.113.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("_hidden", None),
            ("203.0.113.1:", None),
            ("0x7f000001", None),
            ("", None),
        ] {
            let parsed = parse_entry(entry).map(|address| address.to_string());
            assert_eq!(parsed.as_deref(), expected, "{entry}");
        }
    }
}
