//! The services of `weir.v1` and Envoy's access log as tonic's routes want them. The generated servers would do the same
//! with a codec that cannot say where a frame is wrong.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use envoy_types::pb::envoy::service::accesslog::v3::access_log_service_server::AccessLogService;
use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::{Status, body::Body, server::Grpc, server::NamedService};
use tower::service_fn;
use weir_proto::v1::{policy_server::Policy, snapshots_server::Snapshots, telemetry_server::Telemetry};
use weir_runtime::Door;

use crate::{
    access_log::AccessLog,
    grpc::{Located, MESSAGE_MAX},
    native::Native,
};

/// `weir.v1.Policy`.
#[derive(Clone, Debug)]
pub(crate) struct Policies(pub(crate) Native);

/// `weir.v1.Snapshots`.
#[derive(Clone, Debug)]
pub(crate) struct Watches(pub(crate) Native);

/// `weir.v1.Telemetry`.
#[derive(Clone, Debug)]
pub(crate) struct Reports(pub(crate) Native);

/// `envoy.service.accesslog.v3.AccessLogService`.
#[derive(Clone, Debug)]
pub(crate) struct AccessLogs(pub(crate) Arc<AccessLog>);

impl NamedService for Policies {
    const NAME: &'static str = "weir.v1.Policy";
}

impl NamedService for Watches {
    const NAME: &'static str = "weir.v1.Snapshots";
}

impl NamedService for Reports {
    const NAME: &'static str = "weir.v1.Telemetry";
}

impl NamedService for AccessLogs {
    const NAME: &'static str = "envoy.service.accesslog.v3.AccessLogService";
}

impl Policies {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let Self(native) = self;
        match method(&request) {
            "Check" => {
                let mut grpc = grpc(Located::new(native.refusing(Door::Native)));
                let check = service_fn(|request| {
                    let native = native.clone();
                    async move { native.check(request).await }
                });
                grpc.unary(check, request).await
            }
            "CheckStream" => {
                let mut grpc = grpc(Located::new(native.refusing(Door::NativeStream)));
                let check = service_fn(|request| {
                    let native = native.clone();
                    async move { native.check_stream(request).await }
                });
                grpc.streaming(check, request).await
            }
            other => unknown(Self::NAME, other),
        }
    }
}

impl Watches {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let Self(native) = self;
        match method(&request) {
            "Watch" => {
                let watch = service_fn(|request| {
                    let native = native.clone();
                    async move { native.watch(request).await }
                });
                grpc(Located::new(|| {})).streaming(watch, request).await
            }
            other => unknown(Self::NAME, other),
        }
    }
}

impl Reports {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let Self(native) = self;
        match method(&request) {
            "Report" => {
                let report = service_fn(|request| {
                    let native = native.clone();
                    async move { native.report(request).await }
                });
                grpc(Located::new(|| {})).client_streaming(report, request).await
            }
            other => unknown(Self::NAME, other),
        }
    }
}

impl AccessLogs {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let Self(log) = self;
        match method(&request) {
            "StreamAccessLogs" => {
                let stream = service_fn(|request| {
                    let log = Arc::clone(&log);
                    async move { log.stream_access_logs(request).await }
                });
                grpc(Located::new(|| {})).client_streaming(stream, request).await
            }
            other => unknown(Self::NAME, other),
        }
    }
}

fn grpc<C: tonic::codec::Codec>(codec: C) -> Grpc<C> {
    Grpc::new(codec).max_decoding_message_size(MESSAGE_MAX)
}

fn method(request: &Request<Body>) -> &str {
    request.uri().path().rsplit('/').next().unwrap_or_default()
}

fn unknown(service: &str, method: &str) -> Response<Body> {
    Status::unimplemented(format!("{service} has no method {method}")).into_http()
}

/// Makes a service of each type above.
macro_rules! services {
    ($($service:ident),*) => { $(
        impl tower::Service<Request<Body>> for $service {
            type Response = Response<Body>;
            type Error = Infallible;
            type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<Body>) -> Self::Future {
                let service = self.clone();
                Box::pin(async move { Ok(service.answer(request).await) })
            }
        }
    )* };
}

services!(Policies, Watches, Reports, AccessLogs);
