//! The crate against the oracle: random policies, random requests, no difference.

use serde_json::json;
use weir_policy::{Decision, PolicySet, ReasonCode, WorkloadIdentity};

use crate::{
    drawn::{Random, asked, policies, told, world},
    given::Given,
    oracle::{Asked, Oracle, Outcome, Policy, World, normalized},
};

/// How many requests each set of policies is asked.
const REQUESTS: usize = 100;

fn compiled(policies: &[Policy], world: &World) -> PolicySet {
    let mesh = json!({
        "trustDomain": world.trust_domains[0],
        "trustDomainAliases": world.trust_domains[1..],
        "pathNormalization": world.normalization,
    });
    let given = Given::default().mesh(&mesh).unwrap();
    let add = |given: Given, policy: &Policy| {
        given.policy(&format!("{}/{}", policy.namespace, policy.name), policy.spec.clone())
    };
    policies.iter().fold(given, add).set()
}

/// What was drawn and found in one run.
#[derive(Debug, Default)]
struct Run {
    asked: u64,
    allowed: u64,
    denied: u64,
    differences: Vec<String>,
    oracle: Oracle,
}

impl Run {
    fn new(bug: Option<&'static str>) -> Self {
        Self { oracle: Oracle { bug, ..Oracle::default() }, ..Self::default() }
    }

    fn round(&mut self, random: &mut Random) {
        let world = world(random);
        let policies = policies(random);
        let set = compiled(&policies, &world);
        let workload = WorkloadIdentity::new(None, &world.namespace, world.labels.clone(), None);
        for _ in 0..REQUESTS {
            let asked = asked(random);
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
        let verdict = told(asked, world).ask(set, workload);
        let got = match (verdict.decision, verdict.reason.code) {
            (Decision::Deny, ReasonCode::DeniedByRule) => Outcome::Denied,
            (Decision::Deny, _) => Outcome::DefaultDeny,
            (Decision::Allow, ReasonCode::AllowedByRule) => Outcome::Allowed,
            (Decision::Allow, _) => Outcome::NotDenied,
        };
        self.asked += 1;
        self.allowed += u64::from(got.is_allow());
        self.denied += u64::from(got == Outcome::Denied);
        let normal = asked.is_http()
            && weir_policy::normalize(set.mesh().normalization(), &asked.target).ok().as_deref()
                != Some(&normalized(world.normalization, &asked.target));
        if got != expected || normal {
            let specs: Vec<String> = policies.iter().map(|p| format!("{}: {}", p.namespace, p.spec)).collect();
            self.differences.push(format!(
                "expected {expected:?}, got {got:?}\n  {asked:?}\n  normalized {:?}\n  {world:?}\n  {}",
                normalized(world.normalization, &asked.target),
                specs.join("\n  ")
            ));
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
    let mut run = Run::new(None);
    let mut random = Random(seed);
    while run.asked < requests && run.differences.len() < 3 {
        run.round(&mut random);
        if run.asked.is_multiple_of(100_000) {
            println!("{} requests, no difference", run.asked);
        }
    }
    assert!(run.differences.is_empty(), "seed {seed}\n{}", run.differences.join("\n\n"));
    let share = |part: u64| part * 100 / run.asked;
    println!("{} asked, {} % allowed, {} % denied by a rule", run.asked, share(run.allowed), share(run.denied));
    assert!(share(run.allowed) >= 25 && share(run.denied) >= 25, "the draws are lopsided");
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

#[test]
fn a_bug_in_any_matcher_is_found() {
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
    ];
    let seed = seed();
    println!("seed {seed} (WEIR_SEED repeats it)");
    for bug in FIELDS {
        let (mut run, mut random) = (Run::new(Some(bug)), Random(seed));
        while run.differences.is_empty() {
            assert!(run.asked < 200_000, "a bug in {bug} was not found, seed {seed}");
            run.round(&mut random);
        }
    }
}
