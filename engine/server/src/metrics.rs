//! The metrics port: a scrape shares nothing with a check.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use weir_runtime::Runtime;

/// What Prometheus is told that this is.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// The routes of the metrics port.
pub(crate) fn routes(runtime: Arc<Runtime>) -> Router {
    Router::new()
        .route("/metrics", get(scrape))
        .fallback(async || (StatusCode::NOT_FOUND, "there is /metrics\n"))
        .with_state(runtime)
}

async fn scrape(State(runtime): State<Arc<Runtime>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], runtime.metrics())
}
