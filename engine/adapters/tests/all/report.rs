//! Report plugins: finished requests in, emissions out.

use serde_json::{Value as Json, json};
use weir_adapters::{Emission, FamilyKind, LogRecord, ROWS_MAX, Severity, SpanKind, SpanRecord, SpanStatus, Value};
use weir_attributes::{Bag, Builder, slot};

use crate::guests::load;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn request() -> Builder {
    Bag::builder()
        .int(slot::REQUEST_TIME, 1_700_000_000_000_000_000)
        .int(slot::REQUEST_DURATION, 12_500_000)
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_PATH, "/cart?token=s3cret")
        .text(slot::REQUEST_URL_PATH, "/cart")
        .text(slot::REQUEST_QUERY, "token=s3cret")
        .text(slot::REQUEST_PROTOCOL, "HTTP/1.1")
        .text(slot::SOURCE_PRINCIPAL, "td/ns/shop/sa/web")
        .text(slot::DESTINATION_WORKLOAD, "cart")
        .bool(slot::CONNECTION_MTLS, true)
        .int(slot::RESPONSE_CODE, 200)
        .int(slot::RESPONSE_SIZE, 42)
        .header("authorization", "Bearer s3cret")
}

async fn emissions(plugin: &str, config: Json, bags: &[Bag]) -> Vec<Emission> {
    load(plugin, config).await.unwrap().report(bags).await.unwrap().emissions
}

fn logs(emissions: Vec<Emission>) -> Vec<LogRecord> {
    let log = |emission| match emission {
        Emission::Log(record) => record,
        other => panic!("{other:?} is no log record"),
    };
    emissions.into_iter().map(log).collect()
}

#[tokio::test]
async fn access_log_writes_one_record_a_request_without_secrets() {
    let bags = [request().text(slot::TRACE_ID, TRACE).text(slot::TRACE_SPAN_ID, SPAN).build(), Bag::default()];
    let records = logs(emissions("access-log", Json::Null, &bags).await);
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].time, Some(1_700_000_000_000_000_000));
    assert_eq!((records[0].severity, records[1].severity), (Severity::Info, Severity::Warn));
    assert_eq!(records[0].trace_id.map(u128::from_be_bytes), u128::from_str_radix(TRACE, 16).ok());
    let field = |name: &str| records[0].attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    assert_eq!(field("path"), Some(Value::Text("/cart".into())));
    assert_eq!(field("response_code"), Some(Value::Int(200)));
    assert_eq!(field("duration_ms"), Some(Value::Double(12.5)));
    assert_eq!(field("user_agent"), None);
    assert!(records[1].attributes.is_empty());
    assert!(!format!("{records:?}").contains("s3cret"));
}

#[tokio::test]
async fn access_log_as_text_is_one_line_and_can_be_for_errors_only() {
    let bags =
        [request().build(), request().text(slot::REQUEST_USERAGENT, "a\"b\nc").int(slot::RESPONSE_CODE, 503).build()];
    let records = logs(emissions("access-log", json!({"format": "text", "errorsOnly": true}), &bags).await);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].body, r#""GET /cart HTTP/1.1" 503 - - - 42 12 "a_b_c" "-" "-" "-" - -"#);
    assert_eq!((records[0].severity, records[0].attributes.len()), (Severity::Warn, 0));
}

#[tokio::test]
async fn request_metrics_are_istios() {
    let adapter = load("request-metrics", Json::Null).await.unwrap();
    let families = adapter.metric_families();
    let names: Vec<_> = families.iter().map(|family| (family.name.as_str(), family.unit.as_str())).collect();
    assert_eq!(
        names,
        [
            ("istio_requests_total", ""),
            ("istio_request_duration_milliseconds", "ms"),
            ("istio_request_bytes", "By"),
            ("istio_response_bytes", "By"),
        ]
    );
    assert_eq!(families[0].kind, FamilyKind::Counter);
    assert!(matches!(&families[1].kind, FamilyKind::Histogram { buckets } if buckets.len() == 19 && buckets[0] == 0.5));
    let emissions = adapter.report(&[request().build(), Bag::default()]).await.unwrap().emissions;
    let Emission::Counter { family: 0, labels, by: 1 } = &emissions[0] else { panic!("{:?}", emissions[0]) };
    let label = |name: &str| {
        let at = families[0].labels.iter().position(|label| label == name).unwrap();
        labels[at].to_string()
    };
    assert_eq!(label("source_principal"), "td/ns/shop/sa/web");
    assert_eq!(label("destination_workload_namespace"), "unknown");
    assert_eq!(label("response_code"), "200");
    assert_eq!(label("connection_security_policy"), "mutual_tls");
    let values = |family: usize| -> Vec<f64> {
        let of = |emission: &Emission| match emission {
            Emission::Histogram { family: f, values, .. } if *f == family => values.clone(),
            _ => vec![],
        };
        emissions.iter().flat_map(of).collect()
    };
    assert_eq!((values(1), values(2), values(3)), (vec![12.5], vec![0.0, 0.0], vec![42.0, 0.0]));
}

