use std::sync::Arc;

use http::{Request, StatusCode};
use weir_server::{Error, Options, start};

use crate::engine::{Engine, LOOPBACK, get, options, runtime, send};

#[tokio::test]
async fn every_admin_page_is_there_and_an_unknown_one_names_them() {
    let engine = Engine::start().await;
    for path in ["/status", "/config", "/policies", "/plugins", "/limits", "/decisions", "/version"] {
        let (status, body) = get(engine.at.admin, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        serde_json::from_str::<serde_json::Value>(&body).unwrap();
    }
    let (status, body) = get(engine.at.admin, "/state").await;
    assert!(status == StatusCode::NOT_FOUND && body.contains("/status") && body.contains("/state"), "{body}");
    let index = get(engine.at.admin, "/").await.1;
    assert!(index.contains("href=\"/policies\""));
    let limits = get(engine.at.admin, "/config").await.1;
    assert!(limits.contains("check.header-lines") && limits.contains("reports.queue"), "all limits are in /config");
    let status = get(engine.at.admin, "/status").await.1;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["listening"]["grpc"], engine.at.grpc.to_string());
    assert_eq!(status["listening"]["security"], "plaintext");
    assert_eq!(status["config"]["refused"], serde_json::Value::Null);
}

#[tokio::test]
async fn the_log_level_is_changed_by_a_command_and_not_by_a_web_page() {
    let engine = Engine::start().await;
    let own = engine.at.admin.to_string();
    for (headers, body, expected) in [
        (vec![], "debug", StatusCode::OK),
        (vec![], "nonsense", StatusCode::BAD_REQUEST),
        (vec![("origin", "http://evil.example")], "trace", StatusCode::FORBIDDEN),
        (vec![("host", "evil.example")], "trace", StatusCode::FORBIDDEN),
        (vec![("host", own.as_str())], "warn", StatusCode::OK),
    ] {
        let mut request = Request::put("/logging");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let response = send(engine.at.admin, request, body).await;
        assert_eq!(response.status(), expected, "{headers:?} {body}: {}", response.body());
    }
    assert_eq!(*engine.levels.lock().unwrap(), ["debug", "warn"]);
    assert_eq!(get(engine.at.admin, "/logging").await.1, "warn\n");
    let long = send(engine.at.admin, Request::put("/logging"), &"x".repeat(5000)).await;
    assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for path in ["/status", "/logging"] {
        let posted = send(engine.at.admin, Request::post(path), "").await;
        assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn health_and_metrics_answer() {
    let engine = Engine::start().await;
    assert_eq!(get(engine.at.health, "/healthz/ready").await, (StatusCode::OK, "ready\n".to_owned()));
    assert_eq!(get(engine.at.health, "/healthz/live").await, (StatusCode::OK, "live\n".to_owned()));
    assert_eq!(get(engine.at.health, "/health").await.0, StatusCode::NOT_FOUND);
    let head = send(engine.at.metrics, Request::head("/metrics"), "").await;
    assert_eq!(
        (head.status(), head.headers()["content-type"].to_str().unwrap()),
        (StatusCode::OK, "text/plain; version=0.0.4")
    );
    assert!(head.body().is_empty());
    let text = engine.metrics().await;
    assert!(text.contains("weir_grpc_connections 0") && text.contains("# TYPE weir_grpc_connections gauge"));
}

#[tokio::test]
async fn a_busy_port_and_an_open_plaintext_port_are_refused_by_their_flags() {
    let engine = Engine::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (runtime, levels) = (runtime(&folder).await, Arc::default());
    let busy = |change: fn(&mut Options, std::net::SocketAddr), at| {
        let mut options = options(&levels);
        change(&mut options, at);
        options
    };
    for (options, flag) in [
        (busy(|options, at| options.grpc = at, engine.at.grpc), "--grpc"),
        (busy(|options, at| options.admin = at, engine.at.admin), "--admin"),
        (busy(|options, at| options.health = at, engine.at.health), "--health"),
        (busy(|options, at| options.metrics = at, engine.at.metrics), "--metrics"),
    ] {
        let error = start(Arc::clone(&runtime), options).await.unwrap_err().to_string();
        assert!(error.contains(flag) && error.contains("in use"), "{error}");
    }
    let everywhere = Options { grpc: ([0, 0, 0, 0], 0).into(), ..options(&levels) };
    let error = start(Arc::clone(&runtime), everywhere.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Plaintext(_)) && error.to_string().contains("--insecure"), "{error}");
    let serving = start(Arc::clone(&runtime), Options { insecure: true, ..everywhere }).await.unwrap();
    let status = get(serving.addresses().admin, "/status").await.1;
    assert!(status.contains("\"insecure\":true"), "{status}");
    assert_eq!(LOOPBACK.port(), 0);
}
