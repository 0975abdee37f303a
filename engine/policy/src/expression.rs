//! The expression of a CelPolicy's rule, asked in every reading of the request.

use weir_attributes::{Headers, SPLITS_MAX, Splits, World, slot};

use weir_cel::{EvalErrorKind, Program, Scratch, Value};

use crate::{
    facts::Facts,
    policy::{Effect, Holds},
    referenced::{Referenced, is_header_map},
    truth::Truth,
    verdict::Text,
};

/// The longest message that a rule gives, in bytes; what is computed longer is cut.
pub(crate) const MESSAGE_MAX: usize = 4096;

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct Expression {
    program: Program,
    message: Option<Program>,
    /// The headers whose single lines it reads.
    lines: Lines,
}

/// Whose lines an expression reads through `request.headers_all`.
#[derive(Debug)]
enum Lines {
    Of(Box<[Box<str>]>),
    /// A name is computed, or the whole map is read.
    OfAny,
}

/// In how many readings an expression held, did not, or failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) holds: u32,
    pub(crate) fails: u32,
    pub(crate) errors: u32,
}

impl Tally {
    /// An error denies in a DENY rule and is no match elsewhere.
    pub(crate) fn holds(self, effect: Effect) -> Holds {
        let (yes, no) = match effect {
            Effect::Deny | Effect::Custom => (self.holds + self.errors, self.fails),
            Effect::Allow | Effect::Audit => (self.holds, self.fails + self.errors),
        };
        let truth = match (yes, no) {
            (0, _) => Truth::No,
            (_, 0) => Truth::Yes,
            _ => Truth::Maybe,
        };
        Holds { truth, by_error: effect == Effect::Deny && self.holds == 0 && self.errors > 0 }
    }
}

impl Expression {
    pub(crate) fn new(program: Program, message: Option<Program>) -> Self {
        let mut names = Vec::new();
        let mut any = false;
        for reference in program.references().iter().filter(|reference| reference.slot == slot::REQUEST_HEADERS_ALL) {
            match &reference.key {
                Some(name) => names.push(Box::from(&**name)),
                None => any = true,
            }
        }
        let lines = if any { Lines::OfAny } else { Lines::Of(names.into()) };
        Self { program, message, lines }
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Asks it in every reading of the header lines that it reads. `scratch` keeps the variables' values for other
    /// rules of the same policy. All readings together may take what one evaluation may: doubt makes no request dearer.
    pub(crate) fn ask(&self, facts: &Facts<'_>, scratch: &mut Scratch) -> Tally {
        let mut tally = Tally::default();
        let doubtful = self.doubtful(facts.world.headers());
        if doubtful.is_empty() {
            let _ = self.ask_one(facts.world, scratch, &mut tally);
            return tally;
        }
        let commas: u32 = doubtful.iter().map(|(_, commas)| commas).sum();
        if commas > SPLITS_MAX {
            tally.errors += 1;
            return tally;
        }
        scratch.together(|scratch| {
            for choice in 0..1_u32 << commas {
                let mut splits = Splits::new();
                let mut rest = choice;
                for (name, commas) in &doubtful {
                    splits.decide(name, rest & ((1 << commas) - 1));
                    rest >>= commas;
                }
                scratch.reset();
                let asked = self.ask_one(facts.world.with_splits(&splits), scratch, &mut tally);
                if asked == Err(EvalErrorKind::Budget) {
                    // The readings that are left count as this error.
                    break;
                }
            }
        });
        scratch.reset();
        tally
    }

    fn ask_one(&self, world: World<'_>, scratch: &mut Scratch, tally: &mut Tally) -> Result<(), EvalErrorKind> {
        match self.program.evaluate_bool(&world, scratch) {
            Ok(true) => tally.holds += 1,
            Ok(false) => tally.fails += 1,
            Err(error) => {
                tally.errors += 1;
                return Err(error.kind);
            }
        }
        Ok(())
    }

    /// The headers that it reads line by line and whose lines the proxy joined, with their number of commas.
    fn doubtful<'a>(&'a self, headers: Headers<'a>) -> Vec<(&'a str, u32)> {
        let commas = |name: &&str| headers.lines(name).map(|line| line.matches(',').count() as u32).sum();
        let count = |name: &'a str| headers.is_doubtful(name).then(|| (name, commas(&name)));
        match &self.lines {
            _ if !headers.joined_by_proxy() => Vec::new(),
            Lines::Of(names) => names.iter().filter_map(|name| count(name)).collect(),
            Lines::OfAny => headers.names().filter_map(count).collect(),
        }
    }

    /// What a client reads that this rule denies, when that is computed and does not fail.
    pub(crate) fn message(&self, facts: &Facts<'_>, scratch: &mut Scratch) -> Option<Text> {
        match self.message.as_ref()?.evaluate(&facts.world, scratch) {
            Ok(Value::String(text)) if !text.is_empty() => {
                let end = text.floor_char_boundary(MESSAGE_MAX);
                Some(Text::Shared(text.split_at(end).0.into()))
            }
            _ => None,
        }
    }

    pub(crate) fn refer(&self, referenced: &mut Referenced) {
        for reference in std::iter::once(&self.program).chain(&self.message).flat_map(|program| program.references()) {
            match (is_header_map(reference.slot), &reference.key) {
                (true, Some(name)) => referenced.header(name),
                (true, None) => referenced.every_header(),
                (false, _) => referenced.slot(reference.slot),
            }
        }
    }
}
