//! Spans, log records and metrics to an OTLP endpoint over gRPC. The only file that knows OpenTelemetry, hence its length.
//!
//! The generated client is used as it is, not the SDK's exporters: those log a partial success and forget it, and every
//! record must end in the account. The queues are ours: one a signal, so that one that is stuck holds up no other.

use std::{
    collections::BTreeMap,
    future::Future,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{ExportLogsServiceRequest, logs_service_client::LogsServiceClient},
        metrics::v1::{ExportMetricsServiceRequest, metrics_service_client::MetricsServiceClient},
        trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
    },
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    logs::v1::{LogRecord as WireLog, ResourceLogs, ScopeLogs},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
        ScopeMetrics, Sum, metric::Data, number_data_point,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span as WireSpan, Status as WireStatus, span, status},
};
use tokio::{runtime::Handle, sync::watch, task::JoinHandle, time};
use tonic::{
    Code, Request, Status,
    metadata::{AsciiMetadataValue, MetadataKey, MetadataMap},
    transport::{Channel, Endpoint},
};

use crate::{
    Error,
    ledger::{Ledger, Loss, Open},
    metrics::{Gathered, Kind, Reading, Sample, SelfMetrics},
    queue::Bounded,
    record::{Fields, LogRecord, SpanKind, SpanRecord, SpanStatus, Value},
    writer::{Room, Weigh},
};

/// Most records of one signal that wait to be sent.
pub const OTLP_RECORDS_MAX: usize = 8_192;
/// Most bytes of one signal's records that wait to be sent.
pub const OTLP_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most records of one request.
const BATCH_RECORDS: usize = 512;
/// About how many bytes a request has at most: receivers refuse more than 4 MiB.
const BATCH_BYTES: usize = 1024 * 1024;
/// Longest pause between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Where to send and how patiently.
#[derive(Clone, Debug)]
pub struct OtlpOptions {
    /// `http://HOST:PORT`, or `HOST:PORT`.
    pub endpoint: String,
    /// Sent with each request, for instance a token.
    pub headers: Vec<(String, String)>,
    /// `service.name` and whatever else describes this process.
    pub resource: Vec<(String, String)>,
    /// For one attempt, connecting included.
    pub timeout: Duration,
    /// How often a batch is tried before it is lost; at least 1.
    pub attempts: u32,
    /// The pause after the first failed attempt; each further one doubles it, up to five seconds.
    pub backoff: Duration,
    /// How long a record waits for its batch to fill.
    pub wait: Duration,
    /// How often metrics are sent.
    pub interval: Duration,
}

impl OtlpOptions {
    /// The usual patience: five attempts in about three seconds, metrics every fifteen.
    #[must_use]
    pub fn new(endpoint: &str, service: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            headers: Vec::new(),
            resource: vec![("service.name".to_owned(), service.to_owned())],
            timeout: Duration::from_secs(5),
            attempts: 5,
            backoff: Duration::from_millis(200),
            wait: Duration::from_millis(500),
            interval: Duration::from_secs(15),
        }
    }
}

impl Weigh for SpanRecord {
    fn weight(&self) -> usize {
        self.size()
    }
}

/// One signal on its way.
#[derive(Debug)]
struct Lane<T> {
    queue: Arc<Bounded<T>>,
    ledger: Arc<Ledger>,
}

impl<T: Weigh> Lane<T> {
    fn new(sink: &'static str) -> Self {
        let room = Room { records: OTLP_RECORDS_MAX, bytes: OTLP_BYTES_MAX };
        let reasons = &[Loss::QueueFull, Loss::Unreachable, Loss::Refused];
        Self { queue: Arc::new(Bounded::new(room, BATCH_RECORDS)), ledger: Ledger::of_sink(sink, reasons) }
    }

    fn push(&self, records: Vec<T>) {
        let count = records.len() as u64;
        self.ledger.accept(count);
        if let Err(loss) = self.queue.push_all(records) {
            self.ledger.lose(count, loss);
        }
    }
}

