//! URLs, as in Kubernetes. `isURL` is true of what `url` reads, and of nothing else.

use std::{collections::HashMap, sync::Arc};

use super::{Effect, Function, Growth, Outcome, Shape, global, growth::reading, method};
use crate::{
    cost::{Bounds, Extent, Spend},
    error::EvalErrorKind::{self, Conversion, NoOverload},
    run::Budget,
    value::{ENTRY_BYTES, Entries, Map, Url, Value},
};

const T: Shape = Shape::Text;
const URL: &[Shape] = &[Shape::Url];

pub(super) const FUNCTIONS: &[Function] = &[
    global("url", &[T], Shape::Url, url).costs(Growth::By(reading_one)),
    global("isURL", &[T], Shape::Bool, is_url).costs(Growth::By(reading_one)),
    method("getScheme", URL, T, scheme).costs(Growth::Copies(1, 0)),
    method("getHost", URL, T, host).costs(Growth::Copies(1, 0)),
    method("getHostname", URL, T, hostname).costs(Growth::Copies(1, 0)),
    method("getPort", URL, T, port).costs(Growth::Copies(1, 0)),
    method("getEscapedPath", URL, T, escaped_path).costs(Growth::Copies(1, 0)),
    method("getQuery", URL, Shape::Map(&T, &Shape::List(&T)), query).costs(Growth::By(querying)),
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
const PAIR_BYTES: usize = ENTRY_BYTES + 6 * size_of::<Value<'static>>();

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

/// A URL is as long as its text, three times where it has to be escaped.
fn reading_one(args: &[Extent]) -> Effect {
    let len = args.first().map_or(0, |text| text.len().max);
    let beside = size_of::<Url>() as u64;
    let taken = Bounds::at_most(len.saturating_mul(6).saturating_add(beside));
    let gives = Extent::text(Bounds::at_most(len.saturating_mul(3).saturating_add(beside)));
    Effect { spend: reading(args) + Spend::grow(taken), gives }
}

fn querying(args: &[Extent]) -> Effect {
    let len = args.first().map_or(0, |url| url.len().max);
    let (texts, pairs) = (Extent::text(Bounds::at_most(len)), Bounds::at_most(len / 2 + 1));
    let made = pairs.times(Bounds::exactly(PAIR_BYTES as u64)).max.saturating_add(len.saturating_mul(2));
    let values = Extent::list(pairs, texts.clone()).of_bytes(len);
    Effect { spend: reading(args) + Spend::grow(Bounds::at_most(made)), gives: Extent::map(pairs, texts, values) }
}
