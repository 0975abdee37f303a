//! What a plugin reaches outside: upstreams and sinks, as far as it was granted.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use weir_adapters::{Adapter, Grants, SinkTarget, Upstream};
use weir_attributes::{Bag, slot};

use crate::contract::{built_then, everything};
use crate::guests::host;

fn request() -> Bag {
    Bag::builder().text(slot::REQUEST_METHOD, "GET").header("x-team", "blue").build()
}

async fn with(change: impl FnOnce(&mut Grants)) -> Adapter {
    let mut grants = everything();
    change(&mut grants);
    host().load("then", built_then(grants)).await.unwrap()
}

/// An upstream that answers everything with 202 and gives what it was asked.
async fn upstream() -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    let (asked, questions) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let asked = asked.clone();
            tokio::spawn(async move {
                let mut bytes = vec![0; 4096];
                while let Ok(read) = stream.read(&mut bytes).await
                    && read > 0
                {
                    let _ = asked.send(String::from_utf8_lossy(&bytes[..read]).into_owned());
                    let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok").await;
                }
            });
        }
    });
    (url, questions)
}

fn granted(url: &str, per_second: u32) -> Upstream {
    Upstream { url: url.to_owned(), timeout: Duration::from_millis(500), per_second }
}

#[tokio::test]
async fn a_request_goes_to_the_operators_url_and_no_more_often_than_granted() {
    let (url, mut questions) = upstream().await;
    let adapter = with(|grants| drop(grants.http_out.insert("authz".into(), granted(&url, 1)))).await;
    let said = adapter.check(&request()).await.unwrap().reason;
    assert!(said.contains("http=202"), "{said}");
    let question = questions.recv().await.unwrap();
    assert!(question.starts_with("GET /base/v1 HTTP/1.1\r\n") && question.contains("x-team: blue"), "{question}");
    let began = std::time::Instant::now();
    let mut limited = 0;
    for _ in 0..20 {
        let said = adapter.check(&request()).await.unwrap().reason;
        limited += u64::from(said.contains("http=RefusalCode::Limited"));
    }
    let may = began.elapsed().as_secs() + 2;
    assert!(limited >= 20u64.saturating_sub(may), "{limited} of 20 were refused, {may} may have gone out");
}

#[tokio::test]
async fn an_upstream_that_is_not_there_or_never_answers_costs_its_own_time_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    for (url, expected) in [("http://127.0.0.1:9", "Unavailable"), (silent.as_str(), "Timeout")] {
        let adapter = with(|grants| drop(grants.http_out.insert("authz".into(), granted(url, 10)))).await;
        let said = adapter.check(&request()).await.unwrap().reason;
        assert!(said.contains(&format!("http=RefusalCode::{expected}")), "{said}");
        assert_eq!(adapter.stats().timeouts, 0);
    }
}

#[tokio::test]
async fn every_kind_of_sink_gets_the_message_once_the_call_has_succeeded() {
    let temp = tempfile::tempdir().unwrap();
    let (url, mut posts) = upstream().await;
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let file = temp.path().join("lines");
    let targets = [
        SinkTarget::File(file.clone()),
        SinkTarget::Udp(udp.local_addr().unwrap().to_string()),
        SinkTarget::Tcp(tcp.local_addr().unwrap().to_string()),
        SinkTarget::Http { url: url.clone(), content_type: "text/plain".into() },
        SinkTarget::Otlp(url),
    ];
    for target in targets {
        let adapter = with(|grants| drop(grants.sinks.insert("out".into(), target.clone()))).await;
        let said = adapter.check(&request()).await.unwrap().reason;
        assert!(said.contains("sink=ok"), "{said}");
        let mut bytes = [0; 64];
        let got = match &target {
            SinkTarget::Udp(_) => {
                let read = udp.recv(&mut bytes).await.unwrap();
                bytes[..read].to_vec()
            }
            SinkTarget::Tcp(_) => {
                let read = tcp.accept().await.unwrap().0.read(&mut bytes).await.unwrap();
                bytes[..read].to_vec()
            }
            SinkTarget::Http { .. } | SinkTarget::Otlp(_) => {
                let post = posts.recv().await.unwrap();
                let kind = if matches!(target, SinkTarget::Otlp(_)) { "application/x-protobuf" } else { "text/plain" };
                assert!(post.starts_with("POST /base HTTP/1.1") && post.contains(kind), "{post}");
                b"line".to_vec()
            }
            _ => {
                while adapter.stats().sinks[0].1.delivered == 0 {
                    tokio::task::yield_now().await;
                }
                let line = std::fs::read(&file).unwrap();
                line.strip_suffix(b"\n").unwrap().to_vec()
            }
        };
        assert_eq!(got, b"line", "{target:?}");
        let stats = adapter.stats().sinks[0].1;
        assert_eq!((stats.observed, stats.lost), (1, 0), "{target:?}");
    }
}

#[tokio::test]
async fn what_a_receiver_does_not_take_is_counted() {
    let adapter = with(|grants| {
        drop(grants.sinks.insert("out".into(), SinkTarget::Tcp("127.0.0.1:9".into())));
    });
    let adapter = adapter.await;
    adapter.check(&request()).await.unwrap();
    while adapter.stats().sinks[0].1.lost == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(adapter.stats().sinks[0].1.delivered, 0);
}
