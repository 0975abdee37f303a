//! The admin port: how the sidecar is, in JSON; read only.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::header, response::IntoResponse, routing::get};
use serde_json::{Value, json};

use crate::{limits, serving::State as Sidecar};

/// The routes of the admin port.
pub(crate) fn routes(sidecar: Arc<Sidecar>) -> Router {
    Router::new()
        .route("/status", get(async |State(sidecar): State<Arc<Sidecar>>| Json(status(&sidecar))))
        .route("/config", get(async |State(sidecar): State<Arc<Sidecar>>| Json(config(&sidecar))))
        .route("/limits", get(async || Json(limits::limits())))
        .route("/cache", get(async |State(sidecar): State<Arc<Sidecar>>| Json(sidecar.shared.cache.status())))
        .route("/stats/prometheus", get(metrics))
        .route("/metrics", get(metrics))
        .with_state(sidecar)
}

/// The metrics as Prometheus reads them.
pub(crate) async fn metrics(State(sidecar): State<Arc<Sidecar>>) -> impl IntoResponse {
    let text = weir_telemetry::sinks::prometheus::render(&sidecar.gather());
    ([(header::CONTENT_TYPE, weir_telemetry::sinks::prometheus::CONTENT_TYPE)], text)
}

fn status(sidecar: &Sidecar) -> Value {
    let options = &sidecar.shared.options;
    let connections = sidecar.listener.read();
    let reports = sidecar.shared.reports.as_ref().map(|reports| {
        let account = reports.ledger().account();
        json!({
            "observed": account.observed,
            "delivered": account.delivered,
            "lost": account.lost,
            "in_flight": account.in_flight,
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ready": sidecar.is_ready(),
        "draining": sidecar.is_draining(),
        "uptime_seconds": sidecar.began.elapsed().as_secs(),
        "engine": options.engine.as_ref().map(|engine| json!({
            "address": engine.to_string(),
            "reached": sidecar.engine_reached(),
            "snapshot": sidecar.shared.cache.status().snapshot,
            "fail_open": options.fail_open,
        })),
        "connections": { "open": connections.open, "accepted": connections.accepted },
        "peers": sidecar.shared.peers.status(),
        "reports": reports,
        "tls": sidecar.tls.as_ref().map(|tls| {
            let status = tls.status();
            json!({ "swaps": status.swaps, "failures": status.failures, "problem": status.problem })
        }),
    })
}

fn config(sidecar: &Sidecar) -> Value {
    let options = &sidecar.shared.options;
    let timeouts = &options.timeouts;
    json!({
        "listen": sidecar.addresses.http.to_string(),
        "admin": sidecar.addresses.admin.to_string(),
        "health": sidecar.addresses.health.to_string(),
        "upstream": options.upstream.to_string(),
        "upstream_protocol": format!("{:?}", options.upstream_protocol),
        "engine": options.engine.as_ref().map(ToString::to_string),
        "workload": options.workload,
        "proxy": options.proxy,
        "tls": options.tls.as_ref().map(|tls| json!({
            "certificate": tls.certificate,
            "client_ca": tls.client_ca,
            "only": tls.only,
        })),
        "fail_open": options.fail_open,
        "check_mode": format!("{:?}", options.check_mode),
        "cache": options.cache,
        "normalization": format!("{:?}", options.normalization),
        "access_log": format!("{:?}", options.access_log),
        "log_format": format!("{:?}", options.log_format),
        "workers": sidecar.workers,
        "timeouts_ms": {
            "first_byte": timeouts.first_byte.as_millis() as u64,
            "header": timeouts.header.as_millis() as u64,
            "idle": timeouts.idle.as_millis() as u64,
            "stall": timeouts.stall.as_millis() as u64,
            "check": timeouts.check.as_millis() as u64,
            "connect": timeouts.connect.as_millis() as u64,
            "response": timeouts.response.map(|limit| limit.as_millis() as u64),
            "drain": timeouts.drain.as_millis() as u64,
        },
        "limits": limits::limits(),
    })
}
