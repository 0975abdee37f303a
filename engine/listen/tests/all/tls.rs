use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rustls::ClientConfig;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use weir_listen::{ClientCertificate, Connection, Limits, Listener, Security, TlsSwap, Workers};

use crate::{ANY, authority::Authority, echo, quick, serve};

async fn connect(address: SocketAddr, client: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let mut stream = TlsConnector::from(Arc::clone(client)).connect("localhost".try_into().unwrap(), stream).await?;
    // With TLS 1.3 a refused client certificate shows at the first read.
    stream.write_all(b"x").await?;
    stream.read_exact(&mut [0; 1]).await?;
    Ok(stream)
}

#[tokio::test]
async fn a_new_certificate_serves_the_next_connection_and_the_open_one_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let swap = TlsSwap::load(old.write(folder.path(), false), &[b"h2"], ClientCertificate::Required).unwrap();
    let (running, _workers) = serve(Security::Tls(Arc::clone(&swap)), Limits::default());
    let mut open = connect(running.local_addr(), &old.client(None)).await.unwrap();
    assert_eq!(open.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert!(connect(running.local_addr(), &new.client(None)).await.is_err());

    new.write(folder.path(), false);
    assert!(swap.reload());
    assert!(!swap.reload(), "unchanged files are not swapped");
    connect(running.local_addr(), &new.client(None)).await.unwrap();
    assert!(connect(running.local_addr(), &old.client(None)).await.is_err());
    open.write_all(b"y").await.unwrap();
    open.read_exact(&mut [0; 1]).await.unwrap();
    assert_eq!(swap.status().swaps, 1);
}

#[tokio::test]
async fn broken_files_change_nothing_and_are_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ca");
    let files = authority.write(folder.path(), true);
    let swap = TlsSwap::load(files.clone(), &[], ClientCertificate::Required).unwrap();
    let good = std::fs::read(&files.cert).unwrap();
    let (other, _) = authority.issue("localhost");
    for (path, broken, names) in [
        (&files.cert, "nonsense", "cert.pem"),
        (&files.cert, "-----BEGIN CERTIFICATE-----\nAAAA\n", "cert.pem"),
        (&files.cert, other.as_str(), "key.pem"),
    ] {
        std::fs::write(path, broken).unwrap();
        assert!(!swap.reload() && !swap.reload());
        let problem = swap.status().problem.unwrap();
        assert!(problem.contains(names), "{problem}");
    }
    std::fs::remove_file(&files.cert).unwrap();
    assert!(!swap.reload());
    assert_eq!((swap.status().failures, swap.status().swaps), (4, 0));
    std::fs::write(&files.cert, good).unwrap();
    assert!(!swap.reload(), "the files are again what is in use");
    assert_eq!(swap.status().problem, None);
}

#[tokio::test]
async fn a_client_without_a_certificate_of_the_client_ca_is_refused_where_one_is_required() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    let files = authority.write(folder.path(), true);
    let spiffe = "spiffe://cluster.local/ns/shop/sa/cart";
    for (asked, anonymous) in [(ClientCertificate::Required, false), (ClientCertificate::Optional, true)] {
        let swap = TlsSwap::load(files.clone(), &[b"h2"], asked).unwrap();
        let chains = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&chains);
        let workers = Workers::start(1).unwrap();
        let handler = move |connection: Connection| {
            let tls = connection.tls.clone().unwrap();
            seen.lock().unwrap().push((tls.peer_certificates.len(), tls.sni, tls.version));
            echo(connection)
        };
        let listener = Listener::bind(ANY, "--grpc").unwrap();
        let running = listener.serve(&workers, move |_| Security::Tls(Arc::clone(&swap)), Limits::default(), handler);
        let address = running.local_addr();
        connect(address, &authority.client(Some(authority.issue(spiffe)))).await.unwrap();
        assert!(connect(address, &authority.client(Some(stranger.issue(spiffe)))).await.is_err());
        assert_eq!(connect(address, &authority.client(None)).await.is_ok(), anonymous);
        assert_eq!(chains.lock().unwrap()[0], (1, Some("localhost".to_owned()), "TLSv1.3"));
        // The client may know of the failure before the server has counted it.
        let failed = 2 - u64::from(anonymous);
        let counted = async {
            while running.counts().read().handshake_failed != failed {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), counted).await.expect("every failed handshake counts");
    }
}

#[tokio::test]
async fn plaintext_is_closed_on_a_tls_port_and_served_on_one_that_takes_either() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ca");
    let swap = TlsSwap::load(authority.write(folder.path(), false), &[], ClientCertificate::Required).unwrap();
    for (security, served) in [(Security::Tls(Arc::clone(&swap)), false), (Security::Either(swap), true)] {
        let (running, _workers) = serve(security, quick());
        let mut plain = TcpStream::connect(running.local_addr()).await.unwrap();
        plain.write_all(b"GET").await.unwrap();
        assert_eq!(plain.read_exact(&mut [0; 3]).await.is_ok(), served);
        assert_eq!(running.counts().read().plaintext_refused, u64::from(!served));
        connect(running.local_addr(), &authority.client(None)).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_connection_may_speak_is_asked_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ca");
    let swap = TlsSwap::load(authority.write(folder.path(), true), &[], ClientCertificate::Required).unwrap();
    assert!(swap.is_mutual());
    let takes = Arc::new(Mutex::new(Security::Plaintext));
    let (workers, asked) = (Workers::start(1).unwrap(), Arc::clone(&takes));
    let listener = Listener::bind(ANY, "--listen").unwrap();
    let at = listener.local_addr();
    let security = move |local: SocketAddr| {
        assert_eq!(local, at);
        asked.lock().unwrap().clone()
    };
    let running = listener.serve(&workers, security, Limits::default(), echo);
    let client = authority.client(Some(authority.issue("spiffe://td/ns/a/sa/b")));
    for (security, plain, secured) in [
        (Security::Plaintext, true, false),
        (Security::Tls(Arc::clone(&swap)), false, true),
        (Security::Nothing, false, false),
        (Security::Either(swap), true, true),
    ] {
        *takes.lock().unwrap() = security;
        let mut stream = TcpStream::connect(at).await.unwrap();
        let answered = stream.write_all(b"GET").await.is_ok() && stream.read_exact(&mut [0; 3]).await.is_ok();
        assert_eq!(answered, plain);
        assert_eq!(connect(at, &client).await.is_ok(), secured);
    }
    let counts = running.counts().read();
    assert_eq!((counts.plaintext_refused, counts.tls_refused), (2, 2));
}
