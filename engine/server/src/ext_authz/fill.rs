//! From what Envoy told to the bag that policies read.

use std::{collections::HashSet, fmt::Write as _};

use weir_attributes::{Bag, Slot, slot};
use weir_policy::Claim;

use super::decode::{Facts, Http, Line, Peer, Time};
use crate::refusal::{HEADER_LINES_MAX, PATH_MAX, Refusal, check_line};

/// Up to how many names comparing all pairs costs less than hashing them.
const FEW: usize = 32;
/// What stands before a URI SAN that is a mesh identity.
const SPIFFE: &str = "spiffe://";

impl<'a> Facts<'a> {
    /// What the context extensions say about the workload.
    pub(crate) fn claim(&self) -> Claim<'a> {
        Claim { workload: self.workload, namespace: self.namespace, labels: self.labels, ..Claim::default() }
    }

    /// The bag, and why no policy may be asked about it. What was good until then is in the bag, for the log.
    pub(crate) fn fill(&self, frame_len: usize) -> (Bag, Option<Refusal>) {
        let lines = self.http.as_ref().map_or(0, |http| http.joined.len().max(http.lines.len()));
        let mut bag = Bag::with_capacity(frame_len, lines.min(HEADER_LINES_MAX));
        if let Some(source) = &self.source {
            self.source(source, &mut bag);
        }
        if let Some(destination) = &self.destination {
            address(slot::DESTINATION_ADDRESS, destination, &mut bag);
            if let Some(bare) = destination.principal.strip_prefix(SPIFFE) {
                bag.set_text(slot::DESTINATION_PRINCIPAL, bare);
            }
        }
        text(slot::CONNECTION_REQUESTED_SERVER_NAME, self.sni, &mut bag);
        if let Some(nanos) = self.time.and_then(nanoseconds) {
            bag.set_int(slot::REQUEST_TIME, nanos);
        }
        let told = self
            .metadata
            .as_ref()
            .map(|metadata| metadata.finish().map(|map| bag.set_struct(slot::METADATA, map.into())));
        let refusal = match &self.http {
            Some(http) => http.fill(&mut bag).err(),
            None => Some(Refusal::NotHttp),
        };
        let refusal = refusal.or(told.and_then(Result::err).map(Refusal::Metadata));
        (bag, refusal)
    }

    /// A principal is a mesh identity only as a URI SAN: Envoy sends the first DNS SAN or the subject of a certificate that
    /// has none. Any of them shows that the client had a certificate.
    fn source(&self, source: &Peer<'_>, bag: &mut Bag) {
        address(slot::SOURCE_ADDRESS, source, bag);
        bag.set_bool(slot::CONNECTION_MTLS, !source.principal.is_empty() || source.has_certificate);
        if let Some(bare) = source.principal.strip_prefix(SPIFFE) {
            bag.set_text(slot::CONNECTION_URI_SAN_PEER_CERTIFICATE, source.principal);
            let length = source.principal.len();
            bag.set_part(
                slot::SOURCE_PRINCIPAL,
                slot::CONNECTION_URI_SAN_PEER_CERTIFICATE,
                length - bare.len()..length,
            );
        }
    }
}

impl Http<'_> {
    fn fill(&self, bag: &mut Bag) -> Result<(), Refusal> {
        text(slot::REQUEST_METHOD, self.method, bag);
        text(slot::REQUEST_SCHEME, self.scheme, bag);
        text(slot::REQUEST_PROTOCOL, self.protocol, bag);
        // A request without a host has the empty one: expressions may read it without a guard.
        bag.set_text(slot::REQUEST_HOST, self.host);
        if self.path.len() + self.query.len() > PATH_MAX {
            return Err(Refusal::PathTooLong);
        }
        // Envoy sends the query with the path; others have sent it apart.
        match self.query.is_empty() || self.path.contains('?') {
            true => text(slot::REQUEST_PATH, self.path, bag),
            false => bag.set_text(slot::REQUEST_PATH, &format!("{}?{}", self.path, self.query)),
        }
        self.headers(bag)?;
        // Envoy's id is a number that nobody else knows; the header is what logs and traces carry.
        match bag.headers().contains("x-request-id") {
            true => bag.set_from_header(slot::REQUEST_ID, "x-request-id"),
            false => text(slot::REQUEST_ID, self.id, bag),
        }
        if let Some(size) = self.size(bag) {
            bag.set_int(slot::REQUEST_SIZE, size);
        }
        if !self.body.is_empty() {
            bag.set_body(self.body);
        }
        match (self.method, self.path) {
            ("", _) => Err(Refusal::NoMethod),
            (_, "") => Err(Refusal::NoPath),
            _ => Ok(()),
        }
    }

    /// The length that the client declared. Envoy's own figure is what it has buffered so far.
    fn size(&self, bag: &Bag) -> Option<i64> {
        let declared = bag.headers().lines("content-length").next().and_then(|value| value.parse().ok());
        declared.filter(|size: &i64| *size >= 0).or((self.size > 0).then_some(self.size))
    }

    fn headers(&self, bag: &mut Bag) -> Result<(), Refusal> {
        let raw = !self.lines.is_empty();
        let lines = if raw { &self.lines } else { &self.joined };
        if lines.len() > HEADER_LINES_MAX {
            return Err(Refusal::TooManyHeaders);
        }
        bag.set_joined_by_proxy(!raw);
        let repeated = !raw && repeats(lines);
        for (index, line) in lines.iter().enumerate() {
            // `:path` and its like are not header lines; they are attributes of their own.
            if line.name.starts_with(':') {
                continue;
            }
            // In a map the last entry of a key counts.
            if repeated && lines.iter().skip(index + 1).any(|later| later.name == line.name) {
                continue;
            }
            check_line(line.name, line.value)?;
            bag.add_header(line.name, &String::from_utf8_lossy(line.value));
        }
        Ok(())
    }
}

/// Whether a name stands twice: no proxy sends that in a map, so it is told cheaply and handled slowly.
fn repeats(lines: &[Line<'_>]) -> bool {
    if lines.len() <= FEW {
        let later = |index: usize| lines.iter().skip(index + 1);
        return lines.iter().enumerate().any(|(index, line)| later(index).any(|other| other.name == line.name));
    }
    let mut seen = HashSet::with_capacity(lines.len());
    !lines.iter().all(|line| seen.insert(line.name))
}

fn text(slot: Slot, text: &str, bag: &mut Bag) {
    if !text.is_empty() {
        bag.set_text(slot, text);
    }
}

fn address(slot: Slot, peer: &Peer<'_>, bag: &mut Bag) {
    if peer.address.is_empty() {
        return;
    }
    if peer.port == 0 {
        return bag.set_text(slot, peer.address);
    }
    let mut whole = String::with_capacity(peer.address.len() + 8);
    let _ = match peer.address.contains(':') {
        true => write!(whole, "[{}]:{}", peer.address, peer.port),
        false => write!(whole, "{}:{}", peer.address, peer.port),
    };
    bag.set_text(slot, &whole);
}

fn nanoseconds(time: Time) -> Option<i64> {
    let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    time.seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(nanos))
}

#[cfg(test)]
mod tests;
