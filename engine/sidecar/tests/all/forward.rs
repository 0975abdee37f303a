//! Requests and responses pass as they are.

use bytes::Bytes;
use futures::SinkExt as _;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::{
    body::Frame,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use weir_sidecar::UpstreamProtocol;

use crate::support::{Answer, Upstream, metric, options, raw, request, single, start, until, within};

async fn connect(address: std::net::SocketAddr) -> TokioIo<TcpStream> {
    TokioIo::new(within(TcpStream::connect(address)).await.unwrap())
}

#[tokio::test]
async fn a_request_reaches_the_upstream_and_its_response_comes_back() {
    let upstream = Upstream::echo().await;
    let sidecar = start(options(&upstream)).await;
    let stream = connect(sidecar.addresses().http).await;
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for number in 0..3 {
        let body = Full::new(Bytes::from(format!("body {number}")));
        let request = request(&format!("/a/{number}?q=1")).method("POST").header("x-a", "1").header("x-a", "2");
        let answer = Answer::read(within(sender.send_request(request.body(body).unwrap())).await.unwrap()).await;
        assert_eq!((answer.status, answer.header("x-upstream")), (StatusCode::OK, Some("yes")));
        assert_eq!(answer.body, format!("body {number}"));
        let seen = upstream.only();
        assert_eq!((seen.head.method.as_str(), seen.target()), ("POST", format!("/a/{number}?q=1")));
        assert_eq!(seen.lines("x-a"), ["1", "2"]);
        assert_eq!(seen.lines("host"), ["shop.example"]);
        assert_eq!(seen.lines("x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(seen.lines("x-forwarded-proto"), ["http"]);
        assert_eq!(seen.lines("x-request-id")[0].len(), 36);
        assert_eq!(seen.lines("traceparent")[0].len(), 55);
    }
    assert_eq!(metric(&sidecar, "weir_sidecar_upstream_connections_total"), 1.0, "the connection is kept");
}

#[tokio::test]
async fn http2_is_spoken_with_prior_knowledge() {
    let upstream = Upstream::echo().await;
    let sidecar = start(options(&upstream)).await;
    let stream = connect(sidecar.addresses().http).await;
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("http://shop.example/x/../y?z")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::new(Bytes::from_static(b"hello")))
        .unwrap();
    let answer = Answer::read(within(sender.send_request(request)).await.unwrap()).await;
    assert_eq!((answer.status, answer.body), (StatusCode::OK, Bytes::from_static(b"hello")));
    let seen = upstream.only();
    assert_eq!((seen.target(), seen.lines("host")), ("/y?z".to_owned(), vec!["shop.example".to_owned()]));
    assert_eq!(seen.lines("cookie"), ["a=1; b=2"]);
}

#[tokio::test]
async fn an_answer_of_our_own_to_head_has_a_length_and_no_body_over_http2() {
    let upstream = Upstream::echo().await;
    let sidecar = start(options(&upstream)).await;
    let stream = connect(sidecar.addresses().http).await;
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::head("http://shop.example/").header("expect", "the impossible");
    let answer = within(sender.send_request(request.body(Full::<Bytes>::default()).unwrap())).await.unwrap();
    let answer = Answer::read(answer).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::EXPECTATION_FAILED, 0));
    assert_eq!(answer.header("content-length"), Some("25"));
}

