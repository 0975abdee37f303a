//! CUSTOM policies with real authorizers: another Weir, an HTTP server, a check plugin.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use http::Response;
use http_body_util::Full;
use serde_json::Value;
use weir_tests::client::{Answer, Call, Caller};
use weir_tests::echo::{Echo, lines};
use weir_tests::envoy::{Envoy, Places};
use weir_tests::house::engine::Engine;
use weir_tests::house::folder::Folder;
use weir_tests::house::{House, Plan};
use weir_tests::patience;
use weir_tests::tools::{Tool, need};

use crate::envoy_api;
use crate::story::{deny, workload};

/// A mesh with those providers, each as YAML in one line.
fn mesh(providers: &[String]) -> String {
    let providers: String = providers.iter().map(|provider| format!("\n    - {provider}")).collect();
    format!(
        "apiVersion: policy.weir.dev/v1alpha1\nkind: MeshConfig\nmetadata: {{name: mesh, namespace: istio-system}}\n\
         spec:\n  extensionProviders:{providers}\n"
    )
}

/// A CUSTOM policy: that provider is asked about `path`.
fn ask(provider: &str, path: &str) -> String {
    deny(&format!("ask-{provider}"), "shop", path)
        .replace("action: DENY", &format!("action: CUSTOM\n  provider: {{name: {provider}}}"))
}

fn grpc(name: &str, at: SocketAddr, more: &str) -> String {
    format!("{{name: {name}, envoyExtAuthzGrpc: {{service: 127.0.0.1, port: {}{more}}}}}", at.port())
}

fn http(name: &str, at: SocketAddr, more: &str) -> String {
    format!("{{name: {name}, envoyExtAuthzHttp: {{service: 127.0.0.1, port: {}{more}}}}}", at.port())
}

fn plan(providers: &[String]) -> Plan {
    Plan::empty().document("cart.yaml", &workload("cart", "shop")).document("mesh.yaml", &mesh(providers)).plaintext()
}

async fn send(house: &House, call: Call) -> Answer {
    house.plain_caller().unwrap().send(call).await.unwrap()
}

/// An authorizer that denies whoever sends `x-banned`, and says things to the workload and to the client.
async fn authorizer() -> Echo {
    Echo::answering(|seen| {
        let banned = !lines(seen, "x-banned").is_empty();
        let response = Response::builder().status(if banned { 418 } else { 200 });
        let response = response.header("x-auth-user", "ann").header("x-auth-note", "seen").header("x-secret", "s");
        Some(response.body(Full::new(Bytes::from(if banned { "go away" } else { "" }))).unwrap())
    })
    .await
    .unwrap()
}

/// One that never answers.
async fn silent() -> Echo {
    Echo::answering(|_| None).await.unwrap()
}

/// A second Weir, whose policies decide for the first.
async fn guard(place: &std::path::Path) -> Engine {
    let cel = "apiVersion: policy.weir.dev/v1alpha1\nkind: CelPolicy\nmetadata: {name: banned, namespace: shop}\nspec:\n  \
               action: DENY\n  rules:\n    - expression: '\"x-banned\" in request.headers'\n      message: the guard says no\n      \
               status: 451\n";
    let documents = [("guard.yaml", workload("guard", "shop")), ("cel.yaml", cel.to_owned())];
    Folder::create(&place.join("config"), &documents.map(|(name, text)| (name.to_owned(), text))).unwrap();
    let flags = ["--default-workload", "shop/guard"].map(str::to_owned);
    Engine::start(place, &flags).await.unwrap()
}

