//! The crate against the oracle: random policies, random requests, no difference.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use weir_policy::{Answer, Decision, PolicySet, Reason, ReasonCode, Shadow, Verdict, WorkloadIdentity};

use crate::{
    drawn::{Atoms, Random, Tokens, asked, policies, resource, told, world},
    given::Given,
    issuer::ISSUER,
    oracle::{Asked, Decided, Oracle, Outcome, PROVIDERS, Policy, Rule, World, allows, normalized},
    remembered::Remembered,
};

/// How many requests each set of policies is asked.
const REQUESTS: usize = 100;

/// How many where a bug is looked for: other policies find it sooner than other requests.
const FEW: usize = 40;

fn compiled(policies: &[Policy], world: &World) -> PolicySet {
    let provider = |name: &&str| {
        let way = if name.starts_with("http") { "envoyExtAuthzHttp" } else { "envoyExtAuthzGrpc" };
        json!({"name": name, way: {"service": "authz", "port": 9000}})
    };
    let mesh = json!({
        "trustDomain": world.trust_domains[0],
        "trustDomainAliases": world.trust_domains[1..],
        "pathNormalization": world.normalization,
        "extensionProviders": PROVIDERS.iter().filter(|name| **name != "missing").map(provider).collect::<Vec<_>>(),
    });
    let mut given = Given::default().mesh(&mesh).unwrap();
    let rule = |(issuer, audiences): &(&str, Vec<&str>)| json!({"issuer": issuer, "audiences": audiences, "jwks": json!({"keys": [ISSUER.key("ES256")]}).to_string()});
    if !world.issuers.is_empty() {
        let rules: Vec<Json> = world.issuers.iter().map(rule).collect();
        given = given.authentication("shop/tokens", json!({"jwtRules": rules}));
    }
    let add = |given: Given, policy: &Policy| given.resource(&resource(policy)).unwrap();
    policies.iter().fold(given, add).set()
}

/// What the crate says, in the oracle's words.
fn decided(verdict: &Verdict) -> Decided {
    let outcome = match (verdict.decision, verdict.reason.code) {
        (Decision::Deny, ReasonCode::DeniedByRule) => Outcome::Denied,
        (Decision::Deny, ReasonCode::Provider) => Outcome::Provider,
        (Decision::Deny, ReasonCode::NoProvider) => Outcome::NoProvider,
        (Decision::Deny, ReasonCode::InvalidToken) => Outcome::Token(verdict.status),
        (Decision::Deny, ReasonCode::DefaultDeny) => Outcome::DefaultDeny,
        (Decision::Allow, ReasonCode::AllowedByRule) => Outcome::Allowed,
        (Decision::Allow, ReasonCode::NotDenied | ReasonCode::NoPolicy) => Outcome::NotDenied,
        other => panic!("the oracle knows no {other:?}"),
    };
    let Reason { policy, rule, .. } = &verdict.reason;
    let shadows = verdict.shadows.as_deref().cloned().unwrap_or_default();
    let shadow = |shadow: Shadow| {
        let rule = shadow.policy.zip(shadow.rule).map(|(policy, rule)| (policy.to_string(), rule.index));
        (shadow.decision == Decision::Allow, rule)
    };
    Decided {
        outcome,
        rule: policy.as_ref().zip(rule.as_ref()).map(|(policy, rule)| (policy.to_string(), rule.index)),
        audit: verdict.audit.iter().map(|mark| (mark.policy.to_string(), mark.rule.index)).collect::<BTreeSet<Rule>>(),
        shadows: [shadows.deny.map(shadow), shadows.allow.map(shadow)],
    }
}

