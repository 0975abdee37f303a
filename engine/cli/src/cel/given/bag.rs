//! Told attributes become a bag, with what follows from them.

use std::{collections::HashSet, ops::Range, sync::Arc};

use weir_attributes::{Bag, Json, JsonError, List, Slot, Struct, Type, slot};
use weir_cel::{Entries, Map, Value};
use weir_policy::{Mesh, WorkloadIdentity, prepare};

use super::Wrong;

/// An attribute that was told: which, where, and its value; none says that it is absent.
pub(super) type Fact = (Slot, Range<usize>, Option<Value<'static>>);

/// The bag, and the attributes of which it is known whether they are there. What the engine derives is derived the same
/// way, unless it was told.
pub(super) fn fill(facts: Vec<Fact>) -> Result<(Bag, HashSet<Slot>), Wrong> {
    let mut bag = Bag::default();
    let told: HashSet<Slot> = facts.iter().map(|(slot, ..)| *slot).collect();
    if told.contains(&slot::REQUEST_HEADERS)
        && let Some((_, range, _)) = facts.iter().find(|(slot, ..)| *slot == slot::REQUEST_HEADERS_ALL)
    {
        let message = "`request.headers_all` and `request.headers` are the same lines";
        return Err(Wrong::new(range.clone(), message, "write one of the two"));
    }
    for (slot, range, value) in facts.iter().filter(|(slot, ..)| !slot.attribute().is_derived()) {
        set(&mut bag, *slot, value.as_ref(), range)?;
    }
    let nowhere = WorkloadIdentity::new(None, "", Default::default(), None);
    if let Err(invalid) = prepare(&mut bag, &Mesh::default(), &nowhere) {
        let path = facts.iter().find(|(slot, ..)| *slot == slot::REQUEST_PATH);
        let range = path.map_or(0..0, |(_, range, _)| range.clone());
        return Err(Wrong::new(range, format!("`request.path`: {invalid}"), "the engine refuses such a request"));
    }
    bag.clear(slot::DESTINATION_NAMESPACE);
    for (slot, range, value) in facts.iter().filter(|(slot, ..)| slot.attribute().is_derived()) {
        set(&mut bag, *slot, value.as_ref(), range)?;
    }
    let known = weir_attributes::vocabulary().iter().map(|attribute| attribute.slot);
    let known = known.filter(|slot| told.contains(slot) || follows(*slot, &told) || has(&bag, *slot)).collect();
    Ok((bag, known))
}

/// What the engine made of what was told.
pub(super) fn note(bag: &Bag) -> Option<String> {
    let path = bag.str(slot::REQUEST_PATH).filter(|_| bag.paths() > 1)?;
    Some(format!("request.path is {path:?} here: the engine normalizes paths"))
}

fn has(bag: &Bag, slot: Slot) -> bool {
    let headers = matches!(slot, slot::REQUEST_HEADERS | slot::REQUEST_HEADERS_ALL);
    if headers { bag.headers().names().next().is_some() } else { bag.get(slot).is_some() }
}

/// Whether what that attribute is derived from was told.
fn follows(slot: Slot, told: &HashSet<Slot>) -> bool {
    let headers = told.contains(&slot::REQUEST_HEADERS) || told.contains(&slot::REQUEST_HEADERS_ALL);
    match slot {
        slot::REQUEST_AUTH_PRINCIPAL | slot::REQUEST_AUTH_PRESENTER => told.contains(&slot::REQUEST_AUTH_CLAIMS),
        slot::REQUEST_URL_PATH | slot::REQUEST_QUERY => told.contains(&slot::REQUEST_PATH),
        slot::REQUEST_HEADERS | slot::REQUEST_HEADERS_ALL => headers,
        slot::REQUEST_USERAGENT | slot::REQUEST_REFERER => headers,
        slot::CONTEXT_PROTOCOL => headers && told.contains(&slot::REQUEST_METHOD),
        slot::SOURCE_IP | slot::SOURCE_PORT => told.contains(&slot::SOURCE_ADDRESS),
        slot::REMOTE_IP => headers && told.contains(&slot::SOURCE_ADDRESS),
        slot::SOURCE_NAMESPACE | slot::SOURCE_SERVICE_ACCOUNT => told.contains(&slot::SOURCE_PRINCIPAL),
        slot::DESTINATION_IP | slot::DESTINATION_PORT => told.contains(&slot::DESTINATION_ADDRESS),
        _ => false,
    }
}

fn set(bag: &mut Bag, slot: Slot, value: Option<&Value<'_>>, range: &Range<usize>) -> Result<(), Wrong> {
    match value {
        None => bag.clear(slot),
        Some(Value::String(text)) => bag.set_text(slot, text),
        Some(Value::Int(value) | Value::Duration(value)) => bag.set_int(slot, *value),
        Some(Value::Bool(value)) => bag.set_bool(slot, *value),
        Some(Value::Timestamp(time)) => {
            let whole = time.seconds().checked_mul(1_000_000_000);
            let nanoseconds = whole.and_then(|whole| whole.checked_add(i64::from(time.subsecond_nanoseconds())));
            let Some(nanoseconds) = nanoseconds else {
                let message = format!("`{}`: out of the range of an attribute", slot.attribute().name);
                return Err(Wrong::new(range.clone(), message, "write a time between the years 1678 and 2261"));
            };
            bag.set_int(slot, nanoseconds);
        }
        Some(Value::Map(Map::Entries(entries))) => match slot {
            slot::REQUEST_HEADERS | slot::REQUEST_HEADERS_ALL => {
                each_line(entries.pairs(), |name, line| bag.add_header(name, line));
            }
            slot::RESPONSE_HEADERS => each_line(entries.pairs(), |name, line| bag.add_response_header(name, line)),
            _ if slot.attribute().ty == Type::Struct => match json(entries) {
                Ok(map) => bag.set_struct(slot, Arc::new(map)),
                Err(error) => {
                    let message = format!("`{}`: {error}", slot.attribute().name);
                    return Err(Wrong::new(range.clone(), message, "write less of it"));
                }
            },
            _ => {
                let entry =
                    |(key, value): &(Value<'_>, Value<'_>)| Some((key.as_str()?.into(), value.as_str()?.into()));
                bag.set_labels(slot, Arc::new(entries.pairs().iter().filter_map(entry).collect()));
            }
        },
        Some(_) => {}
    }
    Ok(())
}

/// A map as JSON has it.
fn json(entries: &Entries<'_>) -> Result<Struct, JsonError> {
    let entry = |(key, value): &(Value<'_>, Value<'_>)| Ok((key.as_str().unwrap_or_default().into(), json_of(value)?));
    Struct::new(entries.pairs().iter().map(entry).collect::<Result<_, JsonError>>()?)
}

fn json_of(value: &Value<'_>) -> Result<Json, JsonError> {
    Ok(match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::Int(*value),
        Value::Uint(value) => Json::Double(*value as f64),
        Value::Double(value) => Json::Double(*value),
        Value::String(text) => Json::String((&**text).into()),
        Value::List(items) => Json::List(List::new(items.iter().map(json_of).collect::<Result<_, _>>()?)?),
        Value::Map(Map::Entries(entries)) => Json::Map(json(entries)?),
        _ => Json::Null,
    })
}

fn each_line(pairs: &[(Value<'_>, Value<'_>)], mut add: impl FnMut(&str, &str)) {
    for (name, value) in pairs {
        let name = name.as_str().unwrap_or_default();
        match value {
            Value::String(line) => add(name, line),
            Value::List(lines) => lines.iter().filter_map(Value::as_str).for_each(|line| add(name, line)),
            _ => {}
        }
    }
}
