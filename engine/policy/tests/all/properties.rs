//! Properties of random policies and requests, drawn from few atoms so that they meet.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Value as Json, json};
use weir_attributes::slot;
use weir_policy::{Decision, PolicySet, Verdict};

use crate::given::{Given, Request, cart, request};

const METHODS: &[&str] = &["GET", "POST", "PUT"];
const PATHS: &[&str] = &["/a", "/a/*", "*/b", "/c/{*}", "*"];
const TARGETS: &[&str] = &["/a", "/a/b", "/c/b", "/a/../c/x", "/c/../a", "//a", "/a%2fb?q", "/A"];
const PRINCIPALS: &[&str] = &["td/ns/x/sa/a", "td/ns/y/sa/a", "other/ns/x/sa/b"];
const ROLES: &[&str] = &["a", "b", "a,b", "", "*"];
const LINES: &[&str] = &["a", "b", "c", "a,b", "b, c", ""];

/// Some of the values as a field, or none of it.
fn field(name: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = Option<(String, Json)>> {
    let some = (any::<bool>(), subsequence(values, 1..=2));
    prop::option::weighted(0.4, some).prop_map(move |chosen| {
        let (negated, values) = chosen?;
        let mut letters = name.chars();
        let first = letters.next().unwrap();
        let name =
            if negated { format!("not{}{}", first.to_ascii_uppercase(), letters.as_str()) } else { name.to_owned() };
        Some((name, json!(values)))
    })
}

fn object(fields: impl IntoIterator<Item = Option<(String, Json)>>) -> Option<Json> {
    let fields: serde_json::Map<_, _> = fields.into_iter().flatten().collect();
    (!fields.is_empty()).then_some(Json::Object(fields))
}

fn rule() -> impl Strategy<Value = Json> {
    let who = (field("principals", PRINCIPALS), field("namespaces", &["x", "*"]));
    let what = (field("methods", METHODS), field("paths", PATHS));
    let role = prop::option::weighted(0.4, (any::<bool>(), select(ROLES)));
    (who, what, role).prop_map(|((principals, namespaces), (methods, paths), role)| {
        let mut rule = json!({});
        if let Some(source) = object([principals, namespaces]) {
            rule["from"] = json!([{"source": source}]);
        }
        if let Some(operation) = object([methods, paths]) {
            rule["to"] = json!([{"operation": operation}]);
        }
        if let Some((negated, value)) = role.filter(|(_, value)| !value.is_empty()) {
            let field = if negated { "notValues" } else { "values" };
            rule["when"] = json!([{"key": "request.headers[x-role]", field: [value]}]);
        }
        rule
    })
}

fn expression() -> impl Strategy<Value = Json> {
    select(
        &[
            "request.method == 'GET'",
            "request.url_path.startsWith('/a')",
            "request.path == '/c/x'",
            "request.headers['x-role'] == 'a'",
            "'x-role' in request.headers_all && request.headers_all['x-role'].exists(role, role == 'a')",
            "source.namespace == 'x'",
            "!has(source.principal)",
        ][..],
    )
    .prop_map(|expression| json!({"expression": expression}))
}

/// A policy of an action: whether it is a CelPolicy, and its spec.
type Policy = (bool, Json);

fn policy_of(actions: &'static [&'static str]) -> impl Strategy<Value = Policy> {
    let rules = prop_oneof![
        3 => vec(rule(), 1..3).prop_map(|rules| (false, json!(rules))),
        2 => vec(expression(), 1..3).prop_map(|rules| (true, json!(rules))),
    ];
    (select(actions), rules).prop_map(|(action, (cel, rules))| (cel, json!({"action": action, "rules": rules})))
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    vec(policy_of(&["ALLOW", "DENY"]), 0..5)
}

fn given(policies: &[Policy], order: impl Iterator<Item = usize>) -> PolicySet {
    let mut given = Given::default();
    for at in order {
        let (cel, spec) = &policies[at];
        let id = format!("shop/p{at}");
        given = if *cel { given.cel(&id, spec.clone()) } else { given.policy(&id, spec.clone()) };
    }
    given.set()
}

fn set(policies: &[Policy]) -> PolicySet {
    given(policies, 0..policies.len())
}

#[derive(Clone, Debug)]
struct Asked {
    method: &'static str,
    target: &'static str,
    principal: Option<&'static str>,
    lines: Vec<&'static str>,
}

fn asked() -> impl Strategy<Value = Asked> {
    let who = prop::option::of(select(PRINCIPALS));
    (select(METHODS), select(TARGETS), who, vec(select(LINES), 0..3))
        .prop_map(|(method, target, principal, lines)| Asked { method, target, principal, lines })
}

