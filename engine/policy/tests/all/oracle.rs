//! The slow, obvious evaluator: Istio's rules read one after the other, as its documentation and generator have them.
//!
//! It shares no code with the crate that it is compared with: patterns are regular expressions as Istio writes them,
//! addresses are compared bit by bit, paths are normalized character by character. Every matcher can be made wrong on
//! purpose, and so can every stage, which shows that a difference in it would be found.

mod claims;
mod matchers;
mod normal;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

pub(super) use normal::normalized;

/// One request, as the sidecar sees it before it is normalized.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// Without one it is a plain connection.
    pub(super) method: Option<String>,
    pub(super) target: String,
    pub(super) host: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) principal: Option<String>,
    pub(super) source_ip: Option<String>,
    /// Its address and port.
    pub(super) destination: Option<(String, u16)>,
    pub(super) sni: Option<String>,
    /// What filters of the proxy said: `{FILTER: {KEY: VALUE}}`.
    pub(super) metadata: Json,
    /// The token in its `authorization` header.
    pub(super) token: Option<Token>,
    /// What a validated token says.
    pub(super) claims: Option<Json>,
}

impl Asked {
    pub(super) fn is_http(&self) -> bool {
        self.method.is_some()
    }
}

/// A token: what it says, as text, and whether it may be believed.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) claims: Json,
    pub(super) text: String,
    pub(super) state: TokenState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenState {
    Good,
    /// Somebody else has signed it.
    Forged,
    /// It is over, or has not begun.
    Untimely,
    /// It is no token.
    Junk,
}

/// A policy: namespace, name, spec, dry-run.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dry_run: bool,
    pub(super) spec: Json,
}

impl Policy {
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    fn has_action(&self, action: &str) -> bool {
        self.spec["action"].as_str().unwrap_or("ALLOW") == action
    }
}

/// The workload and mesh that are asked about.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    /// The trust domain, then its aliases.
    pub(super) trust_domains: Vec<String>,
    pub(super) normalization: &'static str,
    /// Whose tokens are taken: issuer and, when they count, audiences.
    pub(super) issuers: Vec<(&'static str, Vec<&'static str>)>,
}

/// What a provider of CUSTOM policies is called; the first letter says what it speaks, and one is never configured.
pub(super) const PROVIDERS: [&str; 3] = ["grpc-a", "http-b", "missing"];

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// No policy, or no ALLOW policy, applies.
    NotDenied,
    Allowed,
    Denied,
    DefaultDeny,
    /// A provider said no.
    Provider,
    /// Nobody is the provider that a policy names.
    NoProvider,
    /// The token is not taken: 401, or 403 for its audience.
    Token(u16),
}

/// A rule: the policy's `NAMESPACE/NAME` and its place there.
pub(super) type Rule = (String, u32);

/// All that is told of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) outcome: Outcome,
    /// The first rule that decided, in the order of names.
    pub(super) rule: Option<Rule>,
    pub(super) audit: BTreeSet<Rule>,
    /// What the dry-run policies of DENY and of ALLOW would have allowed, and by which rule.
    pub(super) shadows: [Option<(bool, Option<Rule>)>; 2],
}

impl Decided {
    fn early(outcome: Outcome, rule: Option<Rule>) -> Self {
        Self { outcome, rule, audit: BTreeSet::new(), shadows: [None, None] }
    }
}

/// Evaluates, counts how often each matcher held and did not, and may have one bug.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// The field whose matcher, or the stage that, is wrong.
    pub(super) bug: Option<&'static str>,
    /// By field: how often a value was compared and did not match, and did.
    pub(super) fired: BTreeMap<String, [u64; 2]>,
    pub(super) regexes: BTreeMap<String, regex::Regex>,
}

