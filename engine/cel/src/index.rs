//! Many rules, found by what a request is: those that cannot hold are never asked.
//!
//! Of each [`Alternative`] of a rule the most selective [`Conjunct`] is its access key: a hash of exact texts, sorted
//! prefixes, suffixes, address blocks. A lookup reads each subject once and gives the rules whose keys fit, in order;
//! they must still be asked, because a key is one conjunct of several. A rule is left out only when it is surely false:
//! where a subject is absent, rules that do not ask for it first (`has`) stay candidates, because they are errors.
//!
//! ```
//! use weir_attributes::{Bag, slot};
//! use weir_cel::{Candidates, Env, Index};
//!
//! let env = Env::vocabulary();
//! let rules = [
//!     r#"source.principal == "td/ns/a/sa/web" && request.method == "GET""#,
//!     r#"has(source.principal) && source.principal == "td/ns/b/sa/jobs""#,
//!     r#"request.size > 1048576"#,
//! ];
//! let programs: Vec<_> = rules.into_iter().map(|rule| env.compile(rule)).collect::<Result<_, _>>()?;
//! let rules: Vec<_> = programs.iter().map(|program| program.alternatives()).collect();
//! let index = Index::new(&rules);
//!
//! let bag = Bag::builder().text(slot::SOURCE_PRINCIPAL, "td/ns/a/sa/web").build();
//! let mut room = Candidates::new();
//! assert_eq!(index.lookup(&bag, &mut room), [0, 2]);
//! assert_eq!(index.lookup(&Bag::default(), &mut room), [0, 2], "the first is an error, the second surely false");
//! # Ok::<(), weir_cel::Errors>(())
//! ```

mod choice;
mod table;

use std::{hash::Hash, net::IpAddr};

use smallvec::SmallVec;

use crate::{
    activation::Activation,
    conjuncts::{Alternative, Conjunct},
    program::Reference,
};
use choice::Choice;
use table::Table;

/// The numbers of rules, ascending; on the stack while they are few.
pub type Candidates = SmallVec<[u32; 16]>;

/// Whether a subject has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Every value was given.
    Present,
    /// There is none.
    Absent,
    /// It cannot be said, or is an error: every rule about the subject stays a candidate.
    Unsure,
}

/// The text of a subject, where that is simple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Single<'r> {
    /// This alone, in bytes; none when it is absent.
    Text(Option<&'r [u8]>),
    /// It is not simple: ask for [`Subjects::texts`].
    Otherwise,
}

/// What an index reads of a request.
pub trait Subjects<S> {
    /// The text of a subject that has one at most.
    fn single(&self, _subject: &S) -> Single<'_> {
        Single::Otherwise
    }

    /// Gives the bytes of each text that a subject has to `visit`.
    fn texts(&self, subject: &S, visit: impl FnMut(&[u8])) -> Presence;

    /// The address that a subject is; none when it is absent.
    ///
    /// # Errors
    /// [`Presence::Unsure`] when it is no address.
    fn address(&self, subject: &S) -> Result<Option<IpAddr>, Presence> {
        let mut address = Ok(None);
        let presence = self.texts(subject, |text| {
            // An IPv4 address that is written as IPv6 is an error of CEL's `ip`.
            address = match std::str::from_utf8(text).unwrap_or_default().parse() {
                Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_some() => Err(Presence::Unsure),
                Ok(address) => Ok(Some(address)),
                Err(_) => Err(Presence::Unsure),
            };
        });
        if presence == Presence::Unsure { Err(presence) } else { address }
    }
}

impl<A: Activation + ?Sized> Subjects<Reference> for A {
    fn texts(&self, subject: &Reference, mut visit: impl FnMut(&[u8])) -> Presence {
        let Some(key) = &subject.key else {
            return match self.text(subject.slot) {
                Some(text) => {
                    visit(text.as_bytes());
                    Presence::Present
                }
                None if self.attribute(subject.slot).is_some() => Presence::Unsure,
                None => Presence::Absent,
            };
        };
        match self.attribute(subject.slot) {
            Some(weir_attributes::Value::Map(map)) => match map.get(key) {
                Some(text) => {
                    visit(text.as_bytes());
                    Presence::Present
                }
                None => Presence::Absent,
            },
            Some(_) => Presence::Unsure,
            None => Presence::Absent,
        }
    }
}

/// Which rules may hold, by what they ask for. Immutable; a rule is a number, its place when the index was made.
#[derive(Debug)]
pub struct Index<S = Reference> {
    /// The rules that always may.
    always: Box<[u32]>,
    tables: Box<[Table<S>]>,
}

impl<S: Clone + Eq + Hash> Index<S> {
    /// An index over rules, each given by its alternatives; a rule without any never holds.
    #[must_use]
    pub fn new(rules: &[Box<[Alternative<S>]>]) -> Self {
        let choice = Choice::count(rules.iter().flatten());
        let (mut always, mut tables) = (Vec::new(), table::Builder::default());
        for (rule, alternatives) in (0_u32..).zip(rules) {
            let keys: Option<Vec<&Conjunct<S>>> = alternatives.iter().map(|all| choice.key(all)).collect();
            match keys {
                Some(keys) => keys.into_iter().for_each(|key| tables.add(key, rule)),
                None => always.push(rule),
            }
        }
        Self { always: always.into(), tables: tables.build() }
    }

    /// The rules that may hold, ascending: a list of the index where that is all, else they are put into `room`. Neither
    /// locks nor allocates while they are few.
    #[inline(always)]
    pub fn lookup<'i>(&'i self, request: &(impl Subjects<S> + ?Sized), room: &'i mut Candidates) -> &'i [u32] {
        room.clear();
        let mut gathered = Gathered { only: &self.always, room };
        for table in &self.tables {
            table.find(request, &mut gathered);
        }
        gathered.finish()
    }

    /// How many rules have no access key: they are asked at every request.
    #[must_use]
    pub fn unindexed(&self) -> usize {
        self.always.len()
    }
}

/// Lists of rules, until there are two only the one that there is.
struct Gathered<'i> {
    only: &'i [u32],
    room: &'i mut Candidates,
}

impl<'i> Gathered<'i> {
    #[inline(always)]
    fn add(&mut self, rules: &'i [u32]) {
        if self.only.is_empty() && self.room.is_empty() { self.only = rules } else { self.spill(rules) }
    }

    #[inline(never)]
    fn spill(&mut self, rules: &[u32]) {
        // Lists are short: a push each is faster than a copy.
        self.only.iter().chain(rules).for_each(|rule| self.room.push(*rule));
        self.only = &[];
    }

    #[inline(always)]
    fn finish(self) -> &'i [u32] {
        if self.room.is_empty() { self.only } else { self.sorted() }
    }

    #[inline(never)]
    fn sorted(self) -> &'i [u32] {
        self.room.sort_unstable();
        self.room.dedup();
        self.room
    }
}
