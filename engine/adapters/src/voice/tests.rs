#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write;
use std::sync::atomic::Ordering::Relaxed;

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines that `act` logs, and how many were dropped.
fn said(per_second: u32, act: impl FnOnce(&Arc<Voice>)) -> (Vec<String>, u64) {
    let (log, counters) = (Log::default(), Arc::<Counters>::default());
    let writer = log.clone();
    let format = tracing_subscriber::fmt().without_time().with_ansi(false).with_writer(move || writer.clone());
    let voice = Arc::new(Voice::new("guard".into(), counters.clone(), per_second));
    tracing::subscriber::with_default(format.finish(), || act(&voice));
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (text.lines().map(str::to_owned).collect(), counters.log_lines_dropped.load(Relaxed))
}

#[test]
fn what_a_plugin_prints_is_logged_line_by_line_under_the_adapters_name() {
    let (lines, dropped) = said(10, |voice| {
        let stdio = Stdio::new(voice.clone());
        stdio.write_bytes(b"one\n\ntw");
        stdio.write_bytes(b"o\nunfinished");
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("weir::plugin") && lines[0].contains("one") && lines[0].contains("adapter=\"guard\""));
    assert!(lines[1].contains("two"));
    assert_eq!(dropped, 0);
}

#[test]
fn a_line_is_cut_and_cannot_forge_another() {
    let long = format!("a\nINFO forged\x1b[0m {}", "é".repeat(LOG_LINE_BYTES_MAX));
    let (lines, _) = said(10, |voice| voice.say(Level::WARN, &long));
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("a INFO forged [0m é") && lines[0].len() < LOG_LINE_BYTES_MAX + 100, "{}", lines[0]);
}

#[test]
fn lines_over_the_rate_are_dropped_and_counted() {
    let (lines, dropped) = said(3, |voice| (0..10).for_each(|n| voice.say(Level::INFO, &format!("line {n}"))));
    // The second may turn once in between.
    assert!((3..=6).contains(&lines.len()), "{lines:?}");
    assert_eq!(lines.len() as u64 + dropped, 10);
}