impl Oracle {
    /// CUSTOM on the request as it came, then its token, then AUDIT, DENY and ALLOW on the request as it now is.
    pub(super) fn decide(&mut self, policies: &[Policy], world: &World, asked: &Asked) -> Decided {
        let mut applying: Vec<&Policy> = policies.iter().filter(|policy| applies(policy, world)).collect();
        applying.sort_by_key(|policy| policy.id());
        let of = |action: &str, dry_run: bool| {
            let like = |policy: &&Policy| policy.has_action(action) && policy.dry_run == dry_run;
            applying.iter().copied().filter(like).collect::<Vec<_>>()
        };
        if let Some(refused) = self.providers(&of("CUSTOM", false), world, asked) {
            return refused;
        }
        let asked = &match self.admitted(world, asked) {
            Ok(asked) => asked,
            Err(status) => return Decided::early(Outcome::Token(status), None),
        };
        let audit = self.rules(&of("AUDIT", false), world, asked, self.is_bug("AUDIT"));
        let shadows =
            [self.shadow(&of("DENY", true), world, asked, false), self.shadow(&of("ALLOW", true), world, asked, true)];
        let (outcome, rule) = self.enforced(&of("DENY", false), &of("ALLOW", false), world, asked);
        Decided { outcome, rule, audit: audit.into_iter().collect(), shadows }
    }

    fn enforced(
        &mut self,
        deny: &[&Policy],
        allow: &[&Policy],
        world: &World,
        asked: &Asked,
    ) -> (Outcome, Option<Rule>) {
        let denied = self.rules(deny, world, asked, false).into_iter().next();
        if denied.is_some() {
            return (Outcome::Denied, denied);
        }
        if allow.is_empty() {
            return (Outcome::NotDenied, None);
        }
        match self.rules(allow, world, asked, !self.is_bug("TCP")).into_iter().next() {
            None => (Outcome::DefaultDeny, None),
            allowed => (Outcome::Allowed, allowed),
        }
    }

    fn is_bug(&self, stage: &str) -> bool {
        self.bug == Some(stage)
    }

    /// Every provider that a rule asks, in the order of names; the first that does not allow decides.
    fn providers(&mut self, policies: &[&Policy], world: &World, asked: &Asked) -> Option<Decided> {
        for name in PROVIDERS {
            let http = name.starts_with("http");
            if http && !asked.is_http() {
                continue; // it speaks HTTP alone
            }
            let its: Vec<_> =
                policies.iter().copied().filter(|policy| policy.spec["provider"]["name"] == name).collect();
            let Some(rule) = self.rules(&its, world, asked, false).into_iter().next() else { continue };
            let outcome = match name {
                "missing" if self.is_bug("CUSTOM") => continue,
                "missing" => Outcome::NoProvider,
                _ if allows(name, asked) => continue,
                _ => Outcome::Provider,
            };
            return Some(Decided::early(outcome, Some(rule)));
        }
        None
    }

    /// The request with what its token says, and without the token; or the status of the refusal.
    fn admitted(&mut self, world: &World, asked: &Asked) -> Result<Asked, u16> {
        let mut asked = asked.clone();
        let Some(token) = asked.token.clone().filter(|_| !world.issuers.is_empty()) else { return Ok(asked) };
        let known = world.issuers.iter().find(|(issuer, _)| token.claims["iss"] == *issuer);
        let Some((_, audiences)) = known.filter(|_| token.state != TokenState::Junk) else { return Err(401) };
        // Envoy compares audiences without the scheme of a URL and without its last slash.
        let bare = |text: &str| text.replacen("https://", "", 1).trim_end_matches('/').to_owned();
        let told: Vec<String> = claims::texts(&token.claims["aud"]).into_iter().map(bare).collect();
        let meant = audiences.is_empty() || audiences.iter().any(|audience| told.iter().any(|told| told == audience));
        match token.state {
            TokenState::Untimely => return Err(401),
            _ if !meant => return Err(if self.is_bug("tokens") { 401 } else { 403 }),
            TokenState::Forged => return Err(401),
            _ => {}
        }
        asked.claims = Some(claims::with_words(token.claims));
        asked.headers.retain(|(name, _)| name != "authorization");
        Ok(asked)
    }

    /// What dry-run policies would have decided; nothing without any.
    fn shadow(
        &mut self,
        policies: &[&Policy],
        world: &World,
        asked: &Asked,
        allow: bool,
    ) -> Option<(bool, Option<Rule>)> {
        let held = self.rules(policies, world, asked, allow).into_iter().next();
        let allowed = held.is_some() == (allow || self.is_bug("dry-run"));
        (!policies.is_empty()).then_some((allowed, held))
    }

