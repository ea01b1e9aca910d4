//! Which addresses a hook may lead to.
//!
//! Whoever may write a URL must not reach what only this machine reaches: itself, its network, the cloud's metadata. So what is
//! not known to be the public Internet is refused: IANA's special-purpose registries for IPv4, and for IPv6 everything outside
//! of global unicast and what is special in there. IPv6 forms that carry an IPv4 address are refused whatever they carry.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {what}, and not on the public Internet")]
pub struct Refused {
    /// The address.
    pub address: IpAddr,
    /// What it is.
    pub what: &'static str,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// The narrower ones first: the first that holds an address names it.
const IPV4: [(Ipv4Net, &str); 18] = [
    (v4(169, 254, 169, 254, 32), "a cloud's metadata service"),
    (v4(100, 100, 100, 200, 32), "a cloud's metadata service"),
    (v4(192, 0, 0, 192, 32), "a cloud's metadata service"),
    // It looks public, and is Azure's own host agent.
    (v4(168, 63, 129, 16, 32), "a cloud's metadata service"),
    (v4(0, 0, 0, 0, 8), "unspecified"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared by a carrier's customers"),
    (v4(127, 0, 0, 0, 8), "this machine"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved for protocols"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "a relay into IPv6"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    // Multicast, reserved and broadcast.
    (v4(224, 0, 0, 0, 3), "no address of one machine"),
];

const GLOBAL: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What is special within [`GLOBAL`].
const IPV6: [(Ipv6Net, &str); 5] = [
    // Teredo, ORCHID and benchmarks among them.
    (v6(0x2001, 0, 0, 23), "reserved for protocols"),
    (v6(0x2001, 0xdb8, 0, 32), "for documentation"),
    (v6(0x2002, 0, 0, 16), "an IPv4 address in disguise (6to4)"),
    (v6(0x3fff, 0, 0, 20), "for documentation"),
    (v6(0x3ffe, 0, 0, 16), "no longer assigned"),
];

/// What is outside of it, by name; the rest is only called so.
const IPV6_OUTSIDE: [(Ipv6Net, &str); 9] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "unspecified"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "this machine"),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), "an IPv4 address in disguise (mapped)"),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 96), "an IPv4 address in disguise (compatible)"),
    (v6(0x64, 0xff9b, 0, 32), "an IPv4 address in disguise (NAT64)"),
    (v6(0xfc00, 0, 0, 7), "private"),
    (v6(0xfe80, 0, 0, 10), "link-local"),
    (v6(0xfec0, 0, 0, 10), "private"),
    (v6(0xff00, 0, 0, 8), "multicast"),
];

/// Refuses what is not on the public Internet.
///
/// # Errors
///
/// [`Refused`] with what the address is.
pub(crate) fn check(address: IpAddr) -> Result<(), Refused> {
    let what = match address {
        IpAddr::V4(address) => IPV4.iter().find(|(net, _)| net.contains(&address)).map(|(_, what)| *what),
        IpAddr::V6(address) => special(address),
    };
    what.map_or(Ok(()), |what| Err(Refused { address, what }))
}

fn special(address: Ipv6Addr) -> Option<&'static str> {
    let named =
        |nets: &[(Ipv6Net, &'static str)]| nets.iter().find(|(net, _)| net.contains(&address)).map(|(_, what)| *what);
    if GLOBAL.contains(&address) { named(&IPV6) } else { Some(named(&IPV6_OUTSIDE).unwrap_or("not assigned")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_on_the_public_internet_is_refused() {
        for (address, word) in [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("10.255.0.1", "private"),
            ("100.64.0.1", "carrier"),
            ("100.127.255.255", "carrier"),
            ("100.100.100.200", "metadata"),
            ("127.0.0.1", "this machine"),
            ("127.255.255.254", "this machine"),
            ("169.254.0.1", "link-local"),
            ("169.254.169.254", "metadata"),
            ("168.63.129.16", "metadata"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.8", "protocols"),
            ("192.0.0.192", "metadata"),
            ("192.0.2.1", "documentation"),
            ("192.88.99.1", "relay"),
            ("192.168.1.1", "private"),
            ("198.18.0.1", "benchmarks"),
            ("198.19.255.255", "benchmarks"),
            ("198.51.100.1", "documentation"),
            ("203.0.113.1", "documentation"),
            ("224.0.0.1", "one machine"),
            ("239.1.2.3", "one machine"),
            ("240.0.0.1", "one machine"),
            ("255.255.255.255", "one machine"),
            ("::", "unspecified"),
            ("::1", "this machine"),
            ("::ffff:127.0.0.1", "mapped"),
            ("::ffff:8.8.8.8", "mapped"),
            ("::127.0.0.1", "compatible"),
            ("64:ff9b::7f00:1", "NAT64"),
            ("64:ff9b:1::a00:1", "NAT64"),
            ("100::1", "not assigned"),
            ("2001::1", "protocols"),
            ("2001:2::1", "protocols"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::1", "6to4"),
            ("3fff::1", "documentation"),
            ("5f00::1", "not assigned"),
            ("fc00::1", "private"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "private"),
            ("ff02::1", "multicast"),
        ] {
            let refused = check(address.parse().unwrap()).unwrap_err();
            assert!(refused.what.contains(word), "{refused}");
        }
    }

    #[test]
    fn what_is_on_the_public_internet_is_not() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
        ] {
            assert_eq!(check(address.parse().unwrap()), Ok(()), "{address}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_standard_library_knows_to_be_special_is_refused(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
            prop_assert!(!special || check(v4.into()).is_err());
            for v6 in [v4.to_ipv6_mapped(), v4.to_ipv6_compatible()] {
                prop_assert!(check(v6.into()).is_err());
            }
        }
    }
}
