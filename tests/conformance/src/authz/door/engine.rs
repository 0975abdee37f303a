//! An engine in this process: its own folder, its own ports, and a client of its gRPC port.

use std::{fs, sync::Arc, time::Duration};

use envoy_types::pb::{
    envoy::service::auth::v3::{
        CheckRequest, CheckResponse, authorization_client::AuthorizationClient, check_response::HttpResponse,
    },
    google::protobuf::value::Kind,
};
use tempfile::TempDir;
use tonic::transport::Channel;
use weir_runtime::{Runtime, Setup};
use weir_server::{Options, Serving};

use super::super::answer::Got;

/// How long an engine that is asked to stop may take.
const DRAIN: Duration = Duration::from_secs(1);

/// A running engine.
pub(super) struct Engine {
    runtime: Arc<Runtime>,
    serving: Serving,
    client: AuthorizationClient<Channel>,
    _place: TempDir,
}

impl Engine {
    /// Starts one on free ports; or what it refuses about its configuration.
    pub(super) async fn start(files: &[(String, String)]) -> Result<Result<Self, String>, String> {
        let broken = |error: &dyn std::fmt::Display| format!("no engine: {error}");
        let place = tempfile::tempdir().map_err(|error| broken(&error))?;
        let config = place.path().join("config");
        fs::create_dir(&config).map_err(|error| broken(&error))?;
        for (name, text) in files {
            fs::write(config.join(name), text).map_err(|error| broken(&error))?;
        }
        let setup = Setup { state: place.path().join("state"), allow_empty: true, ..Setup::offline(config) };
        let runtime = Runtime::start(setup).await.map_err(|error| broken(&error))?;
        if !*runtime.ready().borrow() {
            return Ok(Err(serde_json::to_string(&runtime.status()).unwrap_or_default()));
        }
        let serving = weir_server::start(runtime.clone(), options()).await.map_err(|error| broken(&error))?;
        let url = format!("http://{}", serving.addresses().grpc);
        let client = AuthorizationClient::connect(url).await.map_err(|error| broken(&error))?;
        Ok(Ok(Self { runtime, serving, client, _place: place }))
    }

    /// Asks. A frame that the engine cannot read is an answer too, and no error.
    pub(super) async fn check(&self, request: CheckRequest) -> Result<Got, String> {
        match self.client.clone().check(request).await {
            Ok(answer) => Ok(got(answer.into_inner())),
            Err(status) => Ok(Got::no_answer(format!("gRPC {}: {}", status.code(), status.message()))),
        }
    }

    pub(super) async fn stop(self) {
        drop(self.client);
        self.serving.shutdown().await;
        self.runtime.shutdown(DRAIN).await;
    }
}

fn got(answer: CheckResponse) -> Got {
    let said = |name: &str| {
        let value = answer.dynamic_metadata.as_ref()?.fields.get(name)?;
        match &value.kind {
            Some(Kind::StringValue(text)) => Some(text.clone()),
            _ => None,
        }
    };
    let rule = said("reason").unwrap_or_default();
    let code = answer.status.map(|status| status.code);
    match (code, answer.http_response) {
        (Some(0), Some(HttpResponse::OkResponse(_)) | None) => Got::through_door(None, rule),
        (Some(7), Some(HttpResponse::DeniedResponse(denied))) => {
            let status = denied.status.map_or(0, |status| status.code);
            Got::through_door(Some(u16::try_from(status).unwrap_or_default()), rule)
        }
        (code, _) => Got::no_answer(format!("the gRPC status {code:?} does not fit its answer")),
    }
}

fn options() -> Options {
    let free = ([127, 0, 0, 1], 0).into();
    Options {
        grpc: free,
        admin: free,
        health: free,
        metrics: free,
        tls: None,
        insecure: false,
        drain: DRAIN,
        level: String::new(),
        set_level: Arc::new(|_| Ok(())),
    }
}
