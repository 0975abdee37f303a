//! Every rule that the index leaves out does not hold: on many rules and requests.

use serde_json::{Value as Json, json};
use weir_attributes::{Bag, Struct, slot};

use super::*;
use crate::{
    compile,
    document::{Document, Documents},
    policy::{Effect, Rule},
    truth::Truth,
};

/// A document of namespace `default`.
fn document<T: serde::de::DeserializeOwned>(spec: Json) -> Vec<Document<T>> {
    let spec = serde_json::from_value(spec).unwrap();
    let (labels, annotations) = Default::default();
    vec![Document {
        id: 0,
        name: "p".into(),
        namespace: "istio-system".into(),
        labels,
        annotations,
        created: String::new(),
        digest: None,
        spec,
    }]
}

fn authorization(rules: &[Json]) -> Documents {
    let specs = rules.chunks(500).map(|rules| json!({"action": "DENY", "rules": rules}));
    let authorization = specs.flat_map(document).collect();
    Documents { authorization, ..Documents::default() }
}

fn index(documents: &Documents) -> Index {
    let (set, _) = compile(documents).unwrap_or_else(|problems| {
        let errors: Vec<_> = problems.iter().filter(|problem| problem.severity == crate::Severity::Error).collect();
        panic!("{errors:#?}")
    });
    let workload = crate::WorkloadIdentity::new(None, "default", Default::default(), None);
    let ruleset = set.ruleset(&workload);
    Index::new(ruleset.policies.to_vec())
}

/// The rules that may hold, in order.
fn asked<'i>(index: &'i Index, bag: &Bag) -> Vec<&'i Rule> {
    let mut asked = Vec::new();
    index.visit::<()>(&Facts::new(bag.as_told()), |candidate| {
        asked.extend(candidate.rule());
        ControlFlow::Continue(())
    });
    asked
}

fn some() -> Vec<(&'static str, Json)> {
    vec![
        ("methods", json!(["GET"])),
        ("methods", json!(["GET", "P*"])),
        ("methods", json!(["*"])),
        ("paths", json!(["/a"])),
        ("paths", json!(["/a/*", "*.php"])),
        ("paths", json!(["/c/{*}/d"])),
        ("paths", json!(["/c/{**}"])),
        ("notPaths", json!(["/a"])),
        ("hosts", json!(["Shop", "*.example.com"])),
        ("ports", json!(["8080"])),
        ("principals", json!(["td/ns/x/sa/a"])),
        ("principals", json!(["td/*", "*/sa/b"])),
        ("notPrincipals", json!(["td/ns/x/sa/a"])),
        ("namespaces", json!(["x"])),
        ("namespaces", json!(["x*"])),
        ("serviceAccounts", json!(["x/a"])),
        ("ipBlocks", json!(["10.0.0.0/8", "fd00::/8"])),
        ("requestPrincipals", json!(["https://id/ann", "https://id/a/b"])),
        ("requestPrincipals", json!(["*"])),
        ("notRequestPrincipals", json!(["https://id/ann"])),
        ("notIpBlocks", json!(["10.0.0.0/8"])),
        ("remoteIpBlocks", json!(["10.1.0.0/16"])),
    ]
}

fn is_source(field: &str) -> bool {
    ["rincipals", "amespaces", "erviceAccounts", "pBlocks"].iter().any(|part| field.ends_with(part))
}

/// Every field alone, and with every other.
fn rules() -> Vec<Json> {
    let mut rules = Vec::new();
    let headers = |values: Json| json!([{"key": "request.headers[x-role]", "values": values}]);
    for (a, first) in some() {
        for (b, second) in some() {
            let accounts = [a, b].contains(&"serviceAccounts");
            if accounts && [a, b].iter().any(|field| field.ends_with("rincipals") || *field == "namespaces") {
                continue; // refused
            }
            let (mut source, mut operation) = (json!({}), json!({}));
            for (field, values) in [(a, &first), (b, &second)] {
                let part = if is_source(field) { &mut source } else { &mut operation };
                part[field] = values.clone();
            }
            let mut rule = json!({});
            if source != json!({}) {
                rule["from"] = json!([{"source": source}]);
            }
            if operation != json!({}) {
                rule["to"] = json!([{"operation": operation}, {"operation": {"methods": ["DELETE"]}}]);
            }
            rules.push(rule.clone());
            rule["when"] = headers(json!(["a", "b*"]));
            rules.push(rule.clone());
            rule["when"] = json!([{"key": "request.auth.claims[realm][roles]", "values": ["admin", "dev*"]}]);
            rules.push(rule);
        }
    }
    rules
}

const CLAIMS: [&str; 4] = [
    r#"{"iss": "https://id", "sub": "ann", "realm": {"roles": ["user", "admin"]}}"#,
    r#"{"iss": "https://id/a", "sub": "b", "realm": {"roles": "developer"}}"#,
    r#"{"iss": "https://id", "sub": "a/b", "realm": {"roles": [["admin"], 1]}}"#,
    r#"{"iss": "https://id", "realm": "admin"}"#,
];

