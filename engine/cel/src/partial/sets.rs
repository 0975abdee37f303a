//! Sets of what is not known, by numbers, so that an outcome stays small.

use std::collections::HashMap;

use super::Unknown;
use crate::{
    activation::Origin,
    error::EvalErrorKind,
    run::{Budget, Watch},
};

/// Every set that an evaluation met, each once.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    /// What is not known, by its place.
    names: Vec<Unknown>,
    places: HashMap<Unknown, u32>,
    /// Sorted places, by the number of their set.
    sets: Vec<Box<[u32]>>,
    numbers: HashMap<Box<[u32]>, u32>,
}

impl Sets {
    /// What is in a set, sorted; keys of what is not known at all are left out.
    pub(crate) fn listed(&self, set: u32) -> Vec<Unknown> {
        let places = self.sets.get(set as usize).map(|set| &**set).unwrap_or_default();
        let mut listed: Vec<Unknown> =
            places.iter().filter_map(|place| self.names.get(*place as usize)).cloned().collect();
        listed.sort();
        // What has no key comes before its keys.
        let mut whole = None;
        listed.retain(|unknown| {
            if unknown.key.is_none() {
                whole = Some(unknown.origin);
            }
            unknown.key.is_none() || whole != Some(unknown.origin)
        });
        listed
    }

    fn number(&mut self, set: Vec<u32>, budget: &mut Budget) -> Result<u32, EvalErrorKind> {
        budget.spend(1 + set.len() / 8)?;
        if let Some(number) = self.numbers.get(&*set) {
            return Ok(*number);
        }
        // Twice the places, and about as much for the table.
        budget.grow(2 * size_of_val(&*set) + 64)?;
        let (number, set): (u32, Box<[u32]>) = (self.sets.len() as u32, set.into());
        self.sets.push(set.clone());
        self.numbers.insert(set, number);
        Ok(number)
    }
}

impl Watch for Sets {
    const PARTIAL: bool = true;

    fn unknown(&mut self, origin: Origin, key: Option<&str>, budget: &mut Budget) -> Result<u32, EvalErrorKind> {
        budget.read(key.map_or(0, str::len))?;
        let unknown = Unknown { origin, key: key.map(Box::from) };
        let place = match self.places.get(&unknown) {
            Some(place) => *place,
            None => {
                budget.grow(2 * (size_of::<Unknown>() + key.map_or(0, str::len)))?;
                let place = self.names.len() as u32;
                self.names.push(unknown.clone());
                self.places.insert(unknown, place);
                place
            }
        };
        self.number(vec![place], budget)
    }

    fn union(&mut self, one: u32, other: u32, budget: &mut Budget) -> Result<u32, EvalErrorKind> {
        if one == other {
            return Ok(one);
        }
        let set = |number: u32| self.sets.get(number as usize).map(|set| &**set).unwrap_or_default();
        let (one, other) = (set(one), set(other));
        budget.grow(size_of_val(one) + size_of_val(other))?;
        let mut union = [one, other].concat();
        union.sort_unstable();
        union.dedup();
        self.number(union, budget)
    }
}
