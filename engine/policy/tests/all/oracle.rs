//! The slow, obvious evaluator: Istio's rules read one after the other, as its documentation and generator have them.
//!
//! It shares no code with the crate that it is compared with: patterns are regular expressions as Istio writes them,
//! addresses are compared bit by bit, paths are normalized character by character. Every matcher can be made wrong on
//! purpose, which shows that a difference in it would be found.

mod matchers;
mod normal;

use std::collections::BTreeMap;

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
    pub(super) destination_ip: String,
    pub(super) port: u16,
    pub(super) sni: Option<String>,
}

impl Asked {
    pub(super) fn is_http(&self) -> bool {
        self.method.is_some()
    }
}

/// A policy: namespace, name, spec, dry-run.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) spec: Json,
}

/// The workload and mesh that are asked about.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    /// The trust domain, then its aliases.
    pub(super) trust_domains: Vec<String>,
    pub(super) normalization: &'static str,
}

/// What is decided, and by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// No policy, or no ALLOW policy, applies.
    NotDenied,
    Allowed,
    Denied,
    DefaultDeny,
}

impl Outcome {
    pub(super) fn is_allow(self) -> bool {
        matches!(self, Outcome::NotDenied | Outcome::Allowed)
    }
}

/// Evaluates, counts how often each matcher held and did not, and may have one bug.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// The field whose matcher is wrong.
    pub(super) bug: Option<&'static str>,
    /// By field: how often a value was compared and did not match, and did.
    pub(super) fired: BTreeMap<String, [u64; 2]>,
    pub(super) regexes: BTreeMap<String, regex::Regex>,
}

impl Oracle {
    pub(super) fn decide(&mut self, policies: &[Policy], world: &World, asked: &Asked) -> Outcome {
        let applying: Vec<&Policy> = policies.iter().filter(|policy| applies(policy, world)).collect();
        let of = |action: &'static str| {
            applying.iter().copied().filter(move |policy| policy.spec["action"].as_str().unwrap_or("ALLOW") == action)
        };
        for policy in of("DENY") {
            if self.any_rule(policy, world, asked, false) {
                return Outcome::Denied;
            }
        }
        if of("ALLOW").next().is_none() {
            return Outcome::NotDenied;
        }
        for policy in of("ALLOW") {
            if self.any_rule(policy, world, asked, true) {
                return Outcome::Allowed;
            }
        }
        Outcome::DefaultDeny
    }

    fn any_rule(&mut self, policy: &Policy, world: &World, asked: &Asked, allow: bool) -> bool {
        let rules = policy.spec["rules"].as_array().cloned().unwrap_or_default();
        rules.iter().any(|rule| self.rule(rule, policy, world, asked, allow))
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
            if !asked.is_http() && matches!(&*field, "hosts" | "methods" | "paths") {
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

    /// Whether any value of a field matches; a field whose matcher has a bug says the opposite now and then.
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

/// Whether a policy is about the workload: its namespace or the root's, and all labels of its selector.
fn applies(policy: &Policy, world: &World) -> bool {
    let labels = policy.spec["selector"]["matchLabels"].as_object();
    (policy.namespace == "istio-system" || policy.namespace == world.namespace)
        && labels.into_iter().flatten().all(|(key, value)| world.labels.get(key).map(String::as_str) == value.as_str())
}

/// Whether a rule has a condition that only HTTP can answer.
fn uses_http(rule: &Json) -> bool {
    let operations = rule["to"].as_array().into_iter().flatten().filter_map(|to| to["operation"].as_object());
    let mut fields = operations.flat_map(|operation| operation.keys());
    let mut keys = rule["when"].as_array().into_iter().flatten().filter_map(|condition| condition["key"].as_str());
    fields.any(|field| ["hosts", "methods", "paths"].iter().any(|http| field.to_lowercase().ends_with(http)))
        || keys.any(|key| key.starts_with("request."))
}