#[tokio::test]
async fn a_second_weir_decides_for_the_first_and_its_absence_is_what_the_provider_says() {
    let place = tempfile::tempdir().unwrap();
    let mut guard = guard(place.path()).await;
    let at = guard.grpc().unwrap();
    let house = plan(&[grpc("guard", at, ", timeout: 2s, statusOnError: \"503\"")])
        .document("ask.yaml", &ask("guard", "/guarded"))
        .start()
        .await
        .unwrap();
    assert_eq!(send(&house, Call::get("/guarded")).await.status, 200);
    let denied = send(&house, Call::get("/guarded").header("x-banned", "1")).await;
    assert_eq!((denied.status, denied.body.as_str()), (451, "the guard says no"), "{denied:?}");
    let ids = denied.headers.iter().filter(|(name, _)| name == "x-weir-decision-id").count();
    assert_eq!(ids, 1, "the house names its own decision: {denied:?}");
    assert_eq!(send(&house, Call::get("/open").header("x-banned", "1")).await.status, 200, "nobody asks about it");
    guard.kill().await.unwrap();
    assert_eq!(send(&house, Call::get("/guarded")).await.status, 503, "fail closed, with the provider's status");
    assert_eq!(send(&house, Call::get("/open")).await.status, 200);
    let open = mesh(&[grpc("guard", at, ", timeout: 2s, failOpen: true")]);
    house.reload(|folder| folder.put("mesh.yaml", &open)).await.unwrap();
    assert_eq!(send(&house, Call::get("/guarded?now=open")).await.status, 200);
    guard.restart().await.unwrap();
    patience::until("the guard is asked again", async || {
        (send(&house, Call::get("/guarded").header("x-banned", "1")).await.status == 451).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn an_http_provider_sees_and_changes_what_is_listed() {
    let authorizer = authorizer().await;
    let lists = ", pathPrefix: /check, includeRequestHeadersInCheck: [x-banned, x-role], \
                 includeAdditionalHeadersInCheck: {x-from: weir}, headersToUpstreamOnAllow: [x-auth-user], \
                 headersToDownstreamOnAllow: [x-auth-note], headersToDownstreamOnDeny: [x-auth-note]";
    let house = plan(&[http("web", authorizer.address(), lists)])
        .document("ask.yaml", &ask("web", "/guarded"))
        .start()
        .await
        .unwrap();
    let call = Call::get("/guarded?q=1").header("authorization", "Basic x").header("x-role", "user");
    let call = call.header("x-other", "o").header("x-auth-user", "forged").header("x-from", "forged");
    let allowed = send(&house, call).await;
    assert_eq!(allowed.status, 200);
    let question = authorizer.seen().pop().unwrap();
    assert_eq!((question["method"].as_str(), question["target"].as_str()), (Some("GET"), Some("/check/guarded?q=1")));
    for (name, expected) in [("authorization", vec!["Basic x"]), ("x-role", vec!["user"]), ("x-from", vec!["weir"])] {
        assert_eq!(lines(&question, name), expected, "{name}");
    }
    assert!(lines(&question, "x-other").is_empty() && lines(&question, "x-auth-user").is_empty(), "{question}");
    let reached = house.echo.seen().pop().unwrap();
    assert_eq!(lines(&reached, "x-auth-user"), ["ann"], "what the provider says, not the client");
    for name in ["x-auth-note", "x-secret"] {
        assert!(lines(&reached, name).is_empty(), "{name}: {reached}");
    }
    assert_eq!((allowed.header("x-auth-note"), allowed.header("x-secret")), (Some("seen"), None));
    let denied = send(&house, Call::get("/guarded").header("x-banned", "1")).await;
    assert_eq!((denied.status, denied.body.as_str()), (418, "go away"));
    assert_eq!((denied.header("x-auth-note"), denied.header("x-secret")), (Some("seen"), None));
    assert_eq!(denied.header("x-auth-user"), None);
}

#[tokio::test]
async fn a_check_plugin_is_asked_where_a_custom_policy_says_so_and_nowhere_else() {
    let adapter = "apiVersion: policy.weir.dev/v1alpha1\nkind: Adapter\nmetadata: {name: list, namespace: shop}\nspec:\n  \
                   source: {file: deny-list.wasm}\n  config: {header: x-user, list: [mallory], status: 429, message: listed}\n";
    let house = plan(&["{name: list, adapter: {name: shop/list}}".to_owned()])
        .document("list.yaml", adapter)
        .document("ask.yaml", &ask("list", "/guarded"))
        .start()
        .await
        .unwrap();
    for (path, user, expected) in
        [("/guarded", "mallory", 429), ("/guarded", "ann", 200), ("/open", "mallory", 200), ("/open", "ann", 200)]
    {
        assert_eq!(send(&house, Call::get(path).header("x-user", user)).await.status, expected, "{path} {user}");
    }
}

#[tokio::test]
async fn every_provider_must_allow_and_all_are_asked_before_tokens_and_policies() {
    let (first, second) = (authorizer().await, authorizer().await);
    let sees = ", includeRequestHeadersInCheck: [x-banned]";
    let tokens = "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: tokens, namespace: shop}\n\
                  spec:\n  jwtRules: [{issuer: nobody, jwks: '{\"keys\": [{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}]}'}]\n";
    let house = plan(&[http("a", first.address(), ""), http("b", second.address(), sees)])
        .document("ask-a.yaml", &ask("a", "/guarded"))
        .document("ask-b.yaml", &ask("b", "/guarded"))
        .document("tokens.yaml", tokens)
        .document("closed.yaml", &deny("closed", "shop", "/closed"))
        .document("ask-closed.yaml", &ask("b", "/closed").replace("ask-b", "ask-closed"))
        .start()
        .await
        .unwrap();
    let bearer = |path: &str| Call::get(path).header("authorization", "Bearer raw");
    let denied = send(&house, bearer("/guarded").header("x-banned", "1")).await;
    assert_eq!(denied.status, 418, "the second denies though the first allowed, and before anybody looks at the token");
    let asked = [&first, &second].map(|provider| provider.seen());
    assert_eq!(asked.each_ref().map(Vec::len), [1, 1]);
    assert_eq!(lines(&asked[0][0], "authorization"), ["Bearer raw"], "the request as it came");
    assert_eq!(send(&house, bearer("/guarded")).await.status, 401, "both allow, and then the token is bad");
    assert_eq!(send(&house, Call::get("/guarded")).await.status, 200);
    assert_eq!(send(&house, Call::get("/closed")).await.status, 403, "a provider's allow opens nothing");
    assert_eq!(send(&house, Call::get("/closed").header("x-banned", "1")).await.status, 418);
}

#[tokio::test]
async fn a_slow_provider_costs_its_timeout_and_never_more_than_the_check_may_take() {
    let silent = silent().await;
    let house = plan(&[
        http("short", silent.address(), ", timeout: 0.1s, statusOnError: \"504\""),
        http("long", silent.address(), ", timeout: 60s, statusOnError: \"504\""),
        http("open", silent.address(), ", timeout: 0.1s, failOpen: true"),
    ])
    .document("short.yaml", &ask("short", "/short"))
    .document("long.yaml", &ask("long", "/long"))
    .document("open.yaml", &ask("open", "/open"))
    .without_sidecar()
    .start()
    .await
    .unwrap();
    let url = format!("http://{}", house.engine.grpc().unwrap());
    let mut client = AuthorizationClient::connect(url).await.unwrap();
    for (path, allowed) in [("/short", false), ("/long", false), ("/open", true)] {
        // As a proxy that waits for two seconds: the engine answers before.
        let mut question = tonic::Request::new(envoy_api::request("GET", path, &[]));
        question.set_timeout(Duration::from_secs(2));
        let since = Instant::now();
        let answer = client.check(question).await;
        let took = since.elapsed();
        match answer {
            Ok(answer) => assert_eq!(answer.into_inner().status.unwrap().code == 0, allowed, "{path}"),
            // Both clocks ran out at the same moment.
            Err(status) => assert_eq!((path, status.code()), ("/long", tonic::Code::Cancelled), "{status:?}"),
        }
        assert!(took < Duration::from_secs(10), "{path}: {took:?}");
    }
    let late = ["provider=\"long\"", "late"];
    patience::until("the engine has given up on the long one too", async || {
        (house.engine.metric("weir_provider_calls_total", &late).await.ok()? >= 1.0).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_provider_gets_as_much_of_the_body_as_it_may() {
    let authorizer = authorizer().await;
    let body = |limit: &str| format!(", includeRequestBodyInCheck: {{maxRequestBytes: 4, {limit}}}");
    let house = plan(&[
        http("part", authorizer.address(), &body("allowPartialMessage: true")),
        http("whole", authorizer.address(), &body("allowPartialMessage: false")),
        http("none", authorizer.address(), ""),
    ])
    .document("part.yaml", &ask("part", "/part"))
    .document("whole.yaml", &ask("whole", "/whole"))
    .document("none.yaml", &ask("none", "/none"))
    .without_sidecar()
    .start()
    .await
    .unwrap();
    for (path, sent, status, got, partial) in [
        ("/part", "abcdef", 0, 4, Some("true")),
        ("/part", "abc", 0, 3, Some("false")),
        ("/whole", "abcd", 0, 4, Some("false")),
        ("/whole", "abcde", 413, 0, None),
        ("/none", "abcdef", 0, 0, None),
    ] {
        let before = authorizer.count();
        let mut question = envoy_api::request("POST", path, &[]);
        let http = question.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap();
        http.body = sent.to_owned();
        let said = envoy_api::check(&house.engine, question).await;
        assert_eq!(said.status, status, "{path} {sent}: {said:?}");
        let asked: Vec<Value> = authorizer.seen().split_off(before);
        assert_eq!(asked.len(), usize::from(status == 0), "{path} {sent}");
        for question in asked {
            assert_eq!(question["body_bytes"], got, "{path} {sent}: {question}");
            assert_eq!(lines(&question, "x-envoy-auth-partial-body"), partial.into_iter().collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn what_a_provider_says_of_headers_envoy_does() {
    let Some(binary) = need(Tool::Envoy, "envoy and a CUSTOM policy") else { return };
    let authorizer = Echo::answering(|seen| {
        let banned = !lines(seen, "x-banned").is_empty();
        let response = Response::builder().status(if banned { 418 } else { 200 });
        let response = response.header("x-auth-user", "ann").header("x-auth-user", "bob").header("x-note", "1");
        let response = response.header("x-note", "2").header("x-envoy-auth-headers-to-remove", "x-inner");
        Some(response.body(Full::new(Bytes::from_static(b"go away"))).unwrap())
    })
    .await
    .unwrap();
    let lists = ", includeRequestHeadersInCheck: [x-banned], headersToUpstreamOnAllow: [x-auth-user], \
                 headersToDownstreamOnAllow: [x-note], headersToDownstreamOnDeny: [x-note]";
    let house = plan(&[http("web", authorizer.address(), lists)])
        .document("ask.yaml", &ask("web", "/guarded"))
        .without_sidecar()
        .start()
        .await
        .unwrap();
    let identity = house.authority.identity("shop", "cart").unwrap();
    let tls = house.authority.write(&house.place.path().join("tls"), "cart", &identity).unwrap();
    let places = Places { upstream: house.echo.address(), engine: house.engine.grpc().unwrap(), tls: &tls };
    let patient = |text: String| text.replace("timeout: 0.5s", "timeout: 5s");
    let envoy = Envoy::start(&binary, house.place.path(), &places, patient).await.unwrap();
    let caller = Caller::to(envoy.http()).with_tls(&house.authority, Some(&identity)).unwrap();
    for forged in [None, Some("forged")] {
        let call = Call::get("/guarded").header("x-inner", "1");
        let call = forged.iter().fold(call, |call, value| call.header("x-auth-user", value));
        let allowed = caller.send(call).await.unwrap();
        assert_eq!(allowed.status, 200);
        let reached = house.echo.seen().pop().unwrap();
        assert_eq!(lines(&reached, "x-auth-user").join(","), "ann,bob", "set, then appended: {reached}");
        assert!(lines(&reached, "x-inner").is_empty());
        let notes: Vec<_> = allowed.headers.iter().filter(|(name, _)| name == "x-note").map(|(_, v)| &**v).collect();
        assert_eq!(notes.join(","), "1,2");
    }
    let denied = caller.send(Call::get("/guarded").header("x-banned", "1")).await.unwrap();
    let notes: Vec<_> = denied.headers.iter().filter(|(name, _)| name == "x-note").map(|(_, v)| &**v).collect();
    assert_eq!((denied.status, denied.body.as_str(), notes.join(",").as_str()), (418, "go away", "1,2"));
}
