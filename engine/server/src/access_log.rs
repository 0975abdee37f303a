//! `envoy.service.accesslog.v3.AccessLogService`: Envoy's access log as reports.
//!
//! Only the entry at the end of an HTTP request is a report; entries about connections, upstream attempts and requests
//! that still run are passed over and counted. Which workload an entry is about is told by, in this order:
//! 1. its custom tags `weir.workload`, or `weir.namespace` with `weir.labels`;
//! 2. what the check told Envoy to remember: the dynamic metadata of `envoy.filters.http.ext_authz`;
//! 3. the node's metadata of the same names as the tags;
//! 4. the log's name, when it is written `NAMESPACE/NAME`;
//! 5. the destination: the local certificate, then the local address.
//!
//! The proxy is called by the node's id.

mod entry;
mod flags;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use envoy_types::pb::{
    envoy::service::accesslog::v3::{
        StreamAccessLogsMessage, StreamAccessLogsResponse,
        access_log_service_server::AccessLogService,
        stream_access_logs_message::{Identifier, LogEntries},
    },
    google::protobuf::{Struct, value::Kind},
};
use tonic::{Request, Response, Status, Streaming};
use weir_attributes::Bag;
use weir_policy::Claim;
use weir_runtime::Runtime;

use crate::ext_authz::metadata;
use entry::{Entry, bag};

/// Bytes of a node's id; the rest is cut.
const NODE_MAX: usize = 256;

/// Entries that are no reports, by why.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// About connections, not requests.
    pub(crate) tcp: AtomicU64,
    /// About requests that still run, or about attempts upstream.
    pub(crate) unfinished: AtomicU64,
}

/// The door.
#[derive(Debug)]
pub(crate) struct AccessLog {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) skipped: Arc<Skipped>,
}

/// Entries of one message that are about the same workload.
type Group = (Option<Named>, Vec<Bag>);

/// What names a workload: the three texts of a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    workload: Option<String>,
    namespace: Option<String>,
    labels: Option<String>,
}

impl Named {
    /// Takes the texts from wherever they stand; none when there is neither a name nor a namespace.
    fn by(find: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let [workload, namespace, labels] = metadata::WORKLOAD.map(|name| find(name).filter(|text| !text.is_empty()));
        match (&workload, &namespace) {
            (None, None) => None,
            (Some(_), _) => Some(Self { workload, ..Self::default() }),
            (None, Some(_)) => Some(Self { workload, namespace, labels }),
        }
    }

    fn claim(&self) -> Claim<'_> {
        Claim {
            workload: self.workload.as_deref(),
            namespace: self.namespace.as_deref(),
            labels: self.labels.as_deref(),
            ..Claim::default()
        }
    }
}

/// What the first message of a stream says about all of them.
#[derive(Debug, Default)]
struct Origin {
    proxy: String,
    named: Option<Named>,
}

impl Origin {
    fn of(identifier: &Identifier) -> Self {
        let node = identifier.node.as_ref();
        let mut proxy = node.map(|node| node.id.clone()).unwrap_or_default();
        proxy.truncate(proxy.floor_char_boundary(NODE_MAX));
        let metadata = node.and_then(|node| node.metadata.as_ref());
        let log = Some(&identifier.log_name).filter(|name| name.contains('/'));
        let by_log = || log.map(|name| Named { workload: Some(name.clone()), ..Named::default() });
        Self { proxy, named: metadata.and_then(|node| Named::by(|name| text(node, name))).or_else(by_log) }
    }
}

/// A text in a `google.protobuf.Struct`.
fn text(fields: &Struct, name: &str) -> Option<String> {
    match fields.fields.get(name)?.kind.as_ref()? {
        Kind::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

impl AccessLog {
    /// Hands the entries of one message over. What does not fit into the queue is counted as lost by the runtime; this
    /// protocol has no answer for it.
    fn take(&self, origin: &Origin, message: StreamAccessLogsMessage) {
        for (about, entries) in self.skipped.groups(origin, message) {
            let claim = about.as_ref().map(Named::claim).unwrap_or_default();
            let _ = self.runtime.report(&origin.proxy, &claim, entries);
        }
    }
}

impl Skipped {
    /// Neighbours about the same workload together.
    fn groups(&self, origin: &Origin, message: StreamAccessLogsMessage) -> Vec<Group> {
        let entries = match message.log_entries {
            Some(LogEntries::HttpLogs(entries)) => entries.log_entry,
            Some(LogEntries::TcpLogs(entries)) => {
                self.tcp.fetch_add(entries.log_entry.len() as u64, Relaxed);
                return Vec::new();
            }
            None => return Vec::new(),
        };
        let mut groups = Vec::<Group>::new();
        for entry in entries {
            let Some(Entry { bag, named }) = bag(entry) else {
                self.unfinished.fetch_add(1, Relaxed);
                continue;
            };
            let named = named.or_else(|| origin.named.clone());
            match groups.last_mut() {
                Some((about, entries)) if *about == named => entries.push(bag),
                _ => groups.push((named, vec![bag])),
            }
        }
        groups
    }
}

#[tonic::async_trait]
impl AccessLogService for AccessLog {
    async fn stream_access_logs(
        &self,
        request: Request<Streaming<StreamAccessLogsMessage>>,
    ) -> Result<Response<StreamAccessLogsResponse>, Status> {
        let mut messages = request.into_inner();
        let mut origin = Origin::default();
        while let Some(message) = messages.message().await? {
            if let Some(identifier) = &message.identifier {
                origin = Origin::of(identifier);
            }
            self.take(&origin, message);
        }
        Ok(Response::new(StreamAccessLogsResponse {}))
    }
}

#[cfg(test)]
mod tests;
