//! Tables about types, and about one function each: asked through expressions that call it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use weir_cel::{
    Value,
    cexl::{Env, Type},
};

use super::{Answer, Question};
use crate::{
    suite::{Task, Verdict},
    typed::show,
};

type Cases = Vec<(String, Task)>;

/// The cases of a table, each with its name.
pub(super) fn cases(table: &str, rows: &Json, all: &BTreeMap<String, Json>) -> Result<Cases, String> {
    match table {
        "TestTypeCheck" => return Ok(Vec::new()),
        "TestTypeCheck#1" => return types(rows, all.get("TestTypeCheck").ok_or("its attributes are missing")?),
        "TestGetEmailParts" => {
            let count = rows.as_array().map_or(0, Vec::len);
            let skip = || Task::Skip("are about the inside of a function, which no expression shows");
            return Ok((0..count).map(|at| (at.to_string(), skip())).collect());
        }
        _ => {}
    }
    let rule = table.strip_prefix("TestExtern").ok_or("the runner does not know this table")?;
    let (function, kind) = rule.split_once('_').unwrap_or((rule, ""));
    let expected = match kind {
        "Positive" => Some(true),
        "Negative" => Some(false),
        "Error" | "" => None,
        _ => return Err("it is neither of Positive, Negative and Error".to_owned()),
    };
    match (rows, function) {
        (Json::Array(texts), "DnsName" | "Email" | "Uri" | "Ip" | "Timestamp") => {
            texts.iter().map(|text| conversion(function, as_text(text)?, expected)).collect()
        }
        (Json::Object(pairs), _) => {
            pairs.iter().map(|(left, right)| equality(function, left, as_text(right)?, expected)).collect()
        }
        (Json::Array(rows), _) => rows.iter().map(|row| truth(function, row)).collect(),
        _ => Err("it is no table".to_owned()),
    }
}

fn as_text(json: &Json) -> Result<&str, String> {
    json.as_str().ok_or_else(|| format!("{json} is no text"))
}

fn case(expr: &str, attributes: &[(&str, Type, &str)], answer: Answer) -> (String, Task) {
    let mut env = Env::builder();
    for (name, ty, _) in attributes {
        env = env.attribute(name, *ty);
    }
    let given =
        attributes.iter().map(|(name, _, text)| ((*name).to_owned(), Value::from((*text).to_owned()))).collect();
    let question = Question { expr: expr.to_owned(), env: env.build(), given, ty: None, answer, referenced: None };
    let texts: Vec<&str> = attributes.iter().map(|(.., text)| *text).collect();
    (format!("{expr} of {texts:?}"), Task::Ask(Box::new(move || question.verdict())))
}

fn answer(expected: Option<bool>) -> Answer {
    expected.map_or(Answer::Failed(None), |value| Answer::Value(show(&Value::Bool(value))))
}

/// A text that can be converted, or cannot.
fn conversion(function: &str, text: &str, expected: Option<bool>) -> Result<(String, Task), String> {
    let mut name = function.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let answer = match expected {
        Some(true) => Answer::Value(show(&Value::text(text))),
        _ => Answer::Failed(None),
    };
    Ok(case(&format!("{name}(text)"), &[("text", Type::String, text)], answer))
}

/// Two texts that are the same, are not, or cannot be compared.
fn equality(function: &str, left: &str, right: &str, expected: Option<bool>) -> Result<(String, Task), String> {
    let ty = match function {
        "DnsNameEqual" => Type::DnsName,
        "EmailEqual" => Type::EmailAddress,
        "UriEqual" => Type::Uri,
        _ => return Err(format!("the runner does not know `{function}`")),
    };
    Ok(case("left == right", &[("left", ty, left), ("right", ty, right)], answer(expected)))
}

/// A function that says whether a text is like another: `{s: text, p or u: other, e: whether}`.
fn truth(function: &str, row: &Json) -> Result<(String, Task), String> {
    let expr = match function {
        "Match" => "match(text, other)",
        "Matches" => "other.matches(text)",
        "StartsWith" => "text.startsWith(other)",
        "EndsWith" => "text.endsWith(other)",
        _ => return Err(format!("the runner does not know `{function}`")),
    };
    let field = |name: &str| row.get(name).and_then(Json::as_str);
    let (Some(text), Some(other), Some(expected)) =
        (field("s"), field("p").or_else(|| field("u")), row.get("e").and_then(Json::as_bool))
    else {
        return Err(format!("{row} has no `s`, `p` or `e`"));
    };
    Ok(case(expr, &[("text", Type::String, text), ("other", Type::String, other)], answer(Some(expected))))
}

fn types(rows: &Json, attributes: &Json) -> Result<Cases, String> {
    let named = |json: &Json| -> Result<Type, String> {
        let name = as_text(json)?;
        name.trim_start_matches("$dpb.").parse().map_err(|error| format!("{error}"))
    };
    let mut env = Env::builder();
    for pair in attributes.as_array().ok_or("the attributes are no list")? {
        let (name, ty) = (pair.get(0).ok_or("an attribute has no name")?, pair.get(1).ok_or("it has no type")?);
        env = env.attribute(as_text(name)?, named(ty)?);
    }
    let env = env.build();
    let rows = rows.as_array().ok_or("it is no list")?;
    rows.iter()
        .map(|row| {
            let field = |name: &str| row.get(name).ok_or_else(|| format!("{row} has no `{name}`"));
            let expr = as_text(field("in")?)?.to_owned();
            let wanted = if as_text(field("err")?)?.is_empty() { Some(named(field("out")?)?) } else { None };
            let (name, env) = (expr.clone(), env.clone());
            Ok((name, Task::Ask(Box::new(move || deduced(&env, &expr, wanted)))))
        })
        .collect()
}

fn deduced(env: &Env, expr: &str, wanted: Option<Type>) -> Verdict {
    let found = env.compile(expr).ok().map(|program| program.value_type());
    let shown = |ty: Option<Type>| ty.map_or_else(|| "an error when compiled".to_owned(), |ty| format!("type {ty}"));
    if found == wanted {
        return Verdict::Passed;
    }
    Verdict::Failed { expected: shown(wanted), got: shown(found), rule: "type".to_owned() }
}
