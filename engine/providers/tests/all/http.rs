//! Authorizers that answer HTTP requests.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::Instant;
use weir_attributes::{Bag, slot};
use weir_policy::{Answer, Endpoint, HeaderNames, HttpExchange, Transport};
use weir_providers::Failure;

use crate::{authorizer, client, endpoint, limit, over_http, patience, request, told};

fn names(patterns: &[&str]) -> HeaderNames {
    HeaderNames::new(patterns.iter().copied())
}

/// The host says with which status; 299 never comes.
fn respond(request: &Request<Bytes>) -> Option<Response<String>> {
    let status = request.headers()["host"].to_str().unwrap().parse().unwrap_or(200);
    let response = Response::builder().status(status).header("x-user", "ada").header("set-cookie", "a=b");
    let response = response.header("set-cookie", "c=d").header("location", "/login").header("x-id", "7");
    let response = response.header("x-envoy-auth-headers-to-remove", "x-forged, X-Role");
    let body = if status == 204 { "" } else { "told" };
    (status != 299).then(|| response.body(body.to_owned()).unwrap())
}

fn asking(status: &str) -> Bag {
    let mut bag = request();
    bag.set_text(slot::REQUEST_HOST, status);
    bag
}

#[tokio::test]
async fn it_gets_a_request_like_the_one_that_it_judges() {
    let (port, log) = authorizer::http(respond).await;
    let added = [("x-other".into(), "added".into())].into();
    let sent = names(&["x-R*", "content-length"]);
    let exchange = HttpExchange { path_prefix: "/check".into(), sent, added, ..HttpExchange::default() };
    let with_body = Endpoint { body: limit(4, true, false), ..endpoint(port) };
    over_http(port, HttpExchange::default()).ask(&request(), patience()).await.unwrap();
    client(Transport::Http(with_body, exchange)).ask(&request(), patience()).await.unwrap();
    let asked = log.asked.lock().unwrap();
    let headers = |at: usize| {
        let lines = asked[at].headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines
    };
    assert_eq!((asked[0].method().as_str(), asked[0].uri().to_string().as_str()), ("POST", "/buy?item=1"));
    assert_eq!(headers(0), ["authorization: Bearer x", "content-length: 0", "host: shop:8080"]);
    assert_eq!(
        (asked[1].uri().to_string().as_str(), &asked[1].body()[..]),
        ("/check/buy?item=1", "\u{e9}tu".as_bytes())
    );
    let expected = [
        "authorization: Bearer x",
        "content-length: 4",
        "host: shop:8080",
        "x-envoy-auth-partial-body: true",
        "x-other: added",
        "x-role: admin",
        "x-role: user",
    ];
    assert_eq!(headers(1), expected, "every line of a header");
}

#[tokio::test]
async fn only_200_allows_and_listed_headers_go_on() {
    let (port, log) = authorizer::http(respond).await;
    let (upstream_on_allow, downstream_on_allow) = (names(&["x-us*", "connection"]), names(&["*-cookie"]));
    let exchange = HttpExchange { upstream_on_allow, downstream_on_allow, ..HttpExchange::default() };
    let client = over_http(port, exchange);
    let Ok(Answer::Allow { headers, ttl: None, .. }) = client.ask(&asking("200"), patience()).await else { panic!() };
    let mut told = told(&headers);
    told[2..].sort();
    let expected = [
        "request remove x-forged",
        "request remove x-role",
        "request set x-user ada",
        "response append set-cookie a=b",
        "response append set-cookie c=d",
    ];
    assert_eq!(told, expected);
    for status in [204, 302, 401, 404, 429] {
        let answer = client.ask(&asking(&status.to_string()), patience()).await;
        assert!(matches!(answer, Ok(Answer::Deny { status: got, .. }) if got == status), "{status}: {answer:?}");
    }
    for status in ["500", "503"] {
        assert!(matches!(client.ask(&asking(status), patience()).await, Err(Failure::Error(_))));
    }
    assert!(log.connections.load(SeqCst) < 6, "connections are used again");
}

#[tokio::test]
async fn a_denial_tells_the_client_all_or_what_is_listed() {
    let (port, _) = authorizer::http(respond).await;
    let all = ["location", "set-cookie", "set-cookie", "x-id", "x-user"];
    for (listed, expected) in [(&[][..], &all[..]), (&["x-i*"], &["location", "x-id"])] {
        let exchange = HttpExchange { downstream_on_deny: names(listed), ..HttpExchange::default() };
        let answer = over_http(port, exchange).ask(&asking("403"), patience()).await;
        let Ok(Answer::Deny { message, headers, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(message.unwrap().as_str(), "told");
        let name = |told: &String| told.split(' ').nth(2).unwrap().to_owned();
        let mut names: Vec<_> = told(&headers).iter().map(name).collect();
        names.retain(|name| !["date", "x-envoy-auth-headers-to-remove"].contains(&name.as_str()));
        names.sort();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn without_an_answer_there_is_none() {
    let (port, _) = authorizer::http(respond).await;
    let client = over_http(port, HttpExchange::default());
    let soon = Instant::now() + Duration::from_millis(50);
    assert_eq!(client.ask(&asking("299"), soon).await, Err(Failure::Late));
    let mut star = request();
    star.set_text(slot::REQUEST_PATH, "*");
    assert!(matches!(client.ask(&star, patience()).await, Err(Failure::BadQuestion(_))));
    let closed = tokio::net::TcpListener::bind("localhost:0").await.unwrap().local_addr().unwrap().port();
    let answer = over_http(closed, HttpExchange::default()).ask(&request(), patience()).await;
    assert!(matches!(answer, Err(Failure::Unreachable(_))), "{answer:?}");
}