/// Sends records to an OTLP endpoint, from tasks of its own.
#[derive(Debug)]
pub struct Otlp {
    spans: Lane<SpanRecord>,
    logs: Lane<LogRecord>,
    metrics: Arc<Ledger>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Otlp {
    /// Starts one task a signal on that runtime; it connects when there is something to send. Without `metrics` no
    /// metrics are sent.
    ///
    /// # Errors
    /// When the endpoint or a header is malformed. An endpoint that nobody listens on is no error here: it is counted.
    pub fn start(options: OtlpOptions, metrics: Option<Arc<SelfMetrics>>, runtime: &Handle) -> Result<Self, Error> {
        let _inside = runtime.enter();
        let line = Arc::new(Line::new(&options)?);
        let (spans, logs) = (Lane::new("otlp_spans"), Lane::new("otlp_logs"));
        let ledger = Ledger::of_sink("otlp_metrics", &[Loss::Unreachable, Loss::Refused]);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = vec![
            tokio::spawn(work(Arc::clone(&line), Arc::clone(&spans.queue), Arc::clone(&spans.ledger), Line::spans)),
            tokio::spawn(work(Arc::clone(&line), Arc::clone(&logs.queue), Arc::clone(&logs.ledger), Line::logs)),
        ];
        if let Some(metrics) = metrics {
            tasks.push(tokio::spawn(tick(line, metrics, Arc::clone(&ledger), stopped)));
        }
        Ok(Self { spans, logs, metrics: ledger, stop, tasks: Mutex::new(tasks) })
    }

    /// Hands spans over; never blocks. What finds no room is counted as lost.
    pub fn spans(&self, spans: Vec<SpanRecord>) {
        self.spans.push(spans);
    }

    /// Hands log records over; never blocks. What finds no room is counted as lost.
    pub fn logs(&self, records: &[LogRecord]) {
        self.logs.push(records.to_vec());
    }

    /// The accounts of the signals: `otlp_spans`, `otlp_logs` and, in data points, `otlp_metrics`.
    #[must_use]
    pub fn ledgers(&self) -> [Arc<Ledger>; 3] {
        [Arc::clone(&self.spans.ledger), Arc::clone(&self.logs.ledger), Arc::clone(&self.metrics)]
    }

    /// Sends what is queued and the metrics once more, then stops. What is not sent at the deadline is counted as lost.
    pub async fn shutdown(&self, deadline: Duration) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        self.spans.queue.close();
        self.logs.queue.close();
        let _ = self.stop.send(true);
        let until = time::Instant::now() + deadline;
        for mut task in tasks {
            if time::timeout_at(until, &mut task).await.is_err() {
                task.abort();
                // Its records are counted when it is gone.
                let _ = task.await;
            }
        }
        self.spans.ledger.lose(self.spans.queue.rest().len() as u64, Loss::Shutdown);
        self.logs.ledger.lose(self.logs.queue.rest().len() as u64, Loss::Shutdown);
    }
}

impl Drop for Otlp {
    fn drop(&mut self) {
        self.spans.queue.close();
        self.logs.queue.close();
        let _ = self.stop.send(true);
    }
}

/// Takes batches and sends them until the queue is closed and empty.
async fn work<T: Weigh, Fut: Future<Output = Result<i64, Loss>>>(
    line: Arc<Line>,
    queue: Arc<Bounded<T>>,
    ledger: Arc<Ledger>,
    send: impl Fn(Arc<Line>, Vec<T>) -> Fut,
) {
    while let Some(batch) = queue.take(line.wait).await {
        let mut parts = split(batch);
        let mut open: Vec<Open> = parts.iter().map(|part| Open::new(&ledger, part.len())).collect();
        for (part, open) in parts.drain(..).zip(&mut open) {
            settle(open, send(Arc::clone(&line), part).await);
        }
    }
}

fn settle(open: &mut Open, result: Result<i64, Loss>) {
    match result {
        Ok(rejected) => {
            open.lose(rejected.max(0) as u64, Loss::Refused);
            open.deliver(u64::MAX);
        }
        Err(loss) => open.lose(u64::MAX, loss),
    }
}

