//! Many bags as columns.

use weir_attributes::Bag;

use crate::Input;
use crate::contract::v1::exports::weir::plugin::report::{Column, Data};
use crate::inputs::{Held, held};
use crate::mask::Mask;
use crate::symbols::Interner;

/// The rows of one call: for each input the value of each row.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) count: usize,
    pub(crate) skipped: usize,
    columns: Vec<Vec<Option<Held<'a>>>>,
}

impl<'a> Rows<'a> {
    /// Rows without a required input are left out and counted.
    pub(crate) fn gather(inputs: &[Input], bags: impl Iterator<Item = &'a Bag>, mask: &Mask) -> Rows<'a> {
        let most = bags.size_hint().1.unwrap_or(0);
        let mut columns: Vec<_> = inputs.iter().map(|_| Vec::with_capacity(most)).collect();
        let mut rows = Rows { count: 0, skipped: 0, columns: Vec::new() };
        for bag in bags {
            let world = bag.as_told();
            let complete = inputs.iter().zip(&mut columns).all(|(input, column)| {
                let value = held(input, world, Some(mask));
                let usable = value.is_some() || input.optional;
                column.push(value);
                usable
            });
            match complete {
                true => rows.count += 1,
                false => {
                    rows.skipped += 1;
                    columns.iter_mut().for_each(|column| column.truncate(rows.count));
                }
            }
        }
        rows.columns = columns;
        rows
    }

    /// The columns with every text as a number of `interner`.
    pub(crate) fn cells<'r>(&'r self, inputs: &[Input], interner: &mut Interner<'r>) -> Vec<Cells> {
        self.columns.iter().zip(inputs).map(|(column, input)| Cells::of(column, input, interner)).collect()
    }
}

/// One column, owned.
#[derive(Debug)]
pub(crate) struct Cells {
    values: Values,
    present: Vec<bool>,
}

#[derive(Debug)]
enum Values {
    Texts(Vec<u32>),
    Ints(Vec<i64>),
    Doubles(Vec<f64>),
    Bools(Vec<bool>),
    Bytes(Vec<Vec<u8>>),
    Timestamps(Vec<i64>),
    Durations(Vec<i64>),
    Pairs(Vec<Vec<(u32, u32)>>),
    Lists(Vec<Vec<u32>>),
}

/// The lists inside a column as slices, which the wire wants.
#[derive(Debug, Default)]
pub(crate) struct Slices<'c> {
    pairs: Vec<&'c [(u32, u32)]>,
    lists: Vec<&'c [u32]>,
    bytes: Vec<&'c [u8]>,
}

impl Cells {
    fn of<'r>(column: &'r [Option<Held<'_>>], input: &Input, interner: &mut Interner<'r>) -> Cells {
        use weir_manifest::Type;
        let int = |cell: &Option<Held<'_>>| match cell {
            Some(Held::Int(number) | Held::Timestamp(number) | Held::Duration(number)) => *number,
            _ => 0,
        };
        let ints = || column.iter().map(int).collect();
        let double = |cell: &Option<Held<'_>>| if let Some(Held::Double(number)) = cell { *number } else { 0.0 };
        let values = match input.ty {
            Type::String => texts(column, interner),
            Type::Double => Values::Doubles(column.iter().map(double).collect()),
            Type::Bytes => Values::Bytes(column.iter().map(bytes).collect()),
            Type::List => Values::Lists(column.iter().map(|cell| list(cell, interner)).collect()),
            Type::Int => Values::Ints(ints()),
            Type::Timestamp => Values::Timestamps(ints()),
            Type::Duration => Values::Durations(ints()),
            Type::Bool => Values::Bools(column.iter().map(|cell| matches!(cell, Some(Held::Bool(true)))).collect()),
            Type::Map | Type::ListMap | Type::Struct => {
                Values::Pairs(column.iter().map(|cell| pairs(cell, interner)).collect())
            }
        };
        let everywhere = column.iter().all(Option::is_some);
        let present = if everywhere { Vec::new() } else { column.iter().map(Option::is_some).collect() };
        Cells { values, present }
    }

    /// The lists of each row as slices, which the wire wants.
    pub(crate) fn slices(&self) -> Slices<'_> {
        let mut slices = Slices::default();
        match &self.values {
            Values::Pairs(rows) => slices.pairs = rows.iter().map(Vec::as_slice).collect(),
            Values::Lists(rows) => slices.lists = rows.iter().map(Vec::as_slice).collect(),
            Values::Bytes(rows) => slices.bytes = rows.iter().map(Vec::as_slice).collect(),
            _ => {}
        }
        slices
    }

    /// As the wire wants it; `slices` are its own.
    pub(crate) fn column<'c>(&'c self, slices: &'c Slices<'c>) -> Column<'c> {
        let data = match &self.values {
            Values::Texts(values) => Data::Texts(values),
            Values::Ints(values) => Data::Ints(values),
            Values::Doubles(values) => Data::Doubles(values),
            Values::Bools(values) => Data::Booleans(values),
            Values::Bytes(_) => Data::Bytes(&slices.bytes),
            Values::Lists(_) => Data::Lists(&slices.lists),
            Values::Timestamps(values) => Data::Timestamps(values),
            Values::Durations(values) => Data::Durations(values),
            Values::Pairs(_) => Data::Pairs(&slices.pairs),
        };
        Column { data, present: &self.present }
    }
}

fn texts<'r>(column: &'r [Option<Held<'_>>], interner: &mut Interner<'r>) -> Values {
    // Many rows say what the row before said.
    let mut last = ("", None);
    let number = |cell: &'r Option<Held<'_>>| match (cell, last) {
        (Some(Held::Text(text)), (before, Some(number))) if before == &**text => number,
        (Some(Held::Text(text)), _) => {
            let number = interner.number(text);
            last = (text, Some(number));
            number
        }
        _ => 0,
    };
    Values::Texts(column.iter().map(number).collect())
}

fn bytes(cell: &Option<Held<'_>>) -> Vec<u8> {
    match cell {
        Some(Held::Bytes(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    }
}

fn list<'r>(cell: &'r Option<Held<'_>>, interner: &mut Interner<'r>) -> Vec<u32> {
    match cell {
        Some(Held::Texts(texts)) => texts.iter().map(|text| interner.number(text)).collect(),
        _ => Vec::new(),
    }
}

fn pairs<'r>(cell: &'r Option<Held<'_>>, interner: &mut Interner<'r>) -> Vec<(u32, u32)> {
    match cell {
        Some(Held::Pairs(pairs)) => {
            pairs.iter().map(|(name, value)| (interner.number(name), interner.number(value))).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
