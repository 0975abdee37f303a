//! The parts of timestamps, in a time zone, and of durations.

use chrono::Offset as _;
use chrono::TimeZone as _;

use super::{Function, Growth, Native, Outcome, Shape, method};
use crate::{
    error::EvalErrorKind::{self, Conversion, NoOverload},
    run::Budget,
    value::{Timestamp, Value, parse_offset},
};

const TIME: &[Shape] = &[Shape::Timestamp];
const TIME_IN: &[Shape] = &[Shape::Timestamp, Shape::Text];
const SPAN: &[Shape] = &[Shape::Duration];

const fn part(name: &'static str, params: &'static [Shape], run: Native) -> Function {
    method(name, params, Shape::Int, run).costs(Growth::Reads)
}

pub(super) const FUNCTIONS: &[Function] = &[
    part("getFullYear", TIME, year),
    part("getFullYear", TIME_IN, year),
    part("getMonth", TIME, month),
    part("getMonth", TIME_IN, month),
    part("getDate", TIME, date),
    part("getDate", TIME_IN, date),
    part("getDayOfMonth", TIME, day_of_month),
    part("getDayOfMonth", TIME_IN, day_of_month),
    part("getDayOfWeek", TIME, day_of_week),
    part("getDayOfWeek", TIME_IN, day_of_week),
    part("getDayOfYear", TIME, day_of_year),
    part("getDayOfYear", TIME_IN, day_of_year),
    part("getHours", TIME, hours),
    part("getHours", TIME_IN, hours),
    part("getHours", SPAN, hours),
    part("getMinutes", TIME, minutes),
    part("getMinutes", TIME_IN, minutes),
    part("getMinutes", SPAN, minutes),
    part("getSeconds", TIME, seconds),
    part("getSeconds", TIME_IN, seconds),
    part("getSeconds", SPAN, seconds),
    part("getMilliseconds", TIME, milliseconds),
    part("getMilliseconds", TIME_IN, milliseconds),
    part("getMilliseconds", SPAN, milliseconds),
];

/// The time and its zone's seconds east of UTC.
fn zoned(args: &[Value<'_>], budget: &mut Budget) -> Result<(Timestamp, i64), EvalErrorKind> {
    match args {
        [Value::Timestamp(time)] => Ok((*time, 0)),
        [Value::Timestamp(time), Value::String(zone)] => {
            budget.read(zone.len())?;
            Ok((*time, offset(*time, zone)?))
        }
        _ => Err(NoOverload),
    }
}

fn offset(time: Timestamp, zone: &str) -> Result<i64, EvalErrorKind> {
    if let Some(offset) = parse_offset(zone) {
        return Ok(offset);
    }
    let zone: chrono_tz::Tz = zone.parse().map_err(|_| Conversion)?;
    let utc = chrono::DateTime::from_timestamp(time.seconds(), 0).ok_or(EvalErrorKind::Overflow)?;
    Ok(i64::from(zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc()))
}

fn year<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).year))
}

fn month<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).month - 1))
}

fn date<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).day))
}

fn day_of_month<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).day - 1))
}

fn day_of_week<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).day_of_week))
}

fn day_of_year<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).day_of_year))
}

fn hours<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    if let [Value::Duration(span)] = args {
        return Ok(Value::Int(span / 3_600_000_000_000));
    }
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).second_of_day / 3600))
}

fn minutes<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    if let [Value::Duration(span)] = args {
        return Ok(Value::Int(span / 60_000_000_000));
    }
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).second_of_day / 60 % 60))
}

fn seconds<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    if let [Value::Duration(span)] = args {
        return Ok(Value::Int(span / 1_000_000_000));
    }
    let (time, offset) = zoned(args, budget)?;
    Ok(Value::Int(time.civil(offset).second_of_day % 60))
}

/// Those within the second, of a duration too: the conformance tests say so.
fn milliseconds<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    if let [Value::Duration(span)] = args {
        return Ok(Value::Int(span % 1_000_000_000 / 1_000_000));
    }
    let (time, _) = zoned(args, budget)?;
    Ok(Value::Int(i64::from(time.subsecond_nanoseconds() / 1_000_000)))
}
