//! The floor of the check path: tonic and envoy-types with default features answer a constant OK on one thread.
#![allow(clippy::unwrap_used)] // a benchmark that cannot run must stop

use envoy_types::{
    ext_authz::v3::pb::{Authorization, AuthorizationServer, CheckRequest, CheckResponse},
    pb::envoy::service::auth::v3::{OkHttpResponse, check_response::HttpResponse},
};
use tonic::{Request, Response, Status, transport::Server};

struct Constant;

#[tonic::async_trait]
impl Authorization for Constant {
    async fn check(&self, _: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        Ok(Response::new(CheckResponse {
            http_response: Some(HttpResponse::OkResponse(OkHttpResponse::default())),
            ..CheckResponse::default()
        }))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("grpc {}\nready", listener.local_addr().unwrap());
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder().add_service(AuthorizationServer::new(Constant)).serve_with_incoming(incoming).await.unwrap();
}
