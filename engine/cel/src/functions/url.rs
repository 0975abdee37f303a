//! URLs, as in Kubernetes. `isURL` is true of what `url` reads, and of nothing else.

use std::{collections::HashMap, sync::Arc};

use super::{Function, Outcome, Shape, global, method};
use crate::{
    error::EvalErrorKind::{self, Conversion, NoOverload},
    run::Budget,
    value::{Entries, Map, Url, Value},
};

const T: Shape = Shape::Text;
const URL: &[Shape] = &[Shape::Url];

pub(super) const FUNCTIONS: &[Function] = &[
    global("url", &[T], Shape::Url, url),
    global("isURL", &[T], Shape::Bool, is_url),
    method("getScheme", URL, T, scheme),
    method("getHost", URL, T, host),
    method("getHostname", URL, T, hostname),
    method("getPort", URL, T, port),
    method("getEscapedPath", URL, T, escaped_path),
    method("getQuery", URL, Shape::Map(&T, &Shape::List(&T)), query),
];

fn read(args: &[Value<'_>], budget: &mut Budget) -> Result<Option<Url>, EvalErrorKind> {
    let [Value::String(text)] = args else { return Err(NoOverload) };
    // It is read twice, and a path has three bytes for one where it must be escaped.
    budget.grow(6 * text.len() + size_of::<Url>())?;
    Ok(Url::parse(text))
}

fn url<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?.map(|url| Value::Url(Arc::new(url))).ok_or(Conversion)
}

fn is_url<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget).map(|url| Value::Bool(url.is_some()))
}

fn part<'a>(args: &[Value<'a>], of: impl Fn(&Url) -> &str, budget: &mut Budget) -> Outcome<'a> {
    let [Value::Url(url)] = args else { return Err(NoOverload) };
    let part = of(url);
    budget.grow(part.len())?;
    Ok(Value::shared(part))
}

fn scheme<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    part(args, Url::scheme, budget)
}

fn host<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    part(args, Url::host, budget)
}

fn hostname<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    part(args, Url::hostname, budget)
}

fn port<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    part(args, Url::port, budget)
}

fn escaped_path<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    part(args, Url::escaped_path, budget)
}

/// What a pair takes beside its texts: places in lists and maps.
const PAIR_BYTES: usize = 6 * size_of::<Value<'static>>();

/// Keys to their values, both in the order in which they come first.
fn query<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::Url(url)] = args else { return Err(NoOverload) };
    budget.read(url.size())?;
    let mut places: HashMap<Box<str>, usize> = HashMap::new();
    let mut found: Vec<(Value<'a>, Vec<Value<'a>>)> = Vec::new();
    for (key, value) in url.pairs() {
        budget.grow(PAIR_BYTES + 2 * key.len() + value.len())?;
        let place = *places.entry((*key).into()).or_insert(found.len());
        if place == found.len() {
            found.push((Value::shared(key), Vec::new()));
        }
        if let Some((_, values)) = found.get_mut(place) {
            values.push(Value::shared(value));
        }
    }
    let mut entries = Entries::default();
    for (key, values) in found {
        entries.push(key, Value::shared_list(values))?;
    }
    Ok(Value::Map(Map::new(entries)))
}
