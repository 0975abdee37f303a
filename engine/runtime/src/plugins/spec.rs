//! An Adapter of the configuration in the host's words.

use std::{sync::Arc, time::Duration};

use sha2::{Digest as _, Sha256};
use weir_adapters::{
    AdapterSpec, Binding, Error as AdapterError, FailurePolicy, Grants, Limits, Origin, SinkTarget, StoreSize, Trust,
    Upstream, Wanted,
};

use super::{Failed, Fault};

/// Everything that a plugin is made from but its bytes.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) name: Arc<str>,
    pub(crate) wanted: Wanted,
    pub(crate) failure_policy: FailurePolicy,
    config: serde_json::Value,
    limits: Limits,
    grants: Grants,
    bindings: Vec<Binding>,
    condition: Option<String>,
}

/// Without the configuration: it may hold credentials.
impl std::fmt::Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe").field("name", &self.name).field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl Recipe {
    pub(crate) fn of(name: Arc<str>, spec: &weir_config::Adapter, patience: u32) -> Recipe {
        let source = &spec.source;
        let origin = match (&source.http, &source.oci, &source.layout) {
            (Some(url), ..) => Origin::Http(url.clone()),
            (_, Some(reference), _) => Origin::Oci(reference.clone()),
            (.., Some(layout)) => Origin::Layout { path: source.path.clone(), reference: layout.reference.clone() },
            _ => Origin::File(source.path.clone()),
        };
        let trust = |signature: &weir_config::Signature| Trust {
            keys: signature.trusted_keys.clone(),
            value: signature.value.clone(),
        };
        let bindings = spec.bindings.iter();
        Recipe {
            name,
            wanted: Wanted { origin, sha256: source.sha256.clone(), trust: source.signature.as_ref().map(trust) },
            failure_policy: match spec.failure_policy {
                weir_config::FailurePolicy::Closed => FailurePolicy::Closed,
                weir_config::FailurePolicy::Open => FailurePolicy::Open,
            },
            config: spec.config.clone(),
            limits: limits(&spec.limits, patience),
            grants: grants(&spec.capabilities),
            bindings: bindings.map(|(name, cel)| Binding { name: name.clone(), expression: cel.clone() }).collect(),
            condition: spec.condition.clone(),
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self.wanted.origin, Origin::File(_))
    }

    /// For the host, with these bytes.
    pub(crate) fn spec(&self, wasm: impl Into<bytes::Bytes>) -> AdapterSpec {
        AdapterSpec {
            wasm: wasm.into(),
            origin: self.wanted.origin.to_string(),
            config: self.config.clone(),
            limits: self.limits.clone(),
            grants: self.grants.clone(),
            bindings: self.bindings.clone(),
            condition: self.condition.clone(),
        }
    }

    /// Digest of everything that running instances depend on.
    pub(crate) fn fingerprint(&self, wasm: &[u8]) -> [u8; 32] {
        let Recipe { wanted, config, limits, grants, bindings, condition, .. } = self;
        let mut hash = Sha256::new();
        hash.update(Sha256::digest(wasm));
        hash.update(config.to_string());
        hash.update(format!("{wanted:?} {limits:?} {grants:?} {bindings:?} {condition:?}"));
        hash.finalize().into()
    }
}

