//! What a case expects against what was.

use serde_json::Value as Json;

/// What `expect` may name.
pub(super) const FIELDS: [&str; 19] = [
    "decision",
    "status",
    "message",
    "reason",
    "ttl-ms",
    "max-uses",
    "headers",
    "metadata",
    "outputs",
    "failure",
    "metrics",
    "records",
    "spans",
    "log",
    "http",
    "kv",
    "sinks",
    "fuel-below",
    "memory-below",
];

/// What is not as expected, each with its path.
pub(super) fn problems(expected: &serde_json::Map<String, Json>, actual: &Json) -> Vec<String> {
    let mut problems = Vec::new();
    for (field, expected) in expected {
        let limit = field.strip_suffix("-below");
        let found = actual.get(limit.unwrap_or(field)).unwrap_or(&Json::Null);
        match limit {
            Some(_) if found.as_f64() < expected.as_f64() => {}
            Some(limit) => problems.push(format!("{limit}: expected below {expected}, was {found}")),
            None => differ(field, expected, found, &mut problems),
        }
    }
    // A failure that nobody expected is one, whatever else is asked for.
    if let (Some(failure), false) = (actual.get("failure").filter(|f| !f.is_null()), expected.contains_key("failure")) {
        problems.insert(0, format!("failure: {}", failure.as_str().unwrap_or_default()));
    }
    problems
}

fn differ(path: &str, expected: &Json, actual: &Json, problems: &mut Vec<String>) {
    let mut wrong = || problems.push(format!("{path}: expected {expected}, was {actual}"));
    match (expected, actual) {
        (Json::Object(wanted), Json::Object(found)) => {
            let exact = wanted.is_empty() || path == "outputs";
            if exact && wanted.len() != found.len() {
                return wrong();
            }
            for (name, wanted) in wanted {
                differ(&format!("{path}.{name}"), wanted, found.get(name).unwrap_or(&Json::Null), problems);
            }
        }
        (Json::Array(wanted), Json::Array(found)) => {
            if wanted.len() != found.len() {
                return wrong();
            }
            for (at, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                differ(&format!("{path}[{at}]"), wanted, found, problems);
            }
        }
        (Json::Object(none), Json::Null) if none.is_empty() => {}
        (Json::Array(none), Json::Null) if none.is_empty() => {}
        (Json::String(part), Json::String(whole)) if path == "failure" || path.starts_with("log[") => {
            if !whole.contains(part.as_str()) {
                wrong();
            }
        }
        (Json::Number(wanted), Json::Number(found)) if wanted.as_f64() == found.as_f64() => {}
        (wanted, found) if wanted == found => {}
        _ => wrong(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value as Json, json};

    use super::problems;

    fn told(expected: Json, actual: Json) -> String {
        problems(expected.as_object().unwrap(), &actual).join("; ")
    }

    #[test]
    fn what_is_named_must_be_so_and_the_rest_may_be_anything() {
        let actual = json!({"decision": "deny", "status": 403, "log": ["a line"], "metadata": {"a": 1, "b": 2},
            "outputs": {"a": 1, "b": 2}, "records": [], "failure": null, "fuel": 10});
        for (expected, problem) in [
            (json!({"decision": "deny", "status": 403.0, "metadata": {"b": 2}, "log": ["line"]}), ""),
            (json!({"decision": "allow"}), r#"decision: expected "allow", was "deny""#),
            (json!({"metadata": {"b": 3}}), "metadata.b: expected 3, was 2"),
            (json!({"metadata": {"c": null}, "records": [], "spans": [], "sinks": {}}), ""),
            (json!({"metadata": {}}), r#"metadata: expected {}, was {"a":1,"b":2}"#),
            (json!({"outputs": {"a": 1}}), r#"outputs: expected {"a":1}, was {"a":1,"b":2}"#),
            (json!({"log": []}), r#"log: expected [], was ["a line"]"#),
            (json!({"fuel-below": 11}), ""),
            (json!({"fuel-below": 10}), "fuel: expected below 10, was 10"),
        ] {
            assert_eq!(told(expected.clone(), actual.clone()), problem, "{expected}");
        }
    }

    #[test]
    fn a_failure_that_was_not_expected_is_a_problem() {
        let actual = json!({"failure": "it trapped: unreachable"});
        assert_eq!(told(json!({}), actual.clone()), "failure: it trapped: unreachable");
        assert_eq!(told(json!({"failure": "trapped"}), actual.clone()), "");
        assert!(told(json!({"failure": null}), actual).contains("expected null"));
    }
}
