//! What one adapter's instances share of the host: what was asked for and granted, alive.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::capabilities::{Store, Tables, Upstream};
use crate::client::HttpClient;
use crate::contract::v1::weir::plugin::types::{Refusal, RefusalCode};
use crate::registry::Registry;
use crate::sink::Sink;
use crate::{Grants, Input, Manifest, StoreSize};

/// What was asked for and granted.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) log: bool,
    pub(crate) metrics: bool,
    pub(crate) records: bool,
    pub(crate) spans: bool,
    pub(crate) kv: HashMap<Box<str>, Arc<Store>>,
    /// How large each store is to be once this generation serves.
    sizes: Vec<(Arc<Store>, StoreSize)>,
    pub(crate) upstreams: HashMap<Box<str>, Arc<Upstream>>,
    pub(crate) sinks: HashMap<Box<str>, Arc<Sink>>,
    pub(crate) lookup: Vec<Box<str>>,
    pub(crate) tables: Tables,
    /// What the bag shows beyond the inputs.
    pub(crate) attributes: Vec<Input>,
}

/// What the host has for all its adapters.
#[derive(Debug)]
pub(crate) struct Supplies {
    pub(crate) stores: Registry<Store>,
    pub(crate) sinks: Registry<Sink>,
    pub(crate) tables: Tables,
    pub(crate) client: HttpClient,
}

impl Services {
    /// `manifest` asks for no more than `grants` give.
    pub(crate) fn new(adapter: &str, manifest: &Manifest, grants: &Grants, host: &Supplies) -> Services {
        let asked = &manifest.capabilities;
        let stores = asked.kv.iter().filter_map(|name| {
            let size = *grants.kv.get(name)?;
            Some((name, host.stores.get(adapter, name, |_| true, || Store::new(size)), size))
        });
        let stores: Vec<_> = stores.collect();
        let upstream = |name: &String| {
            let granted = grants.http_out.get(name)?;
            Some((name.as_str().into(), Arc::new(Upstream::new(granted, &host.client))))
        };
        let sink = |name: &String| {
            let target = grants.sinks.get(name)?;
            let start = || Sink::start(&format!("{adapter} {name}"), target, &host.client, &Handle::current());
            Some((name.as_str().into(), host.sinks.get(adapter, name, |sink| sink.target == *target, start)))
        };
        Services {
            log: asked.log && grants.log,
            metrics: asked.metrics && grants.metrics,
            records: asked.records && grants.records,
            spans: asked.spans && grants.spans,
            kv: stores.iter().map(|(name, store, _)| (name.as_str().into(), store.clone())).collect(),
            sizes: stores.into_iter().map(|(_, store, size)| (store, size)).collect(),
            upstreams: asked.http_out.iter().filter_map(upstream).collect(),
            sinks: asked.sinks.iter().filter_map(sink).collect(),
            lookup: asked.lookup.iter().map(|name| name.as_str().into()).collect(),
            tables: host.tables.clone(),
            attributes: manifest.attributes.clone(),
        }
    }

    /// This generation serves from now on: what it shares with the one before gets its sizes.
    pub(crate) fn serve(&self) {
        for (store, size) in &self.sizes {
            store.resize(*size);
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
