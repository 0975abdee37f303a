//! Addresses and CIDR blocks. Host bits of a block are masked away; an IPv4 address is never in a block of mapped IPv6
//! addresses, nor the other way round.

use std::net::IpAddr;

use ipnet::IpNet;

/// A set of blocks.
#[derive(Clone, Debug)]
pub(crate) struct Networks(Box<[IpNet]>);

impl Networks {
    pub(crate) fn new(blocks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(IpNet::aggregate(&blocks.into_iter().map(|block| block.trunc()).collect()).into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().copied()
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|block| block.contains(&address))
    }
}

/// Reads `IP` or `IP/BITS`.
pub(crate) fn parse_block(text: &str) -> Option<IpNet> {
    if text.contains('/') { text.parse().ok() } else { text.parse::<IpAddr>().ok().map(IpNet::from) }
}
