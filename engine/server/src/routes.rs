//! Every gRPC service but Envoy's check, which the port answers itself.

use std::sync::Arc;

use tonic::service::Routes;
use tonic_health::{ServingStatus, server::HealthReporter};
use weir_runtime::Runtime;

use crate::{
    Error,
    access_log::{AccessLog, Skipped},
    native::Native,
    services::{AccessLogs, Policies, Reports, Watches},
};

/// The services that gRPC health knows; the empty name is the whole server.
const HEALTH: [&str; 6] = [
    "",
    "weir.v1.Policy",
    "weir.v1.Snapshots",
    "weir.v1.Telemetry",
    "envoy.service.auth.v3.Authorization",
    "envoy.service.accesslog.v3.AccessLogService",
];

/// The routes.
pub(crate) fn routes(runtime: &Arc<Runtime>, skipped: &Arc<Skipped>) -> Result<Routes, Error> {
    let native = Native::new(runtime.clone());
    let (reporter, health) = tonic_health::server::health_reporter();
    tokio::spawn(follow(reporter, runtime.clone()));
    // Older tools ask by the older name.
    let [reflection, reflection_alpha] = [(); 2].map(|()| {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(weir_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    });
    let failed = |error: tonic_reflection::server::Error| Error::Reflection(error.to_string());
    let log = Arc::new(AccessLog { runtime: runtime.clone(), skipped: skipped.clone() });
    Ok(Routes::new(Policies(native.clone()))
        .add_service(Watches(native.clone()))
        .add_service(Reports(native))
        .add_service(AccessLogs(log))
        .add_service(health)
        .add_service(reflection.build_v1().map_err(failed)?)
        .add_service(reflection_alpha.build_v1alpha().map_err(failed)?))
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
