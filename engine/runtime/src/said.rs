//! What check adapters say beside their decisions.

use std::sync::Arc;

use weir_adapters::{Adapter, AdapterVerdict};
use weir_attributes::Struct;
use weir_policy::Ruleset;
use weir_telemetry::Said as Logged;

use crate::translate;

/// What one check adapter said beside its decision.
#[derive(Clone, Debug)]
pub struct Said {
    /// The plugin's name in its manifest: `publisher/name`.
    pub plugin: Arc<str>,
    /// Why it decided so: for the decision log, never for a client.
    pub reason: Arc<str>,
    /// For the proxy's other filters, its access log and the decision log.
    pub metadata: Struct,
}

/// What the adapters of one check were asked and said.
#[derive(Debug, Default)]
pub(crate) struct Told {
    asked: bool,
    /// A CUSTOM rule asked one.
    pub(crate) by_custom: bool,
    pub(crate) said: Vec<Said>,
}

impl Told {
    pub(crate) fn is_empty(&self) -> bool {
        !self.asked
    }

    /// Somebody is asked: as one of the ruleset's adapters, or else by a CUSTOM rule.
    pub(crate) fn asked(&mut self, ruleset: &Ruleset, binding: usize) {
        self.asked = true;
        self.by_custom |= ruleset.adapters().iter().all(|adapter| adapter.binding != binding);
    }

    /// Takes what the verdict holds beside the decision.
    pub(crate) fn heard(&mut self, adapter: &Adapter, verdict: &mut AdapterVerdict) {
        let (reason, metadata) = (std::mem::take(&mut verdict.reason), std::mem::take(&mut verdict.metadata));
        if reason.is_empty() && metadata.is_empty() {
            return;
        }
        let fields = metadata.into_iter().map(|(name, value)| Ok((name.into(), translate::json(value)?)));
        let metadata = fields.collect::<Result<_, _>>().and_then(Struct::new).unwrap_or_else(|error| {
            tracing::warn!(adapter = &**adapter.name(), "the metadata of its verdict is left out: {error}");
            Struct::default()
        });
        let plugin = adapter.manifest().map_or_else(|| adapter.name().clone(), |manifest| manifest.name.clone());
        self.said.push(Said { plugin, reason: reason.into(), metadata });
    }
}

impl Said {
    pub(crate) fn logged(&self) -> Logged {
        let Said { plugin, reason, metadata } = self.clone();
        Logged { plugin, reason, metadata }
    }
}
