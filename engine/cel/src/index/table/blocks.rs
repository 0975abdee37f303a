//! Address blocks by their length: one lookup for each length that there is.

use std::{collections::HashMap, net::IpAddr};

use ipnet::IpNet;

use super::Rules;
use crate::index::Gathered;

/// Blocks that an address may be in.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// The different lengths of the prefixes of IPv4 and of IPv6 blocks.
    lengths: [Box<[u8]>; 2],
    /// By block, its host bits zero.
    lists: HashMap<IpNet, Rules>,
}

impl Blocks {
    pub(super) fn new(lists: HashMap<IpNet, Vec<u32>>) -> Self {
        let lengths = [true, false].map(|four| {
            let same = lists.keys().filter(|block| matches!(block, IpNet::V4(_)) == four);
            let mut lengths: Vec<u8> = same.map(IpNet::prefix_len).collect();
            lengths.sort_unstable();
            lengths.dedup();
            lengths.into()
        });
        Self { lengths, lists: lists.into_iter().map(|(block, rules)| (block, rules.into())).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Adds the rules of every block that the address is in.
    pub(super) fn find<'t>(&'t self, address: IpAddr, into: &mut Gathered<'t>) {
        let [four, six] = &self.lengths;
        for length in if address.is_ipv4() { four } else { six } {
            let block = IpNet::new(address, *length).ok().map(|block| block.trunc());
            if let Some(rules) = block.and_then(|block| self.lists.get(&block)) {
                into.add(rules);
            }
        }
    }
}
