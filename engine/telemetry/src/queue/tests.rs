use proptest::prelude::*;
use weir_attributes::slot;

use super::*;

const SOON: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(20);

fn options(entries: usize, batch: usize) -> ReportOptions {
    ReportOptions { entries, batch, wait: SOON, ..ReportOptions::default() }
}

fn entry(n: usize) -> Bag {
    Bag::builder().int(slot::RESPONSE_CODE, n as i64).build()
}

fn entries(n: usize) -> Vec<Bag> {
    (0..n).map(entry).collect()
}

#[tokio::test]
async fn a_submission_goes_in_whole_or_not_at_all() {
    let reports = Reports::new(&options(10, 100));
    assert_eq!(reports.submit(entries(6)), Ok(()));
    assert_eq!(reports.submit(entries(5)), Err(Full { lost: 5, reason: Loss::QueueFull }));
    assert_eq!(reports.submit(entries(4)), Ok(()));
    assert_eq!(reports.ledger().account().in_flight, 10);
    let batch = reports.drain().await.expect("open");
    assert_eq!(batch.entries().len(), 10);
    assert_eq!(reports.submit(entries(10)), Ok(()), "the room is given back");
    assert_eq!(reports.ledger().account().in_flight, 20);
    batch.deliver();
    let account = reports.ledger().account();
    assert_eq!((account.observed, account.delivered, account.lost, account.in_flight), (25, 10, 5, 10));
}

#[tokio::test]
async fn the_queue_is_limited_in_bytes_too() {
    let size = entry(0).size();
    let reports = Reports::new(&ReportOptions { bytes: 3 * size, ..options(1000, 100) });
    assert_eq!(reports.submit(entries(3)), Ok(()));
    assert_eq!(reports.submit(entries(1)).map_err(|full| full.reason), Err(Loss::QueueFull));
    reports.drain().await.expect("open").deliver();
    assert_eq!(reports.submit(entries(3)), Ok(()));
}

#[tokio::test]
async fn a_full_batch_is_taken_without_waiting_and_the_order_is_kept() {
    let reports = Reports::new(&ReportOptions { wait: Duration::from_secs(3600), ..options(100, 10) });
    reports.submit(entries(25)).expect("room");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let batch = tokio::time::timeout(LONG, reports.drain()).await.expect("at once").expect("open");
        assert_eq!(batch.entries().len(), 10);
        seen.extend(batch.entries().iter().filter_map(|bag| bag.int(slot::RESPONSE_CODE)));
        batch.deliver();
    }
    reports.close();
    let batch = tokio::time::timeout(LONG, reports.drain()).await.expect("at once").expect("the rest");
    seen.extend(batch.entries().iter().filter_map(|bag| bag.int(slot::RESPONSE_CODE)));
    batch.deliver();
    assert_eq!(seen, (0..25).collect::<Vec<i64>>());
    assert!(reports.drain().await.is_none());
    assert_eq!(reports.submit(entries(1)), Err(Full { lost: 1, reason: Loss::Shutdown }));
}

#[tokio::test]
async fn a_worker_that_waits_is_woken_by_a_full_batch_and_by_the_end() {
    let reports = Arc::new(Reports::new(&ReportOptions { wait: Duration::from_secs(3600), ..options(100, 10) }));
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let reports = Arc::clone(&reports);
            tokio::spawn(async move {
                while let Some(batch) = reports.drain().await {
                    batch.deliver();
                }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    reports.submit(entries(10)).expect("room");
    tokio::task::yield_now().await;
    reports.submit(entries(5)).expect("room");
    reports.close();
    for worker in workers {
        tokio::time::timeout(LONG, worker).await.expect("woken").expect("no panic");
    }
    assert_eq!(reports.ledger().account().delivered, 15);
}

#[tokio::test]
async fn a_batch_that_is_dropped_without_a_word_is_counted() {
    let reports = Reports::new(&options(10, 10));
    reports.submit(entries(4)).expect("room");
    let mut batch = reports.drain().await.expect("open");
    batch.lose(1, Loss::Adapter);
    drop(batch);
    assert_eq!(reports.ledger().lost(Loss::Adapter), 1);
    assert_eq!(reports.ledger().lost(Loss::Abandoned), 3);
    assert!(reports.ledger().account().balances());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever submitters, workers and losses do at the same time, every entry is accounted for, and by the right one.
    #[test]
    fn every_entry_is_accounted_for(
        room in 1usize..64,
        batch in 1usize..32,
        submissions in prop::collection::vec(prop::collection::vec(0usize..20, 1..20), 1..4),
        fates in prop::collection::vec(0usize..4, 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("runtime");
        let reports = Arc::new(Reports::new(&options(room, batch)));
        let total: usize = submissions.iter().flatten().sum();
        let (refused, delivered, lost) = runtime.block_on(async {
            let workers: Vec<_> = (0..2).map(|worker| {
                let (reports, fates) = (Arc::clone(&reports), fates.clone());
                tokio::spawn(async move {
                    let (mut delivered, mut lost) = (0, 0);
                    let mut fates = fates.into_iter().cycle().skip(worker);
                    while let Some(mut batch) = reports.drain().await {
                        let size = batch.entries().len();
                        let losing = fates.next().unwrap_or(0).min(size);
                        batch.lose(losing, Loss::Adapter);
                        lost += losing;
                        if losing == 3 {
                            lost += size - losing;
                            drop(batch);
                        } else {
                            delivered += size - losing;
                            batch.deliver();
                        }
                    }
                    (delivered, lost)
                })
            }).collect();
            let submitters: Vec<_> = submissions.into_iter().map(|sizes| {
                let reports = Arc::clone(&reports);
                tokio::spawn(async move {
                    let mut refused = 0;
                    for size in sizes {
                        refused += reports.submit(entries(size)).map_or_else(|full| full.lost, |()| 0);
                        tokio::task::yield_now().await;
                    }
                    refused
                })
            }).collect();
            let mut refused = 0;
            for submitter in submitters {
                refused += submitter.await.expect("no panic");
            }
            reports.close();
            let (mut delivered, mut lost) = (0, 0);
            for worker in workers {
                let (d, l) = worker.await.expect("no panic");
                delivered += d;
                lost += l;
            }
            (refused, delivered, lost)
        });
        let account = reports.ledger().account();
        prop_assert!(account.balances(), "{account:?}");
        prop_assert_eq!(account.in_flight, 0);
        prop_assert_eq!(account.observed, total as u64);
        prop_assert_eq!(account.delivered, delivered as u64);
        prop_assert_eq!(account.lost, (refused + lost) as u64);
        prop_assert_eq!(reports.ledger().lost(Loss::QueueFull), refused as u64);
    }
}
