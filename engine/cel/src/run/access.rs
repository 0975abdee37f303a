//! Attributes, keys, fields and indexes.

use weir_attributes::Slot;

use super::{Budget, Cx, Run, Watch};
use crate::{
    activation::Origin,
    error::{
        EvalErrorKind::{self, AbsentAttribute, AbsentKey, NoOverload, OutOfRange},
        Fault,
    },
    functions::OPTIONAL_BYTES,
    plan::{Index, Key},
    value::{ATTRIBUTE_BYTES, Map, Text, Value, attribute_key, header_lines, json, lines_of},
};

impl<'a, W: Watch> Cx<'a, '_, W> {
    #[inline]
    pub(super) fn present(&self, slot: Slot) -> Option<weir_attributes::Value<'a>> {
        match self.bag {
            Some(bag) => bag.get(slot),
            None => self.activation.attribute(slot),
        }
    }

    #[inline]
    pub(super) fn present_text(&self, slot: Slot) -> Option<&'a str> {
        match self.bag {
            Some(bag) => bag.str(slot),
            None => self.activation.text(slot),
        }
    }

    #[inline]
    pub(super) fn present_bytes(&self, slot: Slot) -> Option<&'a [u8]> {
        match self.bag {
            Some(bag) => bag.bytes(slot),
            None => self.activation.text(slot).map(str::as_bytes),
        }
    }

    /// Of an attribute that is an int.
    #[inline]
    pub(super) fn present_int(&self, slot: Slot) -> Option<i64> {
        match self.bag {
            Some(bag) => bag.int(slot),
            None => match self.activation.attribute(slot) {
                Some(weir_attributes::Value::Int(value)) => Some(value),
                _ => None,
            },
        }
    }

    #[inline]
    pub(super) fn attribute(&mut self, slot: Slot, at: u32) -> Run<Value<'a>> {
        if W::READS || W::PARTIAL {
            self.watch(Origin::Attribute(slot), at)?;
        }
        match self.present(slot) {
            Some(value @ (weir_attributes::Value::Map(_) | weir_attributes::Value::ListMap(_))) => {
                self.budget().grow(ATTRIBUTE_BYTES).map_err(|kind| Fault::new(kind, at))?;
                Ok(value.into())
            }
            Some(value) => Ok(value.into()),
            None => Err(Fault::new(AbsentAttribute(slot), at)),
        }
    }

    #[inline]
    pub(super) fn attribute_text(&mut self, slot: Slot, at: u32) -> Run<Text<'a>> {
        if W::READS || W::PARTIAL {
            self.watch(Origin::Attribute(slot), at)?;
        }
        match self.present_text(slot) {
            Some(text) => Ok(Text::Borrowed(text)),
            None => Err(self.not_of_type(slot, at)),
        }
    }

    #[cold]
    pub(super) fn not_of_type(&self, slot: Slot, at: u32) -> Fault {
        let there = self.present(slot).is_some();
        Fault::new(if there { NoOverload } else { AbsentAttribute(slot) }, at)
    }

    /// The text at one key of a map attribute, without copying it.
    #[inline]
    pub(super) fn key_text(&mut self, key: &'a Key) -> Run<Text<'a>> {
        if let Some(weir_attributes::Value::Map(map)) = self.present(key.slot) {
            if W::READS || W::PARTIAL {
                self.watch_key(key)?;
            }
            self.search(map, key.at)?;
            return match map.get(&key.key) {
                Some(std::borrow::Cow::Borrowed(text)) => Ok(Text::Borrowed(text)),
                Some(std::borrow::Cow::Owned(text)) => {
                    self.budget().grow(text.len()).map_err(|kind| Fault::new(kind, key.at))?;
                    Ok(Text::Shared(text.into()))
                }
                None => Err(Fault::new(AbsentKey, key.at)),
            };
        }
        match self.key(key)? {
            Value::String(text) => Ok(text),
            _ => Err(Fault::new(NoOverload, key.at)),
        }
    }

    pub(super) fn key(&mut self, key: &'a Key) -> Run<Value<'a>> {
        if W::READS || W::PARTIAL {
            self.watch_key(key)?;
        }
        let found = match self.present(key.slot) {
            Some(weir_attributes::Value::Map(map)) => {
                self.search(map, key.at)?;
                attribute_key(map, &key.key, self.budget())
            }
            Some(weir_attributes::Value::ListMap(headers)) => {
                self.search(weir_attributes::Map::Headers(headers), key.at)?;
                header_lines(headers, &key.key, self.budget())
            }
            Some(weir_attributes::Value::Struct(map)) => {
                map.get(&key.key).map(|value| json(value, self.budget())).transpose()
            }
            Some(_) => Err(NoOverload),
            None if key.optional => Ok(None),
            None => Err(AbsentAttribute(key.slot)),
        };
        finish(found, key.optional, AbsentKey, self.budget()).map_err(|kind| Fault::new(kind, key.at))
    }

    /// Takes the steps of comparing the names of many header lines with the one that is looked for.
    #[inline]
    pub(super) fn search(&mut self, map: weir_attributes::Map<'_>, at: u32) -> Run<()> {
        let lines = lines_of(map);
        if lines < 16 {
            return Ok(());
        }
        self.budget().spend(lines / 16).map_err(|kind| Fault::new(kind, at))
    }

    pub(super) fn has_key(&mut self, key: &Key, strict: bool) -> Run<bool> {
        if W::READS || W::PARTIAL {
            self.watch_key(key)?;
        }
        match self.present(key.slot) {
            Some(weir_attributes::Value::Map(map)) => {
                self.search(map, key.at)?;
                Ok(map.contains_key(&key.key))
            }
            Some(weir_attributes::Value::ListMap(headers)) => {
                self.search(weir_attributes::Map::Headers(headers), key.at)?;
                Ok(headers.contains(&key.key))
            }
            Some(weir_attributes::Value::Struct(map)) => Ok(map.get(&key.key).is_some()),
            Some(_) => Err(Fault::new(NoOverload, key.at)),
            None if strict => Err(Fault::new(AbsentAttribute(key.slot), key.at)),
            None => Ok(false),
        }
    }

    pub(super) fn index(&mut self, index: &'a Index) -> Run<Value<'a>> {
        let (operand, key) = self.keyed(&index.operand, |cx| index.key.run(cx))?;
        lookup(&operand, &key, index.optional, index.select, self).map_err(|kind| Fault::new(kind, index.at))
    }
}

/// `has(value.field)`.
pub(super) fn has_field(value: &Value<'_>, field: &Value<'_>, budget: &mut Budget) -> Result<bool, EvalErrorKind> {
    match value {
        Value::Map(map) => map.has(field, budget),
        Value::Optional(None) => Ok(false),
        Value::Optional(Some(inner)) => has_field(inner, field, budget),
        _ => Err(NoOverload),
    }
}

/// What was looked for: as an optional, or an error when it is not there.
fn finish<'a>(
    found: Result<Option<Value<'a>>, EvalErrorKind>,
    optional: bool,
    absent: EvalErrorKind,
    budget: &mut Budget,
) -> Result<Value<'a>, EvalErrorKind> {
    match (found?, optional) {
        (Some(value), true) => {
            budget.grow(OPTIONAL_BYTES)?;
            Ok(Value::some(value))
        }
        (Some(value), false) => Ok(value),
        (None, true) => Ok(Value::Optional(None)),
        (None, false) => Err(absent),
    }
}

