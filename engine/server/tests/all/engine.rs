//! An engine on free ports with two policies, and callers of it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tempfile::TempDir;
use tonic::transport::Channel;
use weir_runtime::{Runtime, Setup};
use weir_server::{Addresses, Options, Serving, TlsFiles, start};

/// GET is allowed, `x-role: admin` denied, on the one workload there is.
const POLICIES: &str = "
apiVersion: policy.weir.dev/v1alpha1
kind: Workload
metadata: {name: cart, namespace: shop}
spec: {labels: {app: cart}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: reads, namespace: shop}
spec:
  action: ALLOW
  rules: [{to: [{operation: {methods: [GET]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: shop}
spec:
  action: DENY
  rules: [{when: [{key: 'request.headers[x-role]', values: [admin]}]}]
";

pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

pub(crate) struct Engine {
    pub(crate) at: Addresses,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) serving: Serving,
    /// The levels that were set.
    pub(crate) levels: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

pub(crate) async fn runtime(folder: &TempDir) -> Arc<Runtime> {
    let config = folder.path().join("config");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("policies.yaml"), POLICIES).unwrap();
    let setup = Setup {
        state: folder.path().join("state"),
        default_workload: Some("shop/cart".to_owned()),
        ..Setup::offline(config)
    };
    Runtime::start(setup).await.unwrap()
}

pub(crate) fn options(levels: &Arc<Mutex<Vec<String>>>) -> Options {
    let levels = Arc::clone(levels);
    Options {
        grpc: LOOPBACK,
        admin: LOOPBACK,
        health: LOOPBACK,
        metrics: LOOPBACK,
        tls: None,
        insecure: false,
        // Far longer than a test may take: what needs it fails.
        drain: Duration::from_secs(600),
        level: "info".to_owned(),
        set_level: Arc::new(move |level| match level {
            "nonsense" => Err("write error, warn, info, debug or trace".to_owned()),
            level => {
                levels.lock().unwrap().push(level.to_owned());
                Ok(())
            }
        }),
    }
}

impl Engine {
    pub(crate) async fn start() -> Self {
        Self::with(None).await
    }

    pub(crate) async fn with(tls: Option<TlsFiles>) -> Self {
        let (folder, levels) = (tempfile::tempdir().unwrap(), Arc::default());
        let runtime = runtime(&folder).await;
        assert!(*runtime.ready().borrow(), "the sample policies are good");
        let serving = start(Arc::clone(&runtime), Options { tls, ..options(&levels) }).await.unwrap();
        Self { at: serving.addresses(), runtime, serving, levels, folder }
    }

    /// Replaces the policies; returns when the new snapshot serves.
    pub(crate) async fn reconfigure(&self, change: impl FnOnce(&str) -> String) -> String {
        let mut snapshots = self.runtime.snapshots();
        snapshots.mark_unchanged();
        std::fs::write(self.folder.path().join("config/policies.yaml"), change(POLICIES)).unwrap();
        snapshots.changed().await.unwrap();
        snapshots.borrow().to_string()
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.at.grpc)).unwrap().connect().await.unwrap()
    }

    /// A scrape of the metrics port.
    pub(crate) async fn metrics(&self) -> String {
        get(self.at.metrics, "/metrics").await.1
    }
}

pub(crate) async fn send(at: SocketAddr, request: http::request::Builder, body: &str) -> Response<String> {
    let uri = format!("http://{at}{}", request.uri_ref().unwrap());
    let request: Request<Full<Bytes>> = request.uri(uri).body(Full::from(body.to_owned())).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) async fn get(at: SocketAddr, path: &str) -> (StatusCode, String) {
    let response = send(at, Request::get(path), "").await;
    (response.status(), response.into_body())
}