#[tokio::test]
async fn request_metrics_keep_only_the_labels_that_are_asked_for() {
    let adapter = load("request-metrics", json!({"labels": ["response_code", "reporter"]})).await.unwrap();
    assert_eq!(adapter.metric_families()[0].labels, ["reporter", "response_code"]);
    let emissions = adapter.report(&[request().build()]).await.unwrap().emissions;
    let Emission::Counter { labels, .. } = &emissions[0] else { panic!("{:?}", emissions[0]) };
    assert_eq!(labels.iter().map(|label| &**label).collect::<Vec<_>>(), ["destination", "200"]);
}

fn spans(emissions: Vec<Emission>) -> Vec<SpanRecord> {
    let span = |emission| match emission {
        Emission::Span(record) => record,
        other => panic!("{other:?} is no span"),
    };
    emissions.into_iter().map(span).collect()
}

#[tokio::test]
async fn trace_spans_are_server_spans_of_traced_requests_only() {
    let traced = || request().text(slot::TRACE_ID, TRACE).text(slot::TRACE_SPAN_ID, SPAN);
    let bags = [traced().build(), request().build(), traced().int(slot::RESPONSE_CODE, 503).build()];
    let spans = spans(emissions("trace-spans", json!({"attributes": {"a.b": "c"}}), &bags).await);
    assert_eq!(spans.len(), 2);
    let span = &spans[0];
    assert_eq!((span.name.as_str(), span.kind, &span.status), ("GET", SpanKind::Server, &SpanStatus::Unset));
    assert_eq!((span.start, span.duration), (1_700_000_000_000_000_000, 12_500_000));
    assert_eq!(u64::from_be_bytes(span.span_id), u64::from_str_radix(SPAN, 16).unwrap());
    assert_eq!(span.parent_id, None);
    let field = |name: &str| span.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    assert_eq!(field("http.response.status_code"), Some(Value::Int(200)));
    assert_eq!(field("network.protocol.version"), Some(Value::Text("1.1".into())));
    assert_eq!(field("a.b"), Some(Value::Text("c".into())));
    assert_eq!(spans[1].status, SpanStatus::Error(String::new()));
    assert!(!format!("{spans:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_malformed_trace_fails_the_call_and_drops_what_it_emitted() {
    let adapter = load("trace-spans", Json::Null).await.unwrap();
    let good = request().text(slot::TRACE_ID, TRACE).text(slot::TRACE_SPAN_ID, SPAN).build();
    let bad = request().text(slot::TRACE_ID, "xyz").text(slot::TRACE_SPAN_ID, SPAN).build();
    let failure = adapter.report(&[good.clone(), bad]).await.unwrap_err().to_string();
    assert_eq!(
        failure,
        "adapter test-trace-spans (weir/trace-spans 0.1.0): report failed: trace-id must be 32 hexadecimal digits, not all zero"
    );
    assert_eq!(adapter.report(&[good]).await.unwrap().emissions.len(), 1);
    let stats = adapter.stats();
    assert_eq!((stats.errors, stats.restarts, stats.last_error), (1, 0, Some(failure)));
}

#[tokio::test]
async fn a_long_report_is_several_batches_and_an_empty_one_is_none() {
    let adapter = load("access-log", Json::Null).await.unwrap();
    assert_eq!(adapter.report(&[]).await.unwrap().emissions, []);
    assert_eq!(adapter.stats().calls, 0);
    let bags: Vec<Bag> = (0..2 * ROWS_MAX + 1).map(|_| Bag::default()).collect();
    assert_eq!(adapter.report(&bags).await.unwrap().emissions.len(), bags.len());
    assert_eq!(adapter.stats().calls, 3);
}
