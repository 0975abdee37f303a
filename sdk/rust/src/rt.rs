//! What the macros' output calls. Not for people: it may change with any version.

use std::time::Duration;

pub use crate::bindings::check as check_world;
pub use crate::bindings::enrich as enrich_world;
pub use crate::bindings::life;
pub use crate::bindings::life::exports::weir::plugin::lifecycle::Setup;
pub use crate::bindings::report as report_world;
pub use crate::bindings::report::exports::weir::plugin::report::Batch;
pub use crate::bindings::{check::export_check, enrich::export_enrich, life::export_lifecycle, report::export_report};
pub use crate::rows::{
    Kind, boolean_at, bytes_at, double_at, duration_at, int_at, pairs_at, text_at, texts_at, timestamp_at,
};
use crate::{Bound, BoundCells, Failure, Pairs, Timestamp, Value};

/// Keeps the names of the bindings and gives the configuration.
pub fn set_up(setup: Setup) -> String {
    crate::bound::set(setup.bindings);
    setup.config
}

/// The host says which inputs a request has; a required one is always there.
pub fn required<T>(value: Option<T>, name: &str) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::InvalidInput(format!("the required input {name} is absent")))
}

/// What comes after the manifest's inputs.
pub fn bound(values: impl Iterator<Item = Option<Value>>) -> Bound {
    Bound::new(values.collect())
}

/// What stands in the columns after the manifest's.
pub fn bound_cells(batch: &Batch, first: usize, row: usize) -> BoundCells<'_> {
    BoundCells::new(batch, first, row)
}

/// `check` before `configure`.
pub fn unconfigured() -> Failure {
    Failure::Internal("called before it was configured".into())
}

/// `configure` after `configure`.
pub fn configured_twice() -> Failure {
    Failure::Internal("configured twice".into())
}

macro_rules! reader {
    ($name:ident, $case:ident, $inner:ty, $out:ty, $map:expr) => {
        /// One positional value as its type.
        pub fn $name(value: Option<Option<Value>>, name: &str) -> Result<Option<$out>, Failure> {
            let map: fn($inner) -> $out = $map;
            match value {
                Some(Some(Value::$case(value))) => Ok(Some(map(value))),
                Some(None) => Ok(None),
                Some(Some(other)) => Err(mismatch(name, stringify!($case), &other)),
                None => Err(Failure::InvalidInput(format!("the host sent no place for the input {name}"))),
            }
        }
    };
}

reader!(text, Text, String, String, |v| v);
reader!(int, Int, i64, i64, |v| v);
reader!(double, Double, f64, f64, |v| v);
reader!(boolean, Boolean, bool, bool, |v| v);
reader!(bytes, Bytes, Vec<u8>, Vec<u8>, |v| v);
reader!(timestamp, Timestamp, i64, Timestamp, Timestamp);
reader!(duration, Duration, i64, Duration, nanos);
reader!(pairs, Pairs, Vec<(String, String)>, Pairs, Pairs);
reader!(texts, Texts, Vec<String>, Vec<String>, |v| v);

/// Nanoseconds of the wire; a negative duration is none at all.
pub(crate) fn nanos(value: i64) -> Duration {
    Duration::from_nanos(u64::try_from(value).unwrap_or(0))
}

fn mismatch(name: &str, want: &str, got: &Value) -> Failure {
    let got = match got {
        Value::Text(_) => "text",
        Value::Int(_) => "int",
        Value::Double(_) => "double",
        Value::Boolean(_) => "boolean",
        Value::Bytes(_) => "bytes",
        Value::Timestamp(_) => "timestamp",
        Value::Duration(_) => "duration",
        Value::Pairs(_) => "pairs",
        Value::Texts(_) => "texts",
    };
    Failure::InvalidInput(format!("the input {name} should be {want}, the host sent {got}"))
}