/// The upstream's first chunk must reach the client before the client has sent its second one: nothing is held.
#[tokio::test]
async fn bodies_stream_both_ways() {
    let upstream = Upstream::with(|request: Request<hyper::body::Incoming>| async move {
        let frames = futures::StreamExt::map(request.into_body().into_data_stream(), |chunk| {
            chunk.map(Frame::data).map_err(std::io::Error::other)
        });
        Response::new(StreamBody::new(frames).boxed_unsync())
    });
    let upstream = upstream.await;
    let sidecar = start(options(&upstream)).await;
    for multiplexed in [false, true] {
        let stream = connect(sidecar.addresses().http).await;
        let (mut chunks, body) = futures::channel::mpsc::channel::<Result<Frame<Bytes>, std::io::Error>>(1);
        let request = Request::post("http://shop.example/").header("host", "shop.example").body(StreamBody::new(body));
        let response = if multiplexed {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            tokio::spawn(async move { sender.send_request(request.unwrap()).await })
        } else {
            let (mut sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            let mut request = request.unwrap();
            *request.uri_mut() = "/".parse().unwrap();
            tokio::spawn(async move { sender.send_request(request).await })
        };
        chunks.send(Ok(Frame::data(Bytes::from_static(b"one")))).await.unwrap();
        let mut body = within(response).await.unwrap().unwrap().into_body();
        let first = within(body.frame()).await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "one");
        chunks.send(Ok(Frame::data(Bytes::from_static(b"two")))).await.unwrap();
        assert_eq!(within(body.frame()).await.unwrap().unwrap().into_data().unwrap(), "two");
        drop(chunks);
        assert!(within(body.collect()).await.expect("an end").to_bytes().is_empty());
    }
}

fn with_trailers() -> Response<crate::support::Body> {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", "7".parse().unwrap());
    let frames = [Ok(Frame::data(Bytes::from_static(b"x"))), Ok(Frame::trailers(trailers))];
    let response = Response::builder().header("trailer", "grpc-status").header("content-type", "application/grpc");
    response.body(StreamBody::new(futures::stream::iter(frames)).boxed_unsync()).unwrap()
}

#[tokio::test]
async fn trailers_of_a_response_pass_over_both_protocols() {
    let upstream = Upstream::with(|_| async { with_trailers() }).await;
    for (protocol, kind) in [
        (UpstreamProtocol::Http1, "text/plain"),
        (UpstreamProtocol::Http2, "text/plain"),
        (UpstreamProtocol::Auto, "application/grpc"),
    ] {
        let mut options = options(&upstream);
        options.upstream_protocol = protocol;
        let sidecar = start(options).await;
        let stream = connect(sidecar.addresses().http).await;
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        let request = Request::post("http://shop.example/s/m").header("te", "trailers").header("content-type", kind);
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let answer = Answer::read(within(sender.send_request(request)).await.unwrap()).await;
        assert_eq!(answer.trailers.unwrap()["grpc-status"], "7", "{protocol:?}");
    }
}

