//! Requests that are made to hurt, at policies that they could hurt: the right verdict in bounded time and memory.

use super::bounds::{self, Table};
use super::frames::Raw;
use super::serves_on;
use crate::envoy_api::{joined, request};
use crate::story::{allow, deny, workload};
use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3::HeaderValue;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use http::uri::PathAndQuery;
use prost::Message;
use std::time::{Duration, Instant};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use weir_proto::v1::{Attribute, Attributes, Header, Workload, attribute::Value};
use weir_tests::client::Caller;
use weir_tests::house::{House, Plan};
use weir_tests::usage;

/// How often each is asked; the fastest counts, because others use the machine too.
const TIMES: usize = 20;

/// What is allowed is asked of an HTTP status 200.
const ALLOWED: i32 = 200;

fn plan() -> Plan {
    let head = |kind: &str, api: &str, name: &str| {
        format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n")
    };
    let cel = |name: &str, expression: &str| {
        let head = head("CelPolicy", "policy.weir.dev/v1alpha1", name);
        format!("{head}  action: DENY\n  rules: [{{expression: {}}}]\n", serde_json::Value::from(expression))
    };
    let istio = |kind: &str, name: &str, spec: &str| head(kind, "security.istio.io/v1", name) + spec;
    let stars =
        format!("  action: DENY\n  rules: [{{from: [{{source: {{namespaces: [\"{}\"]}}}}]}}]\n", "*a".repeat(2_000));
    let template =
        format!("  rules: [{{to: [{{operation: {{paths: [\"/t/{}{{**}}/end\"]}}}}]}}]\n", "{*}/".repeat(1_000));
    let roles = "  action: DENY\n  rules: [{when: [{key: \"request.headers[x-role]\", values: [\"admin\"]}]}]\n";
    let tokens = "  jwtRules: [{issuer: a, jwks: '{\"keys\": [{\"kty\": \"oct\", \"kid\": \"k\", \"k\": \
                  \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}]}', fromHeaders: [{name: authorization, prefix: \
                  \"Bearer \"}], fromParams: [token], fromCookies: [token]}]\n";
    Plan::empty()
        .document("cart.yaml", &workload("cart", "shop"))
        .document("open.yaml", &allow("open", "shop", "/open"))
        .document("closed.yaml", &deny("closed", "shop", "/closed"))
        .document("stars.yaml", &istio("AuthorizationPolicy", "stars", &stars))
        .document("template.yaml", &istio("AuthorizationPolicy", "template", &template))
        .document("roles.yaml", &istio("AuthorizationPolicy", "roles", roles))
        .document("tokens.yaml", &istio("RequestAuthentication", "tokens", tokens))
        .document("pattern.yaml", &cel("pattern", "request.path.matches(\"^/(x+)+$\")"))
        .document("doubt.yaml", &cel("doubt", DOUBT))
        .plaintext()
}

/// Pairs of lines, in each of the readings that the proxy left open.
const DOUBT: &str = "\"x-pair\" in request.headers_all && request.headers_all[\"x-pair\"].exists(a, \
                     request.headers_all[\"x-pair\"].exists(b, a + b == \"never\"))";

