//! `make bench`: prints a table and writes JSON; exits 1 when a bar is missed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a benchmark that cannot run must stop

use std::{fs, path::Path, process::ExitCode};

use weir_bench::{
    authz::{self, About, Questions},
    process::Server,
    proxy,
    table::{Row, print},
};
use weir_bench_policy::rules;

const ROUNDS: usize = 5;
const CHECKS: u64 = 40_000;
const REQUESTS: u64 = 40_000;
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

/// The engine on that folder, with what else is given.
fn engine(scratch: &Path, name: &str, config: &str, more: &[&str]) -> Server {
    let state = scratch.join(format!("{name}.state"));
    // A plugin's limit is wall time: on a busy machine it would measure the neighbours.
    let usual = ["--plugin-dir", "target/plugins/dist", "--plugin-patience", "20", "--log-level", "error"];
    let ports = ["--grpc", "--admin", "--health", "--metrics"].into_iter().flat_map(|port| [port, "127.0.0.1:0"]);
    let arguments = ["serve", "--config", config, "--state", state.to_str().unwrap()].into_iter();
    Server::start("weir", &arguments.chain(usual).chain(ports).chain(more.iter().copied()).collect::<Vec<_>>())
}

/// The engine with so many rules and everything else at its default.
fn engine_with(scratch: &Path, policies: usize, each: usize) -> Server {
    let folder = scratch.join(format!("rules-{}", policies * each));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("rules.yaml"), rules::yaml(policies, each, rules::Shape::Distinct)).unwrap();
    engine(scratch, &format!("rules-{}", policies * each), folder.to_str().unwrap(), &[])
}

async fn checks(scratch: &Path) -> serde_json::Value {
    let log = scratch.join("decisions.jsonl");
    let floor = Server::start("floor-authz", &[]);
    let twenty = engine_with(scratch, 1, 20);
    let many = engine_with(scratch, 500, 20);
    let sample = engine(scratch, "sample", "deploy/samples/shop", &["--decision-log", log.to_str().unwrap()]);
    let asks = |workload, raw_headers, about| Questions { workload, raw_headers, about };
    let contestants = [
        ("floor: tonic, envoy-types, constant OK", &floor, asks("shop/cart", true, About::Sample), None),
        ("weir, 20 rules", &twenty, asks("shop/cart", true, About::Rules(1, 20)), Some(1.0)),
        ("weir, 10,000 rules in 500 policies", &many, asks("shop/cart", true, About::Rules(500, 20)), Some(1.25)),
        ("weir, sample, decision log to a file", &sample, asks("shop/cart", true, About::Sample), Some(1.5)),
        ("the same, header lines joined", &sample, asks("shop/cart", false, About::Sample), Some(1.5)),
        ("the same with a check plugin", &sample, asks("shop/checkout", true, About::Sample), None),
    ];
    let row = |name: &str, bar| Row { name: name.into(), rounds: vec![], bar };
    let mut rows: Vec<Row> = contestants.iter().map(|(name, _, _, bar)| row(name, *bar)).collect();
    let mut first = 0;
    for round in 0..=ROUNDS {
        for (index, (_, server, questions, _)) in contestants.iter().enumerate() {
            let before = server.cpu();
            let seen = authz::load(server.address("grpc"), first, CHECKS, *questions).await;
            first += CHECKS;
            let used = (server.cpu() - before) as f64 / CHECKS as f64 / 1000.0;
            if index > 0 {
                assert_eq!((seen.allowed, seen.denied), (CHECKS * 4 / 5, CHECKS / 5), "one in five is denied");
            }
            // The first round warms up.
            if round > 0 {
                rows[index].rounds.push(used);
            }
        }
    }
    print(&format!("check over gRPC, {CHECKS} distinct requests a round, 20 % denied"), &rows)
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
