//! `CelPolicy` (policy.weir.dev/v1alpha1).

use serde::Deserialize;

use super::{Selector, null_as_default};

/// The spec of a CelPolicy: scope and selector as in an AuthorizationPolicy, rules in the Common Expression Language.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CelPolicy {
    /// Which workloads; none means all in scope.
    #[serde(default)]
    pub selector: Option<Selector>,
    /// What a rule that holds does.
    pub action: CelAction,
    /// Named expressions, evaluated when first read, in order; `variables.NAME` reads them.
    #[serde(default, deserialize_with = "null_as_default")]
    pub variables: Vec<Variable>,
    /// The rules, OR-ed.
    #[serde(default, deserialize_with = "null_as_default")]
    pub rules: Vec<CelRule>,
}

/// What a rule that holds does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CelAction {
    /// Allows; makes everything else denied by default.
    Allow,
    /// Denies, whatever else allows.
    Deny,
    /// Leaves a mark in the verdict and the decision log; never changes the decision.
    Audit,
}

/// One named expression.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variable {
    /// Its name: a CEL identifier.
    pub name: String,
    /// Its value; may read the variables before it.
    pub expression: String,
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CelRule {
    /// What verdicts, logs and metrics call it; its number when there is none.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it holds: a bool.
    pub expression: String,
    /// What a denied client reads.
    #[serde(default)]
    pub message: Option<String>,
    /// As `message`, computed: a string. `message` stands in when it fails.
    #[serde(default)]
    pub message_expression: Option<String>,
    /// The HTTP status of a denial, 400 to 599.
    #[serde(default)]
    pub status: Option<u32>,
}
