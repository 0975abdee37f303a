//! Authorizers that speak `envoy.service.auth.v3`.
// `append` is deprecated, and what servers still send.
#![allow(deprecated)]

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use envoy_types::pb::{
    envoy::{
        config::core::v3::{HeaderValue, HeaderValueOption, QueryParameter},
        service::auth::v3::{
            CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse, check_response::HttpResponse,
        },
        r#type::v3::HttpStatus,
    },
    google::{protobuf::BoolValue, rpc},
};
use tokio::time::Instant;
use tonic::Status;
use weir_attributes::{Bag, slot};
use weir_policy::{Answer, Endpoint, Transport};
use weir_providers::{Client, Failure};

use crate::{authorizer, client, endpoint, limit, patience, request, told};

fn over_grpc(port: u16) -> Client {
    client(Transport::Grpc(endpoint(port)))
}

fn header(name: &str, value: &str, append: Option<bool>, append_action: i32) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: name.to_owned(), value: value.to_owned(), ..HeaderValue::default() }),
        append: append.map(|value| BoolValue { value }),
        append_action,
        ..HeaderValueOption::default()
    }
}

fn numbered(count: usize) -> Vec<HeaderValueOption> {
    (0..count).map(|n| header(&format!("x-{n}"), "1", None, 0)).collect()
}

fn response(code: i32, http_response: Option<HttpResponse>) -> CheckResponse {
    let status = Some(rpc::Status { code, ..rpc::Status::default() });
    CheckResponse { status, http_response, ..CheckResponse::default() }
}

fn denied(status: i32, headers: Vec<HeaderValueOption>, body: String) -> CheckResponse {
    let status = Some(HttpStatus { code: status });
    response(7, Some(HttpResponse::DeniedResponse(DeniedHttpResponse { status, headers, body })))
}

/// One path, one answer.
fn answers(request: &CheckRequest) -> Option<Result<CheckResponse, Status>> {
    let http = request.attributes.as_ref()?.request.as_ref()?.http.clone().unwrap_or_default();
    let ok = |ok| Ok(response(0, Some(HttpResponse::OkResponse(ok))));
    let sets = |headers| ok(OkHttpResponse { headers, ..OkHttpResponse::default() });
    Some(match http.path.as_str() {
        "/empty" => Ok(CheckResponse::default()),
        "/headers" => ok(OkHttpResponse {
            headers: vec![
                header("X-User", "ada", None, 0),
                header("x-tag", "a", Some(true), 0),
                header("x-role", "kept", None, 1),
                header("x-new", "added", None, 1),
                header("x-absent", "no", None, 3),
            ],
            headers_to_remove: vec!["x-other".to_owned()],
            response_headers_to_add: vec![header("x-seen", "1", None, 0), header("x-seen", "2", None, 2)],
            ..OkHttpResponse::default()
        }),
        "/many" => sets(numbered(200)),
        "/host" => sets(vec![header("Host", "evil", None, 0)]),
        "/pseudo" => sets(vec![header(":path", "/", None, 0)]),
        "/split" => sets(vec![header("x", "a\r\nb: c", None, 0)]),
        "/query" => {
            ok(OkHttpResponse { query_parameters_to_set: vec![QueryParameter::default()], ..OkHttpResponse::default() })
        }
        "/bare" => Ok(response(16, None)),
        "/denied" => {
            let cookie = header("set-cookie", "a=b", None, 0);
            let headers = vec![header("location", "/login", None, 2), header("bad\n", "x", None, 0), cookie];
            Ok(denied(302, headers, "go away".to_owned()))
        }
        "/long" => Ok(denied(401, numbered(200), "\u{e9}".repeat(50_000))),
        "/failed" => Ok(response(0, Some(HttpResponse::ErrorResponse(DeniedHttpResponse::default())))),
        "/broken" => Err(Status::internal("out of order")),
        "/never" => return None,
        _ => Ok(response(0, None)),
    })
}

fn about(path: &str) -> Bag {
    let mut bag = request();
    bag.set_text(slot::REQUEST_PATH, path);
    bag
}

#[tokio::test]
async fn everything_that_the_proxy_told_arrives() {
    let (port, log) = authorizer::grpc(answers).await;
    let table = [
        (None, "", &b""[..], None),
        (limit(6, false, false), "\u{e9}tude", b"", Some("false")),
        (limit(4, true, true), "", "\u{e9}tu".as_bytes(), Some("true")),
    ];
    for (body, text, raw, partial) in table {
        let client = client(Transport::Grpc(Endpoint { body, ..endpoint(port) }));
        assert!(matches!(client.ask(&request(), patience()).await, Ok(Answer::Allow { ttl: None, .. })));
        let asked = log.asked.lock().unwrap().pop().unwrap().attributes.unwrap();
        let http = asked.request.unwrap().http.unwrap();
        assert_eq!(
            (http.method.as_str(), http.path.as_str(), http.host.as_str()),
            ("POST", "/buy?item=1", "shop:8080")
        );
        assert_eq!((http.body.as_str(), &*http.raw_body), (text, raw));
        assert_eq!(http.headers.get("x-envoy-auth-partial-body").map(String::as_str), partial);
        for (name, value) in [("x-role", "user,admin"), (":path", "/buy?item=1"), ("authorization", "Bearer x")] {
            assert_eq!(http.headers[name], value);
        }
        assert_eq!(asked.source.unwrap().principal, "spiffe://cluster.local/ns/shop/sa/web");
        assert_eq!(asked.tls_session.unwrap().sni, "shop.example");
        assert!(format!("{:?}", asked.destination.unwrap().address).contains("2001:db8::1"));
    }
}

