//! The projection: from a bag to the inputs that a manifest declares.

use std::borrow::Cow;

use weir_attributes::{Json, Splits, Value, World};

use crate::contract::v1::weir::plugin::types::ValueParam as Wire;
use crate::guest::Request;
use crate::manifest::Source;
use crate::mask::Mask;
use crate::plan::{Plan, computed};
use crate::{Cause, Input, READINGS_MAX};

/// One input's value, borrowed from the bag where it can be.
#[derive(Clone, Debug)]
pub(crate) enum Held<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Double(f64),
    Bool(bool),
    Bytes(Cow<'a, [u8]>),
    Timestamp(i64),
    Duration(i64),
    Pairs(Vec<(Cow<'a, str>, Cow<'a, str>)>),
    Texts(Vec<Cow<'a, str>>),
}

/// The value of one input, none when it is absent; what is sensitive goes through `mask` if there is one.
pub(crate) fn held<'a>(input: &Input, world: World<'a>, mask: Option<&Mask>) -> Option<Held<'a>> {
    let (slot, key) = match &input.source {
        Source::Attribute { slot, key } => (slot, key),
        Source::Expression { program, secret } => return computed(program, input.ty, world, mask.filter(|_| *secret)),
        Source::Unbound => return None,
    };
    let sensitive = mask.filter(|_| slot.attribute().sensitive);
    let header = |name: &str, value: Cow<'a, str>| match (sensitive, mask) {
        (Some(mask), _) => Cow::Owned(mask.hash(&value)),
        (None, Some(mask)) => mask.header(name, value),
        (None, None) => value,
    };
    let named = |name: &'a str, value| (Cow::Borrowed(name), header(name, value));
    Some(match (world.get(*slot)?, key) {
        (Value::String(text), _) => Held::Text(match sensitive {
            Some(mask) => Cow::Owned(mask.hash(text)),
            None => Cow::Borrowed(text),
        }),
        (Value::Int(number), _) => Held::Int(number),
        (Value::Bool(flag), _) => Held::Bool(flag),
        (Value::Timestamp(nanos), _) => Held::Timestamp(nanos),
        (Value::Duration(nanos), _) => Held::Duration(nanos),
        (Value::Map(map), Some(key)) => Held::Text(header(key, map.get(key)?)),
        (Value::ListMap(lines), Some(key)) => Held::Text(header(key, lines.joined(key)?)),
        (Value::Map(map), None) => Held::Pairs(map.keys().filter_map(|key| Some(named(key, map.get(key)?))).collect()),
        (Value::ListMap(lines), None) => {
            let of = |name: &'a str| lines.lines(name).map(move |value| (name, value));
            let lines = lines.names().flat_map(of);
            Held::Pairs(lines.map(|(name, value)| named(name, Cow::Borrowed(value))).collect())
        }
        (Value::Struct(map), Some(key)) => Held::Text(header(key, entry(map.get(key)?))),
        (Value::Struct(map), None) => Held::Pairs(map.iter().map(|(key, value)| named(key, entry(value))).collect()),
    })
}

/// An entry of a map of JSON: a text as it is, anything else as JSON text.
pub(crate) fn entry(value: &Json) -> Cow<'_, str> {
    match value.as_str() {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(value.to_string()),
    }
}

/// The inputs of one check, in the manifest's order.
pub(crate) fn gather<'a>(inputs: &[Input], world: World<'a>) -> Result<Vec<Option<Held<'a>>>, Cause> {
    let mut values = Vec::with_capacity(inputs.len());
    for input in inputs {
        let value = held(input, world, None);
        if value.is_none() && !input.optional {
            return Err(Cause::Absent(input.to_string()));
        }
        values.push(value);
    }
    Ok(values)
}

/// What `values` hold in lists, as slices, which the wire wants.
#[derive(Debug, Default)]
pub(crate) struct Slices<'v> {
    pairs: Vec<Vec<(&'v str, &'v str)>>,
    texts: Vec<Vec<&'v str>>,
}

