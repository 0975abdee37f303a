//! One request as conditions read it: a world of its bag, with what is parsed from it parsed at most once.

use std::{borrow::Cow, cell::OnceCell, net::IpAddr};

use weir_attributes::{Json, Slot, Struct, World, slot};

/// An address that conditions compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    Source,
    Remote,
    Destination,
}

impl Address {
    pub(crate) fn slot(self) -> Slot {
        match self {
            Address::Source => slot::SOURCE_IP,
            Address::Remote => slot::REMOTE_IP,
            Address::Destination => slot::DESTINATION_IP,
        }
    }
}

/// A request in one world.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) world: World<'a>,
    /// Whether it is an HTTP request, not only a connection.
    pub(crate) http: bool,
    host: OnceCell<Option<Cow<'a, str>>>,
    addresses: [OnceCell<Option<IpAddr>>; 3],
}

impl<'a> Facts<'a> {
    pub(crate) fn new(world: World<'a>) -> Self {
        let http = world.str(slot::REQUEST_METHOD).is_some() || world.str(slot::REQUEST_PATH).is_some();
        Self { world, http, host: OnceCell::new(), addresses: Default::default() }
    }

    pub(crate) fn address(&self, address: Address) -> Option<IpAddr> {
        let [source, remote, destination] = &self.addresses;
        let cell = match address {
            Address::Source => source,
            Address::Remote => remote,
            Address::Destination => destination,
        };
        *cell.get_or_init(|| self.world.str(address.slot()).and_then(|text| text.parse().ok()))
    }

    /// The host in lower case.
    pub(crate) fn host(&self) -> Option<&str> {
        let lower = |host: &'a str| {
            let upper = host.bytes().any(|byte| byte.is_ascii_uppercase());
            if upper { Cow::Owned(host.to_ascii_lowercase()) } else { Cow::Borrowed(host) }
        };
        self.host.get_or_init(|| self.world.str(slot::REQUEST_HOST).map(lower)).as_deref()
    }

    /// What the validated token says.
    pub(crate) fn claims(&self) -> Option<&'a Struct> {
        self.world.bag().struct_of(slot::REQUEST_AUTH_CLAIMS).map(|claims| &**claims)
    }

    /// What a filter of the proxy says under a key.
    pub(crate) fn metadata(&self, filter: &str, key: &str) -> Option<&'a Json> {
        self.world.bag().struct_of(slot::METADATA)?.get(filter)?.as_map()?.get(key)
    }

    /// The peer's identity, and whether its scheme is SPIFFE's.
    pub(crate) fn principal(&self) -> Option<(&'a str, bool)> {
        let principal = self.world.str(slot::SOURCE_PRINCIPAL).filter(|principal| !principal.is_empty())?;
        let uri = self.world.str(slot::CONNECTION_URI_SAN_PEER_CERTIFICATE);
        Some((principal, uri.is_none_or(|uri| uri.starts_with("spiffe://"))))
    }
}
