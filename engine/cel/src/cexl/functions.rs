//! The functions of the language, and what is done by a function where CEL has an operator.

use std::net::IpAddr;

use super::{Type, dns, email::Address, uri};
use crate::{
    error::EvalErrorKind::{self, Conversion, NoOverload},
    functions::{Native, Outcome, Pattern},
    run::Budget,
    value::{Text, Timestamp, Value},
};

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Called as `target.name(...)`: the target is the first parameter.
    pub(super) method: bool,
    pub(super) params: &'static [Type],
    pub(super) result: Type,
    pub(super) does: Does,
}

/// How a call is planned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    Run(Native),
    Match,
    Matches,
    StartsWith,
    EndsWith,
    EmptyMap,
}

const fn global(name: &'static str, params: &'static [Type], result: Type, does: Does) -> Function {
    Function { name, method: false, params, result, does }
}

const fn method(name: &'static str, does: Does) -> Function {
    Function { name, method: true, params: &[Type::String, Type::String], result: Type::Bool, does }
}

/// All but `conditional`, which takes any type.
pub(super) static FUNCTIONS: [Function; 13] = [
    global("match", &[Type::String, Type::String], Type::Bool, Does::Match),
    method("matches", Does::Matches),
    method("startsWith", Does::StartsWith),
    method("endsWith", Does::EndsWith),
    global("ip", &[Type::String], Type::IpAddress, Does::Run(ip)),
    global("timestamp", &[Type::String], Type::Timestamp, Does::Run(timestamp)),
    global("dnsName", &[Type::String], Type::DnsName, Does::Run(dns_name)),
    global("email", &[Type::String], Type::EmailAddress, Does::Run(email)),
    global("uri", &[Type::String], Type::Uri, Does::Run(uri)),
    global("toLower", &[Type::String], Type::String, Does::Run(to_lower)),
    global("size", &[Type::String], Type::Int64, Does::Run(size)),
    global("emptyStringMap", &[], Type::StringMap, Does::EmptyMap),
    global("conditionalString", &[Type::Bool, Type::String, Type::String], Type::String, Does::Run(conditional)),
];

/// Takes the steps of looking closely at texts: of each byte, not of sixty-four at once.
fn look(texts: &[&str], budget: &mut Budget) -> Result<(), EvalErrorKind> {
    budget.spend(texts.iter().map(|text| text.len()).sum())
}

fn text<'v, 'a>(args: &'v [Value<'a>], budget: &mut Budget) -> Result<&'v Text<'a>, EvalErrorKind> {
    let [Value::String(text)] = args else { return Err(NoOverload) };
    look(&[text], budget)?;
    Ok(text)
}

fn texts<'v>(args: &'v [Value<'_>], budget: &mut Budget) -> Result<(&'v str, &'v str), EvalErrorKind> {
    let [Value::String(a), Value::String(b)] = args else { return Err(NoOverload) };
    look(&[a, b], budget)?;
    Ok((a, b))
}

fn ip<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    text(args, budget)?.parse().map(Value::Ip).map_err(|_| Conversion)
}

fn timestamp<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    Timestamp::parse(text(args, budget)?).map(Value::Timestamp).ok_or(Conversion)
}

fn dns_name<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let text = text(args, budget)?;
    // Decoding may take about as much as the text has.
    budget.grow(4 * text.len())?;
    let name = dns::parse(text).ok_or(Conversion)?;
    Ok(if name == **text { Value::String(text.clone()) } else { Value::shared(name.into_owned()) })
}

fn email<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let text = text(args, budget)?;
    budget.grow(4 * text.len())?;
    let valid = Address::parse(text).is_some_and(|address| address.has_domain());
    if valid { Ok(Value::String(text.clone())) } else { Err(Conversion) }
}

fn uri<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let text = text(args, budget)?;
    budget.grow(4 * text.len())?;
    if uri::is_uri(text) { Ok(Value::String(text.clone())) } else { Err(Conversion) }
}

fn to_lower<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let text = text(args, budget)?;
    // A character's lower case may be longer, but never three times as long.
    budget.grow(3 * text.len())?;
    Ok(Value::shared(text.to_lowercase()))
}

/// Bytes, unlike in CEL.
fn size<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    let [Value::String(text)] = args else { return Err(NoOverload) };
    Ok(Value::Int(text.len() as i64))
}

/// Characters, as in CEL.
pub(super) fn count<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    Ok(Value::Int(text(args, budget)?.chars().count() as i64))
}

fn conditional<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Bool(true), value, _] | [Value::Bool(false), _, value] => Ok(value.clone()),
        _ => Err(NoOverload),
    }
}

/// `match` with a pattern that is computed.
pub(super) fn matches_shape<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, pattern) = texts(args, budget)?;
    Ok(Value::Bool(match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(prefix), _) => text.starts_with(prefix),
        (None, Some(suffix)) => text.ends_with(suffix),
        (None, None) => text == pattern,
    }))
}

/// `matches` with a pattern that is computed, which is the first argument.
pub(super) fn matches_pattern<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(pattern), Value::String(text)] = args else { return Err(NoOverload) };
    let pattern = Pattern::now(pattern, budget)?;
    pattern.read(text, budget)?;
    Ok(Value::Bool(pattern.regex.is_match(text)))
}

/// The sum of two ints, which begins anew at the other end where it leaves its range, as Go's does.
pub(super) fn add<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    let [Value::Int(a), Value::Int(b)] = args else { return Err(NoOverload) };
    Ok(Value::Int(a.wrapping_add(*b)))
}

/// The function that tells whether two values of a type are the same, where that is more than it says.
pub(super) fn equality(ty: Type) -> Option<Native> {
    match ty {
        Type::IpAddress => Some(ip_equal),
        Type::DnsName => Some(dns_equal),
        Type::EmailAddress => Some(email_equal),
        Type::Uri => Some(uri_equal),
        _ => None,
    }
}

fn ip_equal<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    let [a, b] = args else { return Err(NoOverload) };
    // Bytes are an address that is absent in the mode COMPAT.
    let address = |value: &Value<'_>| match value {
        Value::Ip(address) => Ok(Some(IpAddr::to_canonical(address))),
        Value::Bytes(_) => Ok(None),
        _ => Err(NoOverload),
    };
    Ok(Value::Bool(address(a)? == address(b)?))
}

fn dns_equal<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (a, b) = texts(args, budget)?;
    budget.grow(4 * (a.len() + b.len()))?;
    dns::equal(a, b).map(Value::Bool).ok_or(Conversion)
}

fn email_equal<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (a, b) = texts(args, budget)?;
    budget.grow(4 * (a.len() + b.len()))?;
    let (a, b) = (Address::parse(a).ok_or(Conversion)?, Address::parse(b).ok_or(Conversion)?);
    a.equal(&b).map(Value::Bool).ok_or(Conversion)
}

fn uri_equal<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (a, b) = texts(args, budget)?;
    budget.grow(8 * (a.len() + b.len()))?;
    uri::equal(a, b).map(Value::Bool).ok_or(Conversion)
}
