//! Sets, adds and removes headers of requests.

use std::collections::BTreeMap;

use serde::Deserialize;
use weir::{Bound, Configure, Failure, HeaderOp, Value, Verdict, bindings};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    set: BTreeMap<String, String>,
    append: BTreeMap<String, String>,
    remove: Vec<String>,
}

struct Stamp {
    set: Vec<(String, Source)>,
    append: Vec<(String, Source)>,
    remove: Vec<String>,
}

/// Where a value comes from.
enum Source {
    Fixed(String),
    /// The operator's binding of that name.
    Bound(String),
}

impl Configure for Stamp {
    fn configure(json: &str) -> Result<Self, Failure> {
        let Config { set, append, remove } = Config::configure(json)?;
        let sources = |headers: BTreeMap<String, String>| {
            headers.into_iter().map(|(name, value)| Ok((name, source(value)?))).collect::<Result<_, Failure>>()
        };
        Ok(Stamp { set: sources(set)?, append: sources(append)?, remove })
    }
}

fn source(value: String) -> Result<Source, Failure> {
    let Some(name) = value.strip_prefix('$') else { return Ok(Source::Fixed(value)) };
    if bindings().iter().any(|binding| binding.name == name) {
        return Ok(Source::Bound(name.to_owned()));
    }
    Err(Failure::InvalidInput(format!("{value} names no binding: write `bindings: {{{name}: CEL}}` in the Adapter")))
}

impl Source {
    /// The value for this request, when there is one.
    fn of(&self, bound: &Bound) -> Result<Option<String>, Failure> {
        Ok(match self {
            Source::Fixed(text) => Some(text.clone()),
            Source::Bound(name) => match bound.get(name) {
                None => None,
                Some(Value::Text(text)) => Some(text.clone()),
                Some(Value::Int(number)) => Some(number.to_string()),
                Some(Value::Double(number)) => Some(number.to_string()),
                Some(Value::Boolean(flag)) => Some(flag.to_string()),
                Some(Value::Texts(texts)) => Some(texts.join(",")),
                Some(other) => return Err(Failure::InvalidInput(format!("{name} is {other:?}: no header holds that"))),
            },
        })
    }
}

#[weir::check]
fn check(inputs: Inputs, stamp: &Stamp) -> Result<Verdict, Failure> {
    let mut verdict = Verdict::abstain();
    for name in &stamp.remove {
        verdict = verdict.header(HeaderOp::Remove(name.clone()));
    }
    for (name, source) in &stamp.set {
        verdict = verdict.header(match source.of(&inputs.bound)? {
            Some(value) => HeaderOp::Set((name.clone(), value)),
            // What the client wrote there must not pass for ours.
            None => HeaderOp::Remove(name.clone()),
        });
    }
    for (name, source) in &stamp.append {
        if let Some(value) = source.of(&inputs.bound)? {
            verdict = verdict.header(HeaderOp::Append((name.clone(), value)));
        }
    }
    Ok(verdict)
}
