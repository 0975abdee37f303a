//! `AuthorizationPolicy`: everything that Istio's validator refuses is refused, and so is, by name, what is not
//! supported yet.

use std::sync::{Arc, atomic::AtomicU64};

use super::{
    limits::RULES_MAX,
    scope::scope,
    targets,
    values::{Field, Values},
    when,
};
use crate::{
    condition::{Condition, Conditions, Conjunction},
    document::{self, Action, AuthorizationPolicy, Document, Operation, Source},
    facts::Address,
    mesh::Mesh,
    policy::{Body, Effect, Policy, Rule},
    problem::{Problems, similar},
    verdict::{DENIED, RuleId, Text},
};

/// The annotation of Istio's dry-run policies.
pub(super) const DRY_RUN: &str = "istio.io/dry-run";

pub(super) fn policy(
    document: &Document<AuthorizationPolicy>,
    mesh: &Mesh,
    problems: &mut Problems<'_>,
) -> Option<Policy> {
    let spec = &document.spec;
    let provider = provider(document, mesh, problems);
    let mut scope = scope(&document.namespace, spec.selector.as_ref(), mesh, problems);
    let attachment = targets::Attachment {
        namespace: &document.namespace,
        target_ref: spec.target_ref.as_ref(),
        target_refs: &spec.target_refs,
        selects: spec.selector.is_some(),
    };
    scope.targets = targets::targets(&attachment, mesh, problems);
    let effect = match spec.action {
        Some(Action::Deny) => Effect::Deny,
        Some(Action::Audit) => Effect::Audit,
        Some(Action::Custom) => Effect::Custom,
        Some(Action::Allow) | None => Effect::Allow,
    };
    let dry_run = dry_run(document, problems);
    let rules = spec.rules.as_deref().unwrap_or_default();
    if rules.is_empty() && matches!(spec.action, Some(Action::Deny | Action::Custom)) {
        problems.error(
            "spec.rules",
            "a DENY or CUSTOM action without `rules` is meaningless: it will never be triggered",
            "add an empty rule `{}` if you want it triggered for every request",
        );
    }
    if rules.len() > RULES_MAX {
        problems.error("spec.rules", format!("{} rules, at most {RULES_MAX} are allowed", rules.len()), SPREAD);
    }
    let mut lowering = Lowering { mesh, namespace: &document.namespace, effect, problems };
    let bodies: Vec<_> = rules.iter().enumerate().map(|(index, rule)| lowering.rule(index, rule)).collect();
    let rules = bodies.into_iter().enumerate().map(|(index, conditions)| Rule {
        id: RuleId { index: index as u32, name: None },
        body: Body::Conditions(conditions),
        status: 403,
        message: Text::Static(DENIED),
        errors: AtomicU64::new(0),
        untold_errors: AtomicU64::new(0),
    });
    let id = format!("{}/{}", document.namespace, document.name).into();
    let mut policy = Policy::new(id, scope, effect, rules.collect());
    (policy.dry_run, policy.provider) = (dry_run, provider);
    Some(policy).filter(|_| problems.is_clean())
}

const BEFORE_IDENTITY: &str =
    "the provider is asked before anybody is authenticated: restrict it by paths, ports, headers or addresses";

const SPREAD: &str = "spread them over several policies: their rules are OR-ed all the same";

/// The last field of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Who is asked, for the action CUSTOM. One that the mesh's settings do not name is accepted, as Istio does: the requests
/// that the policy is about are denied.
fn provider(document: &Document<AuthorizationPolicy>, mesh: &Mesh, problems: &mut Problems<'_>) -> Option<Arc<str>> {
    let spec = &document.spec;
    let name = spec.provider.as_ref().map(|provider| provider.name.as_str());
    if spec.action != Some(Action::Custom) {
        if name.is_some() {
            let message = "`provider` must not be with another action than CUSTOM";
            problems.error("spec.provider", message, "remove it");
        }
        return None;
    }
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        let help = "write `provider: {name: NAME}` with the name of one of the extensionProviders of the MeshConfig";
        problems.error("spec.provider", "`provider.name` must not be empty", help);
        return None;
    };
    // A policy that is looked at by itself, without the mesh's settings, is not called wrong.
    let names = || mesh.providers().iter().map(|provider| &*provider.name);
    if names().next().is_some() && !names().any(|known| known == name) {
        let help = match similar(name, names()) {
            Some(like) => format!("did you mean {like}?"),
            None => "add it to the extensionProviders of the MeshConfig".to_owned(),
        };
        let message = format!("no provider is called {name:?}: what this policy is about is denied");
        problems.warn("spec.provider.name", message, help);
    }
    Some(name.into())
}