#[tokio::test]
async fn what_is_for_one_hop_of_the_response_stays_behind() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstream::at(listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await;
        let answer = "HTTP/1.1 200 OK\r\nconnection: x-hop, close\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n\
                      content-length: 2\r\nx-kept: 1\r\n\r\nok";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let sidecar = start(options(&upstream)).await;
    let answer = single(sidecar.addresses().http, request("/")).await;
    assert_eq!((answer.body.as_ref(), answer.header("x-kept")), (&b"ok"[..], Some("1")));
    for name in ["x-hop", "keep-alive"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn an_upstream_that_is_away_is_503_and_says_so() {
    let upstream = Upstream::absent().await;
    let sidecar = start(options(&upstream)).await;
    let answer = single(sidecar.addresses().http, request("/")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("x-weir-reason"), Some("upstream-connection-failure"));
    assert_eq!(metric(&sidecar, "weir_sidecar_refusals_total{reason=\"upstream-connection-failure\"}"), 1.0);
}

/// Serves each connection with the next of those behaviours.
async fn misbehaving(answers: &'static [&'static str]) -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstream::at(listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    upstream
}

#[tokio::test]
async fn an_upstream_that_misbehaves_is_named_by_its_fault() {
    for (answer, status, reason) in [
        ("", 503, "upstream-closed"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", 502, "upstream-protocol-error"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            502,
            "upstream-protocol-error",
        ),
    ] {
        let upstream = misbehaving(Box::leak(Box::new([answer]))).await;
        let sidecar = start(options(&upstream)).await;
        let answer = single(sidecar.addresses().http, request("/").method("POST")).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-weir-reason")), (status, Some(reason)));
    }
}

#[tokio::test]
async fn an_upstream_that_is_too_slow_is_504() {
    let upstream = Upstream::with(|_| std::future::pending()).await;
    let mut options = options(&upstream);
    options.timeouts.response = Some(std::time::Duration::from_millis(50));
    let sidecar = start(options).await;
    let answer = single(sidecar.addresses().http, request("/")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-weir-reason")), (504, Some("upstream-timeout")));
}

#[tokio::test]
async fn a_kept_connection_that_went_away_costs_a_safe_request_nothing_and_an_unsafe_one_is_not_repeated() {
    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    // A connection serves one request, then waits for the next head and closes without an answer.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstream::at(listener.local_addr().unwrap());
    let heads = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let memory = heads.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let memory = memory.clone();
            tokio::spawn(async move {
                let mut head = [0; 4096];
                for answer in [OK, ""] {
                    let read = stream.read(&mut head).await.unwrap_or(0);
                    if read > 0 {
                        memory.lock().unwrap().push(String::from_utf8_lossy(&head[..read]).into_owned());
                    }
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    let sidecar = start(options(&upstream)).await;
    let address = sidecar.addresses().http;
    assert_eq!(single(address, request("/1")).await.status, 200);
    assert_eq!(single(address, request("/2")).await.status, 200, "sent once more on a new connection");
    assert_eq!(metric(&sidecar, "weir_sidecar_upstream_retries_total"), 1.0);
    let answer = single(address, request("/3").method("POST")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-weir-reason")), (503, Some("upstream-closed")));
    let posts = heads.lock().unwrap().iter().filter(|head| head.starts_with("POST")).count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_no_whole_request() {
    let upstream = Upstream::echo().await;
    let sidecar = start(options(&upstream)).await;
    let mut stream = within(TcpStream::connect(sidecar.addresses().http)).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    until("the request is over", || metric(&sidecar, "weir_sidecar_connections") == 0.0).await;
    assert!(upstream.seen().iter().all(|seen| seen.body == "(broken)"), "{:?}", upstream.seen());
}

#[tokio::test]
async fn head_and_length_are_kept() {
    let upstream = Upstream::with(|_| async {
        Response::builder().header(header::CONTENT_LENGTH, 5).body(crate::support::full("hello")).unwrap()
    });
    let upstream = upstream.await;
    let sidecar = start(options(&upstream)).await;
    let answer = single(sidecar.addresses().http, request("/").method("HEAD")).await;
    assert_eq!((answer.header("content-length"), answer.body.len()), (Some("5"), 0));
}

#[tokio::test]
async fn connections_that_say_nothing_or_drip_are_closed() {
    let upstream = Upstream::echo().await;
    let mut options = options(&upstream);
    options.timeouts.first_byte = std::time::Duration::from_millis(100);
    options.timeouts.header = std::time::Duration::from_millis(100);
    options.timeouts.idle = std::time::Duration::from_millis(100);
    let sidecar = start(options).await;
    let address = sidecar.addresses().http;
    assert_eq!(raw(address, b"").await, "", "silent");
    assert_eq!(raw(address, b"GET / HTTP/1.1\r\nhost: a\r\n").await, "", "half a head");
    assert_eq!(raw(address, b"PRI * HTT").await, "", "half a preface");
    let answer = raw(address, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "idle after an answer: {answer}");
    for (series, expected) in [
        ("weir_sidecar_connections_overdue_total{reason=\"slow-head\"}", 2.0),
        ("weir_sidecar_connections_overdue_total{reason=\"idle\"}", 1.0),
        ("weir_sidecar_connections_refused_total{reason=\"silent\"}", 1.0),
    ] {
        until(series, || metric(&sidecar, series) == expected).await;
    }
}
