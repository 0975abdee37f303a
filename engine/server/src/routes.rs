//! Every gRPC service but Envoy's check, which the port answers itself.

use std::sync::Arc;

use tonic::service::Routes;
use tonic_health::{ServingStatus, server::HealthReporter};
use weir_proto::v1::{policy_server::PolicyServer, telemetry_server::TelemetryServer};
use weir_runtime::Runtime;

use crate::{
    Error,
    access_log::{self, Skipped},
    grpc::MESSAGE_MAX,
    native::Native,
};

/// The services that gRPC health knows; the empty name is the whole server.
const HEALTH: [&str; 5] = [
    "",
    "weir.v1.Policy",
    "weir.v1.Telemetry",
    "envoy.service.auth.v3.Authorization",
    "envoy.service.accesslog.v3.AccessLogService",
];

/// The routes.
pub(crate) fn routes(runtime: &Arc<Runtime>, skipped: &Arc<Skipped>) -> Result<Routes, Error> {
    let native = Native::new(runtime.clone());
    let (reporter, health) = tonic_health::server::health_reporter();
    tokio::spawn(follow(reporter, runtime.clone()));
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(weir_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(|error| Error::Reflection(error.to_string()))?;
    Ok(Routes::new(PolicyServer::new(native.clone()).max_decoding_message_size(MESSAGE_MAX))
        .add_service(TelemetryServer::new(native).max_decoding_message_size(MESSAGE_MAX))
        .add_service(access_log::service(runtime.clone(), skipped.clone()))
        .add_service(health)
        .add_service(reflection))
}

/// gRPC health follows readiness.
async fn follow(reporter: HealthReporter, runtime: Arc<Runtime>) {
    let mut ready = runtime.ready();
    loop {
        let status = if *ready.borrow_and_update() { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in HEALTH {
            reporter.set_service_status(service, status).await;
        }
        if ready.changed().await.is_err() {
            return;
        }
    }
}
