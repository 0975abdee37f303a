//! Envoy's gRPC API, spoken directly: what a proxy that we did not configure may send.

use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use std::collections::HashMap;
use weir_tests::house::Plan;
use weir_tests::house::engine::Engine;

/// An answer, flattened.
#[derive(Debug)]
pub struct Said {
    /// gRPC status code of the verdict: 0 or 7.
    pub code: i32,
    /// The decision's id, wherever it stands.
    pub id: String,
    /// HTTP status of a deny.
    pub status: i32,
    /// Body of a deny.
    pub body: String,
}

/// A check of the cart by the frontend, with header lines as `encode_raw_headers` sends them.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> CheckRequest {
    let lines = [(":method", method), (":path", path), (":authority", "cart.shop.test")];
    let lines = lines.iter().chain(headers).map(|(name, value)| HeaderValue {
        key: (*name).to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..HeaderValue::default()
    });
    let http = HttpRequest {
        method: method.into(),
        path: path.into(),
        host: "cart.shop.test".into(),
        scheme: "https".into(),
        protocol: "HTTP/1.1".into(),
        header_map: Some(HeaderMap { headers: lines.collect() }),
        ..HttpRequest::default()
    };
    let peer = Peer { principal: "spiffe://cluster.local/ns/shop/sa/frontend".into(), ..Peer::default() };
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(peer),
            request: Some(Request { http: Some(http), ..Request::default() }),
            context_extensions: HashMap::from([("weir.workload".to_owned(), "shop/cart".to_owned())]),
            ..AttributeContext::default()
        }),
    }
}

/// The same with header lines joined by the proxy, as without `encode_raw_headers`.
pub fn joined(method: &str, path: &str, headers: &[(&str, &str)]) -> CheckRequest {
    let mut request = request(method, path, headers);
    let http = request.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap();
    for line in http.header_map.take().unwrap().headers {
        let value = String::from_utf8(line.raw_value.to_vec()).unwrap();
        http.headers.entry(line.key).and_modify(|have| *have = format!("{have},{value}")).or_insert(value);
    }
    request
}

/// Asks the engine's own port.
pub async fn check(engine: &Engine, request: CheckRequest) -> Said {
    let url = format!("http://{}", engine.grpc().unwrap());
    let mut client = AuthorizationClient::connect(url).await.unwrap();
    flatten(client.check(request).await.unwrap().into_inner())
}

fn flatten(response: CheckResponse) -> Said {
    let metadata = format!("{:?}", response.dynamic_metadata);
    let digits = |text: &str| {
        let runs = text.split(|c: char| !c.is_ascii_hexdigit());
        runs.filter(|run| run.len() == 32).map(str::to_owned).next()
    };
    let code = response.status.map(|status| status.code).expect("an answer always has a status");
    let (mut status, mut body, mut header) = (0, String::new(), None);
    if let Some(HttpResponse::DeniedResponse(denied)) = response.http_response {
        status = denied.status.map(|status| status.code).unwrap_or_default();
        body = denied.body;
        header = digits(&format!("{:?}", denied.headers));
    }
    let id = digits(&metadata).expect("the dynamic metadata has the decision's id");
    if code != 0 {
        assert_eq!(header.as_deref(), Some(id.as_str()), "a deny has the id in a response header too");
    }
    Said { code, id, status, body }
}

#[tokio::test]
async fn the_door_for_envoy_gives_status_body_header_and_metadata() {
    let house = Plan::shop().unwrap().without_sidecar().start().await.unwrap();
    let allowed = check(&house.engine, request("GET", "/api/v1/items", &[])).await;
    assert_eq!(allowed.code, 0, "{allowed:?}");
    let denied = check(&house.engine, request("GET", "/admin", &[])).await;
    assert_eq!((denied.code, denied.status, denied.body.as_str()), (7, 403, "RBAC: access denied"), "{denied:?}");
    let counted = check(&house.engine, request("GET", "/api/v1/items", &[("x-quantity", "101")])).await;
    assert_eq!((counted.code, counted.status), (7, 422), "{counted:?}");
    assert_eq!(counted.body, "at most 100 of one thing in a cart, not 101");
    let empty = check(&house.engine, CheckRequest::default()).await;
    assert_eq!(empty.code, 7, "an empty message is never an allow: {empty:?}");
}

#[tokio::test]
async fn doubt_never_allows() {
    let house = Plan::shop().unwrap().without_sidecar().start().await.unwrap();
    // `user,admin` may have been two lines: then one of them is denied.
    let joined_lines =
        check(&house.engine, joined("GET", "/api/v1/items", &[("x-role", "user"), ("x-role", "admin")])).await;
    assert_eq!(joined_lines.code, 7, "{joined_lines:?}");
    // One line `user,admin` is one value, and the proxy says that it was one line.
    let one_line = check(&house.engine, request("GET", "/api/v1/items", &[("x-role", "user,admin")])).await;
    assert_eq!(one_line.code, 0, "{one_line:?}");
    // A path that the proxy did not normalize: what the upstream makes of it is unknown.
    for path in [
        "/api/v1/items/../../../admin",
        "/api/v1/items/..%2f..%2f..%2fadmin",
        "/api/v1/items/%2e%2e/%2e%2e/%2e%2e/admin",
    ] {
        let doubtful = check(&house.engine, request("GET", path, &[])).await;
        assert_eq!(doubtful.code, 7, "{path}: {doubtful:?}");
    }
    let plain = check(&house.engine, joined("GET", "/api/v1/items", &[("x-role", "user")])).await;
    assert_eq!(plain.code, 0, "{plain:?}");
}
