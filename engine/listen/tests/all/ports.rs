use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use weir_listen::{Connection, Error, Limits, Listener, Security, Workers};

use crate::{ANY, echo, quick, serve};

async fn said(stream: &mut TcpStream, word: &[u8]) -> bool {
    let mut answer = vec![0; word.len()];
    stream.write_all(word).await.is_ok() && stream.read_exact(&mut answer).await.is_ok() && answer == word
}

#[tokio::test]
async fn a_busy_port_names_the_port_and_the_flag() {
    let first = Listener::bind(ANY, "--grpc").unwrap();
    let second = Listener::bind(first.local_addr(), "--grpc").unwrap_err();
    assert!(matches!(second, Error::Busy { .. }));
    let text = second.to_string();
    assert!(text.contains(&first.local_addr().to_string()) && text.contains("--grpc"), "{text}");
}

#[tokio::test]
async fn a_connection_beyond_the_limit_is_closed_and_counted() {
    let (running, _workers) = serve(Security::Plaintext, quick());
    let mut first = TcpStream::connect(running.local_addr()).await.unwrap();
    let mut second = TcpStream::connect(running.local_addr()).await.unwrap();
    assert!(said(&mut first, b"a").await && said(&mut second, b"b").await);
    let mut third = TcpStream::connect(running.local_addr()).await.unwrap();
    assert!(!said(&mut third, b"c").await);
    let counts = running.counts().read();
    assert_eq!((counts.open, counts.accepted, counts.over_limit), (2, 2, 1));
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_and_counted() {
    let (running, _workers) = serve(Security::Plaintext, quick());
    let mut silent = TcpStream::connect(running.local_addr()).await.unwrap();
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert_eq!(running.counts().read().silent, 1);
}

#[tokio::test]
async fn connections_spread_over_the_workers() {
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let workers = Workers::start(2).unwrap();
    let note = Arc::clone(&seen);
    let handler = move |connection: Connection| {
        note.lock().unwrap().insert(connection.worker);
        echo(connection)
    };
    let listener = Listener::bind(ANY, "--grpc").unwrap();
    let running = listener.serve(&workers, |_| Security::Plaintext, Limits::default(), handler);
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(running.local_addr()).await.unwrap();
        assert!(said(&mut stream, b"x").await);
        streams.push(stream);
    }
    assert_eq!(*seen.lock().unwrap(), HashSet::from([0, 1]));
}

#[tokio::test]
async fn a_drain_ends_what_can_end_and_cuts_what_cannot() {
    let (running, _workers) = serve(Security::Plaintext, Limits::default());
    let mut stream = TcpStream::connect(running.local_addr()).await.unwrap();
    assert!(said(&mut stream, b"x").await);
    assert_eq!(running.drain(Duration::from_secs(5)).await, 0);
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);

    let workers = Workers::start(1).unwrap();
    let begun = Arc::new(tokio::sync::Notify::new());
    let begin = Arc::clone(&begun);
    let stubborn = move |connection: Connection| {
        begin.notify_one();
        async move {
            let _held = connection;
            std::future::pending::<()>().await;
        }
    };
    let listener = Listener::bind(ANY, "--grpc").unwrap();
    let running = listener.serve(&workers, |_| Security::Plaintext, Limits::default(), stubborn);
    let address = running.local_addr();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    begun.notified().await;
    assert_eq!(running.drain(Duration::from_millis(20)).await, 1);
    // Cut: the socket is closed with a byte unread, which the peer sees as an end or a reset.
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_drain_lets_an_answer_finish_though_nobody_else_holds_the_workers() {
    let release = Arc::new(tokio::sync::Notify::new());
    let (gate, begun) = (Arc::clone(&release), Arc::new(tokio::sync::Notify::new()));
    let begin = Arc::clone(&begun);
    let slow = move |mut connection: Connection| {
        let (gate, begin) = (Arc::clone(&gate), Arc::clone(&begin));
        async move {
            begin.notify_one();
            gate.notified().await;
            connection.io.write_all(b"done").await.unwrap();
        }
    };
    let listener = Listener::bind(ANY, "--grpc").unwrap();
    let running = listener.serve(&Workers::start(1).unwrap(), |_| Security::Plaintext, Limits::default(), slow);
    let mut stream = TcpStream::connect(running.local_addr()).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    begun.notified().await;
    let draining = tokio::spawn(running.drain(Duration::from_secs(5)));
    while TcpStream::connect(stream.peer_addr().unwrap()).await.is_ok() {
        tokio::task::yield_now().await; // until nothing is accepted any more
    }
    release.notify_one();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!((&answer, draining.await.unwrap()), (b"done", 0));
}
