//! Problems with fields become problems with lines.

use weir_config::Options;
use weir_policy::{Problem, Severity};

use crate::folder::{ALLOW, CEL, files};

fn problem(document: usize, path: &str, span: Option<std::ops::Range<usize>>) -> Problem {
    Problem {
        severity: Severity::Error,
        document,
        path: path.to_owned(),
        span,
        message: "wrong".to_owned(),
        help: None,
    }
}

#[test]
fn a_path_and_a_span_become_line_and_column_in_the_right_file() {
    let loaded = files(
        [("a.yaml", &*format!("{ALLOW}---\n{CEL}")), ("b.yaml", &ALLOW.replace("allow-get", "other"))],
        &Options::default(),
    )
    .unwrap();
    let cel = loaded.documents.cel[0].id;
    let other = loaded.documents.authorization[1].id;
    let expression = &loaded.documents.cel[0].spec.rules[0].expression;
    let call = expression.find("contains").unwrap();
    for (problem, place, marked) in [
        (problem(cel, "spec.rules[0].expression", Some(call..call + 8)), "config/a.yaml:25:33", "contains"),
        (problem(cel, "spec.rules[0].name", None), "config/a.yaml:24:11", "bot"),
        (problem(cel, "spec.rules[0].status", None), "config/a.yaml:24:5", "name: bot"),
        (problem(other, "spec.rules[0].to[0].operation.methods[0]", None), "config/b.yaml:11:19", "GET"),
        (problem(other, "spec.rules[0].to[0].operation.methods", None), "config/b.yaml:11:9", "methods"),
        (problem(other, "metadata.annotations.x", None), "config/b.yaml:3:1", "metadata"),
    ] {
        let found = loaded.diagnose(std::slice::from_ref(&problem));
        let first = found.first().unwrap();
        let excerpt = first.excerpt.as_ref().unwrap();
        assert_eq!(
            (first.place.to_string().as_str(), &excerpt.text()[excerpt.marked()]),
            (place, marked),
            "{}",
            problem.path
        );
    }
}

#[test]
fn a_problem_of_an_unknown_document_is_about_the_folder() {
    let loaded = files([("a.yaml", ALLOW)], &Options::default()).unwrap();
    let found = loaded.diagnose(&[problem(99, "spec", None)]);
    assert_eq!(found.first().unwrap().to_string(), "config: wrong");
}

#[test]
fn the_configuration_of_an_adapter_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("p.wasm"), "").unwrap();
    let text = "apiVersion: policy.weir.dev/v1alpha1
kind: Adapter
metadata: {name: a}
spec: {source: {file: p.wasm}, config: {
  url: \"https://CANARY\", list: [CANARY],
  deep: {er: CANARY}}}
";
    std::fs::write(dir.path().join("a.yaml"), text).unwrap();
    let loaded = weir_config::load(dir.path(), &Options::default()).unwrap();
    for path in ["spec.config", "spec.config.url", "spec.config.list[0]", "spec.config.deep.er", "spec.config.nothing"]
    {
        let found = loaded.diagnose(&[problem(0, path, None)]);
        assert!(found.first().unwrap().place.line >= 4);
        assert!(!found.to_string().contains("CANARY"), "{path}: {found}");
        assert!(!serde_json::to_string(&found).unwrap().contains("CANARY"), "{path}");
    }
}

#[test]
fn an_adapter_that_does_not_parse_shows_no_credentials() {
    let head = "apiVersion: policy.weir.dev/v1alpha1\nkind: Adapter\nmetadata: {name: a}\n";
    for tail in [
        "spec:\n  source: {file: x}\n  config:\n    url: \"CANARY\n",
        "spec:\n  source: {file: x}\n  config:\n    url: CANARY\n    url: CANARY\n",
        "spec:\n  source: {file: x}\n  config:\n    list:\n    - CANARY\n   - CANARY\n",
        "spec:\n  source: {file: x}\n  config:\n\turl: CANARY\n",
        "spec: {source: {fil: x}, config: {url: CANARY}}\n",
        "spec: {source: {file: x}, config: {url: CANARY}, limit: 1}\n",
        "spec: {source: {file: x}, config: {url: CANARY},\n  limits: {memoryMiB: no}}\n",
        "spec: {source: {file: x}, config: *CANARY}\n",
    ] {
        let found = files([("a.yaml", &*format!("{head}{tail}"))], &Options::default()).unwrap_err();
        assert!(found.first().unwrap().place.line > 3, "{found}");
        assert!(!found.to_string().contains("CANARY"), "{found}");
        assert!(!serde_json::to_string(&found).unwrap().contains("CANARY"), "{found}");
    }
}
