//! The OTLP sink against a receiver that keeps what it gets.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::any_value,
    metrics::v1::{metric::Data, number_data_point},
};
use tokio::{net::TcpListener, runtime::Handle, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};
use weir_telemetry::{
    Account, CheckOutcome, Ledger, Loss, SelfMetrics, SelfMetricsOptions,
    record::{LogRecord, Severity, SpanKind, SpanRecord, SpanRef, SpanStatus, Value},
    sinks::otlp::{OTLP_RECORDS_MAX, Otlp, OtlpOptions},
};

use super::LONG;

/// What came, and how to answer.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) traces: Vec<ExportTraceServiceRequest>,
    pub(crate) logs: Vec<ExportLogsServiceRequest>,
    pub(crate) metrics: Vec<ExportMetricsServiceRequest>,
    tokens: Vec<Option<String>>,
    rejects: i64,
    fails: Vec<Status>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Receiver(Arc<Mutex<Kept>>);

impl Receiver {
    pub(crate) fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().expect("not poisoned")
    }

    fn take(&self, request: &tonic::metadata::MetadataMap) -> Result<(), Status> {
        let mut kept = self.kept();
        kept.tokens.push(request.get("x-token").map(|token| token.to_str().expect("text").to_owned()));
        kept.fails.pop().map_or(Ok(()), Err)
    }

    /// Serves on that address until the task is aborted.
    pub(crate) async fn serve(&self, address: &str) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(address).await.expect("free");
        let bound = listener.local_addr().expect("bound");
        let server = Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        (bound, tokio::spawn(async move { server.await.expect("serves") }))
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.take(request.metadata())?;
        let mut kept = self.kept();
        kept.traces.push(request.into_inner());
        let partial = ExportTracePartialSuccess { rejected_spans: kept.rejects, error_message: String::new() };
        Ok(Response::new(ExportTraceServiceResponse { partial_success: (kept.rejects > 0).then_some(partial) }))
    }
}