impl<'v> Slices<'v> {
    pub(crate) fn of(values: &'v [Option<Held<'_>>]) -> Slices<'v> {
        let mut slices = Slices::default();
        for value in values.iter().flatten() {
            match value {
                Held::Pairs(pairs) => {
                    slices.pairs.push(pairs.iter().map(|(name, value)| (&**name, &**value)).collect())
                }
                Held::Texts(texts) => slices.texts.push(texts.iter().map(|text| &**text).collect()),
                _ => {}
            }
        }
        slices
    }
}

/// `values` as the wire wants them; `slices` are theirs.
pub(crate) fn wire<'v>(values: &'v [Option<Held<'_>>], slices: &'v Slices<'v>) -> Vec<Option<Wire<'v>>> {
    let (mut pairs, mut texts) = (slices.pairs.iter(), slices.texts.iter());
    let mut one = |value: &'v Held<'_>| match value {
        Held::Text(text) => Wire::Text(text),
        Held::Int(number) => Wire::Int(*number),
        Held::Double(number) => Wire::Double(*number),
        Held::Bool(flag) => Wire::Boolean(*flag),
        Held::Bytes(bytes) => Wire::Bytes(bytes),
        Held::Timestamp(nanos) => Wire::Timestamp(*nanos),
        Held::Duration(nanos) => Wire::Duration(*nanos),
        Held::Pairs(_) => Wire::Pairs(pairs.next().map(Vec::as_slice).unwrap_or_default()),
        Held::Texts(_) => Wire::Texts(texts.next().map(Vec::as_slice).unwrap_or_default()),
    };
    values.iter().map(|value| value.as_ref().map(&mut one)).collect()
}

/// In how many ways a doubtful bag can be read, as far as these inputs can tell.
#[derive(Debug)]
pub(crate) struct Readings<'a> {
    told: World<'a>,
    paths: usize,
    splits: Option<Splits>,
}

impl<'a> Readings<'a> {
    /// Both extremes of the header lines, all joined and all apart, with each reading of the path.
    ///
    /// # Errors
    /// More than [`READINGS_MAX`] readings, or more commas than can be told apart: doubt never allows.
    pub(crate) fn of(plan: &Plan, told: World<'a>) -> Result<Readings<'a>, Cause> {
        let bag = told.bag();
        let paths = if plan.by_path { bag.paths() } else { 1 };
        let splits = if plan.by_line { all_apart(bag)? } else { None };
        match paths * (1 + usize::from(splits.is_some())) <= READINGS_MAX {
            true => Ok(Readings { told, paths, splits }),
            false => Err(Cause::Doubt("its path can be read in too many ways".into())),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.paths * (1 + usize::from(self.splits.is_some()))
    }

    /// The bag as that reading shows it to a plugin.
    pub(crate) fn show(&self, index: usize, shown: &Option<Request>) -> Option<Request> {
        let mut request = shown.clone()?;
        request.path = index % self.paths;
        if index >= self.paths {
            request.splits.clone_from(&self.splits);
        }
        Some(request)
    }

    pub(crate) fn get(&self, index: usize) -> World<'_> {
        let world = self.told.with_path(index % self.paths);
        match (&self.splits, index >= self.paths) {
            (Some(splits), true) => world.with_splits(splits),
            _ => world,
        }
    }
}

fn all_apart(bag: &weir_attributes::Bag) -> Result<Option<Splits>, Cause> {
    let headers = bag.headers();
    let mut splits = None;
    for name in headers.names().filter(|name| headers.is_doubtful(name)) {
        let commas = headers.joined(name).map_or(0, |value| value.matches(',').count());
        if commas > u32::BITS as usize {
            return Err(Cause::Doubt(format!("the lines of {name} were joined at {commas} commas")));
        }
        splits.get_or_insert_with(Splits::new).decide(name, u32::MAX);
    }
    Ok(splits)
}

#[cfg(test)]
mod tests;
