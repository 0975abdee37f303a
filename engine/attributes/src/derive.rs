//! Facts that follow from other facts, the same for every door.

use std::net::{IpAddr, SocketAddr};

use crate::Headers;

/// A mesh identity `TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT` taken apart (SPIFFE id without its scheme).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spiffe<'a> {
    /// The trust domain.
    pub trust_domain: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// The service account.
    pub service_account: &'a str,
}

impl<'a> Spiffe<'a> {
    /// Takes a principal apart; none when it is not of exactly that form.
    #[must_use]
    pub fn parse(principal: &'a str) -> Option<Self> {
        let mut parts = principal.split('/');
        let trust_domain = parts.next()?;
        let (Some("ns"), namespace) = (parts.next(), parts.next()?) else { return None };
        let (Some("sa"), service_account) = (parts.next(), parts.next()?) else { return None };
        let whole = parts.next().is_none() && ![trust_domain, namespace, service_account].contains(&"");
        whole.then_some(Self { trust_domain, namespace, service_account })
    }
}

/// The address and port of `ip:port`, `[ip]:port` or a bare ip.
#[must_use]
pub fn split_address(address: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(socket) = address.parse::<SocketAddr>() {
        return Some((socket.ip(), Some(socket.port())));
    }
    address.trim_matches(['[', ']']).parse().ok().map(|ip| (ip, None))
}

/// The original client: the entry of `x-forwarded-for` that the outermost of `trusted` proxies wrote, counted from the
/// right; the last entry when `trusted` is 0, as Envoy has it; the peer where there is no such entry.
#[must_use]
pub fn remote_ip(headers: Headers<'_>, trusted: u32, peer: Option<IpAddr>) -> Option<IpAddr> {
    let skip = trusted.saturating_sub(1) as usize;
    let entries = headers.lines("x-forwarded-for").flat_map(|line| line.split(',')).map(str::trim).collect::<Vec<_>>();
    entries.iter().rev().nth(skip).and_then(|entry| split_address(entry)).map(|(ip, _)| ip).or(peer)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::Bag;

    #[test]
    fn only_the_five_parts_of_a_mesh_identity_are_taken_apart() {
        let whole = Spiffe::parse("cluster.local/ns/shop/sa/cart").unwrap();
        assert_eq!((whole.trust_domain, whole.namespace, whole.service_account), ("cluster.local", "shop", "cart"));
        for other in ["", "cluster.local", "td/ns/a", "td/ns/a/sa/", "td/ns/a/sa/b/c", "td/sa/a/ns/b", "/ns/a/sa/b"] {
            assert!(Spiffe::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn an_address_may_lack_its_port() {
        for (text, port) in
            [("10.0.0.1:80", Some(80)), ("[::1]:80", Some(80)), ("::1", None), ("[::1]", None), ("10.0.0.1", None)]
        {
            assert_eq!(split_address(text).unwrap().1, port, "{text}");
        }
        for bad in ["", "a.com:80", "10.0.0.1:x", "unix:/a"] {
            assert!(split_address(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_client_is_as_far_from_the_right_as_proxies_are_trusted() {
        let bag =
            Bag::builder().header("x-forwarded-for", "1.1.1.1, 2.2.2.2").header("x-forwarded-for", "3.3.3.3").build();
        let peer = "9.9.9.9".parse().ok();
        for (trusted, expected) in [(0, "3.3.3.3"), (1, "3.3.3.3"), (2, "2.2.2.2"), (3, "1.1.1.1"), (4, "9.9.9.9")] {
            assert_eq!(remote_ip(bag.headers(), trusted, peer).unwrap().to_string(), expected, "{trusted}");
        }
        assert_eq!(remote_ip(Bag::default().headers(), 0, peer), peer);
    }
}