impl Asked {
    fn base(&self) -> Request {
        let asked = request(self.method, self.target);
        match self.principal {
            Some(principal) => asked.from(principal),
            None => asked,
        }
    }

    /// As a door tells it that knows the lines.
    fn told(&self) -> Request {
        self.lines.iter().fold(self.base(), |asked, line| asked.header("x-role", line))
    }

    /// As a proxy tells it that joined them.
    fn joined(&self) -> Request {
        if self.lines.is_empty() {
            self.base()
        } else {
            self.base().header("x-role", &self.lines.join(",")).joined_by_proxy()
        }
    }
}

fn ask(set: &PolicySet, asked: Request) -> Verdict {
    asked.ask(set, &cart())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deny_beats_allow(policies in policies(), deny in policy_of(&["DENY"]), asked in asked()) {
        let alone = ask(&set(std::slice::from_ref(&deny)), asked.told());
        let mut all = policies;
        all.push(deny);
        if alone.decision == Decision::Deny {
            prop_assert_eq!(ask(&set(&all), asked.told()).decision, Decision::Deny);
        }
    }

    #[test]
    fn adding_a_deny_never_allows_more(policies in policies(), deny in policy_of(&["DENY"]), asked in asked()) {
        let before = ask(&set(&policies), asked.joined()).is_allow();
        let mut all = policies;
        all.push(deny);
        prop_assert!(before || !ask(&set(&all), asked.joined()).is_allow());
    }

    #[test]
    fn order_never_matters(policies in policies(), asked in asked()) {
        let forwards = ask(&set(&policies), asked.joined());
        let backwards = ask(&given(&policies, (0..policies.len()).rev()), asked.joined());
        prop_assert_eq!(forwards, backwards);
    }

    #[test]
    fn doubt_about_header_lines_never_allows(policies in policies(), asked in asked()) {
        let set = set(&policies);
        let joined = ask(&set, asked.joined());
        let mut worst = ask(&set, asked.told()).decision;
        for lines in readings(&asked.lines.join(",")) {
            if !asked.lines.is_empty() {
                let told = lines.iter().fold(asked.base(), |told, line| told.header("x-role", line));
                let verdict = ask(&set, told);
                worst = if verdict.is_allow() { worst } else { Decision::Deny };
            }
        }
        prop_assert!(!joined.is_allow() || worst == Decision::Allow, "allowed in doubt");
        if lines_are_read(&policies) <= 1 {
            prop_assert_eq!(joined.decision, worst, "with one reader the doubtful verdict is the worst reading's");
        }
    }

    #[test]
    fn doubt_about_the_path_is_the_worst_of_both_paths(policies in policies(), asked in asked()) {
        let set = set(&policies);
        let doubtful = ask(&set, asked.told());
        // As a door tells them that has decided which path the workload sees.
        let normal = weir_policy::normalize(set.mesh().normalization(), asked.target).unwrap();
        let certain = |target: &str| {
            let path = target.split('?').next().unwrap();
            ask(&set, asked.told().text(slot::REQUEST_PATH, target).text(slot::REQUEST_URL_PATH, path))
        };
        let (raw, normalized) = (certain(asked.target), certain(&normal));
        prop_assert_eq!(doubtful.is_allow(), raw.is_allow() && normalized.is_allow());
        prop_assert_eq!(doubtful.reason.in_doubt, raw.is_allow() != normalized.is_allow());
    }
}

/// How many conditions and rules look at single lines of `x-role`.
fn lines_are_read(policies: &[Policy]) -> usize {
    policies
        .iter()
        .map(|(_, spec)| {
            let text = spec.to_string();
            text.matches("request.headers[x-role]").count() + text.matches("'x-role' in request.headers_all").count()
        })
        .sum()
}

/// Every way to cut a joined value into lines.
fn readings(joined: &str) -> Vec<Vec<String>> {
    let pieces: Vec<&str> = joined.split(',').collect();
    let cuts = pieces.len() - 1;
    (0..1_u32 << cuts)
        .map(|mask| {
            let mut lines = vec![pieces[0].to_owned()];
            for (index, piece) in pieces[1..].iter().enumerate() {
                match lines.last_mut() {
                    Some(last) if mask >> index & 1 == 0 => {
                        last.push(',');
                        last.push_str(piece);
                    }
                    _ => lines.push((*piece).to_owned()),
                }
            }
            lines
        })
        .collect()
}
