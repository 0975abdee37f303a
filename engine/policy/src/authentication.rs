//! RequestAuthentication: tokens are found, validated and turned into the request's identity.
//!
//! A request without a token goes on without an identity; one whose token nobody takes is refused. With several rules,
//! one of them must take every token at its places, and every token must be taken by some rule that looks at its place.

mod fault;
mod identity;
mod keys;
mod location;
mod output;
mod rule;
mod token;

use std::{sync::Arc, time::Duration};

use weir_attributes::{Bag, slot};

pub use identity::authenticated;
pub use keys::{Fetched, Jwks, JwksError, KEYS_MAX, KeyPlace, Keys};
pub use token::TOKEN_BYTES_MAX;

pub(crate) use location::Locations;
pub(crate) use output::ClaimHeader;
pub(crate) use rule::{JwtRule, KeySource};
pub(crate) use token::bare_audience;

use crate::{
    policy::Scope,
    referenced::Referenced,
    verdict::{HeaderOperation, Text, Verdict},
};
use fault::Fault;
use output::Outputs;
use token::Token;

/// How many tokens of one request are looked at.
const TOKENS_MAX: usize = 16;
/// How often signatures of one request's tokens are verified.
const VERIFICATIONS_MAX: usize = 32;

/// One compiled RequestAuthentication.
#[derive(Debug)]
pub(crate) struct Policy {
    /// `NAMESPACE/NAME`.
    pub(crate) id: Arc<str>,
    pub(crate) scope: Scope,
    pub(crate) rules: Vec<Arc<JwtRule>>,
}

/// The rules of all RequestAuthentications that apply to a workload.
#[derive(Debug, Default)]
pub(crate) struct Authentication {
    rules: Box<[Arc<JwtRule>]>,
    outputs: Outputs,
}

/// What becomes of a request that may go on.
#[derive(Debug, Default)]
pub(crate) struct Admitted {
    /// For how long its token stays valid.
    life: Option<Duration>,
    /// What the workload must see of it.
    headers: Vec<HeaderOperation>,
    /// The query parameters that it must not see.
    parameters: Vec<Text>,
}

impl Admitted {
    /// Adds to the verdict on the request what the token asks of it.
    pub(crate) fn onto(self, verdict: &mut Verdict) {
        if let Some(life) = self.life {
            verdict.ttl = verdict.ttl.map(|ttl| ttl.min(life));
        }
        if verdict.is_allow() {
            verdict.headers.splice(0..0, self.headers);
            verdict.parameters = self.parameters;
        }
    }
}

/// The different tokens of a request.
#[derive(Debug, Default)]
struct Found {
    tokens: Vec<Result<Token, Fault>>,
    texts: Vec<String>,
    /// Whether some rule takes it.
    taken: Vec<bool>,
    verifications: usize,
    /// Whether there is one that nobody even looks at.
    overlong: bool,
}

impl Found {
    /// Its place among the tokens.
    fn place(&mut self, text: &str) -> Result<usize, Fault> {
        if let Some(place) = self.texts.iter().position(|known| known == text) {
            return Ok(place);
        }
        if self.texts.len() >= TOKENS_MAX {
            return Err(Fault::TooMany);
        }
        self.texts.push(text.to_owned());
        self.tokens.push(Token::parse(text.to_owned()));
        self.taken.push(false);
        Ok(self.texts.len() - 1)
    }

    /// Whether that rule takes all tokens at its places: the first of them, none without any.
    fn ask(&mut self, rule: &JwtRule, bag: &Bag, now: i64, keys: &Keys) -> Result<Option<usize>, Fault> {
        let (mut first, mut outcome) = (None, Ok(()));
        for text in rule.locations.find(bag) {
            if text.len() > TOKEN_BYTES_MAX {
                // Neither copied nor compared: many rules may look at it.
                self.overlong = true;
                outcome = outcome.and(Err(Fault::TooLong));
                continue;
            }
            let place = self.place(&text)?;
            first = first.or(Some(place));
            let token = self.tokens.get(place).map(Result::as_ref);
            let taken = match token {
                Some(Ok(token)) => rule.takes(token, now, keys, &mut self.verifications),
                Some(Err(fault)) => Err(*fault),
                None => Err(Fault::Malformed),
            };
            match taken {
                Ok(()) => self.taken.iter_mut().skip(place).take(1).for_each(|taken| *taken = true),
                Err(fault) => outcome = outcome.and(Err(fault)),
            }
        }
        outcome.map(|()| first)
    }
}

impl Authentication {
    pub(crate) fn new<'p>(policies: impl Iterator<Item = &'p Arc<Policy>>) -> Self {
        let rules: Box<[Arc<JwtRule>]> = policies.flat_map(|policy| policy.rules.iter().cloned()).collect();
        Self { outputs: Outputs::of(&rules), rules }
    }

    /// Whether no rule applies, so that there is nothing to validate.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Adds what it reads.
    pub(crate) fn refer(&self, referenced: &mut Referenced) {
        if self.rules.is_empty() {
            return;
        }
        self.rules.iter().for_each(|rule| rule.locations.refer(referenced));
        referenced.slot(slot::REQUEST_METHOD);
        referenced.header("origin");
        referenced.header("access-control-request-method");
    }

    /// Finds and validates the tokens. The bag becomes the request as the workload will see it: the token is taken out,
    /// headers have its claims, and policies read them as `request.auth.*`.
    pub(crate) fn admit(&self, bag: &mut Bag, now: i64, keys: &Keys) -> Result<Admitted, Box<Verdict>> {
        if self.rules.is_empty() || bag.str(slot::REQUEST_METHOD).is_none() {
            return Ok(Admitted::default());
        }
        let mut admitted = Admitted { headers: self.outputs.clear(bag), ..Admitted::default() };
        if is_preflight(bag) {
            return Ok(admitted);
        }
        let mut found = Found::default();
        let (mut chosen, mut fault) = (None, None);
        for rule in &self.rules {
            match found.ask(rule, bag, now, keys) {
                Ok(Some(place)) if chosen.is_none() => chosen = Some((rule, place)),
                Ok(_) => {}
                Err(its) => fault = Some(fault.map_or(its, |mine: Fault| mine.or(its))),
            }
        }
        let all_taken = !found.overlong && found.taken.iter().all(|taken| *taken);
        let Some((rule, place)) = chosen.filter(|_| all_taken) else {
            return match fault {
                Some(fault) => Err(fault.verdict().into()),
                None => Ok(admitted),
            };
        };
        let Some(Ok(token)) = found.tokens.get(place) else { return Err(Fault::Malformed.verdict().into()) };
        let lives = found.tokens.iter().flatten().filter_map(|token| token.life(now));
        admitted.life = lives.min().map(Duration::from_nanos);
        rule.apply(token, bag, &mut admitted);
        authenticated(bag, token.claims().clone(), &rule.words);
        Ok(admitted)
    }
}

/// A preflight of CORS carries no token by design.
fn is_preflight(bag: &Bag) -> bool {
    let given = |name: &str| bag.headers().lines(name).any(|value| !value.is_empty());
    bag.str(slot::REQUEST_METHOD) == Some("OPTIONS") && given("origin") && given("access-control-request-method")
}
