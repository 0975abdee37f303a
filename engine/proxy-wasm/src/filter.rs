//! A filter: a module, its configuration, and what all its virtual machines share.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::InstancePre;

use crate::exports::Shape;
use crate::guest::Guest;
use crate::host::Machine;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::queues::Commons;
use crate::stats::Counters;
use crate::{AbiVersion, Limits, Metric, Stats};

/// What becomes of requests when the filter has failed; Envoy's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FailurePolicy {
    /// They are answered with 503.
    #[default]
    FailClosed,
    /// They pass as if the filter were not there.
    FailOpen,
}

/// What properties say about the proxy that the filter runs in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// `node.id`.
    pub node_id: String,
    /// `node.cluster`.
    pub node_cluster: String,
    /// `node.metadata`, an object.
    pub node_metadata: serde_json::Map<String, serde_json::Value>,
    /// `cluster_name`: of the upstream that the proxy stands before.
    pub cluster_name: String,
    /// `route_name`.
    pub route_name: String,
}

/// What to load.
#[derive(Clone, Debug, Default)]
pub struct FilterSpec {
    /// Its name: `plugin_name`, in logs and metrics.
    pub name: String,
    /// `plugin_root_id`: which of a module's root contexts.
    pub root_id: String,
    /// `plugin_vm_id`: shared data and queues are shared by filters of the same.
    pub vm_id: String,
    /// The module.
    pub wasm: Bytes,
    /// What `proxy_on_vm_start` can read.
    pub vm_config: Bytes,
    /// What `proxy_on_configure` can read.
    pub plugin_config: Bytes,
    /// The environment that it sees, names and values.
    pub environment: Vec<(String, String)>,
    /// Names of the upstreams that it may call.
    pub upstreams: Vec<String>,
    /// What it may use.
    pub limits: Limits,
    /// What a failure means.
    pub failure_policy: FailurePolicy,
    /// The proxy that it runs in.
    pub surroundings: Arc<Surroundings>,
}

/// A loaded filter; start a [`crate::Vm`] of it on each worker.
pub struct Filter {
    pub(crate) spec: FilterSpec,
    pub(crate) shape: Shape,
    pub(crate) machine: Arc<Machine>,
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) commons: Arc<Commons>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) metrics: Metrics,
    pub(crate) log: Log,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").field("name", &self.spec.name).field("abi", &self.shape.abi).finish_non_exhaustive()
    }
}

impl Filter {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Which version of the ABI it speaks.
    #[must_use]
    pub fn abi(&self) -> AbiVersion {
        self.shape.abi
    }

    /// What was counted of it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// The metrics that it defined, as they stand.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        self.metrics.read()
    }

    /// Whether it looks at request bodies or trailers.
    #[must_use]
    pub fn reads_request(&self) -> bool {
        self.shape.request_body || self.shape.request_trailers
    }

    /// Whether it looks at response bodies or trailers.
    #[must_use]
    pub fn reads_response(&self) -> bool {
        self.shape.response_body || self.shape.response_trailers
    }
}
