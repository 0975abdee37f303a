//! The check hook: obeyed, cached, and never a request that nobody allowed.

use http::StatusCode;
use weir_proto::v1::{self, CheckResponse};
use weir_sidecar::CheckMode;

use crate::support::{Engine, Upstream, allow, checked, deny, metric, options, request, single, start, text, until};

fn by_path(request: &v1::CheckRequest) -> CheckResponse {
    match text(request.attributes.as_ref().unwrap(), "request.url_path").as_deref() {
        Some("/admin") => deny(),
        _ => allow(),
    }
}

#[tokio::test]
async fn a_denied_request_does_not_reach_the_upstream() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(by_path).await;
    for mode in [CheckMode::Stream, CheckMode::Unary] {
        let mut options = options(&upstream);
        (options.engine, options.check_mode) = (Some(engine.uri()), mode);
        let sidecar = start(options).await;
        let address = sidecar.addresses().http;
        assert_eq!(single(address, request("/cart")).await.status, StatusCode::OK);
        upstream.only();
        let answer = single(address, request("/admin?token=x")).await;
        assert_eq!((answer.status, answer.body.as_ref()), (StatusCode::FORBIDDEN, &b"RBAC: access denied"[..]));
        assert_eq!(answer.header("x-weir-decision-id"), Some("0123456789abcdef0123456789abcdef"));
        assert!(upstream.seen().is_empty());
        let asked = engine.asked().pop().unwrap();
        assert_eq!(asked.workload.unwrap().name, "shop/cart");
        assert_eq!(asked.proxy, "weir-sidecar");
    }
}

#[tokio::test]
async fn equal_requests_are_asked_about_once_and_others_on_their_own() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(by_path).await;
    let sidecar = checked(&upstream, &engine).await;
    let address = sidecar.addresses().http;
    for _ in 0..3 {
        assert_eq!(single(address, request("/cart?x=1").header("x-other", "1")).await.status, StatusCode::OK);
        assert_eq!(single(address, request("/cart?x=2")).await.status, StatusCode::OK);
        assert_eq!(single(address, request("/admin")).await.status, StatusCode::FORBIDDEN);
        assert_eq!(single(address, request("/public/../admin")).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(engine.asked().len(), 2, "the query is not read by the ruleset");
    assert_eq!(single(address, request("/cart").method("POST")).await.status, StatusCode::OK);
    assert_eq!(engine.asked().len(), 3);
    assert_eq!(metric(&sidecar, "weir_sidecar_checks_total{decision=\"allow\",source=\"cache\"}"), 5.0);
    assert_eq!(metric(&sidecar, "weir_sidecar_checks_total{decision=\"deny\",source=\"cache\"}"), 5.0);
}

#[tokio::test]
async fn without_the_cache_every_request_is_asked_about() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(by_path).await;
    let mut options = options(&upstream);
    (options.engine, options.cache) = (Some(engine.uri()), false);
    let sidecar = start(options).await;
    for _ in 0..3 {
        single(sidecar.addresses().http, request("/cart")).await;
    }
    assert_eq!(engine.asked().len(), 3);
}

#[tokio::test]
async fn a_set_that_is_left_out_is_not_an_empty_set() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|request| {
        let referenced = Some(v1::Referenced { number: 1, set: None });
        CheckResponse { referenced, ..by_path(request) }
    });
    let engine = engine.await;
    let sidecar = checked(&upstream, &engine).await;
    for _ in 0..2 {
        assert_eq!(single(sidecar.addresses().http, request("/cart")).await.status, StatusCode::OK);
        assert_eq!(single(sidecar.addresses().http, request("/admin")).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(engine.asked().len(), 4);
}

#[tokio::test]
async fn a_notice_of_a_new_snapshot_forgets_all_verdicts() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(by_path).await;
    let sidecar = checked(&upstream, &engine).await;
    let address = sidecar.addresses().http;
    for _ in 0..2 {
        single(address, request("/cart")).await;
    }
    assert_eq!(engine.asked().len(), 1);
    engine.set_snapshot("2");
    until("the notice is here", || metric(&sidecar, "weir_sidecar_cache_entries") == 0.0).await;
    single(address, request("/cart")).await;
    assert_eq!(engine.asked().len(), 2);
}

#[tokio::test]
async fn header_operations_of_a_verdict_are_done() {
    let operation = |action, name: &str, value: &str| v1::HeaderOperation {
        action,
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
    };
    let upstream = Upstream::echo().await;
    let engine = Engine::start(move |request| CheckResponse {
        headers: vec![operation(0, "x-set", "1"), operation(1, "x-add", "2"), operation(2, "x-gone", "")],
        ..by_path(request)
    });
    let engine = engine.await;
    let sidecar = checked(&upstream, &engine).await;
    let told = request("/cart").header("x-set", "0").header("x-add", "1").header("x-gone", "1");
    single(sidecar.addresses().http, told).await;
    let seen = upstream.only();
    assert_eq!(
        (seen.lines("x-set"), seen.lines("x-add")),
        (vec!["1".to_owned()], vec!["1".to_owned(), "2".to_owned()])
    );
    assert!(seen.lines("x-gone").is_empty());
    let denied = single(sidecar.addresses().http, request("/admin")).await;
    assert_eq!(denied.header("x-set"), Some("1"));
}

#[tokio::test]
async fn an_answer_that_cannot_be_obeyed_is_no_allow() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|request| match text(request.attributes.as_ref().unwrap(), "request.path").as_deref() {
        Some("/none") => CheckResponse { decision: 0, status: 0, ..allow() },
        Some("/unknown") => CheckResponse { decision: 99, status: 999, ..allow() },
        _ => {
            let bad = v1::HeaderOperation { action: 0, name: "bad name".to_owned(), value: Vec::new() };
            CheckResponse { headers: vec![bad], ..allow() }
        }
    });
    let engine = engine.await;
    let sidecar = checked(&upstream, &engine).await;
    for (path, expected) in [("/none", 403), ("/unknown", 403), ("/header", 503)] {
        assert_eq!(single(sidecar.addresses().http, request(path)).await.status.as_u16(), expected, "{path}");
    }
    assert!(upstream.seen().is_empty());
}
