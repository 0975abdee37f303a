//! What the tests are made of.

mod client;
mod engine;
mod upstream;

use std::{
    future::Future,
    time::{Duration, Instant},
};

pub(crate) use client::{Answer, raw, request, single};
pub(crate) use engine::{Engine, allow, attribute, deny, lines, text};
pub(crate) use upstream::{Body, Seen, Upstream, full};
pub(crate) use weir_proto::v1::CheckResponse;
use weir_sidecar::{Options, Serving, Target};

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Options for free ports, one worker, no access log.
pub(crate) fn options(upstream: &Upstream) -> Options {
    let any = ([127, 0, 0, 1], 0).into();
    let mut options = Options::new(any, upstream.uri());
    options.admin = any;
    options.health = any;
    options.access_log = Target::Off;
    options.workers = 1;
    options.workload = "shop/cart".to_owned();
    // The machine that runs the tests is busy: only tests of the deadline set one.
    options.timeouts.check = PATIENCE;
    options
}

pub(crate) async fn start(options: Options) -> Serving {
    let serving = weir_sidecar::start(options).await.expect("the sidecar starts");
    within(serving.ready()).await;
    serving
}

/// A sidecar before that upstream that asks that engine.
pub(crate) async fn checked(upstream: &Upstream, engine: &Engine) -> Serving {
    let mut options = options(upstream);
    options.engine = Some(engine.uri());
    start(options).await
}

/// The future's outcome, which must come soon.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it happens in time")
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain for: {what}");
        tokio::task::yield_now().await;
    }
}

/// The value of one series of a scrape; 0 when there is none.
pub(crate) fn metric(serving: &Serving, series: &str) -> f64 {
    let text = serving.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}
