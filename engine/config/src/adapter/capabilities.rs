//! What the operator lets an adapter use beyond its inputs: nothing, unless it is written here.

use serde::Deserialize;

use super::Fault;
use crate::limits::{MAX_ADAPTER_NAMES, MAX_ADAPTER_TIMEOUT_MS, MAX_STORE_ENTRIES, MAX_STORE_KIB};

/// `spec.capabilities` of an Adapter. A plugin that asks for more is not loaded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Capabilities {
    /// Lines in the engine's log.
    pub log: bool,
    /// Counters and histograms.
    pub metrics: bool,
    /// Log records about requests.
    pub records: bool,
    /// Spans.
    pub spans: bool,
    /// Named stores, in memory.
    pub kv: Vec<Store>,
    /// Names of tables that the engine keeps.
    pub lookup: Vec<String>,
    /// Named upstreams.
    pub http_out: Vec<Upstream>,
    /// Named ways out.
    pub sinks: Vec<Sink>,
}

/// One named store of an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Store {
    /// As the plugin calls it.
    pub name: String,
    /// How many keys it holds; none for the host's default.
    #[serde(default)]
    pub entries: Option<u32>,
    /// How many KiB of keys and values; none for the host's default.
    #[serde(default, rename = "KiB")]
    pub kib: Option<u32>,
}

/// One named upstream of an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Upstream {
    /// As the plugin calls it.
    pub name: String,
    /// `http://` or `https://`, with the path that each request's path is appended to.
    pub url: String,
    /// How long an answer may take, milliseconds; 1000 when it is not given. The call's own time ends it sooner.
    #[serde(default)]
    pub timeout_ms: Option<u32>,
    /// Requests in a second; 100 when it is not given.
    #[serde(default)]
    pub per_second: Option<u32>,
}

/// One named way out of an adapter: exactly one of the targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Sink {
    /// As the plugin calls it.
    pub name: String,
    /// A file that lines are appended to; absolute.
    pub file: Option<String>,
    /// Lines on standard output.
    pub stdout: Option<bool>,
    /// The URL of an OTLP receiver over HTTP, `http://HOST:4318/v1/logs` for instance.
    pub otlp: Option<String>,
    /// A POST each.
    pub http: Option<HttpSink>,
    /// HOST:PORT of datagrams.
    pub udp: Option<String>,
    /// HOST:PORT of a stream.
    pub tcp: Option<String>,
}

/// Where the messages of a sink are posted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpSink {
    /// `http://` or `https://`.
    pub url: String,
    /// `application/json` when it is not given.
    #[serde(default)]
    pub content_type: Option<String>,
}

impl Sink {
    fn targets(&self) -> usize {
        let given = [
            self.file.is_some(),
            self.stdout == Some(true),
            self.otlp.is_some(),
            self.http.is_some(),
            self.udp.is_some(),
            self.tcp.is_some(),
        ];
        given.into_iter().filter(|given| *given).count()
    }
}

impl Capabilities {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check_numbers(&mut faults);
        self.check_targets(&mut faults);
        let lists = [
            ("spec.capabilities.kv", self.kv.iter().map(|store| &store.name).collect::<Vec<_>>()),
            ("spec.capabilities.lookup", self.lookup.iter().collect()),
            ("spec.capabilities.httpOut", self.http_out.iter().map(|upstream| &upstream.name).collect()),
            ("spec.capabilities.sinks", self.sinks.iter().map(|sink| &sink.name).collect()),
        ];
        for (path, mut names) in lists {
            let count = names.len();
            names.sort();
            names.dedup();
            if names.len() != count || names.first().is_some_and(|name| name.is_empty()) {
                faults.push((
                    path,
                    "a name is empty or there twice".to_owned(),
                    "give each a name of its own".to_owned(),
                ));
            }
            if count > MAX_ADAPTER_NAMES {
                faults.push((path, format!("{count} names"), format!("give at most {MAX_ADAPTER_NAMES}")));
            }
        }
        faults
    }

    fn check_numbers(&self, faults: &mut Vec<Fault>) {
        let stores = self.kv.iter().flat_map(|store| {
            let name = &store.name;
            [("entries", store.entries, MAX_STORE_ENTRIES), ("KiB", store.kib, MAX_STORE_KIB)]
                .map(move |(field, value, most)| ("spec.capabilities.kv", name, field, value, most))
        });
        let upstreams = self.http_out.iter().map(|upstream| {
            let (name, ms) = (&upstream.name, upstream.timeout_ms);
            ("spec.capabilities.httpOut", name, "timeoutMs", ms, MAX_ADAPTER_TIMEOUT_MS)
        });
        for (path, name, field, value, most) in stores.chain(upstreams) {
            if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
                faults.push((path, format!("`{name}`: {field} {value} is out of range"), format!("give 1 to {most}")));
            }
        }
    }

    fn check_targets(&self, faults: &mut Vec<Fault>) {
        let is_address = |address: &str| {
            address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        for upstream in self.http_out.iter().filter(|upstream| !is_url(&upstream.url)) {
            let what = format!("`{}`: expected an http or https URL", upstream.name);
            faults.push(("spec.capabilities.httpOut", what, "write `url: https://HOST/PATH`".to_owned()));
        }
        for sink in &self.sinks {
            let urls = sink.otlp.iter().chain(sink.http.as_ref().map(|http| &http.url));
            let wrong = if sink.targets() != 1 {
                "exactly one of `file`, `stdout`, `otlp`, `http`, `udp` and `tcp` says where to"
            } else if urls.into_iter().any(|url| !is_url(url)) {
                "expected an http or https URL"
            } else if sink.udp.iter().chain(&sink.tcp).any(|address| !is_address(address)) {
                "expected HOST:PORT"
            } else if sink.file.as_ref().is_some_and(|file| !file.starts_with('/')) {
                "expected the absolute path of a file"
            } else {
                continue;
            };
            let help = "for instance `{name: lines, file: /var/log/weir/lines.log}`".to_owned();
            faults.push(("spec.capabilities.sinks", format!("`{}`: {wrong}", sink.name), help));
        }
    }
}

/// Whether it names a host to ask over HTTP.
pub(super) fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}