/// A request that is well-formed for the wire, what its answer is, and why it may hurt.
fn requests() -> Vec<(&'static str, CheckRequest, i32)> {
    let get = |path: &str, headers: &[(&str, &str)]| request("GET", path, headers);
    let raw = |value: &[u8]| with_line("/open", "x-a", value);
    let many: Vec<(String, &str)> = (0..10_000).map(|n| (format!("x-{n}"), "y")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, *value)).collect();
    let token = format!("Bearer {}.{}.c", "a".repeat(500_000), "b".repeat(500_000));
    let short = format!("Bearer {}.{}.c", "a".repeat(30_000), "b".repeat(30_000));
    let pieces = format!("user{}", ",user".repeat(8_000));
    let long = "a".repeat(1 << 20);
    vec![
        ("what is allowed", get("/open", &[]), ALLOWED),
        ("a NUL in a header", raw(b"a\0b"), 400),
        ("CR and LF in a header", raw(b"a\r\nx-role: user"), 400),
        (
            "all other control characters in a header",
            raw(&(1..32_u8).filter(|byte| !b"\r\n".contains(byte)).collect::<Vec<_>>()),
            ALLOWED,
        ),
        ("a header that is no text", raw(&[0xff; 1_000]), ALLOWED),
        ("a NUL in the name of a header", with_line("/open", "x-\0a", b"b"), 400),
        ("10,000 header lines", get("/open", &many), 400),
        ("1,000 header lines of one name", get("/open", &vec![("x-role", "user"); 900]), ALLOWED),
        ("a header of 1 MiB", get("/open", &[("x-a", &long)]), 400),
        ("a token of 1 MiB", get("/open", &[("authorization", &token)]), 400),
        ("a token of 60 kB that is none", get("/open", &[("authorization", &short)]), 401),
        ("a token of 1 MiB in the query", get(&format!("/open?token={long}"), &[]), 400),
        ("1,000 cookies", get("/open", &[("cookie", &"token=x; ".repeat(1_000))]), 401),
        ("a path of 1 MiB", get(&format!("/{long}"), &[]), 400),
        ("60 kB of ../", get(&format!("/{}open", "a/../".repeat(12_000)), &[]), 403),
        ("60 kB of %2e%2e%2f", get(&format!("/{}open", "a/%2e%2e%2f".repeat(5_000)), &[]), 403),
        ("60 kB of slashes", get(&format!("{}open", "/".repeat(60_000)), &[]), 403),
        ("a path that others backtrack on", get(&format!("/{}!", "x".repeat(60_000)), &[]), 403),
        ("a path of 30,000 segments for a template", get(&format!("/t/{}", "a/".repeat(30_000)), &[]), 403),
        ("a joined header of 8,000 commas", joined("GET", "/open", &[("x-role", &pieces)]), 403),
        ("256 readings of many pairs of lines", joined("GET", "/open", &[("x-pair", "1,2,3,4,5,6,7,8,9")]), ALLOWED),
        ("readings beyond counting", joined("GET", "/open", &[("x-pair", &pieces)]), 403),
        ("900 lines in pairs", get("/open", &vec![("x-pair", "abc"); 900]), 403),
        ("an identity of 20,000 namespaces", of("/open", &format!("spiffe://td/{}sa/a", "ns/a/".repeat(20_000))), 403),
        ("control characters in the method", method("G\0\r\nET"), 403),
    ]
}

fn with_line(path: &str, name: &str, value: &[u8]) -> CheckRequest {
    let mut request = request("GET", path, &[]);
    let http = request.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap();
    let line = HeaderValue { key: name.into(), raw_value: value.to_vec(), ..HeaderValue::default() };
    http.header_map.as_mut().unwrap().headers.push(line);
    request
}

fn of(path: &str, principal: &str) -> CheckRequest {
    let mut request = request("GET", path, &[]);
    request.attributes.as_mut().unwrap().source.as_mut().unwrap().principal = principal.into();
    request
}

fn method(method: &str) -> CheckRequest {
    request(method, "/closed", &[])
}

/// What is sent as bytes: that a client takes time to write them is not the engine's.
struct Door {
    client: Grpc<Channel>,
    path: PathAndQuery,
}

impl Door {
    async fn to(house: &House, path: &'static str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", house.engine.grpc().unwrap())).unwrap();
        Self { client: Grpc::new(endpoint.connect().await.unwrap()), path: PathAndQuery::from_static(path) }
    }

    async fn ask<A: Message + Default>(&mut self, request: Bytes) -> A {
        self.client.ready().await.unwrap();
        let answer = self.client.unary(tonic::Request::new(request), self.path.clone(), Raw).await.unwrap();
        A::decode(answer.into_inner()).unwrap()
    }
}

fn status(answer: CheckResponse) -> i32 {
    match answer.http_response {
        Some(HttpResponse::DeniedResponse(denied)) => denied.status.unwrap().code,
        _ if answer.status.unwrap().code == 0 => ALLOWED,
        _ => 0,
    }
}

/// The fastest of several tries of `ask`, which must all give `expected`.
async fn fastest(name: &str, expected: i32, mut ask: impl AsyncFnMut() -> i32) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..TIMES {
        let began = Instant::now();
        assert_eq!(ask().await, expected, "{name}");
        best = best.min(began.elapsed());
    }
    best
}

/// What a process has more than it had.
struct More {
    process: u32,
    usual: u64,
}

impl More {
    fn of(process: u32) -> Self {
        Self { process, usual: usage::resident(process).unwrap() }
    }

