//! Conversions between types.

use super::{Function, Growth, Outcome, Shape, global};
use crate::{
    error::EvalErrorKind::{Conversion, NoOverload, Overflow},
    run::Budget,
    value::{Bytes, Timestamp, Value, format_duration, parse_duration},
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("bool", &[Shape::Bool], Shape::Bool, bool).costs(Growth::Fixed),
    global("bool", &[Shape::Text], Shape::Bool, bool).costs(Growth::Fixed),
    global("int", &[Shape::Int], Shape::Int, int).costs(Growth::Fixed),
    global("int", &[Shape::Uint], Shape::Int, int).costs(Growth::Fixed),
    global("int", &[Shape::Double], Shape::Int, int).costs(Growth::Fixed),
    global("int", &[Shape::Text], Shape::Int, int).costs(Growth::Reads),
    global("int", &[Shape::Timestamp], Shape::Int, int).costs(Growth::Fixed),
    global("uint", &[Shape::Uint], Shape::Uint, uint).costs(Growth::Fixed),
    global("uint", &[Shape::Int], Shape::Uint, uint).costs(Growth::Fixed),
    global("uint", &[Shape::Double], Shape::Uint, uint).costs(Growth::Fixed),
    global("uint", &[Shape::Text], Shape::Uint, uint).costs(Growth::Reads),
    global("double", &[Shape::Double], Shape::Double, double).costs(Growth::Fixed),
    global("double", &[Shape::Int], Shape::Double, double).costs(Growth::Fixed),
    global("double", &[Shape::Uint], Shape::Double, double).costs(Growth::Fixed),
    global("double", &[Shape::Text], Shape::Double, double).costs(Growth::Reads),
    global("string", &[Shape::Text], Shape::Text, string).costs(Growth::Same),
    global("string", &[Shape::Bool], Shape::Text, string).costs(Growth::Prints(64)),
    global("string", &[Shape::Int], Shape::Text, string).costs(Growth::Prints(64)),
    global("string", &[Shape::Uint], Shape::Text, string).costs(Growth::Prints(64)),
    global("string", &[Shape::Double], Shape::Text, string).costs(Growth::Prints(64)),
    global("string", &[Shape::Bytes], Shape::Text, string).costs(Growth::Copies(1, 0)),
    global("string", &[Shape::Timestamp], Shape::Text, string).costs(Growth::Prints(64)),
    global("string", &[Shape::Duration], Shape::Text, string).costs(Growth::Prints(64)),
    global("string", &[Shape::Ip], Shape::Text, string).costs(Growth::Prints(64)),
    global("string", &[Shape::Cidr], Shape::Text, string).costs(Growth::Prints(64)),
    global("bytes", &[Shape::Bytes], Shape::Bytes, bytes).costs(Growth::Same),
    global("bytes", &[Shape::Text], Shape::Bytes, bytes).costs(Growth::Copies(1, 0)),
    global("timestamp", &[Shape::Timestamp], Shape::Timestamp, timestamp).costs(Growth::Fixed),
    global("timestamp", &[Shape::Text], Shape::Timestamp, timestamp).costs(Growth::Reads),
    global("timestamp", &[Shape::Int], Shape::Timestamp, timestamp).costs(Growth::Fixed),
    global("duration", &[Shape::Duration], Shape::Duration, duration).costs(Growth::Fixed),
    global("duration", &[Shape::Text], Shape::Duration, duration).costs(Growth::Reads),
];

/// Takes the steps of reading a text from one end to the other.
fn read(args: &[Value<'_>], budget: &mut Budget) -> Result<(), crate::error::EvalErrorKind> {
    budget.read(args.first().and_then(Value::as_str).map_or(0, str::len))
}

fn bool<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Bool(value)] => Ok(Value::Bool(*value)),
        [Value::String(text)] => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(Conversion),
        },
        _ => Err(NoOverload),
    }
}

/// 2^63 and 2^64 as doubles; a double cannot hold the largest 64-bit numbers.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

