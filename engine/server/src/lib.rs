//! The engine's front doors: one file a protocol.
//!
//! | door | protocol | file |
//! |---|---|---|
//! | gRPC | `envoy.service.auth.v3.Authorization` | `ext_authz.rs` |
//! | gRPC | `envoy.service.accesslog.v3.AccessLogService` | `access_log.rs` |
//! | gRPC | `weir.v1.Policy`, `weir.v1.Telemetry` | `native.rs` |
//! | HTTP | status and the like; health; metrics | `admin.rs`, `health.rs`, `metrics.rs` |
//!
//! A door turns what a proxy sent into a bag, calls the runtime, and says the answer in its protocol's words. Nothing here
//! decides.
#![forbid(unsafe_code)]

mod access_log;
mod admin;
mod error;
mod ext_authz;
mod grpc;
mod health;
mod limits;
mod metrics;
mod native;
mod refusal;
mod routes;
mod services;
mod serving;
mod side;
mod wire;

pub use error::Error;
pub use serving::{Addresses, Options, Serving, SetLevel, start};
pub use weir_listen::TlsFiles;