/// Parts of about [`BATCH_BYTES`] each.
fn split<T: Weigh>(batch: Vec<T>) -> Vec<Vec<T>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for record in batch {
        let weight = record.weight();
        if bytes > 0 && bytes + weight > BATCH_BYTES {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += weight;
        if let Some(part) = parts.last_mut() {
            part.push(record);
        }
    }
    parts
}

/// Sends the metrics at every interval and once at the end.
async fn tick(line: Arc<Line>, metrics: Arc<SelfMetrics>, ledger: Arc<Ledger>, mut stopped: watch::Receiver<bool>) {
    loop {
        let stop = time::timeout(line.interval, stopped.wait_for(|stop| *stop)).await.is_ok();
        for part in line.metrics(&metrics.gather()) {
            let points: usize = part.iter().map(points).sum();
            ledger.accept(points as u64);
            let mut open = Open::new(&ledger, points);
            settle(&mut open, Line::send_metrics(Arc::clone(&line), part).await);
        }
        if stop {
            return;
        }
    }
}

/// The connection and what all requests share.
#[derive(Debug)]
struct Line {
    channel: Channel,
    headers: MetadataMap,
    resource: Resource,
    attempts: u32,
    backoff: Duration,
    wait: Duration,
    interval: Duration,
    started: u64,
}

impl Line {
    fn new(options: &OtlpOptions) -> Result<Self, Error> {
        let bad = |problem: String| Error::Otlp { endpoint: options.endpoint.clone(), problem };
        let url = match options.endpoint.split_once("://") {
            Some(("http", _)) => options.endpoint.clone(),
            None if !options.endpoint.is_empty() => format!("http://{}", options.endpoint),
            _ => {
                return Err(
                    bad("must be http://HOST:PORT (TLS is not supported: use a collector on this host)".into()),
                );
            }
        };
        let endpoint = Endpoint::from_shared(url).map_err(|error| bad(format!("{error}; write http://HOST:PORT")))?;
        let mut headers = MetadataMap::new();
        for (name, value) in &options.headers {
            let key = MetadataKey::from_str(&name.to_ascii_lowercase());
            let key = key.map_err(|_| bad(format!("`{name}` is not a header name")))?;
            let value = AsciiMetadataValue::try_from(value);
            headers.insert(key, value.map_err(|_| bad(format!("the value of header `{name}` is not visible ASCII")))?);
        }
        let attribute = |(name, value): &(String, String)| pair(name, any_value::Value::StringValue(value.clone()));
        Ok(Self {
            channel: endpoint.connect_timeout(options.timeout).timeout(options.timeout).connect_lazy(),
            headers,
            resource: Resource { attributes: options.resource.iter().map(attribute).collect(), ..Resource::default() },
            attempts: options.attempts.max(1),
            backoff: options.backoff,
            wait: options.wait,
            interval: options.interval.max(Duration::from_millis(1)),
            started: now(),
        })
    }

    /// Tries until it succeeds, is refused for good or the attempts are used up. Gives how many records were rejected.
    async fn deliver<R: Clone, Fut: Future<Output = Result<i64, Status>>>(
        &self,
        message: R,
        send: impl Fn(Request<R>) -> Fut,
    ) -> Result<i64, Loss> {
        let mut pause = self.backoff;
        for left in (0..self.attempts).rev() {
            let mut request = Request::new(message.clone());
            *request.metadata_mut() = self.headers.clone();
            match send(request).await {
                Ok(rejected) => return Ok(rejected),
                Err(status) if !is_passing(status.code()) => return Err(Loss::Refused),
                Err(_) if left == 0 => break,
                Err(_) => time::sleep(pause).await,
            }
            pause = (pause * 2).min(BACKOFF_MAX);
        }
        Err(Loss::Unreachable)
    }

