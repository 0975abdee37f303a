//! `format`: a text with clauses that values are put into. What a clause takes is said once, for the checker and for the
//! evaluation.

mod clauses;

use std::fmt::Write as _;

pub(crate) use clauses::{Clause, Piece, Pieces, Verb};

use super::{Effect, Function, Growth, Outcome, Shape, growth::reading, method};
use crate::{
    cost::{Bounds, Extent, Spend},
    error::EvalErrorKind::{self, Invalid, NoOverload, OutOfRange},
    run::Budget,
    value::{Map, Value},
};

pub(super) const FUNCTIONS: &[Function] =
    &[method("format", &[Shape::Text, Shape::List(&Shape::Dyn)], Shape::Text, format).costs(Growth::By(formatted))];

/// The longest text of a double without what the precision asks for: the digits of the largest one, its sign and point.
const DOUBLE_MAX: usize = 312;

/// The same of one without an exponent or a precision: the smallest ones have that many digits after the point.
const PLAIN_MAX: usize = 1_080;

/// The longest text of an integer, in base 2.
const INTEGER_MAX: usize = 65;

/// More than the longest text of a decimal integer, a time, a duration, or a double of common size.
const SHORT_MAX: usize = 40;

fn format<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::List(values)] = args else { return Err(NoOverload) };
    budget.read(text.len())?;
    let mut values = values.iter();
    let mut out = Out { text: String::new(), budget };
    for piece in Pieces::of(text) {
        match piece.map_err(|_| Invalid)? {
            Piece::Text(text) => out.push(text)?,
            Piece::Clause(clause) => out.clause(clause, values.next().ok_or(OutOfRange)?)?,
        }
    }
    Ok(Value::shared(out.text))
}

/// The text so far; what it grows by is charged before.
struct Out<'b> {
    text: String,
    budget: &'b mut Budget,
}

type Done = Result<(), EvalErrorKind>;