fn bags() -> Vec<Bag> {
    let mut bags = Vec::new();
    let principals = ["td/ns/x/sa/a", "td/ns/y/sa/b", "td/ns/x/q/sa/a", "td/ns/ns/x/sa/a", "ns/x/sa/a", "x", ""];
    for principal in principals.into_iter().map(Some).chain([None]) {
        for path in [None, Some("/a"), Some("/a/b.php"), Some("/c/x/d"), Some("/c/"), Some("")] {
            for (at, address) in ["10.1.2.3", "11.0.0.1", "fd00::1", "::ffff:10.1.2.3", "nonsense"].iter().enumerate() {
                let mut bag = Bag::builder().text(slot::SOURCE_IP, address).text(slot::REMOTE_IP, address);
                bag = principal.into_iter().fold(bag, |bag, name| bag.text(slot::SOURCE_PRINCIPAL, name));
                if let Some(path) = path {
                    let method = ["GET", "PUT", "get", "DELETE", ""][at];
                    bag = bag.text(slot::REQUEST_METHOD, method).text(slot::REQUEST_PATH, path);
                    bag = bag
                        .text(slot::REQUEST_URL_PATH, path)
                        .text(slot::REQUEST_HOST, ["SHOP", "a.example.com"][at % 2]);
                    bag = bag.int(slot::DESTINATION_PORT, 8080 + at as i64 % 2);
                }
                bag = [("x-role", "a"), ("x-role", "c"), ("x-role", "x, bc")][..at % 4]
                    .iter()
                    .fold(bag, |bag, (name, value)| bag.header(name, value));
                let mut bag = if at == 4 { bag.joined_by_proxy() } else { bag }.build();
                if let Some(claims) = CLAIMS.get(at) {
                    crate::authenticated(&mut bag, Struct::parse(claims.as_bytes()).unwrap(), &[]);
                }
                bags.push(bag);
            }
        }
    }
    bags
}

#[test]
fn what_is_left_out_does_not_hold() {
    let index = index(&authorization(&rules()));
    let (mut count, mut held, mut all) = (0, 0, 0);
    for bag in bags() {
        let facts = Facts::new(bag.as_told());
        let found: Vec<*const Rule> = asked(&index, &bag).into_iter().map(std::ptr::from_ref).collect();
        for policy in index.policies() {
            for rule in &policy.rules {
                for effect in [Effect::Deny, Effect::Allow] {
                    let truth = rule.holds(effect, &facts, &mut None).truth;
                    held += usize::from(truth != Truth::No);
                    assert!(
                        truth == Truth::No || found.contains(&std::ptr::from_ref(rule)),
                        "left out although {truth:?}: rule {} on {bag:?}",
                        rule.id.index
                    );
                    all += 1;
                }
            }
        }
        count += 2 * found.len();
    }
    assert!(held > all / 20, "of {all} only {held} hold");
    assert!(count < all * 2 / 3, "of {all} still {count} are asked");
}

#[test]
fn a_chain_says_what_the_conditions_say() {
    let index = index(&authorization(&rules()));
    let (mut said, mut all) = (0, 0);
    for bag in bags() {
        let facts = Facts::new(bag.as_told());
        for candidate in index.base.all() {
            let rule = candidate.rule().unwrap();
            for effect in [Effect::Deny, Effect::Allow] {
                let (fast, slow) = (candidate.holds(effect, &facts, &mut None), rule.holds(effect, &facts, &mut None));
                assert_eq!(fast, slow, "{effect:?}, rule {} {:?} on {bag:?}", rule.id.index, rule.body);
                said += usize::from(candidate.says(&facts).is_some());
                all += 1;
            }
        }
    }
    assert!(said > all / 2, "of {all} chains only {said} said anything");
}

#[test]
fn an_expression_is_found_by_its_conjuncts_and_kept_where_it_would_be_an_error() {
    let spec = json!({"action": "DENY", "rules": [
        {"expression": "source.principal == 'a' && request.method == 'GET'"},
        {"expression": "request.method == 'PUT'"},
        {"expression": "request.size > 1"},
    ]});
    let cel = document(spec);
    let index = index(&Documents { cel, ..Documents::default() });
    let asked =
        |bag: Bag| -> Vec<u32> { super::tests::asked(&index, &bag).into_iter().map(|rule| rule.id.index).collect() };
    let bag = || Bag::builder().text(slot::REQUEST_METHOD, "GET");
    assert_eq!(asked(bag().text(slot::SOURCE_PRINCIPAL, "a").build()), [0, 2]);
    assert_eq!(asked(bag().text(slot::SOURCE_PRINCIPAL, "b").build()), [2]);
    assert_eq!(asked(bag().build()), [0, 2], "without a principal the first is an error, which denies");
}

#[test]
fn many_choices_in_from_and_to_are_looked_up_by_one_of_them() {
    let paths: Vec<String> = (0..20).map(|n| format!("/{n}")).collect();
    let to: Vec<Json> = paths.iter().map(|path| json!({"operation": {"paths": [path]}})).collect();
    let from: Vec<Json> = (0..20).map(|n| json!({"source": {"principals": [format!("td/ns/n/sa/{n}")]}})).collect();
    let index = index(&authorization(&[json!({"from": from, "to": to})]));
    let count = |principal: &str| {
        let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").text(slot::SOURCE_PRINCIPAL, principal).build();
        asked(&index, &bag).len()
    };
    assert_eq!((count("td/ns/n/sa/7"), count("td/ns/n/sa/20")), (1, 0));
}
