//! The suites on our own rows, which every clone has, and on the shared cases, which only some places have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use weir_conformance::{Report, find, run, via_ext_authz};

fn own(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(file)
}

/// `$WEIR_SHARED`, else `shared` beside the repository.
fn shared(folder: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("WEIR_SHARED").map_or_else(beside, PathBuf::from).join("cases").join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: needs ../shared/cases");
    None
}

fn report(suite: &str, files: &[PathBuf]) -> Report {
    run(find(suite).unwrap(), files).unwrap()
}

/// What is written to a file, as the suite `cel` sees it.
fn of(rows: &str) -> Result<Report, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.jsonl");
    fs::write(&file, rows).unwrap();
    let outcome = run(find("cel").unwrap(), std::slice::from_ref(&file));
    outcome.map_err(|malformed| malformed.to_string().replace(folder.path().to_str().unwrap(), ""))
}

#[test]
fn our_own_rows_pass() {
    let report = report("cel", &[own("cel.jsonl")]);
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.to_string(), "skipped: 1 need proto2/proto3 test messages\n17 passed, 0 failed\n");
}

#[test]
fn our_own_rows_of_mixers_language_pass() {
    let report = report("cexl", &[own("cexl.json")]);
    assert_eq!(report.to_string(), "18 passed, 0 failed\n");
}

/// The suites about Istio's policies: own and shared file, and how many rows the shared one has at least.
const POLICIES: [(&str, &str, usize); 5] = [
    ("authz", "cases.jsonl", 1_000),
    ("authz-invalid", "invalid.jsonl", 60),
    ("authz-valid", "valid.jsonl", 20),
    ("normalization", "normalization.jsonl", 100),
    ("peerauth", "peerauth.jsonl", 3),
];

#[test]
fn our_own_rows_of_policies_pass_and_none_is_left_out() {
    for (suite, _, _) in POLICIES {
        let report = report(suite, &[own(&format!("{suite}.jsonl"))]);
        assert!(report.failures.is_empty() && report.skipped.is_empty() && report.passed > 2, "{suite}: {report}");
    }
}

#[test]
fn the_shared_rows_of_policies_pass_and_none_is_left_out() {
    let Some(folder) = shared("authz") else { return };
    for (suite, file, least) in POLICIES {
        let report = report(suite, &[folder.join(file)]);
        assert!(report.failures.is_empty() && report.skipped.is_empty(), "{suite}: {report}");
        assert!(report.passed >= least, "{suite}: only {} rows", report.passed);
    }
}

#[test]
fn rows_pass_through_the_door_for_envoy_and_what_it_cannot_carry_is_counted() {
    let report = via_ext_authz(&[own("authz.jsonl")], |_, _| ()).unwrap();
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.skipped.len(), 3, "plain connections, a bad method, claims without an issuer: {report}");
    assert!(report.passed >= 40, "{report}");
    let Some(folder) = shared("authz") else { return };
    let report = via_ext_authz(&[folder.join("cases.jsonl")], |_, _| ()).unwrap();
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.passed >= 1_500, "{report}");
}

