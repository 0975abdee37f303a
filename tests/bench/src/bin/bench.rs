//! `make bench`: prints a table and writes JSON; exits 1 when a bar is missed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a benchmark that cannot run must stop

use std::{fs, path::Path, process::ExitCode};

use weir_bench::{
    authz,
    process::Server,
    proxy,
    table::{Row, print},
};

const ROUNDS: usize = 5;
const CHECKS: u64 = 40_000;
const REQUESTS: u64 = 40_000;
/// The sample's workload without and with a check plugin bound to it.
const WORKLOADS: [(&str, &str); 2] =
    [("shop/cart", "weir, sample's policies"), ("shop/checkout", "weir, sample's policies and a check plugin")];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let scratch = Path::new("target/bench");
    let _ = fs::remove_dir_all(scratch);
    fs::create_dir_all(scratch).expect("target is writable");
    let tables = [checks(scratch).await, proxies().await];
    fs::write("target/bench.json", serde_json::to_string_pretty(&tables).unwrap()).expect("target is writable");
    println!("\nJSON: target/bench.json");
    let missed = tables
        .iter()
        .flat_map(|table| table["rows"].as_array().unwrap())
        .any(|row| row["bar"].as_f64().is_some_and(|bar| row["ratio"].as_f64().unwrap() > bar));
    if missed {
        println!("a bar is missed");
    }
    ExitCode::from(u8::from(missed))
}

async fn checks(scratch: &Path) -> serde_json::Value {
    let floor = Server::start("floor-authz", &[]);
    let (state, log) = (scratch.join("state"), scratch.join("decisions.jsonl"));
    let weir = Server::start(
        "weir",
        &[
            "serve",
            "--config",
            "deploy/samples/shop",
            "--plugin-dir",
            "target/plugins/dist",
            "--state",
            state.to_str().unwrap(),
            "--decision-log",
            log.to_str().unwrap(),
        ]
        .iter()
        .copied()
        .chain([
            // A plugin's limit is wall time: on a busy machine it would measure the neighbours.
            "--plugin-patience",
            "20",
            "--log-level",
            "error",
            "--grpc",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
            "--health",
            "127.0.0.1:0",
            "--metrics",
            "127.0.0.1:0",
        ])
        .collect::<Vec<_>>(),
    );
    let mut rows = vec![Row { name: "floor: tonic, envoy-types, constant OK".into(), rounds: vec![], bar: None }];
    for (index, (_, name)) in WORKLOADS.iter().enumerate() {
        rows.push(Row { name: (*name).into(), rounds: vec![], bar: (index == 0).then_some(1.5) });
    }
    rows.push(Row { name: "weir, headers joined by the proxy".into(), rounds: vec![], bar: Some(1.5) });
    let mut first = 0;
    for round in 0..=ROUNDS {
        let targets = [
            (&floor, WORKLOADS[0].0, true, 0),
            (&weir, WORKLOADS[0].0, true, 1),
            (&weir, WORKLOADS[1].0, true, 2),
            (&weir, WORKLOADS[0].0, false, 3),
        ];
        for (server, workload, raw_headers, row) in targets {
            let before = server.cpu();
            let seen = authz::load(server.address("grpc"), first, CHECKS, raw_headers, workload).await;
            first += CHECKS;
            let used = (server.cpu() - before) as f64 / CHECKS as f64 / 1000.0;
            if row > 0 {
                assert_eq!((seen.allowed, seen.denied), (CHECKS * 4 / 5, CHECKS / 5), "one in five is denied");
            }
            // The first round warms up.
            if round > 0 {
                rows[row].rounds.push(used);
            }
        }
    }
    print(&format!("check over gRPC, {CHECKS} distinct requests a round, 20 % denied, decision log to a file"), &rows)
}

async fn proxies() -> serde_json::Value {
    let upstream = proxy::upstream().await.to_string();
    let floor = Server::start("floor-proxy", &[&upstream]);
    let weir = Server::start(
        "weir",
        &[
            "sidecar",
            "--no-check",
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            &upstream,
            "--admin",
            "127.0.0.1:0",
            "--health",
            "127.0.0.1:0",
            "--workload",
            "shop/cart",
        ],
    );
    let mut rows = vec![
        Row { name: "floor: hyper, hyper-util legacy client".into(), rounds: vec![], bar: None },
        Row { name: "weir sidecar without check".into(), rounds: vec![], bar: Some(1.6) },
    ];
    for round in 0..=ROUNDS {
        for (server, row) in [(&floor, 0), (&weir, 1)] {
            let before = server.cpu();
            proxy::load(server.address("http"), REQUESTS).await;
            let used = (server.cpu() - before) as f64 / REQUESTS as f64 / 1000.0;
            if round > 0 {
                rows[row].rounds.push(used);
            }
        }
    }
    print(&format!("proxy, HTTP/1.1 keep-alive, {REQUESTS} requests a round"), &rows)
}
