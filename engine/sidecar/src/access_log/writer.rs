//! The thread that writes the access log. Handing a line over is one push into a queue without locks; the thread looks
//! by itself, so that no request pays for waking it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_queue::ArrayQueue;
use weir_telemetry::{Ledger, Loss, Target};

use super::{Format, Line};
use crate::{Error, limits};

/// Bytes that are gathered before they are written.
const CHUNK_BYTES: usize = 64 * 1024;

/// Dropping it writes what is left.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Tells when the thread has ended.
    ended: Mutex<mpsc::Receiver<()>>,
}

#[derive(Debug)]
struct Shared {
    queue: ArrayQueue<Box<Line>>,
    bytes: AtomicUsize,
    ledger: Arc<Ledger>,
    stop: AtomicBool,
}

enum Output {
    Stdout,
    File(File),
}

impl Writer {
    /// Opens the target and starts the thread; none when lines go nowhere.
    ///
    /// # Errors
    /// The file cannot be opened, or the thread not started.
    pub(crate) fn start(target: &Target, format: Format) -> Result<Option<Self>, Error> {
        let output = match target {
            Target::Off => return Ok(None),
            Target::Stdout => Output::Stdout,
            Target::File(path) => {
                Output::File(open(path).map_err(|source| Error::AccessLog { path: path.clone(), source })?)
            }
        };
        let reasons = &[Loss::QueueFull, Loss::WriteFailed];
        let shared = Arc::new(Shared {
            queue: ArrayQueue::new(limits::LOG_LINES_MAX),
            bytes: AtomicUsize::new(0),
            ledger: Ledger::new("weir_sidecar_access_log", "Access-log lines", reasons),
            stop: AtomicBool::new(false),
        });
        let (running, ended) = mpsc::channel();
        let mine = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("weir-access-log".to_owned())
            .spawn(move || {
                mine.run(output, &format);
                drop(running);
            })
            .map_err(Error::Thread)?;
        Ok(Some(Self { shared, thread: Mutex::new(Some(thread)), ended: Mutex::new(ended) }))
    }

    /// Hands a line over; never waits. Without room it is lost and counted.
    pub(crate) fn push(&self, line: Box<Line>) {
        let shared = &self.shared;
        shared.ledger.accept(1);
        let weight = line.weight();
        let fits = shared.bytes.fetch_add(weight, Relaxed) + weight <= limits::LOG_BYTES_MAX;
        if !fits || shared.queue.push(line).is_err() {
            shared.bytes.fetch_sub(weight, Relaxed);
            shared.ledger.lose(1, Loss::QueueFull);
        }
    }

    /// Writes what was handed over and ends the thread; a target that does not take it in time is left behind.
    pub(crate) fn finish(&self, limit: Duration) {
        self.shared.stop.store(true, Relaxed);
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        thread.thread().unpark();
        // It never sends: an error other than a timeout means that it has ended.
        let _ = self.ended.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(limit);
    }

    /// The account of all lines.
    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.shared.ledger
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.finish(limits::FLUSH_MIN);
    }
}

impl Shared {
    fn run(&self, mut output: Output, format: &Format) {
        let (mut buffer, mut lines) = (Vec::with_capacity(2 * CHUNK_BYTES), 0);
        loop {
            let stop = self.stop.load(Relaxed);
            while let Some(line) = self.queue.pop() {
                format.render(&line, &mut buffer);
                self.bytes.fetch_sub(line.weight(), Relaxed);
                lines += 1;
                if buffer.len() >= CHUNK_BYTES {
                    self.write(&mut output, &mut buffer, &mut lines);
                }
            }
            self.write(&mut output, &mut buffer, &mut lines);
            if stop {
                return;
            }
            std::thread::park_timeout(limits::LOG_EVERY);
        }
    }

    fn write(&self, output: &mut Output, buffer: &mut Vec<u8>, lines: &mut u64) {
        if *lines == 0 {
            return;
        }
        let written = match output {
            Output::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(buffer).and_then(|()| out.flush())
            }
            Output::File(file) => file.write_all(buffer),
        };
        match written {
            Ok(()) => self.ledger.deliver(*lines),
            Err(error) => {
                tracing::debug!(%error, "the access log cannot be written");
                self.ledger.lose(*lines, Loss::WriteFailed);
            }
        }
        buffer.clear();
        *lines = 0;
    }
}

fn open(path: &std::path::Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // Who asked for what is not for every user of the machine.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)
}
