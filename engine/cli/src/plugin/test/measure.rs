//! What calls cost: a case's requests again and again.

use std::time::{Duration, Instant};

use weir_adapters::{HostOptions, World};

use super::case::Case;
use super::heard::Heard;
use super::mock::Mock;
use super::run::{Rehearsal, Worse, limits};
use crate::failure::Failure;
use crate::plugin::build::finding;
use crate::plugin::origin::host;
use crate::plugin::toolchain::cache;

/// Calls of one case that are measured one by one.
const SAMPLES_MAX: usize = 1 << 20;

/// What one call costs.
pub(in crate::plugin) struct Measured {
    pub(in crate::plugin) calls: usize,
    pub(in crate::plugin) mean_ns: u64,
    pub(in crate::plugin) p50_ns: u64,
    pub(in crate::plugin) p99_ns: u64,
    pub(in crate::plugin) fuel: u64,
    pub(in crate::plugin) memory: usize,
}

/// Each case's requests for so long, in an engine that does not count; then a few in one that does.
pub(in crate::plugin) async fn measure(
    wasm: Vec<u8>,
    cases: &[Case],
    time: Duration,
) -> Result<Vec<(String, Measured)>, Failure> {
    let heard = Heard::default();
    let mut counting = Rehearsal::new(wasm, &heard)?;
    let counted = counting.host.clone();
    let plain = host(HostOptions { cache_dir: Some(cache().join("compiled")), ..HostOptions::default() })?;
    let mut rows = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let mock = Mock::start(case.told.mocks.http.clone()).await.map_err(Failure::unreachable)?;
        let mut at_work = Vec::new();
        for (host, time) in [(&plain, time), (&counted, Duration::ZERO)] {
            counting.host = host.clone();
            let limits = limits(&counting.needs);
            let started = counting.started(&format!("bench-{number}"), case, &Worse::default(), limits, &mock).await;
            let adapter = started.map_err(|e| finding(format_args!("{}: {e}", case.place)))?;
            let began_with = adapter.stats().fuel;
            let mut samples = Vec::new();
            let began = Instant::now();
            while samples.is_empty() || (began.elapsed() < time && samples.len() < SAMPLES_MAX) {
                for bag in case.bags.chunks(if counting.world == World::Report { usize::MAX } else { 1 }) {
                    let one = Instant::now();
                    // What a call answers is the tests' matter; one that fails costs something too.
                    match (counting.world, bag) {
                        (World::Report, bags) => drop(adapter.report(bags).await),
                        (World::Enrich, [bag, ..]) => drop(adapter.enrich(bag).await),
                        (World::Check, [bag, ..]) => drop(adapter.check(bag).await),
                        _ => {}
                    }
                    samples.push(one.elapsed().as_nanos() as u64);
                }
            }
            samples.sort_unstable();
            at_work.push((samples, adapter.stats(), began_with));
        }
        let (Some((counted, counts, before)), Some((samples, stats, _))) = (at_work.pop(), at_work.pop()) else {
            continue;
        };
        let part = |percent: usize| samples.get(samples.len() * percent / 100).copied().unwrap_or_default();
        rows.push((
            case.name.clone(),
            Measured {
                calls: samples.len(),
                mean_ns: samples.iter().sum::<u64>() / samples.len().max(1) as u64,
                p50_ns: part(50),
                p99_ns: part(99),
                fuel: (counts.fuel - before) / counted.len().max(1) as u64,
                memory: stats.memory_bytes,
            },
        ));
    }
    Ok(rows)
}
