//! One condition of an AuthorizationPolicy: an attribute, the values that match it, and whether it is a `not` form.

use std::net::IpAddr;

use weir_attributes::{Slot, slot};

use crate::{
    doubt,
    facts::{Address, Facts},
    matcher::{
        Metadata, Namespaces, Networks, Paths, Patterns, Principals, RequestPrincipals, ServiceAccounts, TrustDomains,
        claim, claim_texts,
    },
    referenced::Referenced,
    truth::Truth,
};

/// What is compared, with what.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// An attribute as it is: method, SNI, a pseudo header.
    Text(Slot, Patterns),
    /// The host, without case.
    Host(Patterns),
    /// The normalized path.
    Path(Paths),
    /// Header lines: each is a value and any hit matches.
    Header(Box<str>, Patterns),
    Port(Box<[u16]>),
    Address(Address, Networks),
    Principal(Principals),
    Namespace(Namespaces),
    ServiceAccount(ServiceAccounts),
    TrustDomain(TrustDomains),
    RequestPrincipal(RequestPrincipals),
    /// A claim of the validated token, by its path.
    Claim(Box<[Box<str>]>, Patterns),
    /// What a filter of the proxy says under a key. It is there on plain connections too.
    Metadata(Box<str>, Box<str>, Metadata),
}

/// One condition.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) subject: Subject,
    pub(crate) negated: bool,
}

impl Condition {
    /// Whether it holds. Absence is a value: a positive condition is false then, a `not` condition true.
    pub(crate) fn holds(&self, facts: &Facts<'_>) -> Truth {
        self.subject.matches(facts).negated(self.negated)
    }

    /// Whether only an HTTP request has what it reads.
    pub(crate) fn is_http(&self) -> bool {
        match &self.subject {
            Subject::Text(slot, _) => *slot != slot::CONNECTION_REQUESTED_SERVER_NAME,
            Subject::Host(_) | Subject::Path(_) | Subject::Header(..) => true,
            Subject::RequestPrincipal(_) | Subject::Claim(..) => true,
            _ => false,
        }
    }

    /// Adds what it reads.
    pub(crate) fn refer(&self, referenced: &mut Referenced) {
        match &self.subject {
            Subject::Text(slot, _) => referenced.slot(*slot),
            Subject::Host(_) => referenced.slot(slot::REQUEST_HOST),
            Subject::Path(_) => referenced.slot(slot::REQUEST_URL_PATH),
            Subject::Header(name, _) => referenced.header(name),
            Subject::Port(_) => referenced.slot(slot::DESTINATION_PORT),
            Subject::Address(address, _) => referenced.slot(address.slot()),
            Subject::Principal(_) | Subject::ServiceAccount(_) | Subject::TrustDomain(_) => {
                referenced.slot(slot::SOURCE_PRINCIPAL);
                referenced.slot(slot::CONNECTION_URI_SAN_PEER_CERTIFICATE);
            }
            Subject::Namespace(_) => referenced.slot(slot::SOURCE_PRINCIPAL),
            Subject::RequestPrincipal(_) => referenced.slot(slot::REQUEST_AUTH_PRINCIPAL),
            Subject::Claim(..) => referenced.slot(slot::REQUEST_AUTH_CLAIMS),
            Subject::Metadata(..) => referenced.slot(slot::METADATA),
        }
    }
}

impl Subject {
    /// Whether it matches, a `not` left aside.
    pub(crate) fn matches(&self, facts: &Facts<'_>) -> Truth {
        let text = |slot: Slot| facts.world.str(slot);
        let identity = |matches: &dyn Fn(&str, bool) -> bool| {
            facts.principal().is_some_and(|(principal, spiffe)| matches(principal, spiffe))
        };
        Truth::from(match self {
            Subject::Header(name, patterns) => {
                return doubt::any_line(facts.world.headers(), name, &|line| patterns.matches(line));
            }
            Subject::Text(slot, patterns) => text(*slot).is_some_and(|value| patterns.matches(value)),
            Subject::Host(patterns) => facts.host().is_some_and(|host| patterns.matches(host)),
            Subject::Path(paths) => text(slot::REQUEST_URL_PATH).is_some_and(|path| paths.matches(path)),
            Subject::Port(ports) => {
                let port = facts.world.bag().int(slot::DESTINATION_PORT).and_then(|port| u16::try_from(port).ok());
                port.is_some_and(|port| ports.binary_search(&port).is_ok())
            }
            Subject::Address(address, networks) => {
                facts.address(*address).is_some_and(|address: IpAddr| networks.contains(address))
            }
            Subject::Principal(principals) => identity(&|principal, spiffe| principals.matches(principal, spiffe)),
            Subject::Namespace(namespaces) => identity(&|principal, _| namespaces.matches(principal)),
            Subject::ServiceAccount(accounts) => identity(&|principal, spiffe| accounts.matches(principal, spiffe)),
            Subject::RequestPrincipal(principals) => facts.claims().is_some_and(|claims| principals.matches(claims)),
            Subject::Claim(path, patterns) => {
                let claim = facts.claims().and_then(|claims| claim(claims, path));
                claim.is_some_and(|claim| claim_texts(claim).any(|text| patterns.matches(text)))
            }
            Subject::Metadata(filter, key, said) => {
                facts.metadata(filter, key).is_some_and(|value| said.matches(value))
            }
            Subject::TrustDomain(domains) => identity(&|principal, spiffe| domains.matches(principal, spiffe)),
        })
    }
}

/// The conditions of one rule: any of `from`, any of `to` and all of `when`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    /// None means anybody.
    pub(crate) from: Option<Box<[Conjunction]>>,
    /// None means anything.
    pub(crate) to: Option<Box<[Conjunction]>>,
    pub(crate) when: Conjunction,
}

/// Conditions that must all hold.
pub(crate) type Conjunction = Box<[Condition]>;

/// What an HTTP condition is on a connection that carries no HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnTcp {
    /// It makes its whole rule match nothing (ALLOW).
    NeverMatches,
    /// It is left out (DENY).
    LeftOut,
}

impl Conditions {
    pub(crate) fn holds(&self, facts: &Facts<'_>, on_tcp: OnTcp) -> Truth {
        if !facts.http && on_tcp == OnTcp::NeverMatches && self.all().any(Condition::is_http) {
            return Truth::No;
        }
        let all = |conjunction: &Conjunction| {
            let mut truth = Truth::Yes;
            for condition in conjunction.iter().filter(|condition| facts.http || !condition.is_http()) {
                truth = truth.and(condition.holds(facts));
                if truth == Truth::No {
                    break;
                }
            }
            truth
        };
        let any = |choices: &Option<Box<[Conjunction]>>| {
            let Some(choices) = choices else { return Truth::Yes };
            let mut truth = Truth::No;
            for choice in choices {
                truth = truth.or(all(choice));
                if truth == Truth::Yes {
                    break;
                }
            }
            truth
        };
        match any(&self.to) {
            Truth::No => Truth::No,
            to => match to.and(any(&self.from)) {
                Truth::No => Truth::No,
                so_far => so_far.and(all(&self.when)),
            },
        }
    }

    /// Every condition, wherever it stands.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Condition> {
        let choices = self.from.iter().chain(&self.to).flat_map(|choices| choices.iter());
        choices.chain(std::iter::once(&self.when)).flat_map(|conjunction| conjunction.iter())
    }
}
