//! What the policy says, as a verdict: a boolean, or an object of the fields that OPA's Envoy plugin knows.

use regorus::Value;
use weir::{Failure, HeaderOp, Verdict};

pub(crate) fn verdict(answer: &Value) -> Result<Verdict, Failure> {
    match answer {
        Value::Bool(true) => Ok(Verdict::abstain()),
        Value::Bool(false) => Ok(Verdict::deny("the policy says false")),
        Value::Undefined => Ok(Verdict::deny("the policy says nothing: the rule is undefined")),
        Value::Object(_) => object(answer),
        other => Err(unusable(&format!("{other}, neither a boolean nor an object"))),
    }
}

fn object(answer: &Value) -> Result<Verdict, Failure> {
    let Value::Bool(allowed) = &answer["allowed"] else {
        return Err(unusable("an object whose `allowed` is no boolean"));
    };
    if *allowed {
        let mut verdict = Verdict::abstain();
        if let Value::Array(names) = &answer["request_headers_to_remove"] {
            for name in names.iter() {
                verdict = verdict.header(HeaderOp::Remove(text(name)?));
            }
        }
        return headers(verdict, &answer["headers"]);
    }
    let mut verdict = Verdict::deny("the policy says allowed: false");
    if let Value::String(body) = &answer["body"] {
        verdict = verdict.message(body.to_string());
    }
    if let Value::Number(status) = &answer["http_status"] {
        let status = status.as_u64().and_then(|status| u16::try_from(status).ok());
        verdict = verdict.status(status.ok_or_else(|| unusable("an http_status that is none"))?);
    }
    headers(verdict, &answer["headers"])
}

/// A text sets a header; of a list the first text sets it and the others are added.
fn headers(mut verdict: Verdict, headers: &Value) -> Result<Verdict, Failure> {
    let Value::Object(headers) = headers else { return Ok(verdict) };
    for (name, value) in headers.iter() {
        let name = text(name)?;
        let values = match value {
            Value::Array(values) => values.iter().map(text).collect::<Result<Vec<_>, _>>()?,
            one => vec![text(one)?],
        };
        for (at, value) in values.into_iter().enumerate() {
            let pair = (name.clone(), value);
            verdict = verdict.header(if at == 0 { HeaderOp::Set(pair) } else { HeaderOp::Append(pair) });
        }
    }
    Ok(verdict)
}

fn text(value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text.to_string()),
        other => Err(unusable(&format!("{other} where a text belongs"))),
    }
}

fn unusable(what: &str) -> Failure {
    Failure::Internal(format!("the policy says {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use regorus::Value;
    use weir::Decision;

    use super::verdict;

    #[test]
    fn a_policy_says_yes_or_no_or_how() {
        for (json, decision, status) in [
            ("true", Decision::Abstain, None),
            ("false", Decision::Deny, None),
            (r#"{"allowed": true, "headers": {"x-a": "1"}}"#, Decision::Abstain, None),
            (r#"{"allowed": false, "http_status": 429, "body": "later"}"#, Decision::Deny, Some(429)),
        ] {
            let verdict = verdict(&Value::from_json_str(json).unwrap()).unwrap();
            assert_eq!((verdict.decision, verdict.status), (decision, status), "{json}");
        }
        assert_eq!(verdict(&Value::Undefined).unwrap().decision, Decision::Deny);
    }

    #[test]
    fn what_is_no_answer_fails() {
        for json in ["1", "{}", r#"{"allowed": 1}"#, r#"{"allowed": true, "headers": {"x": 1}}"#] {
            assert!(verdict(&Value::from_json_str(json).unwrap()).is_err(), "{json}");
        }
    }
}