    /// The rules that hold, in order.
    fn rules(&mut self, policies: &[&Policy], world: &World, asked: &Asked, allow: bool) -> Vec<Rule> {
        let mut held = Vec::new();
        for policy in policies {
            for (at, rule) in (0..).zip(policy.spec["rules"].as_array().into_iter().flatten()) {
                if self.rule(rule, policy, world, asked, allow) {
                    held.push((policy.id(), at));
                }
            }
        }
        held
    }

    /// (any `from`) and (any `to`) and (all `when`).
    fn rule(&mut self, rule: &Json, policy: &Policy, world: &World, asked: &Asked, allow: bool) -> bool {
        if !asked.is_http() && allow && uses_http(rule) {
            return false;
        }
        let mut any = |list: &Json, inner: &str| match list.as_array() {
            None => true,
            Some(entries) => {
                let mut held = false;
                // Every entry is looked at, so that every matcher is counted.
                for entry in entries {
                    held |= self.fields(&entry[inner], policy, world, asked);
                }
                held
            }
        };
        let from = any(&rule["from"], "source");
        let to = any(&rule["to"], "operation");
        let mut when = true;
        for condition in rule["when"].as_array().into_iter().flatten() {
            when &= self.condition(condition, policy, world, asked);
        }
        from && to && when
    }

    /// All fields of one source or operation.
    fn fields(&mut self, fields: &Json, policy: &Policy, world: &World, asked: &Asked) -> bool {
        let mut held = true;
        for (name, values) in fields.as_object().into_iter().flatten() {
            let (field, negated) = match name.strip_prefix("not") {
                Some(rest) => (rest[..1].to_lowercase() + &rest[1..], true),
                None => (name.clone(), false),
            };
            if !asked.is_http() && HTTP.contains(&&*field) {
                continue;
            }
            held &= self.any_value(&field, values, policy, world, asked) != negated;
        }
        held
    }

    fn condition(&mut self, condition: &Json, policy: &Policy, world: &World, asked: &Asked) -> bool {
        let key = condition["key"].as_str().unwrap();
        if !asked.is_http() && key.starts_with("request.") {
            return true;
        }
        let mut held = true;
        if let Some(values) = condition.get("values") {
            held &= self.any_value(key, values, policy, world, asked);
        }
        if let Some(values) = condition.get("notValues") {
            held &= !self.any_value(key, values, policy, world, asked);
        }
        held
    }

    /// Whether any value of a field matches. All are looked at, and what came of it is counted.
    fn any_value(&mut self, field: &str, values: &Json, policy: &Policy, world: &World, asked: &Asked) -> bool {
        let mut matched = false;
        for value in values.as_array().unwrap() {
            matched |= self.matches(field, value.as_str().unwrap(), policy, world, asked);
        }
        let name = field.split('[').next().unwrap();
        self.fired.entry(name.to_owned()).or_default()[usize::from(matched)] += 1;
        matched
    }
}

/// Fields of a source or operation that a plain connection has not.
const HTTP: [&str; 4] = ["hosts", "methods", "paths", "requestPrincipals"];

/// What a provider says: the header `x-ask` names those that allow.
pub(super) fn allows(provider: &str, asked: &Asked) -> bool {
    asked.headers.iter().any(|(name, value)| name == "x-ask" && value.contains(provider))
}

/// Whether a policy is about the workload: its namespace or the root's, and all labels of its selector.
fn applies(policy: &Policy, world: &World) -> bool {
    let labels = policy.spec["selector"]["matchLabels"].as_object();
    (policy.namespace == "istio-system" || policy.namespace == world.namespace)
        && labels.into_iter().flatten().all(|(key, value)| world.labels.get(key).map(String::as_str) == value.as_str())
}

/// Whether a rule has a condition that only HTTP can answer.
fn uses_http(rule: &Json) -> bool {
    let entries = |list: &str, inner: &str| {
        let entries = rule[list].as_array().cloned().unwrap_or_default();
        entries.iter().filter_map(|entry| entry[inner].as_object().cloned()).collect::<Vec<_>>()
    };
    let entries = [entries("from", "source"), entries("to", "operation")].concat();
    let mut fields = entries.iter().flat_map(|fields| fields.keys());
    let mut keys = rule["when"].as_array().into_iter().flatten().filter_map(|condition| condition["key"].as_str());
    fields.any(|field| HTTP.iter().any(|http| field.to_lowercase().ends_with(&http.to_lowercase())))
        || keys.any(|key| key.starts_with("request."))
}
