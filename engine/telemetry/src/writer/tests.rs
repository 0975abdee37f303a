use super::*;
use crate::ledger::Account;

const LONG: Duration = Duration::from_secs(20);

const PLENTY: usize = 1 << 30;

impl Weigh for u64 {
    fn weight(&self) -> usize {
        8
    }
}

struct Numbers;

impl Render<u64> for Numbers {
    fn render(&mut self, record: &u64, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(format!("{record}\n").as_bytes());
    }
}

/// Holds the writer's thread until the test lets it go.
struct Held(std::sync::mpsc::Receiver<()>);

impl Render<u64> for Held {
    fn render(&mut self, record: &u64, buffer: &mut Vec<u8>) {
        self.0.recv_timeout(LONG).expect("let go");
        Numbers.render(record, buffer);
    }
}

fn room(records: usize) -> Room {
    Room { records, bytes: PLENTY }
}

fn ledger() -> Arc<Ledger> {
    Ledger::new("weir_test", "Numbers", &[])
}

#[test]
fn every_line_is_written_once_and_in_the_order_of_its_producer() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("lines");
    let writer = Writer::start("test", room(4096), Target::File(path.clone()), ledger(), Numbers).expect("starts");
    let producers = 4;
    std::thread::scope(|scope| {
        for producer in 0..producers {
            let writer = &writer;
            scope.spawn(move || {
                for n in 0..5_000u64 {
                    while !writer.push(n * producers + producer, true) {
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
    assert!(writer.flush(LONG));
    let account = writer.ledger().account();
    assert_eq!(account.delivered, 20_000);
    assert_eq!(account.in_flight, 0);
    assert!(account.balances(), "{account:?}");
    let text = std::fs::read_to_string(path).expect("read");
    let lines: Vec<u64> = text.lines().map(|line| line.parse().expect("a number")).collect();
    assert_eq!(lines.len(), 20_000);
    for producer in 0..producers {
        assert!(lines.iter().filter(|line| **line % producers == producer).is_sorted());
    }
}

#[test]
fn a_full_queue_loses_what_is_not_urgent_first_and_counts_it() {
    let (go, held) = std::sync::mpsc::channel();
    let writer = Writer::start("test", room(16), Target::Off, ledger(), Held(held)).expect("starts");
    // The writer takes one record and is held; the queue is filled behind it.
    assert!(writer.push(0, true));
    let kept = (0..100).filter(|n| writer.push(*n, false)).count();
    let urgent = (0..100).filter(|n| writer.push(*n, true)).count();
    assert!((13..=14).contains(&kept), "{kept}");
    assert!((16..=17).contains(&(1 + kept + urgent)), "{kept} {urgent}");
    for _ in 0..200 {
        go.send(()).expect("the writer waits");
    }
    assert!(writer.flush(LONG));
    let account = writer.ledger().account();
    assert_eq!(account.observed, 201);
    assert_eq!(account.lost, writer.ledger().lost(Loss::QueueFull));
}

#[test]
fn a_queue_is_limited_in_bytes_too() {
    let (go, held) = std::sync::mpsc::channel();
    let room = Room { records: 1000, bytes: 80 };
    let writer = Writer::start("test", room, Target::Off, ledger(), Held(held)).expect("starts");
    assert_eq!((0..100).filter(|n| writer.push(*n, true)).count(), 10);
    for _ in 0..100 {
        let _ = go.send(());
    }
    assert!(writer.flush(LONG));
    assert_eq!(writer.ledger().lost(Loss::QueueFull), 90);
    assert!((0..10).all(|n| writer.push(n, true)), "the room is given back");
}

#[test]
fn a_failed_write_is_counted_and_told_until_one_succeeds() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let writer = Writer::start("test", room(16), Target::File("/dev/full".into()), ledger(), Numbers).expect("starts");
    assert!(writer.push(1, true) && writer.push(2, true));
    assert!(writer.flush(LONG));
    assert_eq!(writer.ledger().account(), Account { observed: 2, delivered: 0, lost: 2, in_flight: 0 });
    assert_eq!(writer.ledger().lost(Loss::WriteFailed), 2);
    assert!(writer.last_error().expect("told").contains("cannot write"));
}

#[test]
fn a_flush_gives_up_at_its_deadline() {
    let (go, held) = std::sync::mpsc::channel();
    let writer = Writer::start("test", room(16), Target::Off, ledger(), Held(held)).expect("starts");
    assert!(writer.push(1, true));
    assert!(!writer.flush(Duration::from_millis(1)));
    go.send(()).expect("the writer waits");
    assert!(writer.flush(LONG));
}

#[test]
fn what_was_handed_over_is_written_when_the_writer_is_dropped() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("lines");
    let writer = Writer::start("test", room(64), Target::File(path.clone()), ledger(), Numbers).expect("starts");
    assert!((0..50).all(|n| writer.push(n, true)));
    drop(writer);
    assert_eq!(std::fs::read_to_string(path).expect("read").lines().count(), 50);
}
