//! A columnar batch, read one typed row at a time.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::time::Duration;

use crate::bindings::report::exports::weir::plugin::report::{Batch, Data};
use crate::{__rt::nanos, Failure, Timestamp};

/// What a column holds.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Double,
    Boolean,
    Bytes,
    Timestamp,
    Duration,
    Pairs,
    Texts,
}

/// One request of a batch: the `Inputs` that the macro writes.
pub trait Row<'a>: Sized {
    /// The columns, in the manifest's order.
    #[doc(hidden)]
    const SHAPE: &'static [Kind];

    /// Whether columns of the operator's bindings follow.
    #[doc(hidden)]
    const OPEN: bool = false;

    /// Row number `row`, which is in the batch.
    #[doc(hidden)]
    fn read(batch: &'a Batch, row: usize) -> Self;
}

/// The requests of one batch. Iterating costs nothing but what is read.
#[derive(Clone, Debug)]
pub struct Rows<'a, R> {
    batch: &'a Batch,
    left: Range<usize>,
    row: PhantomData<R>,
}

impl<'a, R: Row<'a>> Rows<'a, R> {
    #[doc(hidden)]
    pub fn new(batch: &'a Batch) -> Result<Self, Failure> {
        let rows = batch.rows as usize;
        let known = R::SHAPE.len();
        let fits = (batch.columns.len() == known || (R::OPEN && batch.columns.len() > known))
            && R::SHAPE.iter().zip(&batch.columns).all(|(kind, column)| {
                shape(&column.data) == (*kind, rows) && (column.present.is_empty() || column.present.len() == rows)
            });
        if !fits {
            return Err(Failure::InvalidInput("the host's columns are not those of the manifest".into()));
        }
        Ok(Rows { batch, left: 0..rows, row: PhantomData })
    }
}

impl<'a, R: Row<'a>> Iterator for Rows<'a, R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        self.left.next().map(|row| R::read(self.batch, row))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl<'a, R: Row<'a>> ExactSizeIterator for Rows<'a, R> {}

/// A text of the batch. It derefs to `str`, and as a metric label it is only a number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text<'a> {
    text: &'a str,
    symbol: Option<u32>,
}

impl<'a> Text<'a> {
    /// A text that is in no batch, for tests.
    pub fn new(text: &'a str) -> Text<'a> {
        Text { text, symbol: None }
    }

    /// The text for as long as the batch lives.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// Its number in the batch.
    pub fn symbol(&self) -> Option<u32> {
        self.symbol
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.text
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

/// A map of one request of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairsOf<'a> {
    pairs: &'a [(u32, u32)],
    symbols: &'a [String],
}

impl<'a> PairsOf<'a> {
    /// Names and values in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = (Text<'a>, Text<'a>)> + use<'a> {
        let symbols = self.symbols;
        self.pairs.iter().map(move |(name, value)| (symbol(symbols, *name), symbol(symbols, *value)))
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<Text<'a>> {
        self.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }
}

/// A list of texts of one request of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListOf<'a> {
    numbers: &'a [u32],
    symbols: &'a [String],
}

impl<'a> ListOf<'a> {
    /// The texts, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Text<'a>> + use<'a> {
        let symbols = self.symbols;
        self.numbers.iter().map(move |number| symbol(symbols, *number))
    }
}

/// One value of one request of the batch, whatever its type.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Cell<'a> {
    Text(Text<'a>),
    Int(i64),
    Double(f64),
    Boolean(bool),
    Bytes(&'a [u8]),
    Timestamp(Timestamp),
    Duration(Duration),
    Pairs(PairsOf<'a>),
    Texts(ListOf<'a>),
}

/// The value of that column and row.
pub(crate) fn cell(batch: &Batch, column: usize, row: usize) -> Option<Cell<'_>> {
    match data(batch, column, row)? {
        Data::Texts(_) => text_at(batch, column, row).map(Cell::Text),
        Data::Ints(_) => int_at(batch, column, row).map(Cell::Int),
        Data::Doubles(_) => double_at(batch, column, row).map(Cell::Double),
        Data::Booleans(_) => boolean_at(batch, column, row).map(Cell::Boolean),
        Data::Bytes(_) => bytes_at(batch, column, row).map(Cell::Bytes),
        Data::Timestamps(_) => timestamp_at(batch, column, row).map(Cell::Timestamp),
        Data::Durations(_) => duration_at(batch, column, row).map(Cell::Duration),
        Data::Pairs(_) => pairs_at(batch, column, row).map(Cell::Pairs),
        Data::Lists(_) => texts_at(batch, column, row).map(Cell::Texts),
    }
}

fn shape(data: &Data) -> (Kind, usize) {
    match data {
        Data::Texts(values) => (Kind::Text, values.len()),
        Data::Ints(values) => (Kind::Int, values.len()),
        Data::Doubles(values) => (Kind::Double, values.len()),
        Data::Booleans(values) => (Kind::Boolean, values.len()),
        Data::Bytes(values) => (Kind::Bytes, values.len()),
        Data::Timestamps(values) => (Kind::Timestamp, values.len()),
        Data::Durations(values) => (Kind::Duration, values.len()),
        Data::Pairs(values) => (Kind::Pairs, values.len()),
        Data::Lists(values) => (Kind::Texts, values.len()),
    }
}

fn symbol(symbols: &[String], number: u32) -> Text<'_> {
    match symbols.get(number as usize) {
        Some(text) => Text { text, symbol: Some(number) },
        None => Text::default(),
    }
}

/// The column's data, if this row has a value in it.
fn data(batch: &Batch, column: usize, row: usize) -> Option<&Data> {
    let column = batch.columns.get(column)?;
    match column.present.get(row) {
        Some(false) => None,
        _ => Some(&column.data),
    }
}

macro_rules! cells {
    ($name:ident, $case:ident, $out:ty, |$batch:ident, $value:ident| $map:expr) => {
        #[doc(hidden)]
        #[allow(clippy::needless_lifetimes)]
        pub fn $name<'a>($batch: &'a Batch, column: usize, row: usize) -> Option<$out> {
            match data($batch, column, row)? {
                Data::$case(values) => values.get(row).map(|$value| $map),
                _ => None,
            }
        }
    };
}

cells!(text_at, Texts, Text<'a>, |batch, value| symbol(&batch.symbols, *value));
cells!(int_at, Ints, i64, |batch, value| *value);
cells!(double_at, Doubles, f64, |batch, value| *value);
cells!(bytes_at, Bytes, &'a [u8], |batch, value| value.as_slice());
cells!(texts_at, Lists, ListOf<'a>, |batch, value| ListOf { numbers: value, symbols: &batch.symbols });
cells!(boolean_at, Booleans, bool, |batch, value| *value);
cells!(timestamp_at, Timestamps, Timestamp, |batch, value| Timestamp(*value));
cells!(duration_at, Durations, Duration, |batch, value| nanos(*value));
cells!(pairs_at, Pairs, PairsOf<'a>, |batch, value| PairsOf { pairs: value, symbols: &batch.symbols });
