//! The rules that are measured, as YAML and by hand, and requests that hit them all.

use std::{fmt::Write as _, sync::Arc};

use weir_attributes::{Bag, slot};
use weir_policy::{REUSE, Reason, ReasonCode, RuleId, Verdict};

/// How alike the rules are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each has a principal and a path of its own.
    Distinct,
    /// All have the same principal, method and host; only a path that is not meant, which no index finds, tells them apart.
    Shared,
}

/// The workload that all rules are about.
const WORKLOAD: &str =
    "---\napiVersion: policy.weir.dev/v1alpha1\nkind: Workload\nmetadata: {name: cart, namespace: shop}\nspec: {}\n";

/// ALLOW policies of that many rules each.
#[must_use]
pub fn yaml(policies: usize, rules: usize, shape: Shape) -> String {
    let mut text = WORKLOAD.to_owned();
    for policy in 0..policies {
        let _ = write!(
            text,
            "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p{policy}, namespace: shop}}\nspec:\n  action: ALLOW\n  rules:\n"
        );
        for rule in 0..rules {
            let _ = match shape {
                Shape::Distinct => write!(
                    text,
                    "  - from:\n    - source: {{principals: [\"td/ns/n{policy}/sa/caller-{rule}\"]}}\n    to:\n    - operation: {{methods: [GET], paths: [\"/svc{policy}/{rule}/*\"]}}\n"
                ),
                Shape::Shared => write!(
                    text,
                    "  - from:\n    - source: {{principals: [\"td/ns/n/sa/caller\"]}}\n    to:\n    - operation: {{methods: [GET], hosts: [shop.com], notPaths: [\"/no/{policy}/{rule}\"]}}\n    when:\n    - {{key: \"request.headers[x-key]\", notValues: [\"*\"]}}\n"
                ),
            };
        }
    }
    text
}

/// One request and what is decided about it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asks, without `spiffe://`.
    pub principal: String,
    /// How.
    pub method: &'static str,
    /// For what.
    pub path: String,
    /// What is decided.
    pub allowed: bool,
}

impl Asked {
    /// As a door fills it.
    #[must_use]
    pub fn bag(&self) -> Bag {
        Bag::builder()
            .text(slot::REQUEST_METHOD, self.method)
            .text(slot::REQUEST_PATH, &self.path)
            .text(slot::REQUEST_HOST, "shop.com")
            .text(slot::SOURCE_PRINCIPAL, &self.principal)
            .header("x-key", "value")
            .header("user-agent", "bench")
            .build()
    }
}

/// Requests spread over all rules; a fifth is denied.
#[must_use]
pub fn asked(policies: usize, rules: usize) -> Vec<Asked> {
    (0..1_000).map(|n| nth(n, policies, rules)).collect()
}

/// The n-th of the requests that are spread over all rules: no two are the same, each fifth is denied.
#[must_use]
pub fn nth(n: usize, policies: usize, rules: usize) -> Asked {
    // A prime step visits the rules out of order.
    let at = n * 7919 % (policies * rules);
    let (policy, rule) = (at / rules, at % rules);
    let allowed = !n.is_multiple_of(5);
    Asked {
        principal: format!("td/ns/n{policy}/sa/caller-{rule}"),
        method: "GET",
        path: if allowed { format!("/svc{policy}/{rule}/item/{n}") } else { format!("/other/{n}") },
        allowed,
    }
}

/// Requests that every rule of [`Shape::Shared`] must be asked about; none allows them.
#[must_use]
pub fn asked_shared(count: usize) -> Vec<Asked> {
    let one = |n: usize| Asked {
        principal: "td/ns/n/sa/caller".to_owned(),
        method: "GET",
        path: format!("/item/{n}"),
        allowed: false,
    };
    (0..count).map(one).collect()
}

/// The twenty rules as somebody writes them who knows that they will not change, with the verdict that the engine gives.
#[derive(Debug)]
pub struct ByHand {
    policy: Arc<str>,
}

impl Default for ByHand {
    fn default() -> Self {
        Self { policy: "shop/p0".into() }
    }
}

impl ByHand {
    /// The engine's verdict.
    #[must_use]
    pub fn decide(&self, bag: &Bag) -> Verdict {
        let verdict = match by_hand(bag) {
            Some(index) => Verdict::allow(Reason {
                policy: Some(self.policy.clone()),
                rule: Some(RuleId { index, name: None }),
                ..ReasonCode::AllowedByRule.into()
            }),
            None => Verdict::deny(ReasonCode::DefaultDeny),
        };
        Verdict { ttl: Some(REUSE), ..verdict }
    }
}

/// The rule that holds.
fn by_hand(bag: &Bag) -> Option<u32> {
    let principal = bag.str(slot::SOURCE_PRINCIPAL)?;
    let (method, path) = (bag.str(slot::REQUEST_METHOD)?, bag.str(slot::REQUEST_URL_PATH)?);
    macro_rules! rules {
        ($($rule:literal)*) => {
            match principal {
                $(concat!("td/ns/n0/sa/caller-", $rule)
                    if method == "GET" && path.starts_with(concat!("/svc0/", $rule, "/")) => Some($rule),)*
                _ => None,
            }
        };
    }
    rules!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19)
}
