//! One entry for each request, and none without an account.

use http::StatusCode;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use weir_proto::v1::attribute::Value;
use weir_sidecar::{LogFormat, Target};

use crate::support::{
    Engine, Upstream, allow, attribute, checked, deny, metric, options, request, single, start, text, until, within,
};

#[tokio::test]
async fn a_request_is_reported_with_its_response_and_decision() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let sidecar = checked(&upstream, &engine).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let told = request("/cart?x=1").method("POST").header("traceparent", trace).header("content-length", "0");
    single(sidecar.addresses().http, told).await;
    single(sidecar.addresses().http, request("/cart").method("POST")).await;
    until("the reports", || engine.told().len() == 2).await;
    let [first, second] = engine.told().try_into().unwrap();
    for (name, expected) in [
        ("request.method", "POST"),
        ("request.path", "/cart?x=1"),
        ("check.decision", "allow"),
        ("check.id", "0123456789abcdef0123456789abcdef"),
        ("check.reason", "allowed-by-rule"),
        ("trace.id", "0af7651916cd43dd8448eb211c80319c"),
        ("trace.parent_id", "b7ad6b7169203331"),
        ("context.reporter", "destination"),
        ("response.code_details", "via_upstream"),
    ] {
        assert_eq!(text(&first, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(
        text(&first, "upstream.address").map(|address| format!("http://{address}/")),
        Some(upstream.uri().to_string())
    );
    assert_eq!(attribute(&first, "response.code"), Some(Value::NumberValue(200)));
    assert_eq!(attribute(&first, "check.cached"), Some(Value::Truth(false)));
    assert_eq!(attribute(&second, "check.cached"), Some(Value::Truth(true)));
    assert!(matches!(attribute(&first, "response.backend_latency"), Some(Value::NumberValue(1..))));
    assert!(matches!(attribute(&first, "request.duration"), Some(Value::NumberValue(1..))));
    assert!(first.response_headers.iter().any(|line| line.name == "x-upstream"));
    let span = text(&first, "trace.span_id").unwrap();
    let sent = upstream.seen()[0].lines("traceparent");
    assert_eq!(sent, [format!("00-0af7651916cd43dd8448eb211c80319c-{span}-01")]);
}

#[tokio::test]
async fn denied_failed_and_abandoned_requests_are_reported_too() {
    let upstream = Upstream::with(|_| std::future::pending()).await;
    let engine = Engine::start(|request| match text(request.attributes.as_ref().unwrap(), "request.path").as_deref() {
        Some("/admin") => deny(),
        _ => allow(),
    });
    let engine = engine.await;
    let sidecar = checked(&upstream, &engine).await;
    let address = sidecar.addresses().http;
    assert_eq!(single(address, request("/admin")).await.status, StatusCode::FORBIDDEN);
    let mut stream = within(TcpStream::connect(address)).await.unwrap();
    stream.write_all(b"GET /left HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until("it is upstream", || metric(&sidecar, "weir_sidecar_upstream_connections_total") == 1.0).await;
    drop(stream);
    until("the reports", || engine.told().len() == 2).await;
    let [denied, left] = engine.told().try_into().unwrap();
    assert_eq!(text(&denied, "response.flags").as_deref(), Some("UAEX"));
    assert_eq!(attribute(&denied, "response.code"), Some(Value::NumberValue(403)));
    assert_eq!(text(&denied, "upstream.address"), None);
    assert_eq!(text(&left, "response.flags").as_deref(), Some("DC"));
    assert_eq!(attribute(&left, "response.code"), None);
}

#[tokio::test]
async fn reports_wait_for_an_engine_that_is_away_and_every_one_is_accounted_for() {
    let upstream = Upstream::echo().await;
    let mut engine = Engine::start(|_| allow()).await;
    let sidecar = checked(&upstream, &engine).await;
    let address = sidecar.addresses().http;
    single(address, request("/")).await;
    until("the first report", || engine.told().len() == 1).await;
    engine.kill().await;
    until("the loss is seen", || metric(&sidecar, "weir_sidecar_engine_reached") == 0.0).await;
    for _ in 0..20 {
        assert_eq!(single(address, request("/")).await.status, StatusCode::OK, "from the cache");
    }
    until("all are observed", || metric(&sidecar, "weir_sidecar_reports_observed_total") == 21.0).await;
    assert_eq!(metric(&sidecar, "weir_sidecar_reports_in_flight"), 20.0);
    assert_eq!(metric(&sidecar, "weir_sidecar_reports_delivered_total"), 1.0);
    engine.revive().await;
    until("they are delivered", || metric(&sidecar, "weir_sidecar_reports_delivered_total") == 21.0).await;
    assert_eq!(engine.told().len(), 21);
    assert_eq!(metric(&sidecar, "weir_sidecar_reports_in_flight"), 0.0);
}

#[tokio::test]
async fn the_access_log_has_a_line_for_each_request_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    for (format, needle) in [(LogFormat::Text, "\"GET /cart HTTP/1.1\" 200"), (LogFormat::Json, "\"path\":\"/cart\"")] {
        let path = folder.path().join(format!("{format:?}.log"));
        let upstream = Upstream::echo().await;
        let mut options = options(&upstream);
        (options.access_log, options.log_format) = (Target::File(path.clone()), format);
        let sidecar = start(options).await;
        for _ in 0..3 {
            let told = request("/cart?token=canary-1").header("authorization", "canary-2").header("cookie", "canary-3");
            single(sidecar.addresses().http, told).await;
        }
        within(sidecar.shutdown()).await;
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().filter(|line| line.contains(needle)).count(), 3, "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}
