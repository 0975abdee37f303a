//! One port: bind, accept, hand over, drain.

use std::{future::Future, io, net::SocketAddr, sync::Arc, sync::atomic::Ordering::Relaxed, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Notify, watch},
    time::timeout,
};

use crate::{
    Connection, Counts, Drain, Error, Io, Limits, Security, TlsInfo, Workers, counts::add_one, drain::Phase,
    workers::Load,
};

/// Connections that the system keeps while they wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long to wait after the system could not give a connection: out of descriptors does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The first byte of a TLS handshake record (RFC 8446 §5.1); no HTTP request begins with it.
const HANDSHAKE: u8 = 0x16;

/// A bound port that does not accept yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    local: SocketAddr,
}

/// A port that is served. Dropping it stops accepting and cuts its connections.
#[derive(Debug)]
pub struct Running {
    local: SocketAddr,
    counts: Arc<Counts>,
    phase: watch::Sender<Phase>,
    closed: Arc<Notify>,
    /// Held so that the workers outlive the accepting: a drain needs them.
    _workers: Workers,
}

/// What every connection of a listener shares.
struct Shared<H> {
    handler: H,
    security: Box<dyn Fn(SocketAddr) -> Security + Send + Sync>,
    limits: Limits,
    counts: Arc<Counts>,
    closed: Arc<Notify>,
}

/// Counts a connection as open while it lives.
struct Slot(Arc<Counts>, Arc<Notify>);

impl Drop for Slot {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Relaxed) == 1 {
            self.1.notify_one();
        }
    }
}

impl Listener {
    /// Binds an address; port 0 picks a free one, which [`Listener::local_addr`] tells. `flag` is what the user would
    /// change; it stands in the error. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Busy`] when the port is taken, [`Error::Bind`] for every other refusal.
    pub fn bind(address: SocketAddr, flag: &'static str) -> Result<Self, Error> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => Error::Busy { address, flag },
            _ => Error::Bind { address, flag, source },
        };
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
        // A port in TIME_WAIT is free to us; one that is listened on is not.
        socket.set_reuseaddr(true).map_err(failed)?;
        socket.bind(address).map_err(failed)?;
        let socket = socket.listen(BACKLOG).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, local })
    }

    /// The address that is bound, with the port that was picked.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Accepts from now on. `security` says what a connection to that address of ours may speak, when its first byte is
    /// there; it must not block. `handler` runs on a worker for each connection and ends with it; it should finish what is in
    /// flight when [`Connection::drain`] says so. Needs a tokio runtime for the accepting.
    pub fn serve<H, F>(
        self,
        workers: &Workers,
        security: impl Fn(SocketAddr) -> Security + Send + Sync + 'static,
        limits: Limits,
        handler: H,
    ) -> Running
    where
        H: Fn(Connection) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (phase, drain) = watch::channel(Phase::Serve);
        let (counts, closed) = (Arc::<Counts>::default(), Arc::<Notify>::default());
        let security = Box::new(security);
        let shared =
            Arc::new(Shared { handler, security, limits, counts: Arc::clone(&counts), closed: Arc::clone(&closed) });
        tokio::spawn(accept(self.socket, workers.clone(), shared, Drain(drain)));
        Running { local: self.local, counts, phase, closed, _workers: workers.clone() }
    }
}

impl Running {
    /// The address that is served.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What this listener has seen.
    #[must_use]
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Stops accepting, lets connections finish what is in flight, and after `deadline` cuts those that have not. Returns
    /// how many were cut.
    pub async fn drain(self, deadline: Duration) -> usize {
        self.phase.send_replace(Phase::Drain);
        let empty = async {
            while self.counts.open.load(Relaxed) > 0 {
                self.closed.notified().await;
            }
        };
        let cut = match timeout(deadline, empty).await {
            Ok(()) => 0,
            Err(_) => self.counts.open.load(Relaxed),
        };
        self.phase.send_replace(Phase::Cut);
        cut
    }
}

async fn accept<H, F>(socket: TcpListener, workers: Workers, shared: Arc<Shared<H>>, mut drain: Drain)
where
    H: Fn(Connection) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let ear = drain.clone();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = drain.signalled() => return,
        };
        let accepted = accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer)));
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(problem) => {
                add_one(&shared.counts.accept_errors);
                tracing::debug!(%problem, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if shared.counts.open.load(Relaxed) >= shared.limits.connections {
            add_one(&shared.counts.over_limit);
            continue;
        }
        add_one(&shared.counts.accepted);
        shared.counts.open.fetch_add(1, Relaxed);
        let slot = Slot(Arc::clone(&shared.counts), Arc::clone(&shared.closed));
        let (shared, drain) = (Arc::clone(&shared), ear.clone());
        workers.place(move |worker, load| connection(stream, peer, worker, shared, drain, (slot, load)));
    }
}

/// The whole life of one connection on its worker.
async fn connection<H, F>(
    stream: std::net::TcpStream,
    peer: SocketAddr,
    worker: usize,
    shared: Arc<Shared<H>>,
    drain: Drain,
    counted: (Slot, Load),
) where
    H: Fn(Connection) -> F,
    F: Future<Output = ()>,
{
    let _counted = counted;
    let (mut cut, mut early) = (drain.clone(), drain.clone());
    let served = async {
        let Some((io, local, tls)) = open(stream, &shared, &mut early).await else { return };
        (shared.handler)(Connection { io, peer, local, tls, worker, drain }).await;
    };
    tokio::select! {
        () = served => {}
        () = cut.reached(Phase::Cut) => {}
    }
}

/// From a socket to a byte stream: the first byte in time, then the handshake where there is one.
async fn open<H>(
    stream: std::net::TcpStream,
    shared: &Shared<H>,
    drain: &mut Drain,
) -> Option<(Io, SocketAddr, Option<TlsInfo>)> {
    let stream = TcpStream::from_std(stream).ok()?;
    let local = stream.local_addr().ok()?;
    let _ = stream.set_nodelay(true);
    let mut first = [0; 1];
    let peeked = tokio::select! {
        peeked = timeout(shared.limits.first_byte, stream.peek(&mut first)) => peeked,
        () = drain.signalled() => return None, // it has said nothing, so nothing of it is in flight
    };
    let Ok(peeked) = peeked else {
        add_one(&shared.counts.silent);
        return None;
    };
    if !matches!(peeked, Ok(1)) {
        return None;
    }
    let secured = first == [HANDSHAKE];
    let swap = match (shared.security)(local) {
        security if !security.takes(secured) => {
            add_one(if secured { &shared.counts.tls_refused } else { &shared.counts.plaintext_refused });
            return None;
        }
        Security::Tls(swap) | Security::Either(swap) if secured => swap,
        _ => return Some((Io::Plain(stream), local, None)),
    };
    let acceptor = tokio_rustls::TlsAcceptor::from(swap.current());
    match timeout(shared.limits.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let info = TlsInfo::of(stream.get_ref().1);
            Some((Io::Tls(Box::new(stream)), local, Some(info)))
        }
        failed => {
            add_one(&shared.counts.handshake_failed);
            if let Ok(Err(problem)) = failed {
                tracing::debug!(%problem, "a TLS handshake failed");
            }
            None
        }
    }
}
