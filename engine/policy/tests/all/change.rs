//! A configuration that replaces another: what has not changed is kept, and nobody can tell.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use weir_policy::{Claim, Decision, PolicySet, ReasonCode, Ruleset, WorkloadIdentity};

use crate::{
    drawn::{Atoms, Random, Tokens, asked, policies, resource, told, world},
    given::{Given, request},
    oracle::Policy,
};

fn rules(count: usize, tag: &str) -> Json {
    let rule = |n| json!({"from": [{"source": {"principals": [format!("td/ns/{tag}/sa/{n}")]}}]});
    json!({"rules": (0..count).map(rule).collect::<Vec<_>>()})
}

fn cart(set: &PolicySet) -> Arc<WorkloadIdentity> {
    set.workloads().resolve(&Claim { workload: Some("shop/cart"), ..Claim::default() }).unwrap()
}

fn ruleset(set: &PolicySet) -> Arc<Ruleset> {
    set.ruleset(&cart(set))
}

/// Forty policies of ten rules, of which one says something else.
fn forty(changed: usize, tag: &str) -> Given {
    let given = Given::default().workload("shop/cart", json!({}));
    (0..40).fold(given, |given, n| {
        let own = format!("n{n}");
        given.policy(&format!("shop/p{n:02}"), rules(10, if n == changed { tag } else { &own }))
    })
}

fn allowed_by(set: &PolicySet, principal: &str) -> Option<String> {
    let verdict = request("GET", "/").from(principal).ask(set, &cart(set));
    verdict.reason.policy.map(|policy| policy.to_string())
}

#[test]
fn one_changed_policy_takes_effect_and_the_others_stay() {
    let first = forty(99, "").set();
    let second = forty(7, "other").set_after(&first);
    let third = forty(8, "third").set_after(&second);
    assert_eq!(allowed_by(&first, "td/ns/n7/sa/3").as_deref(), Some("shop/p07"));
    assert_eq!(allowed_by(&second, "td/ns/n7/sa/3"), None);
    assert_eq!(allowed_by(&second, "td/ns/other/sa/3").as_deref(), Some("shop/p07"));
    assert_eq!(allowed_by(&second, "td/ns/n8/sa/3").as_deref(), Some("shop/p08"));
    assert_eq!(allowed_by(&third, "td/ns/other/sa/3"), None, "the change before is undone");
    assert_eq!(allowed_by(&third, "td/ns/n7/sa/3").as_deref(), Some("shop/p07"));
    assert_eq!(allowed_by(&third, "td/ns/third/sa/9").as_deref(), Some("shop/p08"));
    assert_eq!(ruleset(&third).policies().count(), 40);
}

#[test]
fn one_changed_dry_run_policy_takes_effect_and_the_others_stay() {
    let forty = |action: &str, changed: usize, tag: &str| {
        (0..40).fold(Given::default().workload("shop/cart", json!({})), |given, n| {
            let own = format!("n{n}");
            let mut spec = rules(10, if n == changed { tag } else { &own });
            spec["action"] = action.into();
            let (name, dry_run) = (format!("p{n:02}"), true);
            given.resource(&resource(&Policy { namespace: "shop".to_owned(), name, dry_run, spec })).unwrap()
        })
    };
    for (action, held) in [("DENY", Decision::Deny), ("ALLOW", Decision::Allow)] {
        let first = forty(action, 99, "").set();
        let second = forty(action, 7, "other").set_after(&first);
        let third = forty(action, 8, "third").set_after(&second);
        let told = |set: &PolicySet, principal: &str| {
            let verdict = request("GET", "/").from(principal).ask(set, &cart(set));
            assert_eq!(verdict.reason.code, ReasonCode::NoPolicy);
            let shadows = verdict.shadows.unwrap();
            let shadow = shadows.deny.or(shadows.allow).unwrap();
            assert_eq!(shadow.decision == held, shadow.policy.is_some(), "{action}: {shadow:?}");
            shadow.policy.map(|policy| policy.to_string())
        };
        assert_eq!(told(&first, "td/ns/n7/sa/3").as_deref(), Some("shop/p07"));
        assert_eq!(told(&second, "td/ns/n7/sa/3"), None);
        assert_eq!(told(&second, "td/ns/other/sa/3").as_deref(), Some("shop/p07"));
        assert_eq!(told(&second, "td/ns/n8/sa/3").as_deref(), Some("shop/p08"));
        assert_eq!(told(&third, "td/ns/other/sa/3"), None, "the change before is undone");
        assert_eq!(told(&third, "td/ns/n7/sa/3").as_deref(), Some("shop/p07"));
        assert_eq!(told(&third, "td/ns/third/sa/9").as_deref(), Some("shop/p08"));
    }
}

