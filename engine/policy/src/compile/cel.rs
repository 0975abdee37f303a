//! `CelPolicy`.

use std::{collections::BTreeSet, sync::atomic::AtomicU64};

use weir_cel::{Env, Program, Type};

use super::{
    authorization::DRY_RUN,
    limits::{RULES_MAX, VARIABLES_MAX},
    scope::scope,
};
use crate::{
    document::{CelAction, CelPolicy, CelRule, Document, Variable},
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
            &format!("metadata.annotations[{DRY_RUN}]"),
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
    let env = variables(&spec.variables, effect, env, problems);
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for (index, rule) in spec.rules.iter().enumerate() {
        let path = format!("spec.rules[{index}]");
        if let Some(name) = rule.name.as_deref().filter(|name| !names.insert(*name)) {
            problems.error(
                &format!("{path}.name"),
                format!("another rule is called {name:?}"),
                "give each its own name",
            );
        }
        check_answer(&path, rule, effect, problems);
        rules.extend(lower(&path, index, rule, effect, &env, problems));
    }
    let id = format!("{}/{}", document.namespace, document.name).into();
    Some(Policy { id, scope, effect, rules: rules.into() }).filter(|_| problems.is_clean())
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

/// The environment with the variables in it. Each can read those before it, so there are no cycles.
fn variables(variables: &[Variable], effect: Effect, env: &Env, problems: &mut Problems<'_>) -> Env {
    let mut env = env.clone();
    for (index, variable) in variables.iter().enumerate().take(VARIABLES_MAX) {
        let path = format!("spec.variables[{index}]");
        let name = variable.name.as_str();
        let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if name.is_empty() || !word || name.starts_with(|first: char| first.is_ascii_digit()) {
            problems.error(
                &format!("{path}.name"),
                format!("{name:?} is not a name"),
                "write a letter or underscore, then letters, digits and underscores",
            );
            continue;
        }
        if variables.iter().take(index).any(|earlier| earlier.name == name) {
            problems.error(
                &format!("{path}.name"),
                format!("another variable is called {name:?}"),
                "rename one of them",
            );
            continue;
        }
        let later: Vec<&str> = variables.iter().skip(index).map(|variable| variable.name.as_str()).collect();
        let expression = format!("{path}.expression");
        let Some(program) = compile(&env, &expression, &variable.expression, &later, problems) else { continue };
        if effect == Effect::Deny {
            warn_of_absence(&expression, &program, problems);
        }
        match env.with_lazy(&format!("variables.{name}"), &program) {
            Ok(extended) => env = extended,
            Err(errors) => errors.into_iter().for_each(|error| {
                problems.error(&format!("{path}.name"), error.message, error.help.unwrap_or_default());
            }),
        }
    }
    env
}

/// Compiles an expression. `later` are the variables that it may not read yet.
fn compile(env: &Env, path: &str, source: &str, later: &[&str], problems: &mut Problems<'_>) -> Option<Program> {
    let errors = match env.compile(source) {
        Ok(program) => return Some(program),
        Err(errors) => errors,
    };
    for error in errors {
        let named = source.get(error.span.clone()).unwrap_or_default();
        let early = named.strip_prefix("variables.").and_then(|name| later.iter().find(|later| **later == name));
        let help = match early {
            Some(name) => Some(format!("a variable reads only those before it: move `{name}` up")),
            None => error.help,
        };
        problems.error_at(path, error.span, error.message, help);
    }
    None
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
    env: &Env,
    problems: &mut Problems<'_>,
) -> Option<Rule> {
    let message_path = format!("{path}.messageExpression");
    let message = rule
        .message_expression
        .as_ref()
        .and_then(|source| typed(env, &message_path, source, &Type::String, "the message", problems));
    let path = format!("{path}.expression");
    let program = typed(env, &path, &rule.expression, &Type::Bool, "a rule", problems)?;
    if effect == Effect::Deny {
        warn_of_absence(&path, &program, problems);
    }
    Some(Rule {
        id: RuleId { index: index as u32, name: rule.name.as_deref().map(Into::into) },
        body: Body::Expression(Box::new(Expression::new(program, message))),
        status: rule.status.and_then(|status| u16::try_from(status).ok()).unwrap_or(403),
        message: rule.message.as_deref().map_or(Text::Static(DENIED), |message| Text::Shared(message.into())),
        errors: AtomicU64::new(0),
    })
}

/// Warns of every read that fails when what it reads is absent: in a DENY policy that denies.
fn warn_of_absence(path: &str, program: &Program, problems: &mut Problems<'_>) {
    for unguarded in program.unguarded() {
        problems.warn_at(
            path,
            unguarded.span,
            format!(
                "`{}` fails when what it reads is absent, and a DENY rule that fails denies the request",
                unguarded.expression
            ),
            format!("if that is not meant, ask first: {}", unguarded.guarded),
        );
    }
}

/// Compiles an expression that must have that type.
fn typed(
    env: &Env,
    path: &str,
    source: &str,
    wanted: &Type,
    what: &str,
    problems: &mut Problems<'_>,
) -> Option<Program> {
    let program = compile(env, path, source, &[], problems)?;
    match program.result_type() {
        found if found == wanted => return Some(program),
        Type::Dyn => problems.error_at(
            path,
            0..source.len(),
            format!("{what} must be a {wanted}, and the type of this is only known when it runs"),
            Some(format!("convert it: {wanted}(...)")),
        ),
        found => problems.error_at(
            path,
            0..source.len(),
            format!("{what} must be a {wanted}, and this is {found}"),
            (*wanted == Type::Bool).then(|| "compare it with something".to_owned()),
        ),
    }
    None
}
