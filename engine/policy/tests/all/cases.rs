//! The shared cases: what Istio and Envoy say, as data. Rows are read at test time from `../shared/cases/authz` beside the
//! workspace; without that folder these tests say so and pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::Value as Json;
use weir_attributes::slot;
use weir_policy::{Answer, Severity, Verdict, normalize};

use crate::{
    given::{self, Given, Request},
    issuer::{self, ISSUER},
};

fn rows(file: &str) -> Option<Vec<Json>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/authz").join(file);
    match fs::read_to_string(&path) {
        Ok(text) => Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()),
        Err(_) => {
            println!("skipped: needs the shared cases, authz/{file} in ../shared/cases beside the workspace");
            None
        }
    }
}

/// Whether the refusals are about features of Istio that are not supported yet, not about mistakes.
fn is_unsupported(problems: &[weir_policy::Problem]) -> bool {
    problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .all(|problem| problem.message.contains("not supported"))
}

#[test]
fn normalization_is_what_istio_and_envoy_do() {
    let Some(rows) = rows("normalization.jsonl") else { return };
    for row in &rows {
        let mode = serde_json::from_value(row["mode"].clone()).unwrap();
        let told = row["in"].as_str().unwrap();
        assert_eq!(normalize(mode, told).unwrap(), row["out"].as_str().unwrap(), "{row}");
    }
    assert!(rows.len() >= 100, "only {} rows", rows.len());
}

#[test]
fn what_istio_refuses_is_refused() {
    let Some(rows) = rows("invalid.jsonl") else { return };
    let mut asked = 0;
    for row in &rows {
        asked += 1;
        let given = Given::default().resource(&row["yaml"]);
        if let Ok(given) = given {
            assert!(given.compile().is_err(), "accepted: {row}");
        }
    }
    assert!(asked >= 60, "only {asked} rows");
}

#[test]
fn what_istio_accepts_is_accepted_or_refused_by_name() {
    let Some(rows) = rows("valid.jsonl") else { return };
    let mut accepted = 0;
    for row in &rows {
        match Given::default().resource(&row["yaml"]).unwrap_or_else(|error| panic!("{error}: {row}")).compile() {
            Ok((_, warnings)) => {
                accepted += 1;
                assert_eq!(!warnings.is_empty(), row["warning"] == true, "{row}: {warnings:#?}");
            }
            Err(problems) => assert!(is_unsupported(&problems), "{row}: {problems:#?}"),
        }
    }
    assert!(accepted >= 15, "only {accepted} accepted");
}

#[test]
fn peers_must_be_authenticated_where_istio_says_so() {
    let Some(rows) = rows("peerauth.jsonl") else { return };
    for row in &rows {
        let root = row["root_namespace"].as_str().unwrap();
        let mut given = Given::default().mesh(&serde_json::json!({"rootNamespace": root})).unwrap();
        for policy in row["policies"].as_array().unwrap() {
            let mut policy = policy.clone();
            policy["kind"] = "PeerAuthentication".into();
            given = given.resource(&policy).unwrap_or_else(|error| panic!("{error}: {row}"));
        }
        let labels = [("app".to_owned(), "foo".to_owned())].into();
        let ruleset = given.set().ruleset(&weir_policy::WorkloadIdentity::new(None, "my-ns", labels, None));
        let peer = ruleset.peer();
        assert_eq!(peer.mode().to_string(), row["expect"]["mode"], "{row}");
        for (port, mode) in row["expect"]["per_port"].as_object().into_iter().flatten() {
            assert_eq!(peer.of_port(port.parse().unwrap()).to_string(), *mode, "{row}");
        }
    }
    assert!(rows.len() >= 3, "only {} rows", rows.len());
}

/// What became of the rows.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
    skipped: BTreeMap<&'static str, usize>,
}

#[test]
fn verdicts_are_those_of_istio_and_envoy() {
    let Some(rows) = rows("cases.jsonl") else { return };
    let mut tally = Tally::default();
    for row in &rows {
        match judge(row) {
            Ok(None) => tally.passed += 1,
            Ok(Some(failure)) => tally.failed.push(failure),
            Err(reason) => *tally.skipped.entry(reason).or_default() += 1,
        }
    }
    println!("{} passed, {} failed, skipped {:?}", tally.passed, tally.failed.len(), tally.skipped);
    assert!(tally.failed.is_empty(), "{:#?}", &tally.failed[..tally.failed.len().min(20)]);
    assert!(tally.passed >= 1000, "only {} passed", tally.passed);
}

