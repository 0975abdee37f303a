//! Counts what a peer has sent, so that one that never begins can be told from one that is quiet; and gives the connection
//! back when HTTP is done with it, so that it can be closed without losing the last answer.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    sync::oneshot,
    time::timeout,
};
use weir_listen::Io;

/// How long a connection that we close may take to be closed by its peer as well.
const LINGER: Duration = Duration::from_secs(1);

/// A connection that counts the bytes read from it.
#[derive(Debug)]
pub(crate) struct Progress {
    /// There until it is dropped.
    io: Option<Io>,
    received: Arc<AtomicU64>,
    back: Option<oneshot::Sender<Io>>,
}

/// What becomes of a connection.
#[derive(Debug)]
pub(crate) struct Rest {
    received: Arc<AtomicU64>,
    back: oneshot::Receiver<Io>,
}

impl Progress {
    pub(crate) fn of(io: Io) -> (Self, Rest) {
        let received = Arc::<AtomicU64>::default();
        let (give, back) = oneshot::channel();
        (Self { io: Some(io), received: Arc::clone(&received), back: Some(give) }, Rest { received, back })
    }

    fn io(&mut self) -> io::Result<Pin<&mut Io>> {
        self.io.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let (Some(io), Some(back)) = (self.io.take(), self.back.take()) {
            let _ = back.send(io);
        }
    }
}

impl Rest {
    /// Bytes that the peer has sent.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// Closes our side and reads on until the peer closes, once HTTP has dropped the connection. A socket that is closed
    /// with something unread resets the peer, which then loses what it has not read: the last answers.
    pub(crate) async fn linger(self) {
        let Ok(mut io) = self.back.await else { return };
        let closing = async {
            let _ = io.shutdown().await;
            let mut unread = [0; 4096];
            while matches!(io.read(&mut unread).await, Ok(1..)) {}
        };
        let _ = timeout(LINGER, closing).await;
    }
}

impl AsyncRead for Progress {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = this.io()?.poll_read(cx, buf);
        this.received.fetch_add((buf.filled().len() - before) as u64, Relaxed);
        polled
    }
}

impl AsyncWrite for Progress {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().io()?.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().io()?.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().io()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().io()?.poll_shutdown(cx)
    }
}
