//! The engine dies, hangs and comes back; the sidecar stops.

use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use weir_sidecar::CheckMode;

use crate::support::{Engine, Upstream, allow, checked, full, metric, options, request, single, start, until, within};

#[tokio::test]
async fn without_an_engine_requests_are_refused_or_let_through_as_told() {
    for (fail_open, mode) in [(false, CheckMode::Stream), (false, CheckMode::Unary), (true, CheckMode::Stream)] {
        let upstream = Upstream::echo().await;
        let mut options = options(&upstream);
        options.engine = Some(Upstream::absent().await.uri());
        (options.fail_open, options.check_mode) = (fail_open, mode);
        let sidecar = weir_sidecar::start(options).await.unwrap();
        assert_eq!(sidecar.is_ready(), fail_open);
        let answer = single(sidecar.addresses().http, request("/")).await;
        if fail_open {
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(metric(&sidecar, "weir_sidecar_checks_total{decision=\"error\",source=\"fail-open\"}"), 1.0);
        } else {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.header("x-weir-reason"), Some("engine-unavailable"));
            assert!(upstream.seen().is_empty());
            assert_eq!(metric(&sidecar, "weir_sidecar_check_errors_total{reason=\"unreachable\"}"), 1.0);
        }
    }
}

#[tokio::test]
async fn a_killed_engine_denies_what_is_not_cached_and_is_used_again_when_it_is_back() {
    let upstream = Upstream::echo().await;
    let mut engine = Engine::start(|_| allow()).await;
    let sidecar = checked(&upstream, &engine).await;
    let address = sidecar.addresses().http;
    assert_eq!(single(address, request("/cached")).await.status, StatusCode::OK);
    engine.kill().await;
    until("the loss is seen", || metric(&sidecar, "weir_sidecar_engine_reached") == 0.0).await;
    assert_eq!(single(address, request("/cached")).await.status, StatusCode::OK);
    assert_eq!(single(address, request("/other")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let asked = engine.asked().len();
    engine.revive().await;
    let back = Instant::now();
    within(async { while single(address, request("/other")).await.status != StatusCode::OK {} }).await;
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
    single(address, request("/cached")).await;
    assert_eq!(engine.asked().len(), asked + 2, "an engine that was away may decide otherwise: nothing is cached");
}

#[tokio::test]
async fn a_hanging_engine_costs_the_deadline_a_few_times_and_then_nothing() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let mut options = options(&upstream);
    options.engine = Some(engine.uri());
    options.timeouts.check = Duration::from_millis(100);
    let sidecar = start(options).await;
    let address = sidecar.addresses().http;
    engine.hang(true);
    for number in 0..5 {
        let answer = single(address, request(&format!("/{number}"))).await;
        assert_eq!(answer.header("x-weir-reason"), Some("engine-unavailable"));
    }
    assert_eq!(metric(&sidecar, "weir_sidecar_check_errors_total{reason=\"deadline\"}"), 5.0);
    single(address, request("/open")).await;
    assert_eq!(metric(&sidecar, "weir_sidecar_check_errors_total{reason=\"circuit-open\"}"), 1.0);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_sidecar_stops() {
    let (release, gate) = tokio::sync::watch::channel(false);
    let upstream = Upstream::with(move |_| {
        let mut gate = gate.clone();
        async move {
            let _ = gate.wait_for(|open| *open).await;
            http::Response::new(full("late"))
        }
    });
    let upstream = upstream.await;
    let engine = Engine::start(|_| allow()).await;
    let sidecar = checked(&upstream, &engine).await;
    let address = sidecar.addresses().http;
    let mut stream = within(TcpStream::connect(address)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until("the check", || !engine.asked().is_empty()).await;
    let mut idle = within(TcpStream::connect(address)).await.unwrap();
    idle.write_all(b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until("the other check", || engine.asked().len() == 2).await;
    let stopping = tokio::spawn(sidecar.shutdown());
    within(async { while TcpStream::connect(address).await.is_ok() {} }).await;
    release.send_replace(true);
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("late"), "{answer}");
    drop(idle);
    assert_eq!(within(stopping).await.unwrap(), 0, "nothing was cut");
    assert_eq!(engine.told().len(), 2, "the reports were flushed");
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut() {
    let upstream = Upstream::with(|_| std::future::pending()).await;
    let mut options = options(&upstream);
    options.timeouts.drain = Duration::from_millis(100);
    let sidecar = start(options).await;
    let mut stream = within(TcpStream::connect(sidecar.addresses().http)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until("the connection upstream", || metric(&sidecar, "weir_sidecar_upstream_connections_total") == 1.0).await;
    assert_eq!(within(sidecar.shutdown()).await, 1);
}
