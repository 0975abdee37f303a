//! The health port: whether the sidecar lives and whether it should get requests.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::{admin, serving::State as Sidecar};

/// The routes of the health port.
pub(crate) fn routes(sidecar: Arc<Sidecar>) -> Router {
    Router::new()
        .route("/healthz/live", get(async || "live"))
        .route("/healthz/ready", get(ready))
        .route("/metrics", get(admin::metrics))
        .with_state(sidecar)
}

async fn ready(State(sidecar): State<Arc<Sidecar>>) -> (StatusCode, &'static str) {
    if sidecar.is_ready() {
        (StatusCode::OK, "ready")
    } else if sidecar.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the engine has not been reached yet")
    }
}
