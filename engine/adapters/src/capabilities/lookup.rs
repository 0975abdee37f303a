//! Tables that the host keeps.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::contract::v1::weir::plugin::lookup;
use crate::contract::v1::weir::plugin::types::{Refusal, ValueResult};
use crate::guest::Guest;
use crate::services::denied;
use crate::value::Field;

/// One row: its fields.
pub type Row = Vec<Field>;

/// A table: rows by key.
pub type Table = HashMap<Box<str>, Row>;

/// Every table by name, swapped as a whole: a plugin that reads holds no lock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables(Arc<ArcSwap<BTreeMap<Box<str>, Arc<Table>>>>);

impl Tables {
    pub(crate) fn set(&self, name: &str, table: Table) {
        let table = Arc::new(table);
        self.0.rcu(|tables| {
            let mut tables = (**tables).clone();
            tables.insert(name.into(), table.clone());
            tables
        });
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Table>> {
        self.0.load().get(name).cloned()
    }
}

impl lookup::Host for Guest {
    fn get(&mut self, table: String, key: String) -> Result<Option<Vec<(String, ValueResult)>>, Refusal> {
        if !self.services.lookup.iter().any(|name| **name == *table) {
            return Err(denied(format!("the manifest does not list {table:?} under [capabilities] lookup")));
        }
        let rows = self.services.tables.get(&table);
        let row = rows.as_ref().and_then(|rows| rows.get(&*key)).cloned();
        Ok(row.map(|row| row.into_iter().map(|(name, value)| (name, value.wire())).collect()))
    }
}
