//! The metrics port: a scrape shares nothing with a check.

use std::{fmt::Write as _, sync::Arc, sync::atomic::Ordering::Relaxed};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use weir_runtime::Runtime;

use crate::serving::Doors;

/// What Prometheus is told that this is.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// What the handler needs.
#[derive(Clone)]
struct Metrics {
    runtime: Arc<Runtime>,
    doors: Arc<Doors>,
}

/// The routes of the metrics port.
pub(crate) fn routes(runtime: Arc<Runtime>, doors: Arc<Doors>) -> Router {
    Router::new()
        .route("/metrics", get(scrape))
        .fallback(async || (StatusCode::NOT_FOUND, "there is /metrics\n"))
        .with_state(Metrics { runtime, doors })
}

async fn scrape(State(metrics): State<Metrics>) -> impl IntoResponse {
    let text = metrics.runtime.metrics() + &own(&metrics.doors);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text)
}

/// The doors' own families.
fn own(doors: &Doors) -> String {
    let (seen, skipped) = (doors.counts(), doors.skipped());
    let mut text = String::new();
    family(&mut text, "weir_grpc_connections", "gauge", "gRPC connections that are open.", &[("", seen.open as u64)]);
    let accepted = [("", seen.accepted)];
    family(&mut text, "weir_grpc_connections_accepted_total", "counter", "gRPC connections accepted.", &accepted);
    let closed = [
        ("{reason=\"over_limit\"}", seen.over_limit),
        ("{reason=\"silent\"}", seen.silent),
        ("{reason=\"handshake\"}", seen.handshake_failed),
        ("{reason=\"plaintext\"}", seen.plaintext_refused),
        ("{reason=\"accept\"}", seen.accept_errors),
    ];
    let help = "gRPC connections that ended before they began, by reason.";
    family(&mut text, "weir_grpc_connections_refused_total", "counter", help, &closed);
    let passed = [
        ("{reason=\"tcp\"}", skipped.tcp.load(Relaxed)),
        ("{reason=\"unfinished\"}", skipped.unfinished.load(Relaxed)),
    ];
    let help = "Access log entries that are no finished HTTP request, by reason.";
    family(&mut text, "weir_access_log_skipped_total", "counter", help, &passed);
    if let Some(tls) = doors.tls() {
        let help = "Times that new TLS files were put to use.";
        family(&mut text, "weir_grpc_tls_swaps_total", "counter", help, &[("", tls.swaps)]);
        let help = "Times that new TLS files could not be used.";
        family(&mut text, "weir_grpc_tls_failures_total", "counter", help, &[("", tls.failures)]);
        let broken = u64::from(tls.problem.is_some());
        let help = "1 while the TLS files are broken and the last good ones serve.";
        family(&mut text, "weir_grpc_tls_broken", "gauge", help, &[("", broken)]);
    }
    text
}

fn family(text: &mut String, name: &str, kind: &str, help: &str, samples: &[(&str, u64)]) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}
