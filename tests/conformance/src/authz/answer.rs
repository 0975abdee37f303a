//! What came of a row, and whether it is what the row says.

use weir_attributes::{Bag, slot};
use weir_policy::{Decision, Shadow, Verdict as Decided};

use super::row::{Expected, Row};
use crate::suite::Verdict;

/// What was answered.
#[derive(Debug)]
pub(super) struct Got {
    /// `allow`, `deny`, `http_401`, `http_400`, or another status in words.
    outcome: String,
    /// Who decided.
    rule: String,
    /// What only the library tells.
    more: Option<More>,
}

/// What a verdict has besides its decision.
#[derive(Debug)]
struct More {
    audit: bool,
    deny: Option<Shadow>,
    allow: Option<Shadow>,
    /// The path that the workload gets.
    path: Option<String>,
}

/// The word for an HTTP status that a client is denied with.
fn denied(status: u16) -> String {
    match status {
        403 => Expected::Deny.as_str().to_owned(),
        401 => Expected::Http401.as_str().to_owned(),
        400 => Expected::Http400.as_str().to_owned(),
        other => format!("a denial with status {other}"),
    }
}

impl Got {
    pub(super) fn of(verdict: &Decided, bag: &Bag) -> Self {
        let reason = &verdict.reason;
        let mut rule = reason.code.as_str().to_owned();
        if let Some(policy) = &reason.policy {
            rule = format!("{rule}: {policy}");
        }
        if let Some(id) = &reason.rule {
            rule = format!("{rule} rule {id}");
        }
        if let Some(message) = &reason.message {
            rule = format!("{rule}: {}", message.as_str());
        }
        let shadows = verdict.shadows.as_deref().cloned().unwrap_or_default();
        let more = More {
            audit: !verdict.audit.is_empty(),
            deny: shadows.deny,
            allow: shadows.allow,
            path: bag.str(slot::REQUEST_PATH).map(str::to_owned),
        };
        let outcome = match verdict.decision {
            Decision::Allow => Expected::Allow.as_str().to_owned(),
            Decision::Deny => denied(verdict.status),
        };
        Self { outcome, rule, more: Some(more) }
    }

    /// What a proxy's parser refuses before anybody is asked.
    pub(super) fn bad_request(why: impl Into<String>) -> Self {
        Self { outcome: Expected::Http400.as_str().to_owned(), rule: why.into(), more: None }
    }

    /// What no proxy could take for an answer.
    pub(super) fn no_answer(what: String) -> Self {
        Self { outcome: "no answer".to_owned(), rule: what, more: None }
    }

    /// What a door answered: the status of the denial, or none for an allow.
    pub(super) fn through_door(denial: Option<u16>, rule: String) -> Self {
        Self { outcome: denial.map_or_else(|| Expected::Allow.as_str().to_owned(), denied), rule, more: None }
    }
}

impl Row {
    /// Whether that is what the row says.
    pub(super) fn judge(&self, got: &Got) -> Verdict {
        let failed = |what: &str, expected: String, told: String| Verdict::Failed {
            expected: format!("{what}{expected}"),
            got: format!("{what}{told}"),
            rule: got.rule.clone(),
        };
        if got.outcome != self.expect.as_str() {
            return failed("", self.expect.as_str().to_owned(), got.outcome.clone());
        }
        let Some(more) = &got.more else { return Verdict::Passed };
        let audit = self.expect_audit.or(self.oracle.audit.as_deref().map(|mark| mark == "true"));
        if let Some(expected) = audit.filter(|expected| *expected != more.audit) {
            return failed("the audit mark ", expected.to_string(), more.audit.to_string());
        }
        let sides = [
            ("the DENY side of dry-run ", &self.oracle.shadow_deny, &self.oracle.shadow_deny_id, &more.deny),
            ("the ALLOW side of dry-run ", &self.oracle.shadow_allow, &self.oracle.shadow_allow_id, &more.allow),
        ];
        for (what, result, id, shadow) in sides {
            let Some(result) = result else { continue };
            let expected = told(result, id.as_deref());
            let got = shadow.as_ref().map_or_else(|| "none".to_owned(), shown);
            if expected != got {
                return failed(what, expected, got);
            }
        }
        // A path was told only where the request reached the workload.
        let path = self.oracle.path.as_ref().filter(|_| self.oracle.verdict.as_deref() == Some("allow"));
        match (path, &more.path) {
            (Some(expected), Some(path)) if self.expect == Expected::Allow && expected != path => {
                failed("the path ", expected.clone(), path.clone())
            }
            _ => Verdict::Passed,
        }
    }
}

fn told(result: &str, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{result} by {id}"),
        None => result.to_owned(),
    }
}

/// As Envoy tells it: `ns[NAMESPACE]-policy[NAME]-rule[INDEX]` is the rule.
fn shown(shadow: &Shadow) -> String {
    let result = if shadow.decision == Decision::Allow { "allowed" } else { "denied" };
    let name = shadow.policy.as_deref().and_then(|policy| policy.split_once('/'));
    let id = name.zip(shadow.rule.as_ref());
    let id = id.map(|((namespace, name), rule)| format!("ns[{namespace}]-policy[{name}]-rule[{}]", rule.index));
    told(result, id.as_deref())
}
