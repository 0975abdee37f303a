//! Derived attributes: what follows from what a door told, the same for every door.

use std::net::IpAddr;

use weir_attributes::{Bag, Slot, Spiffe, remote_ip, slot, split_address};

use crate::{
    mesh::Mesh,
    normalize::{InvalidPath, normalize},
    workload::WorkloadIdentity,
};

/// What a door left open about a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// The proxy did not normalize the path: the policies are asked about the path as told and as normalized.
    pub path: bool,
    /// The proxy joined header lines.
    pub headers: bool,
}

/// Fills in what follows from what the door told: `request.url_path`, `request.query`, `request.useragent`,
/// `request.referer`, `context.protocol`, `source.{ip,port,namespace,service_account}`, `remote.ip`, `destination.*`.
///
/// The path becomes the normalized one. When that is not what the proxy told, the path as told is added as another
/// reading, because nobody knows which of them the workload will see. A door that forwards the very path that it tells,
/// and has normalized it itself ([`normalize`]), says so by setting `request.url_path` to that path without its query.
///
/// # Errors
/// [`InvalidPath`] when the path cannot be normalized: the answer is [`crate::Verdict::invalid_path`].
pub fn prepare(bag: &mut Bag, mesh: &Mesh, workload: &WorkloadIdentity) -> Result<Doubts, InvalidPath> {
    let path = path(bag, mesh)?;
    addresses(bag, mesh);
    identity(bag);
    destination(bag, workload);
    bag.set_from_header(slot::REQUEST_USERAGENT, "user-agent");
    bag.set_from_header(slot::REQUEST_REFERER, "referer");
    if bag.str(slot::REQUEST_METHOD).is_some() {
        let grpc = bag.headers().lines("content-type").any(|kind| kind.starts_with("application/grpc"));
        bag.set_static(slot::CONTEXT_PROTOCOL, if grpc { "grpc" } else { "http" });
    }
    Ok(Doubts { path, headers: bag.headers().joined_by_proxy() })
}

/// Normalizes the path; true when the proxy had not.
fn path(bag: &mut Bag, mesh: &Mesh) -> Result<bool, InvalidPath> {
    let Some(told) = bag.str(slot::REQUEST_PATH) else { return Ok(false) };
    if bag.str(slot::REQUEST_URL_PATH).is_some_and(|path| told.split('?').next() == Some(path)) {
        query(bag);
        return Ok(false);
    }
    let normal = match normalize(mesh.normalization(), told)? {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(normal) => Some((normal, told.to_owned())),
    };
    if let Some((normal, told)) = &normal {
        let path = told.split(['?', '#']).next().unwrap_or_default();
        bag.add_path(told, path);
        bag.set_text(slot::REQUEST_PATH, normal);
    }
    let Some(target) = bag.str(slot::REQUEST_PATH) else { return Ok(false) };
    let length = target.find('?').unwrap_or(target.len());
    bag.set_part(slot::REQUEST_URL_PATH, slot::REQUEST_PATH, 0..length);
    query(bag);
    Ok(normal.is_some())
}

/// Derives the query from the path.
pub(crate) fn query(bag: &mut Bag) {
    let place = bag.str(slot::REQUEST_PATH).and_then(|target| Some(target.find('?')? + 1..target.len()));
    if let Some(place) = place {
        bag.set_part(slot::REQUEST_QUERY, slot::REQUEST_PATH, place);
    }
}

fn addresses(bag: &mut Bag, mesh: &Mesh) {
    let peer = address(bag, slot::SOURCE_ADDRESS, slot::SOURCE_IP, slot::SOURCE_PORT);
    address(bag, slot::DESTINATION_ADDRESS, slot::DESTINATION_IP, slot::DESTINATION_PORT);
    if let Some(remote) = remote_ip(bag.headers(), mesh.trusted_proxies(), peer) {
        if Some(remote) == peer {
            bag.copy(slot::REMOTE_IP, slot::SOURCE_IP);
        } else {
            bag.set_text(slot::REMOTE_IP, &remote.to_canonical().to_string());
        }
    }
}

/// Takes an address apart. A mapped IPv6 address is the IPv4 address that it maps: blocks are about that one.
fn address(bag: &mut Bag, whole: Slot, ip: Slot, port: Slot) -> Option<IpAddr> {
    let text = bag.str(whole)?;
    let (address, number) = split_address(text)?;
    let canonical = address.to_canonical();
    let written = text.rfind(':').filter(|_| number.is_some()).map_or(text, |colon| text.split_at(colon).0);
    let inner = written.trim_matches(['[', ']']);
    let range = text.find(inner).map(|start| start..start + inner.len());
    match range.filter(|_| canonical == address) {
        Some(range) => bag.set_part(ip, whole, range),
        None => bag.set_text(ip, &canonical.to_string()),
    }
    if let Some(number) = number {
        bag.set_int(port, i64::from(number));
    }
    Some(canonical)
}

fn identity(bag: &mut Bag) {
    let Some(principal) = bag.str(slot::SOURCE_PRINCIPAL) else { return };
    if let Some(bare) = principal.strip_prefix("spiffe://") {
        let bare = bare.to_owned();
        bag.set_text(slot::SOURCE_PRINCIPAL, &bare);
    }
    let Some(parts) = bag.str(slot::SOURCE_PRINCIPAL).and_then(Spiffe::parse) else { return };
    let namespace = parts.trust_domain.len() + "/ns/".len();
    let behind = namespace + parts.namespace.len();
    let account = behind + "/sa/".len();
    let end = account + parts.service_account.len();
    bag.set_part(slot::SOURCE_NAMESPACE, slot::SOURCE_PRINCIPAL, namespace..behind);
    bag.set_part(slot::SOURCE_SERVICE_ACCOUNT, slot::SOURCE_PRINCIPAL, account..end);
}

fn destination(bag: &mut Bag, workload: &WorkloadIdentity) {
    bag.set_shared(slot::DESTINATION_NAMESPACE, workload.namespace.clone());
    if let Some(name) = &workload.name {
        bag.set_shared(slot::DESTINATION_WORKLOAD, name.clone());
    }
    if let Some(account) = &workload.service_account {
        bag.set_shared(slot::DESTINATION_SERVICE_ACCOUNT, account.clone());
    }
    if !workload.labels.is_empty() {
        bag.set_labels(slot::DESTINATION_LABELS, workload.labels.clone());
    }
}