/// What was drawn and found in one run.
struct Run {
    tokens: Tokens,
    asked: u64,
    allowed: u64,
    denied: u64,
    /// How often something else than a plain decision was told.
    told: [(&'static str, u64); 5],
    differences: Vec<String>,
    oracle: Oracle,
    remembered: Remembered,
}

impl Run {
    fn new(bug: Option<&'static str>, random: &mut Random) -> Self {
        let told = ["provider", "token", "audit", "dry-run DENY", "dry-run ALLOW"].map(|what| (what, 0));
        let oracle = Oracle { bug, ..Oracle::default() };
        Self {
            tokens: Tokens::new(random),
            asked: 0,
            allowed: 0,
            denied: 0,
            told,
            differences: Vec::new(),
            oracle,
            remembered: Remembered::default(),
        }
    }

    /// Draws policies and asks them.
    fn round(&mut self, requests: usize, random: &mut Random) {
        let world = world(random);
        let policies = policies(random);
        let set = compiled(&policies, &world);
        let workload = WorkloadIdentity::new(None, &world.namespace, world.labels.clone(), None);
        let atoms = Atoms::of(&policies);
        self.remembered.forget();
        for _ in 0..requests {
            let asked = asked(&atoms, &self.tokens, random);
            self.compare(&policies, &world, &set, &workload, &asked);
        }
    }

    fn compare(
        &mut self,
        policies: &[Policy],
        world: &World,
        set: &PolicySet,
        workload: &WorkloadIdentity,
        asked: &Asked,
    ) {
        let expected = self.oracle.decide(policies, world, asked);
        let (verdict, _) = told(asked, world).answered(set, workload, |name, _| {
            if allows(name, asked) {
                return Answer::Allow { ttl: None, max_uses: None, headers: Vec::new() };
            }
            Answer::Deny { status: 403, message: None, ttl: None, max_uses: None, headers: Vec::new() }
        });
        let got = decided(&verdict);
        self.count(&got);
        if verdict.ttl.is_some() {
            let bag = told(asked, world).bag(set, workload);
            let known = self.remembered.exchange(&bag, set.ruleset(workload).referenced(), &got);
            if let Some(known) = known.filter(|known| *known != got) {
                self.differences
                    .push(format!("remembered {known:?}, got {got:?}\n  {asked:?}\n  {world:?}\n  {policies:?}"));
            }
        }
        let normal = asked.is_http()
            && weir_policy::normalize(set.mesh().normalization(), &asked.target).ok().as_deref()
                != Some(&normalized(world.normalization, &asked.target));
        if got != expected || normal {
            let specs: Vec<String> =
                policies.iter().map(|p| format!("{} dry-run {}: {}", p.id(), p.dry_run, p.spec)).collect();
            self.differences.push(format!(
                "expected {expected:?}, got {got:?}\n  {asked:?}\n  normalized {:?}\n  {world:?}\n  {}",
                normalized(world.normalization, &asked.target),
                specs.join("\n  ")
            ));
        }
    }

    fn count(&mut self, got: &Decided) {
        self.asked += 1;
        self.allowed += u64::from(matches!(got.outcome, Outcome::Allowed | Outcome::NotDenied));
        self.denied += u64::from(got.outcome == Outcome::Denied);
        let said = [
            matches!(got.outcome, Outcome::Provider | Outcome::NoProvider),
            matches!(got.outcome, Outcome::Token(_)),
            !got.audit.is_empty(),
            got.shadows[0].as_ref().is_some_and(|(allowed, _)| !allowed),
            got.shadows[1].as_ref().is_some_and(|(allowed, _)| *allowed),
        ];
        for ((_, count), said) in self.told.iter_mut().zip(said) {
            *count += u64::from(said);
        }
    }
}

fn seed() -> u64 {
    match std::env::var("WEIR_SEED") {
        Ok(seed) => seed.parse().expect("WEIR_SEED is a number"),
        Err(_) => std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64,
    }
}

fn run(requests: u64) {
    let seed = seed();
    println!("seed {seed} (WEIR_SEED repeats it)");
    let mut random = Random(seed);
    let mut run = Run::new(None, &mut random);
    while run.asked < requests && run.differences.len() < 3 {
        run.round(REQUESTS, &mut random);
        if run.asked.is_multiple_of(100_000) {
            println!("{} requests, no difference", run.asked);
        }
    }
    assert!(run.differences.is_empty(), "seed {seed}\n{}", run.differences.join("\n\n"));
    let share = |part: u64| part * 100 / run.asked;
    println!("{} asked, {} % allowed, {} % denied by a rule", run.asked, share(run.allowed), share(run.denied));
    assert!(share(run.allowed) >= 25 && share(run.denied) >= 25, "the draws are lopsided");
    println!("remembered: {}", run.remembered.hits);
    assert!(run.remembered.hits >= 1_000, "few requests read the same");
    for (what, count) in run.told {
        println!("{what}: {count}");
        assert!(count >= 1_000, "{what} happened too seldom");
    }
    for (field, [missed, held]) in &run.oracle.fired {
        println!("{field}: held {held}, did not {missed}");
        assert!(*missed >= 1_000 && *held >= 1_000, "{field} fired too seldom");
    }
}

#[test]
fn the_oracle_is_never_contradicted() {
    run(100_000);
}

#[test]
#[ignore = "takes minutes: make test-full"]
fn the_oracle_is_never_contradicted_a_million_times() {
    run(1_000_000);
}

/// The matchers of sources and operations.
const FIELDS: &[&str] = &[
    "methods",
    "hosts",
    "paths",
    "ports",
    "principals",
    "namespaces",
    "serviceAccounts",
    "trustDomains",
    "ipBlocks",
    "remoteIpBlocks",
    "requestPrincipals",
];

/// The matchers of conditions. Not the crate's own list: a key that it forgets would be forgotten here too.
const KEYS: &[&str] = &[
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "source.trustDomain",
    "destination.ip",
    "destination.port",
    "connection.sni",
    "request.headers",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "request.auth.claims",
    "experimental.envoy.filters.http.waf",
];

/// The stages around them.
const STAGES: &[&str] = &["AUDIT", "CUSTOM", "TCP", "dry-run", "tokens"];

fn found(bugs: &[&'static str]) {
    let seed = seed();
    println!("seed {seed} (WEIR_SEED repeats it)");
    for bug in bugs {
        let mut random = Random(seed);
        let mut run = Run::new(Some(bug), &mut random);
        while run.differences.is_empty() {
            assert!(run.asked < 200_000, "a bug in {bug} was not found, seed {seed}");
            run.round(FEW, &mut random);
        }
        println!("{bug}: found within {} requests", run.asked);
    }
}

#[test]
fn a_bug_in_any_matcher_of_a_field_is_found() {
    found(FIELDS);
}

#[test]
fn a_bug_in_any_matcher_of_a_condition_is_found() {
    found(KEYS);
}

#[test]
fn a_bug_in_any_stage_is_found() {
    found(STAGES);
}

#[test]
fn every_matcher_has_a_bug_that_is_looked_for() {
    let mut random = Random(seed());
    let mut run = Run::new(None, &mut random);
    while run.asked < 5_000 {
        run.round(FEW, &mut random);
    }
    for field in run.oracle.fired.keys() {
        assert!(FIELDS.contains(&field.as_str()) || KEYS.contains(&field.as_str()), "{field}");
    }
}
