//! Addresses and networks, as in configurations, and the network that a limit counts by.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};

/// Addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads `10.0.0.0/8`, `192.0.2.7` or `2001:db8::/32`.
    ///
    /// ```
    /// use scopegate_host::networks::Networks;
    ///
    /// let networks = Networks::parse(["10.0.0.0/8", "::1"]).unwrap();
    /// assert!(networks.contain("10.1.2.3".parse().unwrap()));
    /// assert!(!networks.contain("192.0.2.1".parse().unwrap()));
    /// ```
    ///
    /// # Errors
    ///
    /// The first text that is not an address or a network, such as `10.0.0.0/33`.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, &'t str> {
        let net = |text: &'t str| {
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse().or_else(|_| address()).map_err(|_| text)
        };
        texts.into_iter().map(net).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every address of IPv4 or of IPv6 is one of them.
    #[must_use]
    pub fn contain_all(&self) -> bool {
        self.0.iter().any(|net| net.prefix_len() == 0)
    }

    /// Whether an address is one of them. An IPv4 address is the same one when it comes over IPv6.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Self::parse(texts.iter().map(String::as_str))
            .map_err(|text| de::Error::custom(format!("`{text}` is not an address or a network")))
    }
}

/// A list of networks, where 0 means none and any other number is refused: a count of proxies, as
/// earlier versions accepted, does not identify them.
///
/// # Errors
///
/// For `1`, and for a text that is not an address or a network.
pub fn or_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Networks, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        List(Vec<String>),
        Number(i64),
        Text(String),
    }
    let list = match Written::deserialize(deserializer)? {
        Written::Number(0) => Vec::new(),
        Written::Text(text) if matches!(text.as_str(), "" | "0") => Vec::new(),
        Written::List(list) => list,
        Written::Number(_) | Written::Text(_) => {
            return Err(de::Error::custom(
                "a list of the networks of your proxies is expected, such as [10.0.0.0/8]; 0 is none, and a number of proxies is no longer accepted",
            ));
        }
    };
    Networks::parse(list.iter().map(String::as_str))
        .map_err(|text| de::Error::custom(format!("`{text}` is not an address or a network")))
}

/// The key of a limit: an IPv4 address, or the /64 of an IPv6 address, which is what one customer
/// gets.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => prefix(address, 64),
        address @ IpAddr::V4(_) => address,
    }
}

/// The wider networks, the /56 and the /48 of an IPv6 address: the owner of one has all of its
/// smaller ones.
#[must_use]
pub fn wider_networks(address: IpAddr) -> Option<[IpAddr; 2]> {
    match address.to_canonical() {
        IpAddr::V6(address) => Some([prefix(address, 56), prefix(address, 48)]),
        IpAddr::V4(_) => None,
    }
}

/// The first bits of an address, and zeros.
fn prefix(address: Ipv6Addr, bits: u32) -> IpAddr {
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
    IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks() {
        for (peers, address, expected) in [
            (&["127.0.0.1"][..], "127.0.0.1", true),
            (&["127.0.0.1"], "127.0.0.2", false),
            (&["127.0.0.1"], "::ffff:127.0.0.1", true),
            (&["10.0.0.0/8", "::1"], "10.255.0.1", true),
            (&["10.0.0.0/8", "::1"], "::1", true),
            (&["10.0.0.0/8"], "11.0.0.1", false),
            (&["2001:db8::/32"], "2001:db8:1::1", true),
            (&["0.0.0.0/0"], "2001:db8::1", false),
            (&[], "127.0.0.1", false),
        ] {
            let parsed = Networks::parse(peers.iter().copied()).unwrap();
            assert_eq!(parsed.contain(address.parse().unwrap()), expected, "{peers:?} {address}");
        }
        for wrong in ["10.0.0.0/33", "localhost", "", "10.0.0.0/8/8", "127.0.0.1:80"] {
            assert_eq!(Networks::parse([wrong]), Err(wrong));
        }
    }

    #[test]
    fn what_a_limit_counts_by() {
        for (address, expected) in [
            ("203.0.113.1", "203.0.113.1"),
            ("::ffff:203.0.113.1", "203.0.113.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
        ] {
            assert_eq!(network(address.parse().unwrap()).to_string(), expected);
        }
        let wider = |address: &str| {
            wider_networks(address.parse().unwrap())
                .map(|wider| wider.map(|wider| wider.to_string()))
        };
        let around = ["2001:db8:1:200::", "2001:db8:1::"].map(ToOwned::to_owned);
        assert_eq!(wider("2001:db8:1:2ff:3:4:5:6"), Some(around));
        assert_eq!(wider("::ffff:203.0.113.1"), None);
    }
}