/// `istio.io/dry-run`: read as Go reads a bool; only DENY and ALLOW can be tried.
fn dry_run(document: &Document<AuthorizationPolicy>, problems: &mut Problems<'_>) -> bool {
    let Some(value) = document.annotations.get(DRY_RUN) else { return false };
    let path = format!("metadata.annotations[\"{DRY_RUN}\"]");
    if matches!(document.spec.action, Some(Action::Custom | Action::Audit)) {
        let message = format!("the annotation {DRY_RUN} is only supported in the actions ALLOW and DENY");
        problems.error(&path, message, "remove the annotation");
        return false;
    }
    match value.as_str() {
        "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
        _ => {
            problems.error(&path, format!("{value:?} is not a bool"), "write \"true\" or \"false\", or remove it");
            false
        }
    }
}

/// Makes the rules of one policy.
struct Lowering<'a, 'p> {
    mesh: &'a Mesh,
    namespace: &'a str,
    effect: Effect,
    problems: &'a mut Problems<'p>,
}

/// Fields of a source or operation: name, values, whether it is a `not` form, and what it is compared with.
type Fields<'d> = Vec<(&'static str, &'d Box<[String]>, bool, Field)>;

impl Lowering<'_, '_> {
    fn rule(&mut self, index: usize, rule: &document::Rule) -> Conditions {
        let path = format!("spec.rules[{index}]");
        let from = rule.from.as_ref().map(|from| {
            self.check_list(&format!("{path}.from"), from.len());
            let sources = from.iter().enumerate().map(|(index, from)| {
                let path = format!("{path}.from[{index}].source");
                match &from.source {
                    Some(source) => self.source(&path, source),
                    None => self.nothing(&path),
                }
            });
            sources.collect::<Box<[_]>>()
        });
        let to = rule.to.as_ref().map(|to| {
            self.check_list(&format!("{path}.to"), to.len());
            let operations = to.iter().enumerate().map(|(index, to)| {
                let path = format!("{path}.to[{index}].operation");
                match &to.operation {
                    Some(operation) => self.operation(&path, operation),
                    None => self.nothing(&path),
                }
            });
            operations.collect::<Box<[_]>>()
        });
        if rule.when.len() > RULES_MAX {
            self.check_list(&format!("{path}.when"), rule.when.len());
        }
        let mut when = Vec::new();
        for (index, condition) in rule.when.iter().enumerate() {
            self.condition(&format!("{path}.when[{index}]"), condition, &mut when);
        }
        let conditions = Conditions { from, to, when: when.into() };
        self.warn_of_tcp(&path, rule, &conditions);
        conditions
    }

    fn check_list(&mut self, path: &str, length: usize) {
        if length == 0 {
            let message = format!("`{}` must not be empty", last(path));
            self.problems.error(path, message, "add an entry, or remove the field to mean any");
        }
        if length > RULES_MAX {
            self.problems.error(path, format!("{length} entries, at most {RULES_MAX} are allowed"), SPREAD);
        }
    }

    /// A source or operation that says nothing.
    fn nothing(&mut self, path: &str) -> Conjunction {
        let message = format!("`{}` must not be empty", last(path));
        self.problems.error(path, message, "give it at least one field, or remove the entry to mean any");
        Box::default()
    }

