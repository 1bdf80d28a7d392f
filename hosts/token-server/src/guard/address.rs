//! Which address a request comes from.
//!
//! Without proxies it is the peer's. With n proxies in front, each appends the address that it saw to `X-Forwarded-For`, so the n-th entry
//! from the right was written by the outermost of our own; whatever stands left of it is the client's invention. The number is
//! configured and not guessed from the header, because the header is the client's.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;

/// The header that proxies append to.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address, given the connection's and the number of proxies of our own.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted_proxies: usize) -> IpAddr {
    if trusted_proxies == 0 {
        return peer.to_canonical();
    }
    // Several lines of the header are one list, in their order.
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().map(|line| line.to_str()).collect();
    let entries = lines
        .iter()
        .rev()
        .flat_map(|line| line.as_deref().unwrap_or_default().rsplit(','))
        .map(|entry| parse_entry(entry.trim()));
    // From the right: where fewer proxies were passed than configured, the outermost that was; an entry that is no address ends the list.
    let trusted = entries.take(trusted_proxies).map_while(|entry| entry);
    trusted.last().unwrap_or(peer).to_canonical()
}

/// What a limit counts by: an IPv4 address, or the /64 of an IPv6 address, which is what one customer gets.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
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
    fn check(proxies: usize, lines: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let address = client_address("192.0.2.9".parse().unwrap(), &headers, proxies);
        assert_eq!(address.to_string(), expected, "{proxies} {lines:?}");
    }

    #[test]
    fn the_nth_from_the_right_counts() {
        // Nobody in front: the header is the client's own.
        check(0, &[], "192.0.2.9");
        check(0, &["203.0.113.1"], "192.0.2.9");
        // One proxy: what it appended, not what the client sent.
        check(1, &["203.0.113.1"], "203.0.113.1");
        check(1, &["10.0.0.1, 203.0.113.1"], "203.0.113.1");
        check(1, &["127.0.0.1,127.0.0.1, 203.0.113.1"], "203.0.113.1");
        check(1, &["127.0.0.1", "203.0.113.1"], "203.0.113.1");
        // Two.
        check(2, &["10.0.0.1, 203.0.113.1, 198.51.100.1"], "203.0.113.1");
        check(2, &["10.0.0.1", "203.0.113.1", "198.51.100.1"], "203.0.113.1");
        check(2, &["10.0.0.1, 203.0.113.1", "198.51.100.1"], "203.0.113.1");
        // Fewer entries than proxies: somebody reached the inner one, which wrote the leftmost entry.
        check(2, &["198.51.100.1"], "198.51.100.1");
        // No header from a proxy that should write one: the connection's address.
        check(1, &[], "192.0.2.9");
        // What is no address is not skipped: what stands left of it was not seen by a proxy of ours.
        check(1, &["203.0.113.1, unknown"], "192.0.2.9");
        check(2, &["203.0.113.1, unknown, 198.51.100.1"], "198.51.100.1");
        check(2, &["203.0.113.1,, 198.51.100.1"], "198.51.100.1");
        check(1, &["203.0.113.1,"], "192.0.2.9");
        check(1, &["\u{fc}"], "192.0.2.9");
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

    #[test]
    fn networks() {
        for (address, expected) in [
            ("203.0.113.1", "203.0.113.1"),
            ("::ffff:203.0.113.1", "203.0.113.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
        ] {
            assert_eq!(network(address.parse().unwrap()).to_string(), expected);
        }
    }
}
