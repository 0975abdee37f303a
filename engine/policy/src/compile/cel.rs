//! `CelPolicy`.

use std::{collections::BTreeSet, sync::atomic::AtomicU64};

use weir_cel::{Env, Type};

use super::{
    authorization::DRY_RUN,
    limits::{RULES_MAX, VARIABLES_MAX},
    names::{Names, warn_of_absence},
    scope::scope,
};
use crate::{
    document::{CelAction, CelPolicy, CelRule, Document},
    expression::{Expression, MESSAGE_MAX},
    mesh::Mesh,
    policy::{Body, Effect, Policy, Rule},
    problem::Problems,
    verdict::{DENIED, RuleId, Text},
};

/// What every expression can name.
pub(super) fn environment() -> Env {
    Env::vocabulary()
}

pub(super) fn policy(
    document: &Document<CelPolicy>,
    mesh: &Mesh,
    env: &Env,
    problems: &mut Problems<'_>,
) -> Option<Policy> {
    let spec = &document.spec;
    let scope = scope(&document.namespace, spec.selector.as_ref(), mesh, problems);
    if document.annotations.contains_key(DRY_RUN) {
        problems.error(
            &format!("metadata.annotations[\"{DRY_RUN}\"]"),
            "dry-run is not supported on a CelPolicy: the policy would be enforced",
            "use action AUDIT to observe, and remove the annotation",
        );
    }
    check_sizes(spec, problems);
    let effect = match spec.action {
        CelAction::Allow => Effect::Allow,
        CelAction::Deny => Effect::Deny,
        CelAction::Audit => Effect::Audit,
    };
    let names = Names::new(env, &spec.variables, effect == Effect::Deny, problems);
    let mut rule_names = BTreeSet::new();
    let mut rules = Vec::new();
    for (index, rule) in spec.rules.iter().enumerate() {
        let path = format!("spec.rules[{index}]");
        if let Some(name) = rule.name.as_deref().filter(|name| !rule_names.insert(*name)) {
            problems.error(
                &format!("{path}.name"),
                format!("another rule is called {name:?}"),
                "give each its own name",
            );
        }
        check_answer(&path, rule, effect, problems);
        rules.extend(lower(&path, index, rule, effect, &names, problems));
    }
    let id = format!("{}/{}", document.namespace, document.name).into();
    Some(Policy::new(id, scope, effect, rules)).filter(|_| problems.is_clean())
}

fn check_sizes(spec: &CelPolicy, problems: &mut Problems<'_>) {
    if spec.rules.is_empty() && spec.action != CelAction::Allow {
        problems.error(
            "spec.rules",
            "an action other than ALLOW without `rules` is meaningless: it will never be triggered",
            "add a rule; `expression: \"true\"` holds for every request",
        );
    }
    for (path, length, limit) in
        [("spec.rules", spec.rules.len(), RULES_MAX), ("spec.variables", spec.variables.len(), VARIABLES_MAX)]
    {
        if length > limit {
            problems.error(path, format!("{length} entries, at most {limit} are allowed"), "use several policies");
        }
    }
}

fn check_answer(path: &str, rule: &CelRule, effect: Effect, problems: &mut Problems<'_>) {
    if let Some(status) = rule.status.filter(|status| !(400..=599).contains(status)) {
        problems.error(
            &format!("{path}.status"),
            format!("{status} is not the status of a denial"),
            "write a number from 400 to 599, or remove it: the default is 403",
        );
    }
    if rule.message.as_ref().is_some_and(|message| message.len() > MESSAGE_MAX) {
        problems.error(
            &format!("{path}.message"),
            format!("the message is longer than {MESSAGE_MAX} bytes"),
            "shorten it: every denied client receives it",
        );
    }
    if effect != Effect::Deny {
        for (field, given) in [
            ("message", rule.message.is_some()),
            ("messageExpression", rule.message_expression.is_some()),
            ("status", rule.status.is_some()),
        ] {
            if given {
                problems.warn(
                    &format!("{path}.{field}"),
                    format!("`{field}` has no effect: only a DENY rule answers the client"),
                    "remove it, or put it into a policy with action DENY",
                );
            }
        }
    }
}

fn lower(
    path: &str,
    index: usize,
    rule: &CelRule,
    effect: Effect,
    names: &Names<'_>,
    problems: &mut Problems<'_>,
) -> Option<Rule> {
    let message_path = format!("{path}.messageExpression");
    let message = rule
        .message_expression
        .as_ref()
        .and_then(|source| names.typed(&message_path, source, &Type::String, "the message", problems));
    let path = format!("{path}.expression");
    let program = names.typed(&path, &rule.expression, &Type::Bool, "a rule", problems)?;
    if effect == Effect::Deny {
        warn_of_absence(&path, &program, problems);
    }
    Some(Rule {
        id: RuleId { index: index as u32, name: rule.name.as_deref().map(Into::into) },
        body: Body::Expression(Box::new(Expression::new(program, message))),
        status: rule.status.and_then(|status| u16::try_from(status).ok()).unwrap_or(403),
        message: rule.message.as_deref().map_or(Text::Static(DENIED), |message| Text::Shared(message.into())),
        errors: AtomicU64::new(0),
        untold_errors: AtomicU64::new(0),
    })
}
