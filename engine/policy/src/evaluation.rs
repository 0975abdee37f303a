//! One check from start to verdict, without I/O: what the policies cannot decide alone is asked of the caller.

use std::{sync::Arc, time::Duration};

use weir_attributes::Bag;

use crate::{
    authentication::Keys,
    ruleset::Ruleset,
    verdict::{Decision, HeaderOperation, Reason, ReasonCode, Text, Verdict},
};

/// How far a check has come.
#[derive(Debug)]
pub enum Step {
    /// It is decided.
    Done(Verdict),
    /// Something must be asked; [`Evaluation::resume`] goes on with the answer.
    Ask(Ask, Evaluation),
}

/// What must be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A check adapter.
    Adapter {
        /// Its place in [`crate::document::Documents::check_adapters`].
        binding: usize,
        /// `NAMESPACE/NAME`.
        name: Arc<str>,
    },
}

/// What a check adapter answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The request may go on.
    Allow {
        /// How long the answer may be reused; none means not at all.
        ttl: Option<Duration>,
        /// How often; none means as often as wanted.
        max_uses: Option<u32>,
        /// Changes to headers.
        headers: Vec<HeaderOperation>,
    },
    /// It may not.
    Deny {
        /// The HTTP status; 403 when it is not in 400 to 599.
        status: u16,
        /// What the client reads; the usual text when none is given.
        message: Option<Text>,
        /// How long the answer may be reused; none means not at all.
        ttl: Option<Duration>,
        /// How often; none means as often as wanted.
        max_uses: Option<u32>,
        /// Changes to headers.
        headers: Vec<HeaderOperation>,
    },
    /// It gave no answer.
    Failed {
        /// Why, for the log.
        detail: Text,
        /// Its failure policy lets the request go on.
        fail_open: bool,
    },
}

/// A check that waits for an answer.
#[derive(Debug)]
pub struct Evaluation {
    ruleset: Arc<Ruleset>,
    /// What holds unless an adapter denies.
    verdict: Verdict,
    /// The adapter that is asked.
    next: usize,
}

impl Evaluation {
    /// Asks the policies; with nothing else to ask this is the whole check.
    ///
    /// `bag` must be prepared ([`crate::prepare`]); it becomes the request as the workload will see it, without the token
    /// that was validated and with its claims. `now`, in nanoseconds since 1970-01-01T00:00:00Z, and the fetched `keys` are
    /// what tokens are validated by.
    #[must_use]
    pub fn start(ruleset: &Arc<Ruleset>, bag: &mut Bag, now: i64, keys: &Keys) -> Step {
        let admitted = match ruleset.admit(bag, now, keys) {
            Ok(admitted) => admitted,
            Err(verdict) => return Step::Done(*verdict),
        };
        let verdict = admitted.onto(ruleset.decide(bag));
        if verdict.is_allow() && !ruleset.adapters().is_empty() {
            return Self { ruleset: ruleset.clone(), verdict, next: 0 }.step();
        }
        Step::Done(verdict)
    }

    fn step(self) -> Step {
        match self.ruleset.adapters().get(self.next) {
            Some(adapter) => Step::Ask(Ask::Adapter { binding: adapter.binding, name: adapter.name.clone() }, self),
            None => Step::Done(self.verdict),
        }
    }

    /// Goes on with the answer to what was asked.
    #[must_use]
    pub fn resume(mut self, answer: Answer, _bag: &Bag) -> Step {
        let adapter = self.ruleset.adapters().get(self.next).map(|adapter| adapter.name.clone());
        self.next += 1;
        let reason = |code: ReasonCode, message| Reason { policy: adapter, message, ..code.into() };
        match answer {
            Answer::Allow { ttl, max_uses, headers } => {
                self.limit(ttl, max_uses);
                self.verdict.headers.extend(headers);
                return self.step();
            }
            Answer::Failed { fail_open: true, .. } => {
                self.limit(None, None);
                return self.step();
            }
            Answer::Failed { detail, fail_open: false } => {
                self.limit(None, None);
                self.deny(None, None, reason(ReasonCode::AdapterFailed, Some(detail)));
            }
            Answer::Deny { status, message, ttl, max_uses, headers } => {
                self.limit(ttl, max_uses);
                self.deny(Some(status), message, reason(ReasonCode::Adapter, None));
                self.verdict.headers = headers;
            }
        }
        Step::Done(self.verdict)
    }

    /// The verdict may be reused no longer and no more often than each answer.
    fn limit(&mut self, ttl: Option<Duration>, max_uses: Option<u32>) {
        self.verdict.ttl = self.verdict.ttl.zip(ttl).map(|(mine, its)| mine.min(its));
        self.verdict.max_uses = match (self.verdict.max_uses, max_uses) {
            (Some(mine), Some(its)) => Some(mine.min(its)),
            (mine, its) => mine.or(its),
        };
    }

    /// What an allowing adapter asked of headers is forgotten: the request does not go on.
    fn deny(&mut self, status: Option<u16>, message: Option<Text>, reason: Reason) {
        let usual = Verdict::deny(reason);
        self.verdict = Verdict {
            decision: Decision::Deny,
            status: status.filter(|status| (400..600).contains(status)).unwrap_or(usual.status),
            message: message.unwrap_or(usual.message),
            reason: usual.reason,
            audit: std::mem::take(&mut self.verdict.audit),
            shadows: self.verdict.shadows.take(),
            ttl: self.verdict.ttl,
            max_uses: self.verdict.max_uses,
            headers: Vec::new(),
        };
    }
}
