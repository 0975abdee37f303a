//! A real Envoy and our sidecar with the same filters, before the same upstream.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use weir_tests::client::{Answer, Call, Caller};
use weir_tests::envoy::Envoy;
use weir_tests::process::Program;
use weir_tests::repository;
use weir_tests::tools::{Tool, need};

use super::backend::Backend;

/// Headers that proxies write for themselves.
const OWN: [&str; 7] = [
    "date",
    "server",
    "connection",
    "transfer-encoding",
    "x-request-id",
    "x-envoy-upstream-service-time",
    "x-weir-reason",
];

/// Which filters, in the order of the chain: each is named as it behaves.
#[derive(Clone, Copy)]
pub struct Set {
    pub behaviours: &'static [&'static str],
    pub fail_open: &'static [&'static str],
}

impl Set {
    pub fn one(behaviour: &'static str) -> Self {
        let behaviours = match behaviour {
            "headers" => &["headers"],
            "body" => &["body"],
            "auth" => &["auth"],
            "properties" => &["properties"],
            "ticker" => &["ticker"],
            "probe" => &["probe"],
            other => panic!("{other}"),
        };
        Self { behaviours, fail_open: &[] }
    }
}

pub struct Pair {
    pub envoy: Way,
    pub sidecar: Way,
    _place: TempDir,
    _backend: Backend,
}

/// One of the two.
pub struct Way {
    http: SocketAddr,
    admin: SocketAddr,
    metrics: &'static str,
    program: Program,
}

impl Pair {
    pub async fn start(story: &str, set: Set) -> Option<Self> {
        let binary = need(Tool::Envoy, &format!("filters: {story}"))?;
        let module = module();
        let place = tempfile::Builder::new().prefix("weir-filters-").tempdir().unwrap();
        let backend = Backend::start().await;
        let text = envoy_yaml(&set, &module, &backend);
        let envoy = Envoy::start_with(&binary, place.path(), &text).await.unwrap();
        let envoy =
            Way { http: envoy.http(), admin: envoy.admin(), metrics: "/stats/prometheus", program: envoy.program };
        let sidecar = sidecar(place.path(), &set, &module, &backend).await;
        Some(Self { envoy, sidecar, _place: place, _backend: backend })
    }

    /// Sends each call both ways; what comes back must be equal.
    pub async fn same(&self, calls: impl IntoIterator<Item = Call>) {
        self.compare(calls, false).await;
    }

    /// The same over HTTP/2.
    pub async fn same_over_http2(&self, calls: impl IntoIterator<Item = Call>) {
        self.compare(calls, true).await;
    }

    async fn compare(&self, calls: impl IntoIterator<Item = Call>, http2: bool) {
        let mut differ = Vec::new();
        for call in calls {
            let theirs = self.envoy.send_over(call.clone(), http2).await;
            let ours = self.sidecar.send_over(call.clone(), http2).await;
            if told(&theirs) != told(&ours) {
                let mut call = format!("{call:?}");
                call.truncate(300);
                differ.push(format!("{call}\n  envoy   {}\n  sidecar {}", told(&theirs), told(&ours)));
            }
        }
        assert!(differ.is_empty(), "{}\n{}", differ.join("\n"), self.sidecar.program.said());
    }

    pub async fn ours(&self, call: Call) -> Answer {
        self.sidecar.send(call).await
    }

    pub async fn envoys(&self, call: Call) -> Answer {
        self.envoy.send(call).await
    }
}

impl Way {
    pub async fn send(&self, call: Call) -> Answer {
        self.send_over(call, false).await
    }

    async fn send_over(&self, call: Call, http2: bool) -> Answer {
        let caller = Caller::to(self.http);
        match if http2 { caller.with_http2() } else { caller }.send(call).await {
            Ok(answer) => answer,
            // A connection that is closed without an answer is one too.
            Err(error) => Answer {
                status: 0,
                headers: Vec::new(),
                body: format!("broken off: {}", !error.to_string().is_empty()),
            },
        }
    }

    pub async fn metrics(&self) -> String {
        Caller::to(self.admin).get(self.metrics).await.unwrap().body
    }
}

