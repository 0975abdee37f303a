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

/// The texts that most conditions ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Common {
    Method,
    /// The normalized path.
    Path,
    /// The identity, when its scheme is SPIFFE's.
    Principal,
}

impl Common {
    const COUNT: usize = 3;
}

/// A request in one world.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) world: World<'a>,
    /// Whether it is an HTTP request, not only a connection.
    pub(crate) http: bool,
    /// What most conditions ask for, found once: see [`Common`].
    common: [Option<&'a [u8]>; Common::COUNT],
    /// It is an HTTP request, and of nobody of another scheme than SPIFFE's.
    pub(crate) usual: bool,
    /// The scheme of the peer's identity is SPIFFE's.
    spiffe: bool,
    host: OnceCell<Option<Cow<'a, str>>>,
    addresses: [OnceCell<Option<IpAddr>>; 3],
}

impl<'a> Facts<'a> {
    #[inline(always)]
    pub(crate) fn new(world: World<'a>) -> Self {
        let (method, path) = (world.bytes(slot::REQUEST_METHOD), world.bytes(slot::REQUEST_URL_PATH));
        let http = method.is_some() || world.bytes(slot::REQUEST_PATH).is_some();
        let principal = world.bytes(slot::SOURCE_PRINCIPAL).filter(|principal| !principal.is_empty());
        let uri = world.bytes(slot::CONNECTION_URI_SAN_PEER_CERTIFICATE);
        let spiffe = uri.is_none_or(|uri| uri.starts_with(b"spiffe://"));
        let usual = http && (spiffe || principal.is_none());
        let common = [method, path, principal.filter(|_| spiffe)];
        Self { world, http, common, usual, spiffe, host: OnceCell::new(), addresses: Default::default() }
    }

    #[inline(always)]
    pub(crate) fn common(&self, of: Common) -> Option<&'a [u8]> {
        self.common.get(of as usize).copied().flatten()
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
        Some((principal, self.spiffe))
    }
}