#[tokio::test]
async fn a_longer_body_than_may_be_sent_is_413_without_asking() {
    let (port, log) = authorizer::grpc(answers).await;
    let client = client(Transport::Grpc(Endpoint { body: limit(5, false, false), ..endpoint(port) }));
    assert!(matches!(client.ask(&request(), patience()).await, Ok(Answer::Deny { status: 413, .. })));
    assert!(log.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_connection_without_http_is_told_as_one() {
    let (port, log) = authorizer::grpc(|_| Some(Ok(response(0, None)))).await;
    let bag = Bag::builder().text(slot::SOURCE_ADDRESS, "10.0.0.7:1").build();
    over_grpc(port).ask(&bag, patience()).await.unwrap();
    assert_eq!(log.asked.lock().unwrap()[0].attributes.as_ref().unwrap().request.as_ref().unwrap().http, None);
}

#[tokio::test]
async fn an_allow_changes_headers_as_envoy_would() {
    let (port, log) = authorizer::grpc(answers).await;
    let client = over_grpc(port);
    for path in ["/", "/empty"] {
        let Ok(Answer::Allow { headers, .. }) = client.ask(&about(path), patience()).await else { panic!("{path}") };
        assert!(headers.is_empty());
    }
    let Ok(Answer::Allow { headers, .. }) = client.ask(&about("/headers"), patience()).await else { panic!() };
    let expected = [
        "request set x-user ada",
        "request append x-tag a",
        "request set x-new added",
        "request remove x-other",
        "response append x-seen 1",
        "response set x-seen 2",
    ];
    assert_eq!(told(&headers), expected);
    assert_eq!(log.connections.load(SeqCst), 1, "one connection for all questions");
}

#[tokio::test]
async fn a_denial_has_its_status_body_and_the_headers_that_can_be_used() {
    let (port, _) = authorizer::grpc(answers).await;
    let client = over_grpc(port);
    let answer = client.ask(&about("/denied"), patience()).await;
    let Ok(Answer::Deny { status, message, headers, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!((status, message.unwrap().as_str()), (302, "go away"));
    assert_eq!(told(&headers), ["response set location /login", "response append set-cookie a=b"]);
    let answer = client.ask(&about("/long"), patience()).await;
    let Ok(Answer::Deny { status, message, headers, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!((status, headers.len(), message.unwrap().as_str().len()), (401, 128, 64 << 10));
    let answer = client.ask(&about("/bare"), patience()).await;
    assert!(matches!(answer, Ok(Answer::Deny { status: 403, message: None, .. })));
}

#[tokio::test]
async fn what_cannot_be_followed_is_no_answer() {
    let (port, _) = authorizer::grpc(answers).await;
    let client = over_grpc(port);
    for path in ["/many", "/host", "/pseudo", "/split", "/query"] {
        let answer = client.ask(&about(path), patience()).await;
        assert!(matches!(answer, Err(Failure::BadAnswer(_))), "{path}: {answer:?}");
    }
    for path in ["/failed", "/broken"] {
        let answer = client.ask(&about(path), patience()).await;
        assert!(matches!(answer, Err(Failure::Error(_))), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_sooner_of_timeout_and_deadline_ends_it() {
    let (port, _) = authorizer::grpc(answers).await;
    let short = Duration::from_millis(50);
    let by_timeout = client(Transport::Grpc(Endpoint { timeout: Some(short), ..endpoint(port) }));
    let by_deadline = client(Transport::Grpc(Endpoint { timeout: Some(Duration::from_secs(600)), ..endpoint(port) }));
    for (client, deadline) in [(by_timeout, patience()), (by_deadline, Instant::now() + short)] {
        let since = Instant::now();
        assert_eq!(client.ask(&about("/never"), deadline).await, Err(Failure::Late));
        assert!(since.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn where_nobody_listens_it_is_unreachable() {
    let closed = tokio::net::TcpListener::bind("localhost:0").await.unwrap().local_addr().unwrap().port();
    let answer = over_grpc(closed).ask(&request(), patience()).await;
    assert!(matches!(answer, Err(Failure::Unreachable(_))), "{answer:?}");
}