/// What both must agree on.
fn told(answer: &Answer) -> String {
    let mut headers: Vec<_> = answer.headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str())).collect();
    // Lines of one name keep their order.
    headers.sort_by(|a, b| a.0.cmp(&b.0));
    let mut body = answer.body.clone();
    if body.len() > 2000 {
        body = format!("{} bytes: {} ... {}", body.len(), &body[..200], &body[body.len() - 200..]);
    }
    format!("{} {headers:?} {body:?}", answer.status)
}

/// Built by `make test`, or now.
pub fn module() -> PathBuf {
    let folder =
        std::env::var_os("WEIR_FILTERS").map_or_else(|| repository::target().join("filters/dist"), PathBuf::from);
    let module = folder.join("filters.wasm");
    if !module.is_file() {
        let script = repository::root().join("tests/make/filters.sh");
        let built = std::process::Command::new("bash").arg(script).arg(&folder).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    }
    module
}

async fn sidecar(place: &Path, set: &Set, module: &Path, backend: &Backend) -> Way {
    let mut text = format!(
        "node: {{id: test-node, cluster: test-cluster, metadata: {{NAME: cart, NUMBER: 7, LABELS: {{app: cart}}}}}}
clusterName: test-upstream
routeName: test-route
upstreams: {{auth: '{}', dead: '127.0.0.1:1'}}
filters:
",
        backend.address()
    );
    for behaviour in set.behaviours {
        let strategy = if set.fail_open.contains(behaviour) { "FAIL_OPEN" } else { "FAIL_CLOSE" };
        // Two cores run everything at once: time is not what is tested here.
        text += &format!(
            "- {{pluginName: {behaviour}, url: {}, pluginConfig: {behaviour}, vmId: {behaviour}, failStrategy: {strategy}, limits: {{callMs: 10000, startMs: 20000}}}}\n",
            module.display()
        );
    }
    let file = place.join("filters.yaml");
    std::fs::write(&file, text).unwrap();
    let (file, upstream) = (file.display().to_string(), backend.address().to_string());
    let arguments = [
        "sidecar",
        "--no-check",
        "--workload",
        "shop/cart",
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--health",
        "127.0.0.1:0",
        "--access-log",
        "off",
        "--upstream",
        upstream.as_str(),
        "--filters",
        file.as_str(),
    ];
    let mut program = Program::new("weir sidecar", &repository::weir().unwrap(), arguments);
    program.start().await.unwrap();
    let (http, admin) = (program.address("http").unwrap(), program.address("admin").unwrap());
    Way { http, admin, metrics: "/metrics", program }
}

fn envoy_yaml(set: &Set, module: &Path, backend: &Backend) -> String {
    let filters: String = set
        .behaviours
        .iter()
        .map(|behaviour| {
            let policy = if set.fail_open.contains(behaviour) { "FAIL_OPEN" } else { "FAIL_CLOSED" };
            format!(
                "
          - name: {behaviour}
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: {behaviour}
                root_id: {behaviour}
                failure_policy: {policy}
                configuration: {{\"@type\": type.googleapis.com/google.protobuf.StringValue, value: {behaviour}}}
                vm_config:
                  vm_id: {behaviour}
                  runtime: envoy.wasm.runtime.v8
                  code: {{local: {{filename: {}}}}}",
                module.display()
            )
        })
        .collect();
    let cluster = |name: &str, address: SocketAddr| {
        format!(
            "
  - name: {name}
    type: STATIC
    connect_timeout: 5s
    load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {}, port_value: {}}}}}}}}}]}}]}}",
            address.ip(),
            address.port()
        )
    };
    let clusters = [
        cluster("test-upstream", backend.address()),
        cluster("auth", backend.address()),
        cluster("dead", SocketAddr::from(([127, 0, 0, 1], 1))),
    ];
    format!(
        "admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
node: {{id: test-node, cluster: test-cluster, metadata: {{NAME: cart, NUMBER: 7, LABELS: {{app: cart}}}}}}
static_resources:
  listeners:
  - name: in
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    traffic_direction: INBOUND
    filter_chains:
    - filters:
      - name: http
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          use_remote_address: true
          normalize_path: true
          server_header_transformation: PASS_THROUGH
          route_config:
            virtual_hosts:
            - {{name: all, domains: ['*'], routes: [{{name: test-route, match: {{prefix: /}}, route: {{cluster: test-upstream, timeout: 0s}}}}]}}
          http_filters:{filters}
          - name: router
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              suppress_envoy_headers: true
  clusters:{}
",
        clusters.concat()
    )
}
