//! What a plugin says about itself: its log and its standard output, at a limited rate.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use tracing::Level;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use weir_wasm::{LOG_LINE_BYTES_MAX, Rate, printable};

use crate::stats::Counters;

/// One adapter's way into the log.
#[derive(Debug)]
pub(crate) struct Voice {
    adapter: Arc<str>,
    counters: Arc<Counters>,
    rate: Rate,
}

impl Voice {
    pub(crate) fn new(adapter: Arc<str>, counters: Arc<Counters>, per_second: u32) -> Voice {
        Voice { adapter, counters, rate: Rate::new(per_second) }
    }

    /// Whether anybody reads lines of that level.
    pub(crate) fn hears(&self, level: Level) -> bool {
        level <= tracing::level_filters::LevelFilter::current()
    }

    /// Logs a line, cut to its limit, unless this second's lines are used up.
    pub(crate) fn say(&self, level: Level, line: &str) {
        if !self.rate.take() {
            self.counters.log_lines_dropped.fetch_add(1, Relaxed);
            return;
        }
        let line = printable(line);
        let adapter = &*self.adapter;
        match level {
            Level::ERROR => tracing::error!(target: "weir::plugin", adapter, "{line}"),
            Level::WARN => tracing::warn!(target: "weir::plugin", adapter, "{line}"),
            Level::INFO => tracing::info!(target: "weir::plugin", adapter, "{line}"),
            Level::DEBUG => tracing::debug!(target: "weir::plugin", adapter, "{line}"),
            Level::TRACE => tracing::trace!(target: "weir::plugin", adapter, "{line}"),
        }
    }
}

/// Standard output or error of one instance: its lines go to the log.
#[derive(Clone, Debug)]
pub(crate) struct Stdio {
    voice: Arc<Voice>,
    /// The line that has not ended yet. One instance, one call at a time: nobody waits for it.
    line: Arc<Mutex<Vec<u8>>>,
}

impl Stdio {
    pub(crate) fn new(voice: Arc<Voice>) -> Stdio {
        Stdio { voice, line: Arc::default() }
    }

    fn write_bytes(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let room = LOG_LINE_BYTES_MAX.saturating_sub(line.len());
            line.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            if piece.ends_with(b"\n") {
                let text = String::from_utf8_lossy(&line);
                if !text.trim().is_empty() {
                    self.voice.say(Level::INFO, text.trim_end());
                }
                line.clear();
            }
        }
    }
}

impl IsTerminal for Stdio {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stdio {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stdio {
    async fn ready(&mut self) {}
}

impl OutputStream for Stdio {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.write_bytes(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(4096)
    }
}

impl AsyncWrite for Stdio {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.write_bytes(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