/// Nothing when the verdict is the expected one, the difference when not; or why the row cannot be asked.
fn judge(row: &Json) -> Result<Option<String>, &'static str> {
    let request = &row["request"];
    if !request["metadata"].is_null() {
        return Err("dynamic metadata");
    }
    let workload = &row["workload"];
    let mut given = Given::default().mesh(&mesh(row)).unwrap();
    for policy in row["policies"].as_array().unwrap() {
        given = given.resource(policy).map_err(|_| "does not parse")?;
    }
    if let Some(rules) = row["request_authentication"].as_array() {
        given =
            given.authentication(&format!("{}/tokens", workload["namespace"].as_str().unwrap()), authentication(rules));
    }
    let (set, _) = match given.compile() {
        Ok(compiled) => compiled,
        Err(problems) if is_unsupported(&problems) => return Err("unsupported feature"),
        Err(problems) => panic!("{}: {problems:#?}", row["name"]),
    };
    let labels = serde_json::from_value(workload["labels"].clone()).unwrap_or_default();
    let workload = weir_policy::WorkloadIdentity::new(None, workload["namespace"].as_str().unwrap(), labels, None);
    let expected = row["expect"].as_str().unwrap();
    let asked = match told(request, &set) {
        Ok(asked) => asked,
        Err(error) => return Ok((expected != "http_400").then(|| format!("{}: {error}", row["name"]))),
    };
    if expected == "http_400" {
        return Err("refused by the proxy's own parser");
    }
    let (verdict, _) = asked.answered(&set, &workload, |name, bag| {
        let allows = bag.headers().lines("x-ext-authz").any(|value| value == "allow");
        match name {
            _ if name.starts_with("always-allow") => allow(),
            _ if name.starts_with("always-deny") || !allows => deny(),
            _ => allow(),
        }
    });
    let got = if verdict.status == 401 { "http_401" } else { verdict.decision.as_str() };
    Ok((got != expected).then(|| format!("{}: expected {expected}, got {}", row["name"], because(&verdict))))
}

/// The rules, with the keys of the tests' issuer where they name none.
fn authentication(rules: &[Json]) -> Json {
    let mut rules = rules.to_vec();
    for rule in &mut rules {
        if rule["jwks"].is_null() && rule["jwksUri"].is_null() {
            rule["jwks"] = ISSUER.jwks().into();
        }
    }
    serde_json::json!({"jwtRules": rules})
}

/// A text with `{{NAME}}` and `{{NAME!badsig}}` replaced by tokens.
fn filled(text: &str, tokens: &Json) -> String {
    let mut text = text.to_owned();
    for (name, claims) in tokens.as_object().into_iter().flatten() {
        let token = ISSUER.sign(claims);
        text = text.replace(&format!("{{{{{name}!badsig}}}}"), &issuer::spoiled(&token));
        text = text.replace(&format!("{{{{{name}}}}}"), &token);
    }
    text
}

fn allow() -> Answer {
    Answer::Allow { ttl: None, max_uses: None, headers: Vec::new() }
}

fn deny() -> Answer {
    Answer::Deny { status: 403, message: None, ttl: None, max_uses: None, headers: Vec::new() }
}

fn because(verdict: &Verdict) -> String {
    format!("{} ({:?})", verdict.decision.as_str(), verdict.reason)
}

fn mesh(row: &Json) -> Json {
    let workload = &row["workload"];
    let or = |value: &Json, default: &str| value.as_str().unwrap_or(default).to_owned();
    let policies = row["policies"].as_array().unwrap().iter();
    let providers: BTreeSet<_> = policies.filter_map(|policy| policy["spec"]["provider"]["name"].as_str()).collect();
    let provider = |name| serde_json::json!({"name": name, "envoyExtAuthzGrpc": {"service": "authz", "port": 9000}});
    serde_json::json!({
        "rootNamespace": or(&workload["root_namespace"], "istio-system"),
        "trustDomain": or(&workload["trust_domain"], "cluster.local"),
        "trustDomainAliases": workload["trust_domain_aliases"],
        "extensionProviders": providers.into_iter().map(provider).collect::<Vec<_>>(),
        "pathNormalization": or(&row["normalization"], "BASE"),
    })
}

/// The request as the sidecar tells it, its path normalized.
fn told(request: &Json, set: &weir_policy::PolicySet) -> Result<Request, weir_policy::InvalidPath> {
    let mut asked = given::connection();
    let mut put = |slot, value: &Json| {
        if let Some(text) = value.as_str() {
            asked = std::mem::take(&mut asked).text(slot, text);
        }
    };
    put(slot::REQUEST_METHOD, &request["method"]);
    put(slot::REQUEST_HOST, &request["host"]);
    put(slot::CONNECTION_REQUESTED_SERVER_NAME, &Json::from(request["sni"].as_str().map(str::to_ascii_lowercase)));
    if let Some(path) = request["path"].as_str() {
        let path = filled(path, &request["tokens"]);
        let normal = normalize(set.mesh().normalization(), &path)?;
        put(slot::REQUEST_PATH, &Json::from(&*normal));
        put(slot::REQUEST_URL_PATH, &Json::from(normal.split('?').next()));
    }
    if let Some(principal) = request["source"]["principal"].as_str() {
        put(slot::SOURCE_PRINCIPAL, &Json::from(principal));
    }
    let peer = request["source"]["ip"].as_str().unwrap_or("127.0.0.1");
    put(slot::SOURCE_ADDRESS, &Json::from(address(peer, 40000)));
    let local = request["destination_ip"].as_str().unwrap_or("127.0.0.1");
    put(slot::DESTINATION_ADDRESS, &Json::from(address(local, request["port"].as_u64().unwrap_or(80))));
    for header in request["headers"].as_array().into_iter().flatten() {
        asked = asked.header(header[0].as_str().unwrap(), &filled(header[1].as_str().unwrap(), &request["tokens"]));
    }
    if let Some(remote) = request["remote_ip"].as_str() {
        asked = asked.header("x-forwarded-for", remote);
    }
    if !request["jwt"].is_null() {
        asked = asked.claims(&request["jwt"]);
    }
    Ok(asked)
}

fn address(ip: &str, port: u64) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}