/// Rows of policies, and what must stand in the line of their failure.
const WRONG_AUTHZ: &[(&str, &str)] = &[
    (r#""expect": "deny""#, "expected deny, got allow (decided by: allowed-by-rule: shop/p rule 0)"),
    (r#""expect": "http_401""#, "expected http_401, got allow"),
    (r#""expect": "allow", "expect_audit": true"#, "expected the audit mark true, got the audit mark false"),
    (
        r#""expect": "allow", "oracle": {"shadow_deny": "denied"}"#,
        "expected the DENY side of dry-run denied, got the DENY side of dry-run none",
    ),
    (
        r#""expect": "allow", "oracle": {"verdict": "allow", "path": "/b"}"#,
        "expected the path /b, got the path /a (decided by",
    ),
    (r#""expect": "http_500""#, "expected a row that the suite can ask, got unknown variant `http_500`"),
    (r#""expect": "allow", "normalization": "SOME""#, "got refused: "),
];

#[test]
fn a_row_of_policies_that_fails_says_what_decided() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.jsonl");
    let policy = r#"{"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"rules": [{}]}}"#;
    for (rest, line) in WRONG_AUTHZ {
        let given = r#""workload": {"namespace": "shop"}, "request": {"path": "/a"}"#;
        fs::write(&file, format!(r#"{{"name": "n", "tier": 2, "policies": [{policy}], {given}, {rest}}}"#)).unwrap();
        let report = report("authz", std::slice::from_ref(&file));
        let [failure] = report.failures.as_slice() else { panic!("{rest}: {report}") };
        assert!(failure.contains(line) && failure.contains(":1 n (tier 2): "), "{rest}: {failure}");
    }
}

#[test]
fn the_rows_of_mixers_language_pass() {
    let Some(folder) = shared("mixer") else { return };
    let files = ["cexl_expressions.json", "cexl_typecheck.json", "extern_functions.json"];
    let report = report("cexl", &files.map(|file| folder.join(file)));
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.passed >= 300, "only {} rows", report.passed);
}

/// Rows of Mixer's language, and what must stand in the line of their failure.
const WRONG_CEXL: &[(&str, &str)] = &[
    (
        r#""expr": "a", "result": {"string": "x"}"#,
        "expected string \"x\", got the error `lookup failed: 'a'` (decided by: evaluate)",
    ),
    (
        r#""expr": "a | \"x\"", "result": {"string": "y"}"#,
        "expected string \"y\", got string \"x\" (decided by: value)",
    ),
    (
        r#""expr": "a", "eval_err_prefix": "lookup failed: 'b'""#,
        "expected the error `lookup failed: 'b'`, got the error",
    ),
    (r#""expr": "a", "compile_err": "none""#, "expected an error when compiled, got a program of type STRING"),
    (r#""expr": "b", "result": {"string": "x"}"#, "got the error `there is no attribute `b`` when compiled"),
    (r#""expr": "\"x\"", "type": "URI", "result": {"string": "x"}"#, "expected type URI, got type STRING"),
    (
        r#""expr": "a | \"x\"", "result": {"string": "x"}, "cel_result": {"string": ""}, "referenced": ["a"]"#,
        "expected references {\"a\"}, got {\"-a\"}",
    ),
    (r#""expr": "a | \"x\"", "result": {"string": "x"}"#, "expected string \"x\" in the mode COMPAT, got string \"\""),
];

#[test]
fn a_row_of_mixers_language_that_fails_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.json");
    for (row, line) in WRONG_CEXL {
        let text =
            format!(r#"{{"attribute_sets": {{"s": {{"a": "STRING"}}}}, "cases": [{{"attrs_set": "s", {row}}}]}}"#);
        fs::write(&file, text).unwrap();
        let report = report("cexl", std::slice::from_ref(&file));
        let [failure] = report.failures.as_slice() else { panic!("{row}: {report}") };
        assert!(failure.contains(line), "{row}: {failure}");
    }
}

#[test]
fn the_rows_of_cel_spec_pass() {
    let Some(folder) = shared("cel") else { return };
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let report = report("cel", &files);
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.passed + report.failures.len() >= 1_000, "only {} rows", report.passed);
}

/// Rows, and what must stand in the line of their failure.
const WRONG: &[(&str, &str)] = &[
    (
        r#"{"section": "s", "name": "n", "expr": "1", "expected": {"value": {"t": "uint", "v": "1"}}}"#,
        ":1 s/n: expected uint 1, got int 1 (decided by: value)",
    ),
    (
        r#"{"expr": "[1]", "expected": {"type": {"list": "dyn"}}}"#,
        "expected type list(dyn), got type list(int) (decided by: type)",
    ),
    (r#"{"expr": "1", "expected": {"error": [{}]}}"#, "expected an error, got int 1 (decided by: value)"),
    (
        r#"{"expr": "1 / 0", "expected": {"value": {"t": "int", "v": "1"}}}"#,
        "got the error `\u{60}1 / 0\u{60}: division by zero` (decided by: evaluate)",
    ),
    (r#"{"expr": "'a\n", "check_only": true, "expected": {}}"#, "expected no error when compiled, got the error"),
    (r#"{"expr": "0.0", "expected": {"value": {"t": "double", "v": "-0.0"}}}"#, "expected double -0.0, got double 0.0"),
];

#[test]
fn a_row_that_fails_says_what_was_expected_what_came_and_what_decided() {
    for (row, line) in WRONG {
        let report = of(row).unwrap();
        let [failure] = report.failures.as_slice() else { panic!("{row}: {report}") };
        assert!(failure.contains(line) && !failure.contains('\n'), "{row}: {failure}");
        assert_eq!(report.passed, 0);
    }
}

/// Rows that cannot be asked, and where and why.
const UNREADABLE: &[(&str, &str)] = &[
    ("\n{\"expr\": 1}", ":2: expected a row that the suite can ask, got invalid type: integer `1`, expected a string"),
    (r#"{"expr": "1"}"#, ":1: expected a row that the suite can ask, got missing field `expected`"),
    (r#"{"expr": "1", "expected": {}}"#, "got `expected` has no value"),
    (r#"{"expr": "1", "expected": {"value": {"t": "int", "v": "one"}}}"#, "got `one` is no such number"),
    (r#"{"expr": "1", "expected": {"type": "int65"}}"#, "got there is no type \"int65\""),
    (r#"{"expr": "1", "expected": {"value": {"t": "ant"}}}"#, "got unknown variant `ant`"),
];

#[test]
fn a_row_that_cannot_be_asked_fails_with_its_line_and_the_others_are_asked() {
    for (row, words) in UNREADABLE {
        let report = of(&format!("{row}\n{}", r#"{"expr": "1", "expected": {"type": "int64"}}"#)).unwrap();
        let [failure] = report.failures.as_slice() else { panic!("{row}: {report}") };
        assert!(failure.contains(words) && failure.ends_with("(decided by: row)"), "{row}: {failure}");
        assert_eq!(report.passed, 1);
    }
    let error = of("{\"expr\": \"1\", \"expected\": {\"type\": \"int64\"}}\n{").unwrap_err();
    assert!(error.starts_with("/rows.jsonl:2: EOF"), "{error}");
}

fn conformance(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir-conformance")).args(args).output().unwrap()
}

#[test]
fn the_exit_says_whether_all_passed_some_failed_or_nothing_was_asked() {
    let file = own("cel.jsonl");
    let good = conformance(&["cel", file.to_str().unwrap()]);
    assert!(good.status.success());
    assert!(String::from_utf8(good.stdout).unwrap().ends_with("\n17 passed, 0 failed\n"));

    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.jsonl");
    fs::write(&bad, WRONG[0].0).unwrap();
    let bad = conformance(&["cel", file.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8(bad.stdout).unwrap().ends_with("\n17 passed, 1 failed\n"));

    let missing = folder.path().join("missing.jsonl");
    for (args, words) in [
        (vec![], "usage: weir-conformance SUITE [--via ext_authz] FILE..."),
        (vec!["cel"], "usage: weir-conformance SUITE [--via ext_authz] FILE..."),
        (vec!["cel", "--via", "ext_authz", "x"], "write authz --via ext_authz FILE..."),
        (vec!["authz", "x", "--via"], "write authz --via ext_authz FILE..."),
        (vec!["sell", "x"], "there is no suite `sell`"),
        (vec!["cel", missing.to_str().unwrap()], "missing.jsonl: No such file"),
    ] {
        let refused = conformance(&args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(told.contains(words), "{args:?}: {told}");
    }
}