#[test]
fn the_first_policy_by_name_is_told_also_when_it_came_later() {
    let given = |first: &str| {
        let both = Given::default().workload("shop/cart", json!({})).policy("shop/b", rules(30, "n"));
        (0..10).fold(both.policy("shop/a", rules(1, first)), |given, n| {
            given.policy(&format!("shop/x{n}"), rules(30, "x"))
        })
    };
    let before = given("none").set();
    assert_eq!(allowed_by(&before, "td/ns/n/sa/0").as_deref(), Some("shop/b"));
    assert_eq!(allowed_by(&given("n").set_after(&before), "td/ns/n/sa/0").as_deref(), Some("shop/a"));
}

#[test]
fn another_mesh_compiles_everything_again() {
    let mesh = |domain: &str| Given::default().mesh(&json!({"trustDomain": domain})).unwrap();
    let given = |domain: &str| {
        mesh(domain).workload("shop/cart", json!({})).policy(
            "shop/p",
            json!({
                "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/x/sa/a"]}}]}]
            }),
        )
    };
    let first = given("one").set();
    assert!(allowed_by(&first, "one/ns/x/sa/a").is_some());
    let second = given("two").set_after(&first);
    assert!(allowed_by(&second, "one/ns/x/sa/a").is_none() && allowed_by(&second, "two/ns/x/sa/a").is_some());
}

#[test]
fn warnings_are_told_again() {
    let given = Given::default().policy("shop/p", json!({"selector": {"matchLabels": {}}, "rules": [{}]}));
    let (first, warnings) = given.compile().unwrap();
    let (_, again) = weir_policy::compile_after(&given.documents, Some(&first)).unwrap();
    assert_eq!(warnings, again);
    assert_eq!(again.len(), 1);
}

#[test]
fn errors_of_a_rule_that_stays_are_counted_once() {
    let failing = json!({"action": "DENY", "rules": [{"expression": "source.principal == 'a'"}]});
    let given = Given::default().workload("shop/cart", json!({})).cel("shop/p", failing);
    let first = given.set();
    let told = |set: &PolicySet| set.take_rule_errors().map(|(_, _, count)| count).sum::<u64>();
    request("GET", "/").ask(&first, &cart(&first));
    let second = given.set_after(&first);
    assert_eq!((told(&first), told(&second)), (1, 0));
    request("GET", "/").ask(&second, &cart(&second));
    assert_eq!((told(&second), told(&first)), (1, 0));
    assert_eq!(second.rule_errors().map(|(_, _, count)| count).sum::<u64>(), 2);
}

#[test]
fn a_set_that_replaces_another_decides_as_one_made_afresh() {
    let mut random = Random(7);
    let tokens = Tokens::new(&mut random);
    let add = |given: Given, policy: &Policy| given.resource(&resource(policy)).unwrap();
    let whole = |policies: &[Policy]| {
        let given = Given::default().mesh(&json!({"trustDomain": "td", "pathNormalization": "BASE"})).unwrap();
        policies.iter().fold(given.workload("shop/cart", json!({"labels": {"app": "cart"}})), add)
    };
    let mut world = world(&mut random);
    (world.trust_domains, world.normalization) = (vec!["td".to_owned()], "BASE");
    let mut current: Vec<Policy> = Vec::new();
    let mut previous = whole(&current).set();
    for round in 0..150 {
        // One policy is added, replaced or removed.
        let drawn = policies(&mut random);
        let place = random.below(20).min(current.len());
        if random.one_in(4) && place < current.len() {
            current.remove(place);
        } else if let Some(policy) = drawn.into_iter().next() {
            let policy = Policy { name: format!("p{place:02}"), ..policy };
            current.retain(|other| other.name != policy.name);
            current.push(policy);
        }
        let afresh = whole(&current).set();
        let after = whole(&current).set_after(&previous);
        let atoms = Atoms::of(&current);
        for _ in 0..30 {
            let asked = asked(&atoms, &tokens, &mut random);
            let one = told(&asked, &world).ask(&after, &cart(&after));
            let other = told(&asked, &world).ask(&afresh, &cart(&afresh));
            assert_eq!(one, other, "round {round}: {asked:?}");
        }
        previous = after;
    }
    assert!(current.len() > 8, "only {} policies at the end", current.len());
}
