//! One secret in every place where a request can carry one; it may come out nowhere.

use tokio::runtime::Handle;
use weir_attributes::{Bag, slot, vocabulary};
use weir_telemetry::{
    Decision, DecisionLog, DecisionLogOptions, Declaration, Families, Outcome, Reads, SelfMetrics, SelfMetricsOptions,
    Sinks, Target,
    record::{
        Change, Emissions, Family, FamilyId, FamilyKind, LogRecord, Severity, SpanKind, SpanRecord, SpanRef,
        SpanStatus, Update, Value,
    },
    sinks::{
        log::LogSink,
        otlp::{Otlp, OtlpOptions},
        prometheus,
    },
};

use super::{Arc, LONG, decision, otlp::Receiver, redactor};

const CANARY: &str = "canary-7d1f0c55";

/// The canary in every sensitive attribute, header and query.
fn laden() -> Bag {
    let mut bag = Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_HOST, "shop.example")
        .header(":path", &format!("/a?x={CANARY}"))
        .header("authorization", &format!("Bearer {CANARY}"))
        .header("cookie", &format!("session={CANARY}; theme=dark"))
        .header("proxy-authorization", &format!("Basic {CANARY}"))
        .header("x-api-key", CANARY)
        .header("referer", &format!("https://other.example/?q={CANARY}"))
        .header("x-envoy-original-path", &format!("/a?{CANARY}"))
        .header("x-original-url", &format!("https://shop.example/a?{CANARY}"))
        .header("x-custom-link", &format!("https://shop.example/a?k={CANARY}"))
        .response_header("set-cookie", &format!("session={CANARY}"))
        .build();
    for attribute in vocabulary().iter().filter(|attribute| attribute.sensitive) {
        bag.set_text(attribute.slot, &format!("/a?token={CANARY}"));
    }
    bag.set_text(slot::REQUEST_QUERY, &format!("token={CANARY}"));
    bag
}

/// A policy that reads everything.
fn laden_decision(message: &str) -> Decision {
    let slots = vocabulary().iter().map(|attribute| attribute.slot).collect();
    let headers = laden().headers().names().map(Arc::from).collect();
    Decision {
        reads: Arc::new(Reads::new(slots, headers, true)),
        message: Some(message.into()),
        bag: laden(),
        ..decision(Outcome::Deny, 1)
    }
}

#[test]
fn a_secret_of_a_request_is_not_in_the_decision_log_nor_among_the_recent_denials() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("decisions.jsonl");
    let log = DecisionLog::start(DecisionLogOptions::new(Target::File(path.clone()), redactor())).expect("starts");
    log.record(laden_decision(&format!("the token {CANARY} is not good enough")));
    // Without the normalized path it is the raw one, cut.
    let mut raw = laden_decision("no");
    raw.bag.clear(slot::REQUEST_URL_PATH);
    log.record(raw);
    assert!(log.flush(LONG));
    let text = std::fs::read_to_string(path).expect("read");
    assert_eq!(text.lines().count(), 2);
    assert!(text.contains("\"request.query\":\"hmac:"), "{text}");
    assert!(!text.contains(CANARY), "{text}");
    assert!(!text.contains("Bearer") && !text.contains("Basic"), "{text}");
    assert_eq!(log.recent().len(), 2);
    assert!(!serde_json::Value::from(log.recent()).to_string().contains(CANARY));
}

/// What a careless adapter could make of a request.
fn careless(family: FamilyId) -> Emissions {
    let fields = [
        ("authorization", CANARY.to_owned()),
        ("http.request.header.cookie", CANARY.to_owned()),
        ("http.response.header.set_cookie", CANARY.to_owned()),
        ("url.query", CANARY.to_owned()),
        ("url.full", format!("https://shop.example/?{CANARY}")),
        ("request.path", format!("/a?{CANARY}")),
    ];
    let fields: Vec<_> = fields.map(|(name, value)| (Arc::from(name), Value::Text(value))).into();
    let id = SpanRef { trace: [1; 16], span: [2; 8] };
    let log = LogRecord {
        time: 0,
        severity: Severity::Info,
        body: format!("GET /a?{CANARY} HTTP/1.1"),
        fields: fields.clone(),
        span: Some(id),
        adapter: "access-log".into(),
    };
    let span = SpanRecord {
        id,
        parent: None,
        name: format!("GET /a?{CANARY}"),
        kind: SpanKind::Server,
        start: 0,
        end: 1,
        fields,
        status: SpanStatus::Error(format!("https://shop.example/?{CANARY}")),
        adapter: "trace-spans".into(),
    };
    let labels = vec![CANARY.into(), format!("/a?{CANARY}").into()];
    let update = Update { family, labels, change: Change::Add(1) };
    Emissions { logs: vec![log], spans: vec![span], updates: vec![update] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_an_adapter_puts_into_a_field_by_its_name_is_not_in_any_sink() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("log.jsonl");
    let metrics = SelfMetrics::new(SelfMetricsOptions { version: "0", part: "engine", reasons: vec![], doors: vec![] });
    let log = LogSink::start(Target::File(path.clone())).expect("starts");
    let receiver = Receiver::default();
    let (address, server) = receiver.serve("127.0.0.1:0").await;
    let options = OtlpOptions::new(&address.to_string(), "weir-test");
    let otlp = Otlp::start(options, Some(Arc::clone(&metrics)), &Handle::current()).expect("starts");
    let families = Arc::<Families>::default();
    let sinks = Sinks::new(Arc::clone(&families), redactor(), Some(log), Some(otlp));
    let family = Family {
        name: "requests_total".into(),
        help: "Requests.".into(),
        unit: String::new(),
        labels: vec!["x_api_key".into(), "target".into()],
        kind: FamilyKind::Counter,
    };
    let ids = families.replace(&[Declaration { owner: "shop/x".into(), family }]).expect("valid");
    metrics.add(families);
    sinks.ledgers().into_iter().for_each(|ledger| metrics.add(ledger));

    sinks.accept(careless(ids[0]));
    assert!(sinks.log().expect("there").flush(LONG));
    sinks.otlp().expect("there").shutdown(LONG).await;

    let text = std::fs::read_to_string(path).expect("read");
    assert_eq!(text.matches("hmac:").count(), 7, "{text}");
    assert!(!text.contains(CANARY), "{text}");
    let text = prometheus::render(&metrics.gather());
    assert!(text.contains("requests_total{x_api_key=\"hmac:") && !text.contains(CANARY), "{text}");
    let kept = receiver.kept();
    assert_eq!((kept.traces.len(), kept.logs.len(), kept.metrics.len()), (1, 1, 1));
    let sent = format!("{:?} {:?} {:?}", kept.traces, kept.logs, kept.metrics);
    assert!(sent.contains("hmac:") && !sent.contains(CANARY), "{sent}");
    server.abort();
}
