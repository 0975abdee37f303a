//! Watches a connection: hyper's own clock does not see a connection that says nothing, and counts an idle one as a slow
//! head, so this one watches the bytes and the requests itself.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{connection::Connection, options::Timeouts};

/// When things last happened on a connection, in milliseconds since it began.
#[derive(Debug)]
pub(crate) struct Pulse {
    began: Instant,
    moved: AtomicU64,
    /// When the first byte of a head came, plus one; 0 while no head is being read.
    head: AtomicU64,
    in_flight: AtomicU32,
    multiplexed: AtomicBool,
}

/// Why a connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// A head that does not end.
    Head,
    /// No request for a long time.
    Idle,
    /// A request during which nothing moves.
    Stall,
}

impl Overdue {
    pub(crate) const ALL: [Overdue; 3] = [Overdue::Head, Overdue::Idle, Overdue::Stall];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Overdue::Head => "slow-head",
            Overdue::Idle => "idle",
            Overdue::Stall => "stall",
        }
    }
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            moved: AtomicU64::new(0),
            head: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            multiplexed: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// HTTP/2: bytes between requests are not a head.
    pub(crate) fn set_multiplexed(&self) {
        self.multiplexed.store(true, Relaxed);
        self.head.store(0, Relaxed);
    }

    pub(crate) fn received(&self) {
        let now = self.now();
        self.moved.store(now, Relaxed);
        if self.in_flight.load(Relaxed) == 0 && self.head.load(Relaxed) == 0 && !self.multiplexed.load(Relaxed) {
            self.head.store(now + 1, Relaxed);
        }
    }

    fn sent(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    /// A request's head is complete.
    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
        self.head.store(0, Relaxed);
    }

    /// A request is over.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
        self.sent();
    }

    /// When and why the connection is to be closed if nothing happens until then.
    fn due(&self, timeouts: &Timeouts) -> (Instant, Overdue) {
        let (since, allowed, why) = match (self.in_flight.load(Relaxed), self.head.load(Relaxed)) {
            (0, 0) => (self.moved.load(Relaxed), timeouts.idle, Overdue::Idle),
            (0, head) => (head - 1, timeouts.header, Overdue::Head),
            _ => (self.moved.load(Relaxed), timeouts.stall, Overdue::Stall),
        };
        (self.began + Duration::from_millis(since) + allowed, why)
    }

    /// Returns when the connection is overdue.
    pub(crate) async fn overdue(&self, timeouts: &Timeouts) -> Overdue {
        loop {
            let ((due, why), now) = (self.due(timeouts), Instant::now());
            if now >= due {
                return why;
            }
            // What is due can come nearer while we sleep: a head may begin.
            let nap = (due - now).min(timeouts.header / 2).max(Duration::from_millis(1));
            tokio::time::sleep(nap).await;
        }
    }
}

/// A byte stream that tells its connection's pulse what it does.
#[derive(Debug)]
pub(crate) struct Guarded<IO> {
    io: IO,
    /// What was read already, to find out the protocol.
    ahead: Bytes,
    connection: Arc<Connection>,
}

impl<IO> Guarded<IO> {
    pub(crate) fn new(io: IO, ahead: Bytes, connection: Arc<Connection>) -> Self {
        Self { io, ahead, connection }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Guarded<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ahead.is_empty() {
            let part = this.ahead.len().min(buf.remaining());
            buf.put_slice(this.ahead.get(..part).unwrap_or_default());
            this.ahead.advance(part);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buf);
        if polled.is_ready() && buf.filled().len() > before {
            this.connection.pulse.received();
        }
        polled
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Guarded<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_write(cx, buf);
        if polled.is_ready() {
            this.connection.pulse.sent();
        }
        polled
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        if polled.is_ready() {
            this.connection.pulse.sent();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_depends_on_what_goes_on() {
        let (pulse, timeouts) = (Pulse::new(), Timeouts::default());
        assert_eq!(pulse.due(&timeouts).1, Overdue::Idle);
        pulse.received();
        assert_eq!(pulse.due(&timeouts).1, Overdue::Head);
        pulse.begin();
        pulse.received();
        assert_eq!(pulse.due(&timeouts).1, Overdue::Stall);
        pulse.end();
        assert_eq!(pulse.due(&timeouts).1, Overdue::Idle);
        pulse.set_multiplexed();
        pulse.received();
        assert_eq!(pulse.due(&timeouts).1, Overdue::Idle, "bytes between HTTP/2 requests are not a head");
    }

    #[test]
    fn a_head_that_drips_is_due_at_the_same_time_whatever_comes() {
        let (pulse, timeouts) = (Pulse::new(), Timeouts::default());
        pulse.received();
        let due = pulse.due(&timeouts);
        let later = Instant::now() + Duration::from_millis(5);
        while Instant::now() < later {
            pulse.received();
        }
        assert_eq!(pulse.due(&timeouts), due);
    }
}