impl Out<'_> {
    fn push(&mut self, text: &str) -> Done {
        // Twice, as the text may be moved when it grows.
        self.budget.grow(2 * text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    /// Writes a number that takes at most that many bytes.
    fn number(&mut self, most: usize, number: std::fmt::Arguments<'_>) -> Done {
        self.budget.grow(2 * most)?;
        self.text.write_fmt(number).map_err(|_| Invalid)
    }

    fn clause(&mut self, clause: Clause, value: &Value<'_>) -> Done {
        let precision = clause.precision;
        match (clause.verb, value) {
            (Verb::Text, value) => self.value(value),
            (Verb::Decimal, Value::Int(_) | Value::Uint(_) | Value::Double(_)) => self.value(value),
            (Verb::Fixed | Verb::Scientific, value) => {
                let value = match value {
                    Value::Int(value) => *value as f64,
                    Value::Uint(value) => *value as f64,
                    Value::Double(value) => *value,
                    _ => return Err(NoOverload),
                };
                let most = precision + if value.abs() < 1e20 { SHORT_MAX } else { DOUBLE_MAX };
                match clause.verb {
                    _ if !value.is_finite() => self.value(&Value::Double(value)),
                    Verb::Fixed => self.number(most, format_args!("{value:.precision$}")),
                    _ => self.scientific(value, precision),
                }
            }
            (Verb::Binary, Value::Bool(value)) => self.push(if *value { "1" } else { "0" }),
            (Verb::Binary | Verb::Octal | Verb::Hex { .. }, Value::Int(value)) => {
                self.digits(clause.verb, *value < 0, value.unsigned_abs())
            }
            (Verb::Binary | Verb::Octal | Verb::Hex { .. }, Value::Uint(value)) => {
                self.digits(clause.verb, false, *value)
            }
            (Verb::Hex { upper }, Value::String(text)) => self.bytes(upper, text.as_bytes()),
            (Verb::Hex { upper }, Value::Bytes(bytes)) => self.bytes(upper, bytes),
            _ => Err(NoOverload),
        }
    }

    /// With two digits of exponent at least, and its sign.
    fn scientific(&mut self, value: f64, precision: usize) -> Done {
        self.budget.grow(SHORT_MAX + precision)?;
        let text = format!("{value:.precision$e}");
        let (digits, exponent) = text.split_once('e').ok_or(Invalid)?;
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        self.number(SHORT_MAX + precision, format_args!("{digits}e{sign}{exponent:0>2}"))
    }

    /// An integer as its sign and magnitude.
    fn digits(&mut self, verb: Verb, negative: bool, value: u64) -> Done {
        let sign = if negative { "-" } else { "" };
        match verb {
            Verb::Binary => self.number(INTEGER_MAX, format_args!("{sign}{value:b}")),
            Verb::Octal => self.number(INTEGER_MAX, format_args!("{sign}{value:o}")),
            Verb::Hex { upper: true } => self.number(INTEGER_MAX, format_args!("{sign}{value:X}")),
            _ => self.number(INTEGER_MAX, format_args!("{sign}{value:x}")),
        }
    }

    fn bytes(&mut self, upper: bool, bytes: &[u8]) -> Done {
        self.budget.grow(4 * bytes.len())?;
        for byte in bytes {
            let written = if upper { write!(self.text, "{byte:02X}") } else { write!(self.text, "{byte:02x}") };
            written.map_err(|_| Invalid)?;
        }
        Ok(())
    }

    /// A value as people read it; that of `%s`.
    fn value(&mut self, value: &Value<'_>) -> Done {
        match value {
            Value::Null => self.push("null"),
            Value::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Value::Int(value) => self.number(SHORT_MAX, format_args!("{value}")),
            Value::Uint(value) => self.number(SHORT_MAX, format_args!("{value}")),
            Value::Double(value) if value.is_nan() => self.push("NaN"),
            Value::Double(value) if value.is_infinite() => {
                self.push(if *value > 0.0 { "Infinity" } else { "-Infinity" })
            }
            Value::Double(value) => {
                let short = *value == 0.0 || (1e-9..1e20).contains(&value.abs());
                self.number(if short { SHORT_MAX } else { PLAIN_MAX }, format_args!("{value}"))
            }
            Value::String(text) => self.push(text),
            Value::Bytes(bytes) => {
                // What is no UTF-8 shows as such.
                self.budget.grow(3 * bytes.len())?;
                let text = String::from_utf8_lossy(bytes);
                self.push(&text)
            }
            Value::Timestamp(time) => self.number(SHORT_MAX, format_args!("{time}")),
            Value::Duration(nanoseconds) => {
                let seconds = (nanoseconds / 1_000_000_000) as f64 + (nanoseconds % 1_000_000_000) as f64 / 1e9;
                self.number(SHORT_MAX, format_args!("{seconds}s"))
            }
            Value::Type(name) => self.push(name.name()),
            Value::List(list) => {
                self.push("[")?;
                for (index, element) in list.iter().enumerate() {
                    self.push(if index > 0 { ", " } else { "" })?;
                    self.value(element)?;
                }
                self.push("]")
            }
            Value::Map(map) => self.map(map),
            _ => Err(NoOverload),
        }
    }

    /// The entries of a map in the order of their keys' texts.
    fn map(&mut self, map: &Map<'_>) -> Done {
        let mut entries = Vec::new();
        for key in map.keys(self.budget)? {
            self.budget.grow(4 * size_of::<(String, Value<'_>)>())?;
            let Some(value) = map.get(&key, self.budget)? else { continue };
            let mut name = Out { text: String::new(), budget: &mut *self.budget };
            name.value(&key)?;
            entries.push((name.text, value));
        }
        let rounds = entries.len().checked_ilog2().unwrap_or(0) as usize + 1;
        self.budget.spend(entries.len() * rounds)?;
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.push("{")?;
        for (index, (key, value)) in entries.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" })?;
            self.push(key)?;
            self.push(": ")?;
            self.value(value)?;
        }
        self.push("}")
    }
}

fn formatted(args: &[Extent]) -> Effect {
    formatting(args, None, true)
}

/// What `format` takes: of a text that is known, as little as its clauses ask for; of values without bytes among them,
/// less than of others.
pub(crate) fn formatting(args: &[Extent], text: Option<&str>, bytes: bool) -> Effect {
    let [format, values] = args else { return Effect::unknown() };
    let precision = text.map_or(clauses::PRECISION_MAX, |text| {
        let precisions = Pieces::of(text).map(|piece| match piece {
            Ok(Piece::Clause(Clause { verb: Verb::Fixed | Verb::Scientific, precision })) => precision,
            _ => 0,
        });
        precisions.max().unwrap_or(0)
    });
    let hex = text.is_none_or(|text| text.contains(['x', 'X']));
    // A text is pushed, or written in hex; bytes may be no text, and are then three times as long before they are.
    let times = if bytes {
        9
    } else if hex {
        4
    } else {
        2
    };
    let whole = values.whole();
    let number = 2 * PLAIN_MAX as u64 + 3 * precision as u64;
    // The keys of maps are written twice, and sorted.
    let entry = if values.may_hold_maps() { 4 * size_of::<(String, Value<'_>)>() as u64 + 64 } else { 16 };
    let texts = if values.may_hold_maps() { times * 2 } else { times };
    let made = whole.parts.saturating_mul(number + entry).saturating_add(whole.bytes.saturating_mul(texts));
    let made = made.saturating_add(format.len().max.saturating_mul(2));
    let steps = whole.parts.saturating_mul(64).saturating_add(whole.counting.saturating_mul(3));
    let steps = if values.may_hold_maps() { steps } else { 0 };
    let spend = reading(args) + Spend::steps(Bounds::at_most(steps)) + Spend::grow(Bounds::at_most(made));
    Effect { spend, gives: Extent::text(Bounds::at_most(made)) }
}
