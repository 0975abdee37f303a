//! What a request file says, and what is wrong with it.

use super::*;
use crate::cel::names::Declared;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    declared: Declared,
}

fn names(arguments: &[&str]) -> Names {
    let line = <Line as clap::Parser>::try_parse_from([&["test"], arguments].concat());
    line.unwrap_or_else(|error| panic!("{error}")).declared.names().unwrap()
}

fn read(text: &str, arguments: &[&str]) -> Result<Vec<Document>, Vec<Diagnostic>> {
    parse("r.yaml", text, &names(arguments))
}

fn one(text: &str, arguments: &[&str]) -> Given {
    let documents = read(text, arguments).unwrap_or_else(|problems| panic!("{text}\n{}", problems[0]));
    documents.into_iter().next().unwrap().given
}

fn value(given: &Given, expression: &str, arguments: &[&str]) -> String {
    let program = names(arguments).env.compile(expression).unwrap_or_else(|errors| panic!("{errors}"));
    program.evaluate(given, &mut weir_cel::Scratch::new()).map_or_else(|error| error.to_string(), |v| v.to_string())
}

#[test]
fn attributes_are_told_nested_or_dotted() {
    for text in [
        "request: {method: GET, headers: {X-Role: admin}}\nsource.principal: p",
        "request.method: GET\nrequest: {headers: {x-role: admin}}\nsource: {principal: p}",
        "request.headers_all: {x-role: [admin]}\nrequest.method: 'GET'\nsource.principal: \"p\"",
    ] {
        let given = one(text, &[]);
        let all = "[request.method, request.headers[\"x-role\"], source.principal]";
        assert_eq!(value(&given, all, &[]), r#"["GET", "admin", "p"]"#, "{text}");
    }
}

#[test]
fn what_the_engine_derives_is_derived_unless_it_is_told() {
    let given =
        one("request: {method: GET, path: /a/../b?x=1}\nsource: {principal: td/ns/n/sa/s, address: 10.0.0.1:80}", &[]);
    for (expression, expected) in [
        ("request.path", "\"/b?x=1\""),
        ("request.url_path", "\"/b\""),
        ("request.query", "\"x=1\""),
        ("source.namespace", "\"n\""),
        ("source.ip", "\"10.0.0.1\""),
        ("source.port", "80"),
        ("has(destination.namespace)", "false"),
    ] {
        assert_eq!(value(&given, expression, &[]), expected, "{expression}");
    }
    assert!(given.note.is_some_and(|note| note.contains("/b?x=1")));
    let given = one("request.path: /a\nrequest.url_path: /c\nsource: {principal: td/ns/n/sa/s, namespace: null}", &[]);
    assert_eq!(value(&given, "[request.url_path, string(has(source.namespace))]", &[]), r#"["/c", "false"]"#);
    assert!(given.note.is_none());
}

/// A type, YAML, and the value as a literal.
const VALUES: &[(&str, &str, &str)] = &[
    ("int", "-0x10", "`v`: expected int, found `-0x10`"),
    ("int", "0x10", "16"),
    ("int", "+5", "5"),
    ("int", "9223372036854775808", "`v`: expected int, found `9223372036854775808`"),
    ("int", "1.0", "`v`: expected int, found `1.0`"),
    ("int", "'1'", "`v`: expected int, found `\"1\"`"),
    ("int", "", "`v`: expected int, found nothing"),
    ("uint", "18446744073709551615", "18446744073709551615u"),
    ("uint", "-1", "`v`: expected uint, found `-1`"),
    ("double", "1", "1.0"),
    ("double", "-1.5e3", "-1500.0"),
    ("double", "-.inf", "double(\"-Infinity\")"),
    ("bool", "true", "true"),
    ("bool", "yes", "`v`: expected bool, found `yes`"),
    ("string", "a b", "\"a b\""),
    ("string", "10.0.0.1", "\"10.0.0.1\""),
    ("string", "2026-01-01", "\"2026-01-01\""),
    ("string", "1e5", "`v`: expected string, found `1e5`"),
    ("string", "'1e5'", "\"1e5\""),
    ("string", "[a]", "`v`: expected string, found a list"),
    ("bytes", "é", "b\"\\xc3\\xa9\""),
    ("timestamp", "2026-01-01T00:00:00+01:00", "timestamp(\"2025-12-31T23:00:00Z\")"),
    ("duration", "1h30m", "duration(\"5400s\")"),
    ("duration", "1x", "`v`: expected duration, found `1x`"),
    ("ip", "'::1'", "ip(\"::1\")"),
    ("cidr", "10.0.0.0/8", "cidr(\"10.0.0.0/8\")"),
    ("cidr", "10.0.0.0/80", "`v`: expected cidr, found `10.0.0.0/80`"),
    ("semver", "1.2.3", "semver(\"1.2.3\")"),
    ("semver", "'1.2'", "`v`: expected semver, found `\"1.2\"`"),
    ("url", "https://a/b", "url(\"https://a/b\")"),
    ("list(int)", "[1, 2]", "[1, 2]"),
    ("list(int)", "[1, a]", "`v`: expected int, found `a`"),
    ("list(int)", "1", "`v`: expected list(int), found `1`"),
    ("map(string, list(int))", "{a: [1]}", "{\"a\": [1]}"),
    ("map(int, string)", "{1: a, 0x2: b}", "{1: \"a\", 2: \"b\"}"),
    ("map(int, string)", "{1: a, 0x1: b}", "`v`: a key appears twice"),
    ("map(int, string)", "{x: a}", "`v`: expected a key of type int"),
    ("optional(int)", "null", "optional.none()"),
    ("optional(int)", "1", "optional.of(1)"),
    ("wrapper(int)", "~", "null"),
    ("wrapper(int)", "1", "1"),
    ("null", "null", "null"),
    (
        "dyn",
        "{a: [1, 1.5, x, '1', true, null, 18446744073709551615]}",
        "{\"a\": [1, 1.5, \"x\", \"1\", true, null, 18446744073709551615u]}",
    ),
    ("google.protobuf.Struct", "{a: {b: 1}}", "{\"a\": {\"b\": 1}}"),
    ("acme.Token", "x", "`v`: a value of type acme.Token cannot be written here"),
];

#[test]
fn values_are_of_the_declared_type() {
    for (ty, yaml, expected) in VALUES {
        let declared = format!("--var=v={ty}");
        let said = match read(&format!("v: {yaml}\n"), &[&declared]) {
            Ok(documents) => documents[0].given.value(0).unwrap().to_string(),
            Err(problems) => {
                assert!(problems[0].help.is_some() && problems[0].place.line == 1, "{}", problems[0]);
                problems[0].message.clone()
            }
        };
        assert_eq!(said, *expected, "{ty}: {yaml}");
    }
}

#[test]
fn what_is_wrong_has_its_place_and_a_fix() {
    for (text, place, message, help) in [
        ("request:\n  methd: GET", "2:3", "`request.methd` is not declared", "did you mean `request.method`?"),
        ("reqest: {method: GET}", "1:1", "`reqest` is not declared", "--var 'reqest=string'"),
        ("limt: 1", "1:1", "`limt` is not declared", "did you mean `limit`?"),
        ("source: x", "1:1", "only the beginning of a name", "`source.address`"),
        ("response.code: 200", "1:1", "only when the request is reported", "--all"),
        ("request.method: GET\nrequest: {method: PUT}", "2:11", "told twice", "write it once"),
        ("request: {headers: {a: b}, headers_all: {}}", "1:28", "the same lines", "one of the two"),
        ("request.headers: {n: 5}", "1:22", "expected string, found `5`", "\"5\""),
        ("request.time: 1600-01-01T00:00:00Z", "1:1", "out of the range", "1678"),
        ("- a", "1:1", "a request is a mapping", "request: {method: GET}"),
        ("a: [\n", "1:4", "unclosed", "close"),
        ("request.path: &x /a\nrequest.host: *x", "2:15", "aliases", "write the value out"),
    ] {
        let problems = read(text, &["--var=limit=int"]).map(|_| ()).unwrap_err();
        assert_eq!(format!("{}:{}", problems[0].place.line, problems[0].place.column), place, "{}", problems[0]);
        assert!(problems[0].message.contains(message), "{text}: {}", problems[0]);
        assert!(problems[0].help.as_deref().unwrap_or_default().contains(help), "{text}: {}", problems[0]);
    }
}

#[test]
fn claims_and_metadata_are_any_json() {
    let text = "request: {auth: {claims: {groups: [qa, ops], n: 1.5, deep: {a: null}}}}\nmetadata: {filter: {x: true}}";
    let given = one(text, &[]);
    assert_eq!(value(&given, "request.auth.claims.groups[1]", &[]), "\"ops\"");
    assert_eq!(
        value(&given, "[request.auth.claims, metadata]", &[]),
        r#"[{"deep": {"a": null}, "groups": ["qa", "ops"], "n": 1.5}, {"filter": {"x": true}}]"#
    );
    let deep = format!("metadata: {{a: {}1{}}}", "[".repeat(40), "]".repeat(40));
    let problems = read(&deep, &[]).map(|_| ()).unwrap_err();
    assert!(problems[0].message.starts_with("`metadata`: "), "{}", problems[0]);
}

#[test]
fn problems_are_told_together_and_not_without_end() {
    let text: String = (0..100).map(|index| format!("zzz{index}: 1\n")).collect();
    assert_eq!(read(&text, &[]).map(|_| ()).unwrap_err().len(), PROBLEMS_MAX);
}

#[test]
fn each_document_is_a_request_with_its_place() {
    let documents = read("request.method: GET\n---\n# none\n---\nrequest.method: PUT\n", &[]).unwrap();
    let places: Vec<&str> = documents.iter().map(|document| document.place.as_str()).collect();
    assert_eq!(places, ["r.yaml:1", "r.yaml:5"]);
}

#[test]
fn a_variable_comes_before_an_attribute_and_takes_what_is_inside() {
    let declared = ["--var=request.method=int", "--var=a.b=int", "--all"];
    let given = one("request: {method: 5}\na: {b: 1}\nresponse.code: 200", &declared);
    assert_eq!(value(&given, "[request.method, a.b, response.code]", &declared), "[5, 1, 200]");
    let declared = ["--var=request=dyn", "--no-vocabulary"];
    assert_eq!(value(&one("request: {method: {a: 5}}", &declared), "request.method.a", &declared), "5");
}