    fn now(&self) -> u64 {
        let peak = usage::Usage::of(self.process).unwrap().peak.saturating_sub(self.usual);
        usage::forget_peak(self.process).unwrap();
        peak
    }
}

#[tokio::test]
async fn every_request_gets_its_verdict_in_bounded_time_and_memory() {
    let mut house = plan().start().await.unwrap();
    let engine = More::of(house.engine.program.id().unwrap());
    engine.now();
    let mut door = Door::to(&house, "/envoy.service.auth.v3.Authorization/Check").await;
    let mut table = Table::new("ext_authz");
    for (name, request, expected) in requests() {
        let request = Bytes::from(request.encode_to_vec());
        let took = fastest(name, expected, async || status(door.ask(request.clone()).await)).await;
        table.row(name, took, engine.now(), bounds::request());
    }
    native(&house, &engine, &mut table).await;
    sidecar(&house, &mut table).await;
    table.end();
    serves_on(&mut house).await;
}

async fn native(house: &House, engine: &More, table: &mut Table) {
    let mut door = Door::to(house, "/weir.v1.Policy/Check").await;
    let lines = |count: usize, name: &str, value: &[u8]| -> Vec<Header> {
        (0..count).map(|_| Header { name: name.into(), value: value.to_vec() }).collect()
    };
    for (name, path, headers, expected) in [
        ("weir.v1: what is allowed", "/open", lines(1, "x-a", b"b"), ALLOWED),
        ("weir.v1: a NUL in a header", "/open", lines(1, "x-a", b"a\0b"), 400),
        ("weir.v1: 10,000 header lines", "/open", lines(10_000, "x-a", b"b"), 400),
        ("weir.v1: a token of 1 MiB", "/open", lines(1, "authorization", &[b'a'; 1 << 20]), 400),
        ("weir.v1: a NUL in the path", "/open\0", lines(1, "x-a", b"b"), 400),
    ] {
        let text = |number, text: &str| Attribute { number, value: Some(Value::Text(text.into())) };
        let request = weir_proto::v1::CheckRequest {
            workload: Some(Workload { name: "shop/cart".into(), ..Workload::default() }),
            attributes: Some(Attributes {
                attributes: vec![text(1, "GET"), text(2, path), text(5, "cart.shop.test")],
                headers,
                ..Attributes::default()
            }),
            ..weir_proto::v1::CheckRequest::default()
        };
        let request = Bytes::from(request.encode_to_vec());
        let took = fastest(name, expected, async || {
            let answer: weir_proto::v1::CheckResponse = door.ask(request.clone()).await;
            if answer.decision() == weir_proto::v1::Decision::Allow {
                ALLOWED
            } else {
                answer.status.try_into().unwrap()
            }
        });
        table.row(name, took.await, engine.now(), bounds::request());
    }
}

async fn sidecar(house: &House, table: &mut Table) {
    let sidecar = More::of(house.front().unwrap().program.id().unwrap());
    sidecar.now();
    let caller = Caller::to(house.front().unwrap().http().unwrap());
    let get = |path: &str, lines: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n");
    for (name, request, expected) in [
        ("sidecar: what is allowed", get("/open", ""), ALLOWED),
        ("sidecar: a NUL in a header", get("/open", "x-a: a\0b\r\n"), 400),
        ("sidecar: a bare CR in a header", get("/open", "x-a: a\rb\r\n"), 400),
        ("sidecar: 10,000 header lines", get("/open", &"x-a: b\r\n".repeat(10_000)), 431),
        ("sidecar: a token of 1 MiB", get("/open", &format!("authorization: Bearer {}\r\n", "a".repeat(1 << 20))), 431),
        ("sidecar: a path of 1 MiB", get(&format!("/{}", "a".repeat(1 << 20)), ""), 431),
        ("sidecar: a NUL in the path", get("/open%00", ""), 400),
        ("sidecar: 30 kB of ../", get(&format!("/{}open", "a/../".repeat(6_000)), ""), ALLOWED),
    ] {
        let took = fastest(name, expected, async || {
            let heard = caller.raw(request.as_bytes()).await.unwrap();
            let line = String::from_utf8_lossy(&heard[..heard.len().min(12)]).into_owned();
            line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
        });
        table.row(name, took.await, sidecar.now(), bounds::request());
    }
}