    async fn spans(self: Arc<Self>, spans: Vec<SpanRecord>) -> Result<i64, Loss> {
        let scope_spans = by_adapter(spans, |span| Arc::clone(&span.adapter), wire_span)
            .map(|(scope, spans)| ScopeSpans { scope: Some(scope), spans, schema_url: String::new() })
            .collect();
        let resource = Some(self.resource.clone());
        let resource_spans = vec![ResourceSpans { resource, scope_spans, schema_url: String::new() }];
        let client = TraceServiceClient::new(self.channel.clone());
        self.deliver(ExportTraceServiceRequest { resource_spans }, |request| {
            let mut client = client.clone();
            async move {
                let answer = client.export(request).await?.into_inner();
                Ok(answer.partial_success.map_or(0, |partial| partial.rejected_spans))
            }
        })
        .await
    }

    async fn logs(self: Arc<Self>, records: Vec<LogRecord>) -> Result<i64, Loss> {
        let scope_logs = by_adapter(records, |record| Arc::clone(&record.adapter), wire_log)
            .map(|(scope, log_records)| ScopeLogs { scope: Some(scope), log_records, schema_url: String::new() })
            .collect();
        let resource = Some(self.resource.clone());
        let resource_logs = vec![ResourceLogs { resource, scope_logs, schema_url: String::new() }];
        let client = LogsServiceClient::new(self.channel.clone());
        self.deliver(ExportLogsServiceRequest { resource_logs }, |request| {
            let mut client = client.clone();
            async move {
                let answer = client.export(request).await?.into_inner();
                Ok(answer.partial_success.map_or(0, |partial| partial.rejected_log_records))
            }
        })
        .await
    }

    async fn send_metrics(self: Arc<Self>, metrics: Vec<Metric>) -> Result<i64, Loss> {
        let scope = Some(InstrumentationScope { name: "weir".to_owned(), ..InstrumentationScope::default() });
        let scope_metrics = vec![ScopeMetrics { scope, metrics, schema_url: String::new() }];
        let resource = Some(self.resource.clone());
        let resource_metrics = vec![ResourceMetrics { resource, scope_metrics, schema_url: String::new() }];
        let client = MetricsServiceClient::new(self.channel.clone());
        self.deliver(ExportMetricsServiceRequest { resource_metrics }, |request| {
            let mut client = client.clone();
            async move {
                let answer = client.export(request).await?.into_inner();
                Ok(answer.partial_success.map_or(0, |partial| partial.rejected_data_points))
            }
        })
        .await
    }

    /// The families in parts of about as many series as a request may have.
    fn metrics(&self, families: &[Gathered]) -> Vec<Vec<Metric>> {
        let time = now();
        let mut parts = vec![Vec::new()];
        let mut size = 0;
        for (family, samples) in families
            .iter()
            .flat_map(|family| family.samples.chunks(BATCH_RECORDS).map(move |samples| (family, samples)))
        {
            if size > 0 && size + samples.len() > BATCH_RECORDS {
                parts.push(Vec::new());
                size = 0;
            }
            size += samples.len();
            if let Some(part) = parts.last_mut() {
                part.push(wire_metric(family, samples, self.started, time));
            }
        }
        parts.retain(|part| !part.is_empty());
        parts
    }
}

/// Whether another attempt may succeed.
fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Aborted
            | Code::OutOfRange
            | Code::DataLoss
            | Code::ResourceExhausted
            // A connection that broke in the middle of a request.
            | Code::Unknown
    )
}

fn by_adapter<R, W>(
    records: Vec<R>,
    adapter: impl Fn(&R) -> Arc<str>,
    wire: impl Fn(R) -> W,
) -> impl Iterator<Item = (InstrumentationScope, Vec<W>)> {
    let mut groups: BTreeMap<Arc<str>, Vec<W>> = BTreeMap::new();
    for record in records {
        groups.entry(adapter(&record)).or_default().push(wire(record));
    }
    groups
        .into_iter()
        .map(|(adapter, group)| (InstrumentationScope { name: adapter.to_string(), ..Default::default() }, group))
}