fn lookup<'a, W: Watch>(
    operand: &Value<'a>,
    key: &Value<'a>,
    optional: bool,
    select: bool,
    cx: &mut Cx<'a, '_, W>,
) -> Result<Value<'a>, EvalErrorKind> {
    match operand {
        Value::Map(map) => finish(map.get(key, cx.budget()), optional, absent_or_bad(map, key), cx.budget()),
        Value::List(list) if !select => {
            let place = place(key)?;
            finish(Ok(place.and_then(|place| list.get(place)).cloned()), optional, OutOfRange, cx.budget())
        }
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(inner)) => lookup(inner, key, true, select, cx),
        _ => Err(NoOverload),
    }
}

fn absent_or_bad(_: &Map<'_>, key: &Value<'_>) -> EvalErrorKind {
    match key {
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::String(_) => AbsentKey,
        _ => EvalErrorKind::BadKey,
    }
}

/// A place in a list: whole numbers of any number type.
fn place(key: &Value<'_>) -> Result<Option<usize>, EvalErrorKind> {
    match key {
        Value::Int(place) => Ok(usize::try_from(*place).ok()),
        Value::Uint(place) => Ok(usize::try_from(*place).ok()),
        Value::Double(place) if place.fract() == 0.0 && (0.0..1e15).contains(place) => Ok(Some(*place as usize)),
        _ => Err(NoOverload),
    }
}