    fn source(&mut self, path: &str, source: &Source) -> Conjunction {
        let others = [&source.principals, &source.not_principals, &source.namespaces, &source.not_namespaces];
        let accounts = [&source.service_accounts, &source.not_service_accounts];
        if accounts.iter().any(|values| !values.is_empty()) && others.iter().any(|values| !values.is_empty()) {
            self.problems.error(
                &format!("{path}.serviceAccounts"),
                "cannot set serviceAccounts with namespaces or principals",
                "write NAMESPACE/SERVICE_ACCOUNT in serviceAccounts, and remove the other field",
            );
        }
        if self.effect == Effect::Custom {
            self.refuse_identities(path, source);
        }
        let fields: Fields<'_> = vec![
            ("principals", &source.principals, false, Field::Principal),
            ("notPrincipals", &source.not_principals, true, Field::Principal),
            ("namespaces", &source.namespaces, false, Field::Namespace),
            ("notNamespaces", &source.not_namespaces, true, Field::Namespace),
            ("serviceAccounts", &source.service_accounts, false, Field::ServiceAccount),
            ("notServiceAccounts", &source.not_service_accounts, true, Field::ServiceAccount),
            ("trustDomains", &source.trust_domains, false, Field::TrustDomain),
            ("notTrustDomains", &source.not_trust_domains, true, Field::TrustDomain),
            ("requestPrincipals", &source.request_principals, false, Field::RequestPrincipal),
            ("notRequestPrincipals", &source.not_request_principals, true, Field::RequestPrincipal),
            ("ipBlocks", &source.ip_blocks, false, Field::Address(Address::Source)),
            ("notIpBlocks", &source.not_ip_blocks, true, Field::Address(Address::Source)),
            ("remoteIpBlocks", &source.remote_ip_blocks, false, Field::Address(Address::Remote)),
            ("notRemoteIpBlocks", &source.not_remote_ip_blocks, true, Field::Address(Address::Remote)),
        ];
        if fields.iter().all(|(_, values, ..)| values.is_empty()) {
            return self.nothing(path);
        }
        self.fields(path, fields)
    }

    /// CUSTOM is asked before anybody is authenticated.
    fn refuse_identities(&mut self, path: &str, source: &Source) {
        let lists = [
            ("principals", "Principals", &source.principals),
            ("notPrincipals", "NotPrincipals", &source.not_principals),
            ("requestPrincipals", "RequestPrincipals", &source.request_principals),
            ("notRequestPrincipals", "NotRequestPrincipals", &source.not_request_principals),
            ("namespaces", "Namespaces", &source.namespaces),
            ("notNamespaces", "NotNamespaces", &source.not_namespaces),
            ("serviceAccounts", "ServiceAccounts", &source.service_accounts),
            ("notServiceAccounts", "NotServiceAccounts", &source.not_service_accounts),
            ("trustDomains", "TrustDomains", &source.trust_domains),
            ("notTrustDomains", "NotTrustDomains", &source.not_trust_domains),
        ];
        for (field, name, _) in lists.into_iter().filter(|(.., values)| !values.is_empty()) {
            let message = format!("From.{name} is currently not supported with CUSTOM action");
            self.problems.error(&format!("{path}.{field}"), message, BEFORE_IDENTITY);
        }
    }

    fn operation(&mut self, path: &str, operation: &Operation) -> Conjunction {
        let fields: Fields<'_> = vec![
            ("ports", &operation.ports, false, Field::Port),
            ("notPorts", &operation.not_ports, true, Field::Port),
            ("methods", &operation.methods, false, Field::Method),
            ("notMethods", &operation.not_methods, true, Field::Method),
            ("paths", &operation.paths, false, Field::Path),
            ("notPaths", &operation.not_paths, true, Field::Path),
            ("hosts", &operation.hosts, false, Field::Host),
            ("notHosts", &operation.not_hosts, true, Field::Host),
        ];
        if fields.iter().all(|(_, values, ..)| values.is_empty()) {
            return self.nothing(path);
        }
        self.fields(path, fields)
    }

    fn fields(&mut self, path: &str, fields: Fields<'_>) -> Conjunction {
        let mut conditions = Vec::new();
        for (name, values, negated, field) in fields {
            self.values(&format!("{path}.{name}"), name, values, negated, &field, &mut conditions);
        }
        conditions.into()
    }

    fn values(
        &mut self,
        path: &str,
        name: &str,
        values: &[String],
        negated: bool,
        field: &Field,
        into: &mut Vec<Condition>,
    ) {
        if !values.is_empty() {
            let values = Values { path, name, values, namespace: self.namespace, mesh: self.mesh };
            into.extend(values.subject(field, self.problems).map(|subject| Condition { subject, negated }));
        }
    }

    fn condition(&mut self, path: &str, condition: &document::Condition, into: &mut Vec<Condition>) {
        let key = condition.key.as_str();
        let identity = ["source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal"];
        if self.effect == Effect::Custom && (identity.contains(&key) || key.starts_with("request.auth.")) {
            let message = format!("{key} is currently not supported with CUSTOM action");
            return self.problems.error(&format!("{path}.key"), message, BEFORE_IDENTITY);
        }
        let field = match when::field(&condition.key) {
            Ok(field) => field,
            Err((message, help)) => return self.problems.error(&format!("{path}.key"), message, help),
        };
        if condition.values.is_empty() && condition.not_values.is_empty() {
            self.problems.error(
                path,
                format!("at least one of `values` or `notValues` must be set for key {}", condition.key),
                "add the values; for any value that is there write values: [\"*\"]",
            );
        }
        for (name, values, negated) in
            [("values", &condition.values, false), ("notValues", &condition.not_values, true)]
        {
            self.values(&format!("{path}.{name}"), &condition.key, values, negated, &field, into);
        }
    }

    /// On a connection that carries no HTTP, a DENY rule loses its HTTP conditions: without a port it denies them all.
    fn warn_of_tcp(&mut self, path: &str, rule: &document::Rule, conditions: &Conditions) {
        let operations = || rule.to.iter().flatten().filter_map(|to| to.operation.as_ref());
        let port = operations().any(|operation| !operation.ports.is_empty() || !operation.not_ports.is_empty())
            || rule.when.iter().any(|condition| condition.key == "destination.port");
        if self.effect == Effect::Deny && !port && conditions.all().any(Condition::is_http) {
            self.problems.warn(
                path,
                "the rule denies every TCP connection of its scope that carries no HTTP: only HTTP attributes restrict it",
                "add `ports` to each operation, if the workload serves more than HTTP",
            );
        }
    }
}
