//! What must hold for a rule to hold, as far as an index can look it up.

use weir_attributes::slot;
use weir_cel::{Alternative, Atom, Conjunct};

use super::Subject;
use crate::{
    condition::{Condition, Conditions, Conjunction, Subject as Asked},
    policy::Body,
};

/// The most alternatives that `from` times `to` may make; beyond, only one of the two is looked up.
const PRODUCT_MAX: usize = 64;

pub(super) fn alternatives(body: &Body) -> Box<[Alternative<Subject>]> {
    match body {
        Body::Expression(expression) => expression
            .program()
            .alternatives()
            .into_iter()
            .map(|alternative| alternative.into_iter().map(of_reference).collect())
            .collect(),
        Body::Conditions(conditions) => of_conditions(conditions),
    }
}

fn of_reference(conjunct: Conjunct) -> Conjunct<Subject> {
    Conjunct { subject: Subject::Reference(conjunct.subject), any: conjunct.any, guarded: conjunct.guarded }
}

/// Any of `from`, any of `to` and all of `when`, multiplied out.
fn of_conditions(conditions: &Conditions) -> Box<[Alternative<Subject>]> {
    let anybody: &[Conjunction] = &[Conjunction::default()];
    let mut from = conditions.from.as_deref().unwrap_or(anybody);
    let mut to = conditions.to.as_deref().unwrap_or(anybody);
    if from.len().saturating_mul(to.len()) > PRODUCT_MAX {
        let longer = if from.len() > to.len() { &mut from } else { &mut to };
        *longer = anybody;
    }
    let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (from, to)));
    pairs.map(|(from, to)| from.iter().chain(to).chain(&conditions.when).filter_map(of_condition).collect()).collect()
}

/// What a positive condition asks for; absence makes it false. A `not` form finds nothing.
fn of_condition(condition: &Condition) -> Option<Conjunct<Subject>> {
    if condition.negated {
        return None;
    }
    let (subject, any) = match &condition.subject {
        Asked::Text(slot, patterns) => (Subject::Text(*slot), patterns.atoms()?),
        Asked::Host(patterns) => (Subject::Host, patterns.atoms()?),
        Asked::Path(paths) => (Subject::Text(slot::REQUEST_URL_PATH), paths.atoms()?),
        Asked::Header(name, patterns) => (Subject::Header(name.clone()), patterns.atoms()?),
        Asked::Address(address, networks) => (Subject::Address(*address), networks.iter().map(Atom::Within).collect()),
        Asked::Principal(principals) => (Subject::Principal, principals.atoms()?),
        Asked::Namespace(namespaces) => (Subject::Namespace, exact(namespaces.exact()?)),
        Asked::ServiceAccount(accounts) => {
            (Subject::ServiceAccount, accounts.tails().map(|tail| Atom::Exact(tail.into())).collect())
        }
        Asked::RequestPrincipal(principals) => (Subject::Text(slot::REQUEST_AUTH_PRINCIPAL), principals.atoms()?),
        Asked::Claim(path, patterns) => (Subject::Claim(path.clone()), patterns.atoms()?),
        Asked::Metadata(filter, key, said) => (Subject::Metadata(filter.clone(), key.clone()), said.atoms()?),
        Asked::Port(_) | Asked::TrustDomain(_) => return None,
    };
    Some(Conjunct { subject, any, guarded: true })
}

fn exact(texts: &[Box<str>]) -> Box<[Atom]> {
    texts.iter().cloned().map(Atom::Exact).collect()
}
