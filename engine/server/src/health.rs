//! The health port: whether the process lives, and whether it should be asked.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::serving::Doors;

/// The routes of the health port.
pub(crate) fn routes(doors: Arc<Doors>) -> Router {
    Router::new()
        .route("/healthz/live", get(async || "live\n"))
        .route("/healthz/ready", get(ready))
        .fallback(async || (StatusCode::NOT_FOUND, "there are /healthz/ready and /healthz/live\n"))
        .with_state(doors)
}

async fn ready(State(doors): State<Arc<Doors>>) -> (StatusCode, &'static str) {
    match doors.ready() {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