/// The field at fault, and the fix.
pub(super) fn fault(failed: &Failed) -> Fault {
    let message = failed.to_string();
    let error = match failed {
        Failed::Lost(_) => return ("spec.source", message, "look into the log for the panic"),
        Failed::Phase(_) => return ("spec.phase", message, "write the phase of the plugin's manifest"),
        Failed::Fetch(weir_adapters::FetchError::Digest { .. }) => {
            return (
                "spec.source.sha256",
                message,
                "fetch the plugin again, or write this digest if you trust the file",
            );
        }
        Failed::Fetch(weir_adapters::FetchError::Signature(_)) => {
            return ("spec.source.signature", message, "have it signed by who is trusted, or trust who signed it");
        }
        Failed::Fetch(_) => return ("spec.source", message, "give a component that this process may read"),
        Failed::Adapter(error) => error,
    };
    match error {
        AdapterError::Config { .. } => ("spec.config", message, "the plugin's README lists its fields"),
        AdapterError::NotGranted { .. } => ("spec.capabilities", message, "grant it, or use another plugin"),
        AdapterError::Expression { field, .. } if field == "match" => {
            ("spec.match", message, "write a CEL expression that is true or false")
        }
        AdapterError::Expression { .. } | AdapterError::Unbound { .. } => {
            ("spec.bindings", message, "bind each input that is no attribute to a CEL expression of its type")
        }
        AdapterError::Needs { .. } => ("spec.limits", message, "the plugin's manifest says what it needs"),
        AdapterError::Limit { .. } => ("spec.limits", message, "leave the limit out for the default"),
        AdapterError::Start(_) => {
            ("spec.config", message, "correct the configuration, or give the plugin more in spec.limits")
        }
        _ => ("spec.source.file", message, "give a component that the SDK of this version built"),
    }
}

fn limits(asked: &weir_config::AdapterLimits, patience: u32) -> Limits {
    let mut limits = Limits::default();
    if let Some(mib) = asked.memory_mib {
        limits.memory_bytes = mib as usize * 1024 * 1024;
    }
    if let Some(ms) = asked.timeout_ms {
        limits.check_time = Duration::from_millis(ms.into());
        limits.report_time = limits.check_time;
    }
    if let Some(kib) = asked.output_kib {
        limits.output_bytes = kib as usize * 1024;
    }
    if let Some(instances) = asked.instances {
        limits.instances = instances as usize;
    }
    limits.breaker = asked.breaker.unwrap_or(true);
    limits.check_time *= patience.max(1);
    limits.report_time *= patience.max(1);
    limits.configure_time *= patience.max(1);
    limits
}

fn grants(granted: &weir_config::Capabilities) -> Grants {
    let usual = StoreSize::default();
    let store = |store: &weir_config::Store| {
        let entries = store.entries.map_or(usual.entries, |entries| entries as usize);
        (store.name.clone(), StoreSize { entries, bytes: store.kib.map_or(usual.bytes, |kib| kib as usize * 1024) })
    };
    let upstream = |upstream: &weir_config::Upstream| {
        let timeout = Duration::from_millis(upstream.timeout_ms.unwrap_or(1000).into());
        let (url, per_second) = (upstream.url.clone(), upstream.per_second.unwrap_or(100));
        (upstream.name.clone(), Upstream { url, timeout, per_second })
    };
    Grants {
        log: granted.log,
        metrics: granted.metrics,
        records: granted.records,
        spans: granted.spans,
        kv: granted.kv.iter().map(store).collect(),
        lookup: granted.lookup.iter().cloned().collect(),
        http_out: granted.http_out.iter().map(upstream).collect(),
        sinks: granted.sinks.iter().map(|sink| (sink.name.clone(), target(sink))).collect(),
    }
}

/// The configuration has made sure that there is exactly one.
fn target(sink: &weir_config::Sink) -> SinkTarget {
    let weir_config::Sink { file, otlp, http, udp, tcp, .. } = sink;
    match (file, otlp, http, udp, tcp) {
        (Some(file), ..) => SinkTarget::File(file.into()),
        (_, Some(url), ..) => SinkTarget::Otlp(url.clone()),
        (_, _, Some(http), ..) => SinkTarget::Http {
            url: http.url.clone(),
            content_type: http.content_type.clone().unwrap_or_else(|| "application/json".into()),
        },
        (.., Some(address), _) => SinkTarget::Udp(address.clone()),
        (.., Some(address)) => SinkTarget::Tcp(address.clone()),
        _ => SinkTarget::Stdout,
    }
}