fn wire_span(record: SpanRecord) -> WireSpan {
    let (code, message) = match record.status {
        SpanStatus::Unset => (status::StatusCode::Unset, String::new()),
        SpanStatus::Ok => (status::StatusCode::Ok, String::new()),
        SpanStatus::Error(message) => (status::StatusCode::Error, message),
    };
    let kind = match record.kind {
        SpanKind::Internal => span::SpanKind::Internal,
        SpanKind::Server => span::SpanKind::Server,
        SpanKind::Client => span::SpanKind::Client,
        SpanKind::Producer => span::SpanKind::Producer,
        SpanKind::Consumer => span::SpanKind::Consumer,
    };
    WireSpan {
        trace_id: record.id.trace.to_vec(),
        span_id: record.id.span.to_vec(),
        parent_span_id: record.parent.map(Vec::from).unwrap_or_default(),
        name: record.name,
        kind: kind.into(),
        start_time_unix_nano: record.start.max(0) as u64,
        end_time_unix_nano: record.end.max(record.start).max(0) as u64,
        attributes: attributes(record.fields),
        status: Some(WireStatus { message, code: code.into() }),
        ..WireSpan::default()
    }
}

fn wire_log(record: LogRecord) -> WireLog {
    WireLog {
        time_unix_nano: record.time.max(0) as u64,
        observed_time_unix_nano: now(),
        severity_number: record.severity.number(),
        severity_text: record.severity.as_str().to_owned(),
        body: Some(AnyValue { value: Some(any_value::Value::StringValue(record.body)) }),
        attributes: attributes(record.fields),
        trace_id: record.span.map(|span| span.trace.to_vec()).unwrap_or_default(),
        span_id: record.span.map(|span| span.span.to_vec()).unwrap_or_default(),
        ..WireLog::default()
    }
}

fn wire_metric(family: &Gathered, samples: &[Sample], started: u64, time: u64) -> Metric {
    let cumulative = AggregationTemporality::Cumulative.into();
    let numbers = || samples.iter().filter_map(|sample| number(sample, started, time)).collect();
    let data = match family.kind {
        Kind::Counter => {
            Data::Sum(Sum { data_points: numbers(), aggregation_temporality: cumulative, is_monotonic: true })
        }
        Kind::Gauge => Data::Gauge(Gauge { data_points: numbers() }),
        Kind::Histogram => {
            let data_points = samples.iter().filter_map(|sample| distribution(sample, started, time)).collect();
            Data::Histogram(Histogram { data_points, aggregation_temporality: cumulative })
        }
    };
    Metric {
        name: family.name.clone(),
        description: family.help.clone(),
        unit: family.unit.clone(),
        data: Some(data),
        metadata: Vec::new(),
    }
}

fn number(sample: &Sample, started: u64, time: u64) -> Option<NumberDataPoint> {
    let Reading::Number(number) = sample.reading else { return None };
    Some(NumberDataPoint {
        attributes: labels(sample),
        start_time_unix_nano: started,
        time_unix_nano: time,
        value: Some(number_data_point::Value::AsDouble(number)),
        ..NumberDataPoint::default()
    })
}

fn distribution(sample: &Sample, started: u64, time: u64) -> Option<HistogramDataPoint> {
    let Reading::Distribution(distribution) = &sample.reading else { return None };
    Some(HistogramDataPoint {
        attributes: labels(sample),
        start_time_unix_nano: started,
        time_unix_nano: time,
        count: distribution.count(),
        sum: Some(distribution.sum),
        bucket_counts: distribution.counts.clone(),
        explicit_bounds: distribution.bounds.to_vec(),
        ..HistogramDataPoint::default()
    })
}

fn points(metric: &Metric) -> usize {
    match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        _ => 0,
    }
}

fn labels(sample: &Sample) -> Vec<KeyValue> {
    sample.labels.iter().map(|(name, value)| pair(name, any_value::Value::StringValue(value.clone()))).collect()
}

fn attributes(fields: Fields) -> Vec<KeyValue> {
    let value = |value| match value {
        Value::Text(text) => any_value::Value::StringValue(text),
        Value::Int(number) => any_value::Value::IntValue(number),
        Value::Float(number) => any_value::Value::DoubleValue(number),
        Value::Bool(truth) => any_value::Value::BoolValue(truth),
    };
    fields.into_iter().map(|(name, field)| pair(&name, value(field))).collect()
}

fn pair(name: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Nanoseconds since 1970-01-01T00:00:00Z.
fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
