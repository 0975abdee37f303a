//! The conditions of many rules once more, as chains of small tests: what a request without doubt is asked by.
//!
//! A chain lies in one run of memory and each test says where to go on, so that asking a rule touches a few lines and
//! chases no pointers. It decides as [`crate::condition::Conditions::holds`] does, or says that it cannot: that is what
//! the conditions themselves are for.

mod build;

use weir_attributes::{Slot, slot};

use crate::{
    facts::{Common, Facts},
    matcher::Presence,
    policy::{Body, Rule},
    truth::Truth,
};

/// The chains of many rules.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    links: Box<[Link]>,
    /// The texts that links compare with.
    texts: Box<[u8]>,
}

/// One test.
#[derive(Clone, Copy, Debug)]
struct Link {
    asks: Asks,
    how: How,
    /// Where to go on from the chain's start when it holds, and when it does not.
    yes: u16,
    no: u16,
    /// Where its text is, or what its number is.
    text: u32,
    length: u16,
}

/// The end of a chain: the rule holds.
const HOLDS: u16 = u16::MAX;
/// The end of a chain: it does not.
const FAILS: u16 = u16::MAX - 1;

/// Whom a test asks.
#[derive(Clone, Copy, Debug)]
enum Asks {
    /// As most do: what that text is, or how it begins.
    Common {
        of: Common,
        whole: bool,
    },
    Rare(Rare),
}

/// Whom few tests ask.
#[derive(Clone, Copy, Debug)]
enum Rare {
    Common(Common),
    Text(Slot),
    Host,
    /// Any line of the header whose name of that length the text begins with.
    Header(u16),
    /// Whether the port is that number.
    Port,
    /// The rule's condition of that number, as it is.
    Condition,
    /// Nobody's: it holds.
    Nothing,
}

/// How it is compared.
#[derive(Clone, Copy, Debug)]
enum How {
    Exact,
    Prefix,
    Suffix,
    Present(Presence),
}

/// Where a rule's chain begins; none when it has none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start(u32);

impl Start {
    const NONE: Self = Self(u32::MAX);
}

impl Chains {
    /// Whether the rule holds whose chain begins there; none when its conditions must say.
    #[inline(always)]
    pub(crate) fn holds<'r>(
        &self,
        start: Start,
        facts: &Facts<'_>,
        rule: impl Fn() -> Option<&'r Rule>,
    ) -> Option<bool> {
        // Of another identity than SPIFFE's only presence is asked.
        if !facts.usual {
            return None;
        }
        let mut next = 0;
        loop {
            let link = self.links.get(start.0 as usize + usize::from(next))?;
            let holds = match link.asks {
                Asks::Common { of, whole } => facts.common(of).is_some_and(|value| {
                    let text = self.text(link);
                    value.starts_with(text) && (!whole || value.len() == text.len())
                }),
                Asks::Rare(of) => self.rare(of, link, facts, &rule)?,
            };
            next = if holds { link.yes } else { link.no };
            if next >= FAILS {
                return Some(next == HOLDS);
            }
        }
    }

    #[inline(never)]
    fn rare<'r>(&self, of: Rare, link: &Link, facts: &Facts<'_>, rule: &dyn Fn() -> Option<&'r Rule>) -> Option<bool> {
        let value = match of {
            Rare::Common(of) => facts.common(of),
            Rare::Text(slot) => facts.world.bytes(slot),
            Rare::Host => facts.host().map(str::as_bytes),
            Rare::Header(name) => return self.header(link, name, facts),
            Rare::Port => return Some(facts.world.bag().int(slot::DESTINATION_PORT) == Some(i64::from(link.text))),
            Rare::Condition => return condition(rule()?, link.text as usize, facts),
            Rare::Nothing => return Some(true),
        };
        Some(value.is_some_and(|value| link.how.fits(value, self.text(link))))
    }

    #[inline]
    fn text(&self, link: &Link) -> &[u8] {
        let start = link.text as usize;
        // INVARIANT: made together; the fallback is unreachable.
        self.texts.get(start..start + usize::from(link.length)).unwrap_or_default()
    }

    fn header(&self, link: &Link, name: u16, facts: &Facts<'_>) -> Option<bool> {
        let (name, text) = self.text(link).split_at_checked(usize::from(name))?;
        let name = std::str::from_utf8(name).ok()?;
        let headers = facts.world.headers();
        if headers.joined_by_proxy() && headers.is_doubtful(name) {
            return None;
        }
        Some(headers.lines(name).any(|line| link.how.fits(line.as_bytes(), text)))
    }
}

impl How {
    fn fits(self, value: &[u8], text: &[u8]) -> bool {
        match self {
            How::Exact => value == text,
            How::Prefix => value.starts_with(text),
            How::Suffix => value.ends_with(text),
            How::Present(Presence::Any) => true,
            How::Present(Presence::NonEmpty) => !value.is_empty(),
        }
    }
}

/// Whether that condition of the rule matches, its `not` left aside; none in doubt.
fn condition(rule: &Rule, at: usize, facts: &Facts<'_>) -> Option<bool> {
    let Body::Conditions(conditions) = &rule.body else { return None };
    match conditions.all().nth(at)?.subject.matches(facts) {
        Truth::Yes => Some(true),
        Truth::No => Some(false),
        Truth::Maybe => None,
    }
}
