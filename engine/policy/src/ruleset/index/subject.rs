//! What rules are found by, and what a request says of it.

use std::net::IpAddr;

use weir_attributes::{Json, Slot, slot};
use weir_cel::{Presence, Reference, Single, Subjects};

use crate::{
    facts::{Address, Common, Facts},
    matcher::{account_tails, claim, claim_texts, namespaces_of},
};

/// Something whose value rules ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// What an expression reads.
    Reference(Reference),
    /// An attribute of AuthorizationPolicy as it is.
    Text(Slot),
    /// The host, without case.
    Host,
    /// Each line of a header.
    Header(Box<str>),
    Address(Address),
    /// Each text that a claim is.
    Claim(Box<[Box<str>]>),
    /// Each text that a filter of the proxy says under a key.
    Metadata(Box<str>, Box<str>),
    /// The identity, when its scheme is SPIFFE's.
    Principal,
    /// Each namespace of the identity.
    Namespace,
    /// Each `NAMESPACE/sa/ACCOUNT` at the end of the identity.
    ServiceAccount,
}

impl Subject {
    /// Whether only an HTTP request has it: conditions about it may be left out on a plain connection.
    fn is_http(&self) -> bool {
        match self {
            Subject::Text(slot) => *slot != slot::CONNECTION_REQUESTED_SERVER_NAME,
            Subject::Host | Subject::Header(_) | Subject::Claim(_) => true,
            _ => false,
        }
    }
}

/// Each text of what a token or a filter says, when it says it.
fn each(said: Option<&Json>, mut visit: impl FnMut(&[u8])) -> Presence {
    match said {
        Some(said) => {
            claim_texts(said).for_each(|text| visit(text.as_bytes()));
            Presence::Present
        }
        None => Presence::Absent,
    }
}

impl Subjects<Subject> for Facts<'_> {
    #[inline(always)]
    fn single(&self, subject: &Subject) -> Single<'_> {
        // What only an HTTP request has is unsure on a plain connection.
        match subject {
            Subject::Principal => Single::Text(self.common(Common::Principal)),
            Subject::Text(slot) if self.http => Single::Text(self.world.bytes(*slot)),
            Subject::Host if self.http => Single::Text(self.host().map(str::as_bytes)),
            _ => Single::Otherwise,
        }
    }

    fn texts(&self, subject: &Subject, mut visit: impl FnMut(&[u8])) -> Presence {
        if !self.http && subject.is_http() {
            return Presence::Unsure;
        }
        let mut one = |text: Option<&[u8]>| match text {
            Some(text) => {
                visit(text);
                Presence::Present
            }
            None => Presence::Absent,
        };
        match subject {
            Subject::Principal => one(self.common(Common::Principal)),
            Subject::Text(slot) => one(self.world.bytes(*slot)),
            Subject::Host => one(self.host().map(str::as_bytes)),
            Subject::Reference(reference) => self.world.texts(reference, visit),
            Subject::Header(name) => {
                let headers = self.world.headers();
                if headers.is_doubtful(name) {
                    return Presence::Unsure;
                }
                headers.lines(name).for_each(|line| visit(line.as_bytes()));
                Presence::Present
            }
            Subject::Claim(path) => each(self.claims().and_then(|claims| claim(claims, path)), visit),
            Subject::Metadata(filter, key) => each(self.metadata(filter, key), visit),
            Subject::Namespace => {
                let names = self.principal().into_iter().flat_map(|(principal, _)| namespaces_of(principal));
                names.for_each(|name| visit(name.as_bytes()));
                Presence::Present
            }
            Subject::ServiceAccount => match self.principal().filter(|(_, spiffe)| *spiffe) {
                Some((principal, _)) => match account_tails(principal) {
                    Some(tails) => {
                        tails.for_each(|tail| visit(tail.as_bytes()));
                        Presence::Present
                    }
                    None => Presence::Unsure,
                },
                None => Presence::Absent,
            },
            Subject::Address(_) => Presence::Unsure,
        }
    }

    fn address(&self, subject: &Subject) -> Result<Option<IpAddr>, Presence> {
        match subject {
            Subject::Address(address) => Ok(Facts::address(self, *address)),
            Subject::Reference(reference) => self.world.address(reference),
            _ => Err(Presence::Unsure),
        }
    }
}