fn int<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::Int(value)] => Ok(Value::Int(*value)),
        [Value::Uint(value)] => i64::try_from(*value).map(Value::Int).map_err(|_| Overflow),
        // The specification keeps the smallest int out, as it cannot be told from a rounded one.
        [Value::Double(value)] if *value > -TWO_63 && *value < TWO_63 => Ok(Value::Int(*value as i64)),
        [Value::Double(_)] => Err(Overflow),
        [Value::String(text)] => text.parse().map(Value::Int).map_err(|_| Conversion),
        [Value::Timestamp(time)] => Ok(Value::Int(time.seconds())),
        _ => Err(NoOverload),
    }
}

fn uint<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::Uint(value)] => Ok(Value::Uint(*value)),
        [Value::Int(value)] => u64::try_from(*value).map(Value::Uint).map_err(|_| Overflow),
        [Value::Double(value)] if *value >= 0.0 && *value < TWO_64 => Ok(Value::Uint(*value as u64)),
        [Value::Double(_)] => Err(Overflow),
        [Value::String(text)] => text.parse().map(Value::Uint).map_err(|_| Conversion),
        _ => Err(NoOverload),
    }
}

fn double<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::Double(value)] => Ok(Value::Double(*value)),
        [Value::Int(value)] => Ok(Value::Double(*value as f64)),
        [Value::Uint(value)] => Ok(Value::Double(*value as f64)),
        [Value::String(text)] => match text.parse::<f64>() {
            // Infinity is what it is called, not what is too large for a double.
            Ok(value) if value.is_infinite() && text.contains(|digit: char| digit.is_ascii_digit()) => Err(Overflow),
            parsed => parsed.map(Value::Double).map_err(|_| Conversion),
        },
        _ => Err(NoOverload),
    }
}

fn string<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let text = match args {
        [Value::String(text)] => return Ok(Value::String(text.clone())),
        [Value::Bytes(Bytes::Borrowed(bytes))] => {
            budget.read(bytes.len())?;
            return std::str::from_utf8(bytes).map(Value::text).map_err(|_| Conversion);
        }
        [Value::Bytes(bytes)] => {
            budget.grow(bytes.len())?;
            return std::str::from_utf8(bytes).map(Value::shared).map_err(|_| Conversion);
        }
        [Value::Bool(value)] => return Ok(Value::text(if *value { "true" } else { "false" })),
        [Value::Int(value)] => value.to_string(),
        [Value::Uint(value)] => value.to_string(),
        [Value::Double(value)] => format_double(*value),
        [Value::Timestamp(time)] => time.to_string(),
        [Value::Duration(nanoseconds)] => format_duration(*nanoseconds),
        [Value::Ip(ip)] => ip.to_string(),
        [Value::Cidr(cidr)] => cidr.to_string(),
        _ => return Err(NoOverload),
    };
    budget.grow(text.len())?;
    Ok(Value::shared(text))
}

/// The shortest text that reads as the same double; an exponent for the very small and very large.
fn format_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let magnitude = value.abs();
    if value != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        // Two digits of exponent at least, and its sign.
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    value.to_string()
}

fn bytes<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Bytes(bytes)] => Ok(Value::Bytes(bytes.clone())),
        [Value::String(crate::value::Text::Borrowed(text))] => Ok(Value::Bytes(Bytes::Borrowed(text.as_bytes()))),
        [Value::String(text)] => {
            budget.grow(text.len())?;
            Ok(Value::Bytes(Bytes::Shared(text.as_bytes().into())))
        }
        _ => Err(NoOverload),
    }
}

fn timestamp<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::Timestamp(time)] => Ok(Value::Timestamp(*time)),
        [Value::String(text)] => Timestamp::parse(text).map(Value::Timestamp).ok_or(Conversion),
        [Value::Int(seconds)] => Timestamp::new(*seconds, 0).map(Value::Timestamp).ok_or(Overflow),
        _ => Err(NoOverload),
    }
}

fn duration<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?;
    match args {
        [Value::Duration(value)] => Ok(Value::Duration(*value)),
        [Value::String(text)] => parse_duration(text).map(Value::Duration).ok_or(Conversion),
        _ => Err(NoOverload),
    }
}
