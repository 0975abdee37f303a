//! What the operator lets an adapter use: nothing, unless it is said here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use weir_manifest::Capabilities;

use crate::Error;

/// What the operator lets an adapter use beyond its inputs. A plugin that asks for more is not loaded; what it is granted and does
/// not ask for, it does not get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Lines in the operator's log.
    pub log: bool,
    /// Counters and histograms.
    pub metrics: bool,
    /// Log records about requests.
    pub records: bool,
    /// Spans.
    pub spans: bool,
    /// Stores by name, with their sizes.
    pub kv: BTreeMap<String, StoreSize>,
    /// Names of the host's tables.
    pub lookup: BTreeSet<String>,
    /// Upstreams by name.
    pub http_out: BTreeMap<String, Upstream>,
    /// Ways out by name.
    pub sinks: BTreeMap<String, SinkTarget>,
}

/// Where requests to a named upstream go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// `http://` or `https://`, with the path that each request's path is appended to.
    pub url: String,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Requests in a second; others are refused.
    pub per_second: u32,
}

/// Where the messages of a named sink go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkTarget {
    /// A line each, appended.
    File(PathBuf),
    /// A line each.
    Stdout,
    /// OTLP over HTTP: an export request each, posted to that URL.
    Otlp(String),
    /// The body of a POST each.
    Http {
        /// Where to.
        url: String,
        /// `content-type`.
        content_type: String,
    },
    /// A datagram each, to HOST:PORT.
    Udp(String),
    /// Bytes of a stream, to HOST:PORT.
    Tcp(String),
}

/// How much a store holds; when it is full, what expires soonest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSize {
    /// Keys.
    pub entries: usize,
    /// Bytes of keys and values.
    pub bytes: usize,
}

impl Default for StoreSize {
    fn default() -> Self {
        StoreSize { entries: crate::STORE_ENTRIES, bytes: crate::STORE_BYTES }
    }
}

impl Grants {
    /// Log, metrics, records and spans: what leaves through the engine's own telemetry.
    #[must_use]
    pub fn telemetry() -> Grants {
        Grants { log: true, metrics: true, records: true, spans: true, ..Grants::default() }
    }

    /// Whether everything that is asked for is granted.
    pub(crate) fn cover(&self, asked: &Capabilities, adapter: &str) -> Result<(), Error> {
        let flags = [
            ("log", asked.log, self.log),
            ("metrics", asked.metrics, self.metrics),
            ("records", asked.records, self.records),
            ("spans", asked.spans, self.spans),
        ];
        let refused =
            |capability: &str| Error::NotGranted { adapter: adapter.to_owned(), capability: capability.to_owned() };
        if let Some((name, ..)) = flags.into_iter().find(|(_, asked, granted)| *asked && !granted) {
            return Err(refused(name));
        }
        let names = [
            ("kv", &asked.kv, self.kv.keys().collect::<BTreeSet<_>>()),
            ("lookup", &asked.lookup, self.lookup.iter().collect()),
            ("httpOut", &asked.http_out, self.http_out.keys().collect()),
            ("sinks", &asked.sinks, self.sinks.keys().collect()),
        ];
        for (capability, asked, granted) in names {
            if let Some(name) = asked.iter().find(|name| !granted.contains(name)) {
                return Err(refused(&format!("{capability} {name}")));
            }
        }
        Ok(())
    }
}
