//! A whole check, in process, with three plugins that are asked about each request: by one thread, and by two at once.

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::Instant;

use weir_policy::Claim;
use weir_runtime::{Door, Runtime, Setup};

use crate::request;

const BATCHES: usize = 15;
const CHECKS: usize = 4000;

const WORKLOAD: &str = "apiVersion: policy.weir.dev/v1alpha1\nkind: Workload\nmetadata: {name: orders, namespace: shop}\n\
                        spec: {labels: {app: orders}}\n";

/// Nanoseconds between two answers, the best of several batches in turns.
pub(crate) fn nanoseconds_of_a_check(guests: &Path) -> [f64; 2] {
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("config");
    std::fs::create_dir(&config).unwrap();
    std::fs::copy(guests.join("bench_typed.wasm"), config.join("typed.wasm")).unwrap();
    std::fs::write(config.join("orders.yaml"), WORKLOAD).unwrap();
    for name in ["a", "b", "c"] {
        let adapter = format!(
            "apiVersion: policy.weir.dev/v1alpha1\nkind: Adapter\nmetadata: {{name: {name}, namespace: shop}}\n\
             spec: {{source: {{file: typed.wasm}}, limits: {{timeoutMs: 1000}}}}\n"
        );
        std::fs::write(config.join(format!("{name}.yaml")), adapter).unwrap();
    }
    let setup = Setup { allow_empty: true, state: place.path().join("state"), ..Setup::offline(config) };
    let aside = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let runtime = aside.block_on(Runtime::start(setup)).unwrap();
    let mut best = [f64::INFINITY; 2];
    for _ in 0..BATCHES {
        for threads in [1, 2] {
            best[threads - 1] = best[threads - 1].min(batch(&runtime, threads));
        }
    }
    best
}

fn batch(runtime: &Arc<Runtime>, threads: usize) -> f64 {
    let start = Arc::new(Barrier::new(threads + 1));
    let threads: Vec<_> = (0..threads)
        .map(|_| {
            let (runtime, start) = (runtime.clone(), start.clone());
            std::thread::spawn(move || {
                let own = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let bag = request::bag(0);
                let claim = Claim { workload: Some("shop/orders"), ..Claim::default() };
                start.wait();
                own.block_on(async {
                    for _ in 0..CHECKS {
                        let checked = runtime.check(bag.clone(), &claim, Door::Native, "bench").await;
                        assert!(checked.verdict.is_allow(), "{:?}", checked.verdict);
                    }
                });
            })
        })
        .collect();
    start.wait();
    let began = Instant::now();
    let checks = threads.len() * CHECKS;
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    began.elapsed().as_nanos() as f64 / checks as f64
}
