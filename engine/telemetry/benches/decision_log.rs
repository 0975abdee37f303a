//! What one logged decision costs in CPU, the writer's thread and the copying of the request included.
//!
//! `cargo bench -p weir-telemetry`. The bar is 1.5 µs a record; the time is CPU time of all threads (on Linux).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use weir_attributes::{Bag, slot};
use weir_telemetry::{Decision, DecisionId, DecisionLog, DecisionLogOptions, Outcome, Reads, Redactor, Target};

/// Records between two flushes: what the writer has to gather.
const ROUND: u64 = 1_000;
const LONG: Duration = Duration::from_secs(60);

fn bag() -> Bag {
    Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_PATH, "/api/orders/18274/items?page=3")
        .text(slot::REQUEST_URL_PATH, "/api/orders/18274/items")
        .text(slot::REQUEST_HOST, "orders.shop.svc.cluster.local")
        .text(slot::SOURCE_PRINCIPAL, "cluster.local/ns/web/sa/frontend")
        .text(slot::SOURCE_IP, "10.42.3.17")
        .text(slot::SOURCE_NAMESPACE, "web")
        .int(slot::DESTINATION_PORT, 8080)
        .header("x-tenant", "acme")
        .header("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64)")
        .header("x-request-id", "4b1d9f6e-8a0e-4f43-9c55-6f3f0a0c1a11")
        .build()
}

struct Shared {
    snapshot: Arc<str>,
    workload: Arc<str>,
    policy: Arc<str>,
    rule: Arc<str>,
    reads: Arc<Reads>,
    bag: Bag,
}

fn decision(shared: &Shared) -> Decision {
    Decision {
        id: DecisionId::random(),
        time: 1_700_000_000_123_456_789,
        duration: Duration::from_nanos(900),
        snapshot: Arc::clone(&shared.snapshot),
        workload: Some(Arc::clone(&shared.workload)),
        door: "ext_authz",
        outcome: Outcome::Allow,
        status: 0,
        reason: "allowed-by-rule",
        policy: Some(Arc::clone(&shared.policy)),
        rule: Some(Arc::clone(&shared.rule)),
        message: None,
        audit: Vec::new(),
        dry_run: Vec::new(),
        adapters: Vec::new(),
        in_doubt: false,
        reads: Arc::clone(&shared.reads),
        bag: shared.bag.clone(),
    }
}

/// CPU time of every thread of this process.
fn cpu() -> Option<Duration> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let spent = |task: std::fs::DirEntry| -> Option<u64> {
        std::fs::read_to_string(task.path().join("schedstat")).ok()?.split(' ').next()?.parse().ok()
    };
    Some(Duration::from_nanos(tasks.flatten().filter_map(spent).sum()))
}

fn timed(mut work: impl FnMut()) -> Duration {
    let (before, wall) = (cpu(), Instant::now());
    work();
    match (before, cpu()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => wall.elapsed(),
    }
}

fn decision_log(criterion: &mut Criterion) {
    let shared = Shared {
        snapshot: "3f2a9c".into(),
        workload: "shop/orders".into(),
        policy: "shop/allow-web".into(),
        rule: "readers".into(),
        reads: Arc::new(Reads::new(
            vec![slot::REQUEST_METHOD, slot::REQUEST_URL_PATH, slot::SOURCE_NAMESPACE, slot::DESTINATION_PORT],
            vec!["x-tenant".into(), "authorization".into()],
            false,
        )),
        bag: bag(),
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let redactor = Arc::new(Redactor::random().expect("random"));
    let mut group = criterion.benchmark_group("decision_log");
    group.bench_function("make only", |bencher| {
        bencher.iter_custom(|records| timed(|| (0..records).for_each(|_| drop(black_box(decision(&shared))))));
    });
    for (name, ratio) in [("make, record, write", 1.0), ("make, record, sampled out", 0.0)] {
        let path = folder.path().join("decisions.jsonl");
        let mut options = DecisionLogOptions::new(Target::File(path.clone()), Arc::clone(&redactor));
        options.allow_ratio = ratio;
        let log = DecisionLog::start(options).expect("starts");
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|records| {
                timed(|| {
                    for n in 0..records {
                        log.record(decision(&shared));
                        if n % ROUND == ROUND - 1 {
                            assert!(log.flush(LONG));
                        }
                    }
                    assert!(log.flush(LONG));
                })
            });
            // The disk is not what is measured.
            let _ = std::fs::File::options().write(true).truncate(true).open(&path);
        });
        assert_eq!(log.account().lost, 0);
    }
    group.finish();
}

criterion_group!(benches, decision_log);
criterion_main!(benches);
