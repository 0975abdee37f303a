//! Istio's request metrics, under Istio's names, and metrics of the operator's own.

mod own;

use serde::Deserialize;
use weir::{Configure, Counter, Failure, Family, Histogram, Label, Rows};

use own::Own;

const BUCKETS: [f64; 19] =
    [0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 6e5, 1.8e6, 3.6e6];

type LabelOf = fn(&Inputs<'_>) -> Label;

const LABELS: [(&str, LabelOf); 11] = [
    ("reporter", |row| Label::or(row.context_reporter, "destination")),
    ("source_principal", |row| Label::or(row.source_principal, "unknown")),
    ("source_workload_namespace", |row| Label::or(row.source_namespace, "unknown")),
    ("destination_principal", |row| Label::or(row.destination_principal, "unknown")),
    ("destination_workload", |row| Label::or(row.destination_workload, "unknown")),
    ("destination_workload_namespace", |row| Label::or(row.destination_namespace, "unknown")),
    ("request_protocol", |row| Label::or(row.context_protocol, "http")),
    ("response_code", |row| Label::or(row.response_code, "0")),
    ("grpc_response_status", |row| Label::or(row.response_grpc_status, "")),
    ("response_flags", |row| Label::or(row.response_flags, "-")),
    ("connection_security_policy", |row| security(row.connection_mtls).into()),
];

#[derive(Deserialize)]
struct Config {
    labels: Option<Vec<String>>,
    #[serde(default = "yes")]
    istio: bool,
    #[serde(default)]
    metrics: Vec<own::Metric>,
}

fn yes() -> bool {
    true
}

struct Metrics {
    istio: Option<Istio>,
    own: Vec<Own>,
}

struct Istio {
    labels: Vec<LabelOf>,
    requests: Counter,
    duration: Histogram,
    request_bytes: Histogram,
    response_bytes: Histogram,
}

impl Configure for Metrics {
    fn configure(json: &str) -> Result<Self, Failure> {
        let config = Config::configure(json)?;
        let own = config.metrics.iter().map(Own::new).collect::<Result<_, Failure>>()?;
        let istio = if config.istio { Some(Istio::new(config.labels.as_deref())?) } else { None };
        Ok(Metrics { istio, own })
    }
}

impl Istio {
    fn new(wanted: Option<&[String]>) -> Result<Self, Failure> {
        let kept = |name: &str| wanted.is_none_or(|wanted| wanted.iter().any(|label| label == name));
        let (names, labels): (Vec<_>, Vec<_>) = LABELS.into_iter().filter(|(name, _)| kept(name)).unzip();
        let family = |name, help, unit| Family::new(name, help).unit(unit).labels(&names);
        let (ms, bytes) = ("ms", "By");
        Ok(Istio {
            requests: family("istio_requests_total", "Requests.", "").counter()?,
            duration: family("istio_request_duration_milliseconds", "Duration of requests in milliseconds.", ms)
                .histogram(&BUCKETS)?,
            request_bytes: family("istio_request_bytes", "Size of request bodies in bytes.", bytes)
                .histogram(&BUCKETS)?,
            response_bytes: family("istio_response_bytes", "Size of response bodies in bytes.", bytes)
                .histogram(&BUCKETS)?,
            labels,
        })
    }
}

#[weir::report]
fn report(rows: Rows<'_, Inputs<'_>>, metrics: &Metrics) -> Result<(), Failure> {
    for row in rows {
        if let Some(istio) = &metrics.istio {
            istio.observe(&row)?;
        }
        for own in &metrics.own {
            own.observe(row.bound)?;
        }
    }
    Ok(())
}

impl Istio {
    fn observe(&self, row: &Inputs<'_>) -> Result<(), Failure> {
        let labels: Vec<Label> = self.labels.iter().map(|label| label(row)).collect();
        self.requests.add(&labels, 1)?;
        if let Some(duration) = row.request_duration {
            self.duration.observe(&labels, duration.as_secs_f64() * 1e3)?;
        }
        self.request_bytes.observe(&labels, row.request_size.unwrap_or(0) as f64)?;
        self.response_bytes.observe(&labels, row.response_size.unwrap_or(0) as f64)
    }
}

fn security(mtls: Option<bool>) -> &'static str {
    match mtls {
        Some(true) => "mutual_tls",
        Some(false) => "none",
        None => "unknown",
    }
}
