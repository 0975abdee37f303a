//! The external authorizers that CUSTOM policies name, as real gRPC servers: one for each temper.

use std::net::SocketAddr;

use envoy_types::pb::{
    envoy::service::auth::v3::{
        CheckRequest, CheckResponse,
        authorization_server::{Authorization, AuthorizationServer},
    },
    google::rpc,
};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use super::super::candidate::{Temper, temper};

/// Where they listen. They stop with the runtime that they run on.
pub(super) struct Providers([(Temper, SocketAddr); 3]);

impl Providers {
    pub(super) async fn start() -> Result<Self, String> {
        let mut all =
            [Temper::Allows, Temper::Denies, Temper::AsTheHeaderSays].map(|temper| (temper, ([0; 4], 0).into()));
        for (temper, address) in &mut all {
            let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| format!("no provider: {error}"))?;
            *address = listener.local_addr().map_err(|error| format!("no provider: {error}"))?;
            let server = Server::builder().add_service(AuthorizationServer::new(Provider(*temper)));
            tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        }
        Ok(Self(all))
    }

    /// The provider of that name, as the mesh's settings have it.
    pub(super) fn named(&self, name: &str) -> Json {
        let wanted = temper(name);
        let port = self.0.iter().find(|(temper, _)| *temper == wanted).map(|(_, address)| address.port());
        json!({"name": name, "envoyExtAuthzGrpc": {"service": "127.0.0.1", "port": port}})
    }
}

struct Provider(Temper);

#[tonic::async_trait]
impl Authorization for Provider {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let allows = match self.0 {
            Temper::Allows => true,
            Temper::Denies => false,
            Temper::AsTheHeaderSays => {
                let http = request.into_inner().attributes.and_then(|attributes| attributes.request?.http);
                http.is_some_and(|http| {
                    let raw = http.header_map.iter().flat_map(|map| &map.headers);
                    let mut lines = raw.map(|line| (line.key.as_str(), line.raw_value.as_slice()));
                    http.headers.get("x-ext-authz").is_some_and(|value| value == "allow")
                        || lines.any(|line| line == ("x-ext-authz", b"allow"))
                })
            }
        };
        let code = if allows { tonic::Code::Ok } else { tonic::Code::PermissionDenied };
        let status = rpc::Status { code: code.into(), ..rpc::Status::default() };
        Ok(Response::new(CheckResponse { status: Some(status), ..CheckResponse::default() }))
    }
}
