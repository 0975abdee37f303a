//! What one adapter's instances share of the host: what was asked for and granted, alive.

use std::collections::HashMap;
use std::sync::Arc;

use crate::capabilities::{Store, Tables};
use crate::contract::v1::weir::plugin::types::{Refusal, RefusalCode};
use crate::{Grants, Input, Manifest};

/// What was asked for and granted.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) log: bool,
    pub(crate) metrics: bool,
    pub(crate) records: bool,
    pub(crate) spans: bool,
    pub(crate) kv: HashMap<Box<str>, Arc<Store>>,
    pub(crate) lookup: Vec<Box<str>>,
    pub(crate) tables: Tables,
    /// What the bag shows beyond the inputs.
    pub(crate) attributes: Vec<Input>,
}

impl Services {
    /// `manifest` asks for no more than `grants` give; `store` finds or makes a store.
    pub(crate) fn new(
        manifest: &Manifest,
        grants: &Grants,
        tables: Tables,
        store: impl Fn(&str, crate::StoreSize) -> Arc<Store>,
    ) -> Services {
        let asked = &manifest.capabilities;
        let stores =
            asked.kv.iter().filter_map(|name| Some((name.as_str().into(), store(name, *grants.kv.get(name)?))));
        Services {
            log: asked.log && grants.log,
            metrics: asked.metrics && grants.metrics,
            records: asked.records && grants.records,
            spans: asked.spans && grants.spans,
            kv: stores.collect(),
            lookup: asked.lookup.iter().map(|name| name.as_str().into()).collect(),
            tables,
            attributes: manifest.attributes.clone(),
        }
    }
}

/// The answer to what was not asked for.
pub(crate) fn allowed(granted: bool, capability: &str) -> Result<(), Refusal> {
    match granted {
        true => Ok(()),
        false => Err(denied(format!("the manifest does not ask for it; add {capability} under [capabilities]"))),
    }
}

pub(crate) fn denied(message: impl Into<String>) -> Refusal {
    Refusal { code: RefusalCode::Denied, message: message.into() }
}

pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal { code: RefusalCode::Invalid, message: message.into() }
}

pub(crate) fn limited(message: impl Into<String>) -> Refusal {
    Refusal { code: RefusalCode::Limited, message: message.into() }
}