#[tonic::async_trait]
impl LogsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.take(request.metadata())?;
        self.kept().logs.push(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.take(request.metadata())?;
        self.kept().metrics.push(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn options(address: SocketAddr) -> OtlpOptions {
    OtlpOptions {
        headers: vec![("X-Token".into(), "t".into())],
        attempts: 2,
        backoff: Duration::from_millis(1),
        wait: Duration::from_millis(1),
        ..OtlpOptions::new(&address.to_string(), "weir-test")
    }
}

fn span(n: u64) -> SpanRecord {
    SpanRecord {
        id: SpanRef { trace: [7; 16], span: n.wrapping_add(1).to_be_bytes() },
        parent: Some([9; 8]),
        name: "GET".into(),
        kind: SpanKind::Server,
        start: 1_000,
        end: 2_000,
        fields: vec![("http.response.status_code".into(), Value::Int(200))],
        status: SpanStatus::Error("bad".into()),
        adapter: "shop/trace-spans".into(),
    }
}

fn record(n: i64) -> LogRecord {
    LogRecord {
        time: n,
        severity: Severity::Warn,
        body: format!("line {n}"),
        fields: vec![("ratio".into(), Value::Float(0.5)), ("ok".into(), Value::Bool(true))],
        span: Some(SpanRef { trace: [7; 16], span: [8; 8] }),
        adapter: "shop/access-log".into(),
    }
}

/// Waits until the account has nothing in flight.
async fn settled(ledger: &Ledger) -> Account {
    let done = async {
        loop {
            let account = ledger.account();
            if account.in_flight == 0 && account.balances() {
                return account;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LONG, done).await.expect("settles")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_and_logs_arrive_as_they_were_given() {
    let receiver = Receiver::default();
    let (address, server) = receiver.serve("127.0.0.1:0").await;
    let otlp = Otlp::start(options(address), None, &Handle::current()).expect("starts");
    otlp.spans((0..1_300).map(span).collect());
    otlp.logs(&(0..700).map(record).collect::<Vec<_>>());
    let [spans, logs, _] = otlp.ledgers();
    assert_eq!(settled(&spans).await, Account { observed: 1_300, delivered: 1_300, lost: 0, in_flight: 0 });
    assert_eq!(settled(&logs).await, Account { observed: 700, delivered: 700, lost: 0, in_flight: 0 });
    let kept = receiver.kept();
    assert!(kept.tokens.iter().all(|token| token.as_deref() == Some("t")));
    let resource = kept.traces[0].resource_spans[0].resource.as_ref().expect("a resource");
    assert_eq!(resource.attributes[0].key, "service.name");
    let scopes = kept.traces.iter().flat_map(|request| &request.resource_spans[0].scope_spans);
    let mut seen: Vec<_> = scopes
        .inspect(|scope| assert_eq!(scope.scope.as_ref().expect("named").name, "shop/trace-spans"))
        .flat_map(|scope| &scope.spans)
        .collect();
    seen.sort_by_key(|span| span.span_id.clone());
    assert_eq!(seen.len(), 1_300);
    assert_eq!((seen[0].trace_id.as_slice(), seen[0].parent_span_id.as_slice()), (&[7; 16][..], &[9; 8][..]));
    assert_eq!((seen[0].kind, seen[0].start_time_unix_nano, seen[0].end_time_unix_nano), (2, 1_000, 2_000));
    assert_eq!(seen[0].status.as_ref().map(|status| (status.code, status.message.as_str())), Some((2, "bad")));
    let log = &kept.logs[0].resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!((log.severity_number, log.severity_text.as_str()), (13, "WARN"));
    let body = log.body.as_ref().and_then(|body| body.value.clone());
    assert_eq!(body, Some(any_value::Value::StringValue("line 0".into())));
    assert_eq!(log.span_id, [8; 8]);
    assert_eq!(log.attributes.len(), 2);
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_arrive_cumulative_and_once_more_at_the_end() {
    let receiver = Receiver::default();
    let (address, server) = receiver.serve("127.0.0.1:0").await;
    let metrics =
        SelfMetrics::new(SelfMetricsOptions { version: "1", part: "engine", reasons: vec!["a"], doors: vec!["d"] });
    metrics.check(CheckOutcome::Deny, 0, 0, Duration::from_micros(70));
    let options = OtlpOptions { interval: Duration::from_secs(3600), ..options(address) };
    let otlp = Otlp::start(options, Some(metrics), &Handle::current()).expect("starts");
    otlp.shutdown(LONG).await;
    let [.., points] = otlp.ledgers();
    let account = points.account();
    assert!(account.delivered > 3 && account.delivered == account.observed, "{account:?}");
    let kept = receiver.kept();
    let all: Vec<_> = kept.metrics[0].resource_metrics[0].scope_metrics[0].metrics.iter().collect();
    let find = |name: &str| {
        all.iter().find(|metric| metric.name == name).and_then(|metric| metric.data.as_ref()).expect("there")
    };
    let Data::Sum(checks) = find("weir_checks_total") else { panic!("a sum") };
    assert!(checks.is_monotonic && checks.aggregation_temporality == 2);
    assert_eq!(checks.data_points[0].value, Some(number_data_point::Value::AsDouble(1.0)));
    assert_eq!(checks.data_points[0].attributes.len(), 3);
    let Data::Histogram(seconds) = find("weir_check_duration_seconds") else { panic!("a histogram") };
    let point = &seconds.data_points[0];
    assert_eq!((point.count, point.bucket_counts.len()), (1, point.explicit_bounds.len() + 1));
    assert_eq!(point.bucket_counts[4], 1, "70 µs lie between 50 and 100 µs");
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sent_is_counted_and_a_receiver_that_comes_back_gets_the_rest() {
    let receiver = Receiver::default();
    let (address, server) = receiver.serve("127.0.0.1:0").await;
    server.abort();
    let _ = server.await;
    let otlp = Otlp::start(options(address), None, &Handle::current()).expect("starts");
    let [spans, ..] = otlp.ledgers();
    otlp.spans((0..10).map(span).collect());
    assert_eq!(settled(&spans).await, Account { observed: 10, delivered: 0, lost: 10, in_flight: 0 });
    assert_eq!(spans.lost(Loss::Unreachable), 10);
    let (_, server) = receiver.serve(&address.to_string()).await;
    otlp.spans((0..10).map(span).collect());
    assert_eq!(settled(&spans).await, Account { observed: 20, delivered: 10, lost: 10, in_flight: 0 });
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_receiver_rejects_is_counted_and_only_a_passing_failure_is_tried_again() {
    let receiver = Receiver::default();
    let (address, server) = receiver.serve("127.0.0.1:0").await;
    let otlp = Otlp::start(options(address), None, &Handle::current()).expect("starts");
    let [spans, ..] = otlp.ledgers();
    receiver.kept().rejects = 3;
    otlp.spans((0..10).map(span).collect());
    assert_eq!(settled(&spans).await, Account { observed: 10, delivered: 7, lost: 3, in_flight: 0 });
    receiver.kept().rejects = 0;
    receiver.kept().fails = vec![Status::invalid_argument("no")];
    otlp.spans((0..10).map(span).collect());
    assert_eq!(settled(&spans).await, Account { observed: 20, delivered: 7, lost: 13, in_flight: 0 });
    assert_eq!(spans.lost(Loss::Refused), 13);
    receiver.kept().fails = vec![Status::unavailable("later")];
    otlp.spans((0..10).map(span).collect());
    assert_eq!(settled(&spans).await, Account { observed: 30, delivered: 17, lost: 13, in_flight: 0 });
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_never_answers_blocks_nobody_and_loses_nothing_uncounted() {
    // It accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("free");
    let address = silent.local_addr().expect("bound");
    let patient = OtlpOptions { timeout: Duration::from_secs(3600), ..options(address) };
    let otlp = Otlp::start(patient, None, &Handle::current()).expect("starts");
    for _ in 0..2 * OTLP_RECORDS_MAX / 512 + 2 {
        otlp.spans((0..512).map(span).collect());
    }
    let [spans, ..] = otlp.ledgers();
    assert!(spans.lost(Loss::QueueFull) > 0);
    tokio::time::timeout(LONG, otlp.shutdown(Duration::from_millis(10))).await.expect("keeps its deadline");
    let account = spans.account();
    assert_eq!(account.in_flight, 0);
    assert!(account.balances(), "{account:?}");
    assert!(spans.lost(Loss::Shutdown) + spans.lost(Loss::Abandoned) > 0, "{account:?}");
}

#[test]
fn a_malformed_endpoint_or_header_says_what_to_write() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    for (endpoint, header, expected) in [
        ("", "a", "http://HOST:PORT"),
        ("https://collector:4317", "a", "TLS is not supported"),
        ("http://a b", "a", "write http://HOST:PORT"),
        ("localhost:4317", "not a name", "`not a name` is not a header name"),
    ] {
        let mut options = OtlpOptions::new(endpoint, "weir");
        options.headers = vec![(header.into(), "v".into())];
        let error = Otlp::start(options, None, runtime.handle()).expect_err(endpoint).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
