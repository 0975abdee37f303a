//! One check from start to verdict, without I/O: what the policies cannot decide alone is asked of the caller.

mod headers;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use weir_attributes::Bag;

use crate::{
    authentication::Keys,
    ruleset::{Asked, Matched, Ruleset},
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
    /// An external authorizer, about the request as it is now.
    Provider {
        /// Its place in [`crate::Mesh::providers`].
        provider: usize,
        /// Its name.
        name: Arc<str>,
    },
    /// A check adapter.
    Adapter {
        /// Its place in [`crate::document::Documents::check_adapters`].
        binding: usize,
        /// `NAMESPACE/NAME`.
        name: Arc<str>,
    },
}

/// What a provider or check adapter answered.
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
        /// The HTTP status; 403 when it is not in 400 to 599. A provider may redirect: 300 to 599.
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
    now: i64,
    stage: Stage,
    /// What holds unless somebody denies; while providers are asked only how it may be reused.
    verdict: Verdict,
    /// What was changed of headers before the policies were asked.
    headers: Vec<HeaderOperation>,
}

/// Whom a check waits for.
#[derive(Debug)]
enum Stage {
    /// The provider of the first of these.
    Providers(VecDeque<Matched>),
    /// The adapter of that place.
    Adapters(usize),
}

impl Evaluation {
    /// Asks the policies; with nothing else to ask this is the whole check.
    ///
    /// `bag` must be prepared ([`crate::prepare`]); it becomes the request as the workload will see it: with the headers
    /// that providers gave it, without the token that was validated and with its claims. `now`, in nanoseconds since
    /// 1970-01-01T00:00:00Z, and the fetched `keys` are what tokens are validated by.
    #[must_use]
    pub fn start(ruleset: &Arc<Ruleset>, bag: &mut Bag, now: i64, keys: &Keys) -> Step {
        if ruleset.asks_nobody() {
            return Step::Done(ruleset.judge(bag, now, keys));
        }
        Self::asking(ruleset, bag, now, keys)
    }

    /// With providers or adapters that may have to be asked.
    fn asking(ruleset: &Arc<Ruleset>, bag: &mut Bag, now: i64, keys: &Keys) -> Step {
        let matched = ruleset.providers(bag);
        let verdict = Verdict { ttl: Some(Duration::MAX), ..Verdict::allow(ReasonCode::NotDenied) };
        let stage = Stage::Providers(matched.into());
        Self { ruleset: ruleset.clone(), now, stage, verdict, headers: Vec::new() }.step(bag, keys)
    }

    fn step(self, bag: &mut Bag, keys: &Keys) -> Step {
        match &self.stage {
            Stage::Providers(matched) => match matched.front() {
                None => self.policies(bag, keys),
                Some(Matched { asked: Asked::Provider(at, provider), .. }) => {
                    Step::Ask(Ask::Provider { provider: *at, name: provider.name.clone() }, self)
                }
                Some(Matched { asked: Asked::Adapter(adapter), .. }) => {
                    Step::Ask(Ask::Adapter { binding: adapter.binding, name: adapter.name.clone() }, self)
                }
                Some(Matched { asked: Asked::Nobody, .. }) => {
                    let detail = "not among the extensionProviders of the MeshConfig, or its adapter is not there";
                    Step::Done(self.refusal(ReasonCode::NoProvider, None, detail.to_owned()))
                }
            },
            Stage::Adapters(next) => match self.ruleset.adapters().get(*next) {
                Some(adapter) => Step::Ask(Ask::Adapter { binding: adapter.binding, name: adapter.name.clone() }, self),
                None => Step::Done(self.verdict),
            },
        }
    }

    /// What tokens and policies say of the request as it now is.
    fn policies(mut self, bag: &mut Bag, keys: &Keys) -> Step {
        let Verdict { ttl, max_uses, .. } = self.verdict;
        self.verdict = self.ruleset.judge(bag, self.now, keys);
        self.limit(ttl, max_uses);
        if !self.verdict.is_allow() {
            return Step::Done(self.verdict);
        }
        self.verdict.headers.splice(0..0, std::mem::take(&mut self.headers));
        self.stage = Stage::Adapters(0);
        self.step(bag, keys)
    }

    /// Goes on with the answer to what was asked.
    #[must_use]
    pub fn resume(self, answer: Answer, bag: &mut Bag, keys: &Keys) -> Step {
        match self.stage {
            Stage::Providers(_) => self.provided(answer, bag, keys),
            Stage::Adapters(at) => self.adapted(at, answer, bag, keys),
        }
    }

    /// A provider's answer: an allow only lets the next be asked.
    fn provided(mut self, answer: Answer, bag: &mut Bag, keys: &Keys) -> Step {
        match answer {
            Answer::Allow { ttl, max_uses, headers } => {
                self.limit(ttl, max_uses);
                self.headers.extend(headers::apply(headers, bag));
            }
            Answer::Failed { fail_open: true, .. } => self.limit(None, None),
            Answer::Failed { detail, fail_open: false } => {
                self.limit(None, None);
                let status = match self.matched() {
                    Some(Matched { asked: Asked::Provider(_, provider), .. }) => Some(provider.status_on_error),
                    _ => None,
                };
                return Step::Done(self.refusal(ReasonCode::ProviderFailed, status, detail.to_string()));
            }
            Answer::Deny { status, message, ttl, max_uses, headers } => {
                self.limit(ttl, max_uses);
                let status = Some(status).filter(|status| (300..600).contains(status));
                let mut verdict = self.refusal(ReasonCode::Provider, status, "denied".to_owned());
                verdict.message = message.unwrap_or(verdict.message);
                verdict.headers = headers;
                return Step::Done(verdict);
            }
        }
        if let Stage::Providers(matched) = &mut self.stage {
            matched.pop_front();
        }
        self.step(bag, keys)
    }

    /// The rule whose provider is asked.
    fn matched(&self) -> Option<&Matched> {
        match &self.stage {
            Stage::Providers(matched) => matched.front(),
            Stage::Adapters(_) => None,
        }
    }

    /// The denial for a CUSTOM rule: nothing behind it is asked.
    fn refusal(&self, code: ReasonCode, status: Option<u16>, detail: String) -> Verdict {
        let mut reason = Reason::from(code);
        if let Some(Matched { provider, policy, rule, in_doubt, .. }) = self.matched() {
            reason.policy = Some(policy.clone());
            reason.rule = Some(rule.clone());
            reason.message = Some(Text::Shared(format!("provider {provider}: {detail}").into()));
            reason.in_doubt = *in_doubt;
        }
        let usual = Verdict::deny(reason);
        let ttl = self.verdict.ttl.filter(|ttl| *ttl != Duration::MAX);
        Verdict { status: status.unwrap_or(usual.status), ttl, max_uses: self.verdict.max_uses, ..usual }
    }

    /// A check adapter's answer.
    fn adapted(mut self, at: usize, answer: Answer, bag: &mut Bag, keys: &Keys) -> Step {
        let adapter = self.ruleset.adapters().get(at).map(|adapter| adapter.name.clone());
        self.stage = Stage::Adapters(at + 1);
        let reason = |code: ReasonCode, message| Reason { policy: adapter, message, ..code.into() };
        match answer {
            Answer::Allow { ttl, max_uses, headers } => {
                self.limit(ttl, max_uses);
                self.verdict.headers.extend(headers::apply(headers, bag));
                return self.step(bag, keys);
            }
            Answer::Failed { fail_open: true, .. } => {
                self.limit(None, None);
                return self.step(bag, keys);
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
            parameters: Vec::new(),
        };
    }
}
