//! An engine of the tests' own: it decides by a function and remembers what it was asked and told.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use futures::Stream;
use http::Uri;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_stream::{StreamExt as _, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status, Streaming, transport::Server};
use weir_attributes::lookup;
use weir_proto::v1::{
    self, CheckRequest, CheckResponse, Notice, PeerModes, ReportRequest, ReportResponse, StreamResponse, WatchRequest,
    WatchResponse,
    policy_server::{Policy, PolicyServer},
    snapshots_server::{Snapshots, SnapshotsServer},
    stream_response::Message,
    telemetry_server::{Telemetry, TelemetryServer},
};

type Decide = dyn Fn(&CheckRequest) -> CheckResponse + Send + Sync;

/// The engine; it can be killed, and comes back on the same port.
pub(crate) struct Engine {
    mind: Arc<Mind>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

struct Mind {
    decide: Box<Decide>,
    hangs: AtomicBool,
    asked: Mutex<Vec<CheckRequest>>,
    told: Mutex<Vec<v1::Attributes>>,
    snapshot: watch::Sender<String>,
    peers: watch::Sender<Option<PeerModes>>,
}

#[derive(Clone)]
struct Door(Arc<Mind>);

/// Allows, until further notice for every request that is equal in method and path.
pub(crate) fn allow() -> CheckResponse {
    let wire = |name| lookup(name).unwrap().wire;
    let set = v1::ReferencedSet {
        attributes: vec![wire("request.method"), wire("request.url_path"), wire("source.principal")],
        ..Default::default()
    };
    CheckResponse {
        decision: v1::Decision::Allow.into(),
        decision_id: "0123456789abcdef0123456789abcdef".to_owned(),
        reason: "allowed-by-rule".to_owned(),
        ttl_ms: 60_000,
        max_uses: 1_000,
        referenced: Some(v1::Referenced { number: 1, set: Some(set) }),
        ..Default::default()
    }
}

/// Denies with 403.
pub(crate) fn deny() -> CheckResponse {
    CheckResponse {
        decision: v1::Decision::Deny.into(),
        status: 403,
        body: "RBAC: access denied".to_owned(),
        reason: "denied-by-rule".to_owned(),
        ..allow()
    }
}

impl Engine {
    pub(crate) async fn start(decide: impl Fn(&CheckRequest) -> CheckResponse + Send + Sync + 'static) -> Self {
        let mind = Arc::new(Mind {
            decide: Box::new(decide),
            hangs: AtomicBool::new(false),
            asked: Mutex::default(),
            told: Mutex::default(),
            snapshot: watch::Sender::new("1".to_owned()),
            peers: watch::Sender::new(None),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(serve(listener, Door(Arc::clone(&mind))));
        Self { mind, address, task }
    }

    /// Cuts every connection and stops listening.
    pub(crate) async fn kill(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Listens again on the same port.
    pub(crate) async fn revive(&mut self) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.address).unwrap();
        self.task = tokio::spawn(serve(socket.listen(64).unwrap(), Door(Arc::clone(&self.mind))));
    }

    /// Takes checks and never answers them.
    pub(crate) fn hang(&self, hangs: bool) {
        self.mind.hangs.store(hangs, SeqCst);
    }

    pub(crate) fn set_snapshot(&self, version: &str) {
        self.mind.snapshot.send_replace(version.to_owned());
    }

    /// Tells every sidecar how its peers must be authenticated.
    pub(crate) fn set_peers(&self, mode: v1::PeerMode, ports: &[(u16, v1::PeerMode)]) {
        let ports = ports.iter().map(|(port, mode)| (u32::from(*port), i32::from(*mode)));
        self.mind.peers.send_replace(Some(PeerModes { mode: mode.into(), ports: ports.collect() }));
    }

    pub(crate) fn uri(&self) -> Uri {
        format!("http://{}", self.address).parse().unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<CheckRequest> {
        self.mind.asked.lock().unwrap().clone()
    }

    pub(crate) fn told(&self) -> Vec<v1::Attributes> {
        self.mind.told.lock().unwrap().clone()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The text of an attribute.
pub(crate) fn text(attributes: &v1::Attributes, name: &str) -> Option<String> {
    match attribute(attributes, name)? {
        v1::attribute::Value::Text(text) => Some(text),
        other => panic!("{name} is {other:?}"),
    }
}

/// The value of an attribute.
pub(crate) fn attribute(attributes: &v1::Attributes, name: &str) -> Option<v1::attribute::Value> {
    let wire = lookup(name).expect("in the vocabulary").wire;
    attributes.attributes.iter().find(|attribute| attribute.number == wire)?.value.clone()
}

/// The lines of a header.
pub(crate) fn lines(attributes: &v1::Attributes, name: &str) -> Vec<String> {
    let lines = attributes.headers.iter().filter(|line| line.name == name);
    lines.map(|line| String::from_utf8(line.value.clone()).unwrap()).collect()
}

/// Everything it serves is on one task, so that aborting the task cuts everything.
async fn serve(listener: TcpListener, door: Door) {
    let server = Server::builder()
        .add_service(PolicyServer::new(door.clone()))
        .add_service(SnapshotsServer::new(door.clone()))
        .add_service(TelemetryServer::new(door));
    // tonic spawns its connections: a runtime of its own ends them with it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = listener.into_std().unwrap();
    let guard = Runtime(Some(runtime));
    let task = guard.0.as_ref().unwrap().spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        let _ = server.serve_with_incoming(TcpListenerStream::new(listener)).await;
    });
    let _ = task.await;
    drop(guard);
}

struct Runtime(Option<tokio::runtime::Runtime>);

impl Drop for Runtime {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

impl Door {
    async fn decide(&self, request: CheckRequest) -> CheckResponse {
        let mut answer = (self.0.decide)(&request);
        answer.id = request.id;
        if answer.snapshot.is_empty() {
            answer.snapshot = self.0.snapshot.borrow().clone();
        }
        self.0.asked.lock().unwrap().push(request);
        if self.0.hangs.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        answer
    }
}

#[tonic::async_trait]
impl Policy for Door {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        Ok(Response::new(self.decide(request.into_inner()).await))
    }

    type CheckStreamStream = Pin<Box<dyn Stream<Item = Result<StreamResponse, Status>> + Send>>;

    async fn check_stream(
        &self,
        request: Request<Streaming<CheckRequest>>,
    ) -> Result<Response<Self::CheckStreamStream>, Status> {
        let door = self.clone();
        let answers = futures::StreamExt::filter_map(request.into_inner(), move |request| {
            let door = door.clone();
            async move { Some(Message::Check(door.decide(request.ok()?).await)) }
        });
        let snapshots = tokio_stream::wrappers::WatchStream::new(self.0.snapshot.subscribe());
        let notices = snapshots.map(|snapshot| Message::Notice(Notice { snapshot }));
        let all = futures::stream::select(answers, notices);
        Ok(Response::new(Box::pin(all.map(|message| Ok(StreamResponse { message: Some(message) })))))
    }
}

#[tonic::async_trait]
impl Snapshots for Door {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<Streaming<WatchRequest>>) -> Result<Response<Self::WatchStream>, Status> {
        let mut requests = request.into_inner();
        let asked = requests.message().await?.expect("a question");
        assert_eq!(asked.workload.expect("a workload").name, "shop/cart");
        let told = tokio_stream::wrappers::WatchStream::new(self.0.peers.subscribe());
        let told = told.map(|peers| Ok(WatchResponse { snapshot: "1".to_owned(), peers }));
        let asking = async move { while let Ok(Some(_)) = requests.message().await {} };
        Ok(Response::new(Box::pin(futures::StreamExt::take_until(told, Box::pin(asking)))))
    }
}

#[tonic::async_trait]
impl Telemetry for Door {
    async fn report(&self, request: Request<Streaming<ReportRequest>>) -> Result<Response<ReportResponse>, Status> {
        let (mut batches, mut accepted) = (request.into_inner(), 0);
        while let Some(batch) = batches.message().await? {
            accepted += batch.entries.len() as u64;
            self.0.told.lock().unwrap().extend(batch.entries);
        }
        Ok(Response::new(ReportResponse { accepted, lost: 0 }))
    }
}
