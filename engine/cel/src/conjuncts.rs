//! What must hold for an expression to be true, as far as an index can look it up.
//!
//! An expression is taken for a disjunction of [`Alternative`]s, each a conjunction of which some terms ask for the
//! text of one attribute or key: `==`, `in [...]`, `startsWith`, `endsWith`, an address in a block. If one of those is
//! false the alternative is false, whatever else stands in it, errors included: `false && error` is false.

use ipnet::IpNet;

use crate::{
    ast::{Kind, NodeId},
    check::Checked,
    check::Meaning,
    index::Index,
    plan::{Part, Plan, Test, Text},
    program::Reference,
};

/// What the text of a subject may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Atom {
    /// That text.
    Exact(Box<str>),
    /// A text that starts with that one.
    Prefix(Box<str>),
    /// A text that ends with that one.
    Suffix(Box<str>),
    /// An IP address in that block; host bits are ignored.
    Within(IpNet),
}

/// A term that must hold for its alternative to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conjunct<S = Reference> {
    /// Whose text is asked for.
    pub subject: S,
    /// What it must be: any of these.
    pub any: Box<[Atom]>,
    /// Where the subject is absent the alternative is false, not an error.
    pub guarded: bool,
}

/// The conjuncts of one way for an expression to be true; others may stand beside them. Without any, it may always be.
pub type Alternative<S = Reference> = Box<[Conjunct<S>]>;

/// The alternatives of a plan, of its tree.
pub(crate) fn alternatives(plan: &Plan, checked: &Checked) -> Box<[Alternative]> {
    let finder = Finder { checked };
    match plan {
        Plan::Test(test) => match (&**test, test.any()) {
            (_, Some(terms)) => match finder.one_of(terms) {
                Some(conjunct) => Box::new([Box::new([conjunct]) as Alternative]),
                None => terms.iter().map(|term| finder.conjunction(term)).collect(),
            },
            (test, None) => Box::new([finder.conjunction(test)]),
        },
        _ => Box::new([finder.of_plan(plan).into_iter().collect()]),
    }
}

/// An index over the terms of a `||`.
pub(crate) fn index(terms: &[Test], checked: &Checked) -> Index {
    let finder = Finder { checked };
    let rules: Vec<Box<[Alternative]>> = terms.iter().map(|term| Box::new([finder.conjunction(term)]) as _).collect();
    Index::new(&rules)
}

struct Finder<'c> {
    checked: &'c Checked,
}

impl Finder<'_> {
    fn conjunction(&self, test: &Test) -> Alternative {
        let Test::Every(terms) = test else { return self.of_test(test).into_iter().collect() };
        let mut conjuncts: Vec<Conjunct> = terms.iter().filter_map(|term| self.of_test(term)).collect();
        for conjunct in &mut conjuncts {
            conjunct.guarded = terms.iter().any(|term| asks_for(term, &conjunct.subject));
        }
        conjuncts.into()
    }

    fn of_test(&self, test: &Test) -> Option<Conjunct> {
        let (text, any): (_, Box<[Atom]>) = match test {
            Test::Is { text, constant, wanted: true } => (text, Box::new([Atom::Exact(constant.clone())])),
            Test::TextIn { text, set } => (text, set.iter().map(|text| Atom::Exact(text.into())).collect()),
            Test::Has { part: Part::Start, text, constant, .. } => (text, Box::new([Atom::Prefix(constant.clone())])),
            Test::Has { part: Part::End, text, constant, .. } => (text, Box::new([Atom::Suffix(constant.clone())])),
            Test::Any(terms) => return self.one_of(terms),
            Test::Choice(choice) => return self.one_of(&choice.terms),
            Test::Every(terms) => match &**terms {
                [term] => return self.of_test(term),
                _ => return None,
            },
            Test::Value(plan, _) => return self.of_plan(plan),
            _ => return None,
        };
        Some(Conjunct { subject: subject(text)?, any, guarded: false })
    }

    /// `a == "x" || a.startsWith("y")` asks one subject for any of two.
    fn one_of(&self, terms: &[Test]) -> Option<Conjunct> {
        let mut all: Option<(Reference, Vec<Atom>)> = None;
        for term in terms {
            let Conjunct { subject, any, .. } = self.of_test(term)?;
            match &mut all {
                None => all = Some((subject, any.into())),
                Some((of, known)) if *of == subject => known.extend(any),
                Some(_) => return None,
            }
        }
        all.map(|(subject, any)| Conjunct { subject, any: any.into(), guarded: false })
    }

    /// `cidr("10.0.0.0/8").containsIP(source.ip)`, also with `ip(source.ip)`: a text that is no address is an error,
    /// which an index must not take for false, so only what the vocabulary says is an address counts.
    fn of_plan(&self, plan: &Plan) -> Option<Conjunct> {
        let Plan::Call(call) = plan else { return None };
        let ast = &self.checked.ast;
        let Kind::Call { function, target: Some(block), args } = ast.kind(NodeId(call.at)) else { return None };
        if ast.text(*function) != "containsIP" {
            return None;
        }
        let block = match ast.kind(*block) {
            Kind::Call { function, target: None, args } if ast.text(*function) == "cidr" => {
                args.first().and_then(|text| ast.constant_text(*text))?
            }
            _ => return None,
        };
        let block: IpNet = block.parse().ok()?;
        let mut address = *args.first()?;
        if let Kind::Call { function, target: None, args } = ast.kind(address)
            && ast.text(*function) == "ip"
        {
            address = *args.first()?;
        }
        let Meaning::Attribute(slot) = self.checked.meaning(address) else { return None };
        let subject = Reference { slot, key: None };
        Some(Conjunct { subject, any: Box::new([Atom::Within(block.trunc())]), guarded: false })
    }
}

/// The attribute or key whose text it is.
fn subject(text: &Text) -> Option<Reference> {
    match text {
        Text::Attribute(slot, _) => Some(Reference { slot: *slot, key: None }),
        Text::Key(key) => Some(Reference { slot: key.slot, key: Some(key.key.clone()) }),
        _ => None,
    }
}

/// Whether a term is false, and no error, where a subject is absent.
fn asks_for(term: &Test, subject: &Reference) -> bool {
    match term {
        Test::HasAttribute(slot) => subject.key.is_none() && *slot == subject.slot,
        // With an absent map `"x" in map` is an error, `has(map.x)` is false.
        Test::HasKey { key, strict } => {
            let whole = !*strict || key.slot.attribute().always;
            whole && key.slot == subject.slot && subject.key.as_deref() == Some(&*key.key)
        }
        _ => false,
    }
}
