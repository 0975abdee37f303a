//! From `weir.v1.Attributes` to the bag.

use std::fmt;

use weir_attributes::{Attribute, Bag, Type, by_wire, slot};
use weir_proto::v1;

use crate::refusal::{HEADER_LINES_MAX, PATH_MAX, Refusal, check_line};

/// Attributes of one request; the vocabulary has fewer.
const ATTRIBUTES_MAX: usize = 256;

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    place: String,
    problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// The bag, and why no policy may be asked about it; or where the message is wrong.
pub(crate) fn bag(told: &v1::Attributes, place: &str) -> Result<(Bag, Option<Refusal>), Fault> {
    let fault = |field: String, problem: String| Fault { place: format!("{place}.{field}"), problem };
    if told.attributes.len() > ATTRIBUTES_MAX {
        let problem = format!("{} of them; send at most {ATTRIBUTES_MAX}", told.attributes.len());
        return Err(fault("attributes".to_owned(), problem));
    }
    let mut bag = Bag::with_capacity(1024, told.headers.len().min(HEADER_LINES_MAX));
    // A request without a host has the empty one: expressions may read it without a guard.
    bag.set_static(slot::REQUEST_HOST, "");
    for (index, one) in told.attributes.iter().enumerate() {
        attribute(one, &mut bag).map_err(|problem| fault(format!("attributes[{index}]"), problem))?;
    }
    let refusal = headers(told, &mut bag).or_else(|| shape(&bag));
    Ok((bag, refusal))
}

fn attribute(told: &v1::Attribute, bag: &mut Bag) -> Result<(), String> {
    use v1::attribute::Value as Wire;
    let number = told.number;
    let known = by_wire(number).ok_or_else(|| {
        format!("number {number} is in no vocabulary of this version; the caller is newer, upgrade the engine first")
    })?;
    if is_ours(known) {
        return Ok(());
    }
    match (known.ty, &told.value) {
        (_, None) => {}
        (Type::String, Some(Wire::Text(text))) => bag.set_text(known.slot, text),
        (Type::Int | Type::Timestamp | Type::Duration, Some(Wire::NumberValue(value))) => {
            bag.set_int(known.slot, *value)
        }
        (Type::Bool, Some(Wire::Truth(truth))) => bag.set_bool(known.slot, *truth),
        (ty, _) => return Err(format!("{} is of type {ty:?}; send a value of that type", known.name)),
    }
    Ok(())
}

/// Whether the engine finds it out by itself.
fn is_ours(known: &Attribute) -> bool {
    known.is_derived() && known.slot != slot::REQUEST_URL_PATH
}

/// What no policy may be asked about.
fn shape(bag: &Bag) -> Option<Refusal> {
    match (bag.str(slot::REQUEST_METHOD), bag.str(slot::REQUEST_PATH)) {
        (None, _) => Some(Refusal::NoMethod),
        (_, None) => Some(Refusal::NoPath),
        (_, Some(path)) => (path.len() > PATH_MAX).then_some(Refusal::PathTooLong),
    }
}

fn headers(told: &v1::Attributes, bag: &mut Bag) -> Option<Refusal> {
    let mut refusal = (told.headers.len() > HEADER_LINES_MAX).then_some(Refusal::TooManyHeaders);
    for line in told.headers.iter().take(HEADER_LINES_MAX) {
        match check_line(&line.name, &line.value) {
            Ok(()) => bag.add_header(&line.name, &String::from_utf8_lossy(&line.value)),
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    for line in told.response_headers.iter().take(HEADER_LINES_MAX) {
        if check_line(&line.name, &line.value).is_ok() {
            bag.add_response_header(&line.name, &String::from_utf8_lossy(&line.value));
        }
    }
    refusal
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use v1::attribute::Value as Wire;

    use super::*;

    fn told(number: u32, value: Wire) -> v1::Attributes {
        v1::Attributes { attributes: vec![v1::Attribute { number, value: Some(value) }], ..v1::Attributes::default() }
    }

    #[test]
    fn an_unknown_number_and_a_wrong_type_are_named() {
        let unknown = bag(&told(9999, Wire::Truth(true)), "attributes").unwrap_err().to_string();
        assert!(unknown.starts_with("attributes.attributes[0]: number 9999"), "{unknown}");
        let wrong =
            bag(&told(slot::REQUEST_METHOD.attribute().wire, Wire::Truth(true)), "entries[3]").unwrap_err().to_string();
        assert!(wrong.starts_with("entries[3].attributes[0]: request.method is of type String"), "{wrong}");
    }

    #[test]
    fn what_is_derived_is_not_taken_from_the_caller() {
        for slot in [slot::SOURCE_NAMESPACE, slot::DESTINATION_NAMESPACE, slot::REMOTE_IP, slot::REQUEST_QUERY] {
            let (bag, _) = bag(&told(slot.attribute().wire, Wire::Text("forged".to_owned())), "attributes").unwrap();
            assert!(bag.get(slot).is_none(), "{}", slot.attribute().name);
        }
        let number = slot::REQUEST_URL_PATH.attribute().wire;
        let (bag, _) = bag(&told(number, Wire::Text("/a".to_owned())), "attributes").unwrap();
        assert_eq!(bag.str(slot::REQUEST_URL_PATH), Some("/a"));
    }

    #[test]
    fn a_line_that_no_header_may_have_refuses_the_request() {
        let header = |name: &str, value: &[u8]| v1::Header { name: name.to_owned(), value: value.to_vec() };
        for bad in [header("", b"x"), header("a b", b"x"), header("a", b"x\r\ny: z"), header("a", b"\0")] {
            let told = v1::Attributes { headers: vec![bad.clone()], ..v1::Attributes::default() };
            assert!(bag(&told, "attributes").unwrap().1.is_some(), "{bad:?}");
        }
    }
}
