//! Base64, the standard alphabet.

use std::borrow::Cow;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{Effect, Function, Growth, Outcome, Shape, global, growth::reading};
use crate::{
    cost::{Bounds, Extent, Spend},
    error::EvalErrorKind::{Conversion, NoOverload},
    run::Budget,
    value::{Bytes, Value},
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("base64.encode", &[Shape::Bytes], Shape::Text, encode).costs(Growth::By(encoding)),
    global("base64.decode", &[Shape::Text], Shape::Bytes, decode).costs(Growth::By(decoding)),
];

/// Writes padding; reads texts with and without it. Bits that stand over and line ends are passed over, as Go does.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn encode<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::Bytes(bytes)] = args else { return Err(NoOverload) };
    // Written once, and moved to where it is shared.
    budget.grow(bytes.len().div_ceil(3) * 8)?;
    Ok(Value::shared(BASE64.encode(&**bytes)))
}

fn decode<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text)] = args else { return Err(NoOverload) };
    budget.grow(2 * text.len())?;
    let text: Cow<'_, str> = if text.contains(['\r', '\n']) {
        budget.grow(text.len())?;
        text.replace(['\r', '\n'], "").into()
    } else {
        (&**text).into()
    };
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| Conversion)?;
    Ok(Value::Bytes(Bytes::Shared(bytes.into())))
}

fn encoding(args: &[Extent]) -> Effect {
    let len = args.first().map_or(0, |bytes| bytes.len().max).div_ceil(3).saturating_mul(4);
    let spend = reading(args) + Spend::grow(Bounds::at_most(len.saturating_mul(2)));
    Effect { spend, gives: Extent::text(Bounds::at_most(len)) }
}

fn decoding(args: &[Extent]) -> Effect {
    let len = args.first().map_or(0, |text| text.len().max);
    // Once more where there are line ends to take out.
    let spend = reading(args) + Spend::grow(Bounds::at_most(len.saturating_mul(3)));
    Effect { spend, gives: Extent::text(Bounds::at_most(len)) }
}
