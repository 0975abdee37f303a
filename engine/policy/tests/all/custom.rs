//! CUSTOM policies: who is asked, when, and what an answer does.

use serde_json::{Value as Json, json};
use std::time::Duration;
use weir_attributes::slot;
use weir_policy::{Answer, HeaderOperation, PolicySet, ReasonCode, Severity, Side, Text, Verdict};

use crate::given::{Given, Request, cart, connection, request};

fn mesh(providers: &[Json]) -> Given {
    Given::default().mesh(&json!({"extensionProviders": providers})).unwrap()
}

fn grpc(name: &str) -> Json {
    json!({"name": name, "envoyExtAuthzGrpc": {"service": "authz.shop", "port": 9000, "statusOnError": "503"}})
}

fn http(name: &str) -> Json {
    json!({"name": name, "envoyExtAuthzHttp": {"service": "shop/authz.shop", "port": 8000, "failOpen": true}})
}

fn custom(provider: &str, rule: Json) -> Json {
    json!({"action": "CUSTOM", "provider": {"name": provider}, "rules": [rule]})
}

fn paths(path: &str) -> Json {
    json!({"to": [{"operation": {"paths": [path]}}]})
}

fn allow(headers: Vec<HeaderOperation>) -> Answer {
    Answer::Allow { ttl: None, max_uses: None, headers }
}

fn deny(status: u16) -> Answer {
    let message = Some(Text::Static("log in first"));
    let headers = vec![HeaderOperation::Set(Side::Response, Text::Static("location"), Text::Static("/login"))];
    Answer::Deny { status, message, ttl: None, max_uses: None, headers }
}

fn failed(fail_open: bool) -> Answer {
    Answer::Failed { detail: Text::Static("too slow"), fail_open }
}

fn set_header(name: &'static str, value: &'static str) -> HeaderOperation {
    HeaderOperation::Set(Side::Request, Text::Static(name), Text::Static(value))
}

/// Whom a request asks, and the verdict when all give that answer.
fn asked(set: &PolicySet, request: Request, answer: &Answer) -> (Vec<String>, Verdict) {
    let mut names = Vec::new();
    let (verdict, _) = request.answered(set, &cart(), |name, _| {
        names.push(name.to_owned());
        answer.clone()
    });
    (names, verdict)
}

#[test]
fn the_provider_of_a_rule_that_holds_is_asked_and_no_other() {
    let set = mesh(&[grpc("a"), http("b"), grpc("c")])
        .policy("shop/one", custom("c", paths("/c*")))
        .policy("shop/two", custom("a", paths("/both")))
        .policy("shop/three", custom("b", paths("/both")))
        .policy("shop/four", custom("a", paths("/both")))
        .policy("istio-system/root", custom("c", paths("/both")))
        .policy("other/elsewhere", custom("c", json!({})))
        .set();
    for (path, expected) in [("/", vec![]), ("/cart", vec!["c"]), ("/both", vec!["a", "b", "c"])] {
        let (names, verdict) = asked(&set, request("GET", path), &allow(vec![]));
        assert_eq!(names, expected, "{path}");
        assert_eq!((verdict.is_allow(), verdict.ttl.is_some()), (true, expected.is_empty()), "{path}");
    }
}

#[test]
fn the_first_denial_ends_it_with_its_own_status_body_and_headers() {
    let set = mesh(&[grpc("a"), grpc("b")])
        .policy("shop/one", custom("b", json!({})))
        .policy("shop/two", custom("a", json!({})))
        .policy("shop/free", json!({"rules": [{}]}))
        .set();
    let (names, verdict) = asked(&set, request("GET", "/"), &deny(302));
    assert_eq!(names, ["a"]);
    assert_eq!((verdict.status, verdict.message.as_str(), verdict.headers.len()), (302, "log in first", 1));
    assert_eq!((verdict.reason.code, verdict.reason.policy.as_deref()), (ReasonCode::Provider, Some("shop/two")));
    let (_, verdict) = asked(&set, request("GET", "/"), &deny(204));
    assert_eq!((verdict.status, verdict.is_allow()), (403, false), "a denial never says that all is well");
}

#[test]
fn an_allow_does_not_outweigh_a_deny_policy_or_default_deny() {
    let given = mesh(&[grpc("a")]).policy("shop/ask", custom("a", json!({})));
    let deny_policy = json!({"action": "DENY", "rules": [paths("/admin")]});
    for policy in [deny_policy, json!({"rules": [paths("/public")]})] {
        let set = given.clone().policy("shop/other", policy).set();
        let (names, verdict) = asked(&set, request("GET", "/admin"), &allow(vec![set_header("x-user", "ada")]));
        assert_eq!((names.len(), verdict.is_allow(), verdict.headers.len()), (1, false, 0));
    }
}

#[test]
fn headers_that_a_provider_adds_are_seen_by_later_rules_and_go_upstream() {
    let headers = |values: Json| json!({"when": [{"key": "request.headers[x-user]", "values": values}]});
    let set = mesh(&[grpc("a")])
        .policy("shop/ask", custom("a", json!({})))
        .policy("shop/ada", json!({"rules": [headers(json!(["ada"]))]}))
        .policy("shop/root", json!({"action": "DENY", "rules": [headers(json!(["root"]))]}))
        .set();
    let forged = || request("GET", "/").header("X-User", "root").header("x-user", "ada");
    let (verdict, bag) = forged().answered(&set, &cart(), |_, bag| {
        assert_eq!(bag.headers().lines("x-user").collect::<Vec<_>>(), ["root", "ada"], "as it came");
        allow(vec![set_header("X-User", "ada"), set_header("user-agent", "weir")])
    });
    assert!(verdict.is_allow(), "{:?}", verdict.reason);
    assert_eq!(verdict.headers.len(), 2);
    assert_eq!(bag.headers().lines("x-user").collect::<Vec<_>>(), ["ada"]);
    assert_eq!(bag.str(slot::REQUEST_USERAGENT), Some("weir"));
    let (_, verdict) = asked(&set, forged(), &allow(vec![]));
    assert_eq!(verdict.reason.code, ReasonCode::DeniedByRule);
    let remove = HeaderOperation::Remove(Side::Request, Text::Static("X-USER"));
    let (_, verdict) = asked(&set, forged(), &allow(vec![remove]));
    assert_eq!(verdict.reason.code, ReasonCode::DefaultDeny);
}

#[test]
fn without_an_answer_the_request_is_denied_unless_the_provider_fails_open() {
    let set = mesh(&[grpc("a"), http("b")])
        .policy("shop/a", custom("a", paths("/a")))
        .policy("shop/b", custom("b", paths("/b")))
        .set();
    let (_, verdict) = asked(&set, request("GET", "/a"), &failed(false));
    assert_eq!((verdict.status, verdict.reason.code), (503, ReasonCode::ProviderFailed));
    assert_eq!(verdict.reason.message.unwrap().as_str(), "provider a: too slow");
    let (_, verdict) = asked(&set, request("GET", "/b"), &failed(false));
    assert_eq!(verdict.status, 403);
    let (_, verdict) = asked(&set, request("GET", "/b"), &failed(true));
    assert_eq!((verdict.is_allow(), verdict.ttl), (true, None));
}

#[test]
fn a_provider_that_nobody_configured_denies_what_its_policy_is_about() {
    for given in [Given::default(), mesh(&[grpc("b")]), mesh(&[json!({"name": "a", "adapter": {"name": "shop/a"}})])] {
        let set = given.policy("shop/a", custom("a", paths("/a"))).set();
        let (names, verdict) = asked(&set, request("GET", "/a"), &allow(vec![]));
        assert_eq!((names.len(), verdict.reason.code), (0, ReasonCode::NoProvider));
        assert!(asked(&set, request("GET", "/b"), &allow(vec![])).1.is_allow());
    }
}

#[test]
fn an_adapter_that_is_a_provider_is_asked_only_where_a_policy_says_so() {
    let set = mesh(&[json!({"name": "a", "adapter": {"name": "shop/list"}})])
        .adapter("shop/list")
        .adapter("shop/always")
        .policy("shop/a", custom("a", paths("/a")))
        .set();
    let ttl = |seconds| Answer::Allow { ttl: Some(Duration::from_secs(seconds)), max_uses: Some(9), headers: vec![] };
    let (names, verdict) = asked(&set, request("GET", "/a"), &ttl(7));
    assert_eq!(names, ["shop/list", "shop/always"]);
    assert_eq!((verdict.ttl, verdict.max_uses), (Some(Duration::from_secs(7)), Some(9)));
    assert_eq!(asked(&set, request("GET", "/b"), &ttl(7)).0, ["shop/always"]);
}

#[test]
fn without_http_only_the_rest_of_a_rule_counts_and_http_providers_are_passed_over() {
    let rule = || json!({"to": [{"operation": {"paths": ["/a"], "ports": ["9000"]}}]});
    let set =
        mesh(&[grpc("a"), http("b")]).policy("shop/a", custom("a", rule())).policy("shop/b", custom("b", rule())).set();
    let on = |port: u16| connection().text(slot::DESTINATION_ADDRESS, &format!("10.0.0.1:{port}"));
    assert_eq!(asked(&set, on(9000), &allow(vec![])).0, ["a"]);
    assert!(asked(&set, on(9001), &allow(vec![])).0.is_empty());
}

#[test]
fn doubt_asks() {
    let set = mesh(&[grpc("a")]).policy("shop/a", custom("a", paths("/admin"))).set();
    let (names, _) = asked(&set, request("GET", "/public/../admin"), &allow(vec![]));
    assert_eq!(names, ["a"], "the proxy did not normalize the path");
    let header = json!({"when": [{"key": "request.headers[x-role]", "values": ["admin"]}]});
    let set = mesh(&[grpc("a")]).policy("shop/a", custom("a", header)).set();
    let joined = request("GET", "/").header("x-role", "user,admin").joined_by_proxy();
    let (names, verdict) = asked(&set, joined, &deny(401));
    assert_eq!((names.len(), verdict.reason.in_doubt), (1, true));
}

#[test]
fn a_provider_that_cannot_work_is_refused_with_its_place() {
    let both = json!({"name": "a", "adapter": {"name": "a/b"}, "envoyExtAuthzGrpc": {"service": "a", "port": 1}});
    let grpc = |spec: Json| json!({"name": "a", "envoyExtAuthzGrpc": spec});
    let http = |field: &str, value: Json| {
        let mut spec = json!({"service": "a", "port": 1});
        spec[field] = value;
        json!({"name": "a", "envoyExtAuthzHttp": spec})
    };
    let table = [
        (json!({"envoyExtAuthzGrpc": {"service": "a", "port": 1}}), "[0].name"),
        (json!({"name": "Upper", "envoyExtAuthzGrpc": {"service": "a", "port": 1}}), "[0].name"),
        (json!({"name": "a".repeat(64), "envoyExtAuthzGrpc": {"service": "a", "port": 1}}), "[0].name"),
        (json!({"name": "a"}), "[0]"),
        (both, "[0]"),
        (json!({"name": "a", "adapter": {"name": "list"}}), "[0].adapter.name"),
        (grpc(json!({"port": 1})), "[0].envoyExtAuthzGrpc.service"),
        (grpc(json!({"service": "a/b/c", "port": 1})), "[0].envoyExtAuthzGrpc.service"),
        (grpc(json!({"service": "http://a", "port": 1})), "[0].envoyExtAuthzGrpc.service"),
        (grpc(json!({"service": "a:80", "port": 1})), "[0].envoyExtAuthzGrpc.service"),
        (grpc(json!({"service": "a"})), "[0].envoyExtAuthzGrpc.port"),
        (grpc(json!({"service": "a", "port": 65536})), "[0].envoyExtAuthzGrpc.port"),
        (grpc(json!({"service": "a", "port": 1, "statusOnError": "teapot"})), "[0].envoyExtAuthzGrpc.statusOnError"),
        (grpc(json!({"service": "a", "port": 1, "statusOnError": "599"})), "[0].envoyExtAuthzGrpc.statusOnError"),
        (grpc(json!({"service": "a", "port": 1, "timeout": "soon"})), "[0].envoyExtAuthzGrpc.timeout"),
        (grpc(json!({"service": "a", "port": 1, "timeout": "0s"})), "[0].envoyExtAuthzGrpc.timeout"),
        (
            grpc(json!({"service": "a", "port": 1, "includeRequestBodyInCheck": {}})),
            "[0].envoyExtAuthzGrpc.includeRequestBodyInCheck.maxRequestBytes",
        ),
        (http("pathPrefix", json!("check")), "[0].envoyExtAuthzHttp.pathPrefix"),
        (http("pathPrefix", json!("/check?a=b")), "[0].envoyExtAuthzHttp.pathPrefix"),
        (http("headersToUpstreamOnAllow", json!(["x-a", "*"])), "[0].envoyExtAuthzHttp.headersToUpstreamOnAllow[1]"),
        (http("headersToDownstreamOnDeny", json!(["a*b"])), "[0].envoyExtAuthzHttp.headersToDownstreamOnDeny[0]"),
        (http("headersToDownstreamOnAllow", json!([""])), "[0].envoyExtAuthzHttp.headersToDownstreamOnAllow[0]"),
        (http("includeRequestHeadersInCheck", json!(["*"])), "[0].envoyExtAuthzHttp.includeRequestHeadersInCheck[0]"),
        (
            http("includeAdditionalHeadersInCheck", json!({"x-a": "b\r\nc: d"})),
            "[0].envoyExtAuthzHttp.includeAdditionalHeadersInCheck",
        ),
    ];
    for (provider, path) in table {
        let problems = mesh(std::slice::from_ref(&provider)).compile().expect_err(&provider.to_string());
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, [format!("spec.extensionProviders{path}")], "{provider}");
        assert!(problems[0].help.is_some());
    }
    let twice = mesh(&[grpc(json!({"service": "a", "port": 1})), grpc(json!({"service": "b", "port": 1}))]);
    assert_eq!(twice.compile().unwrap_err()[0].path, "spec.extensionProviders[1].name");
}

#[test]
fn what_says_nothing_here_is_warned_of() {
    let spec = |field: &str, value: Json| {
        let mut spec = json!({"service": "a", "port": 1});
        spec[field] = value;
        mesh(&[json!({"name": "a", "envoyExtAuthzGrpc": spec})]).policy("shop/a", custom("a", json!({})))
    };
    let table = [
        (spec("clearRouteCache", json!(true)), Some("spec.extensionProviders[0].envoyExtAuthzGrpc.clearRouteCache")),
        (spec("statusOnError", json!("200")), Some("spec.extensionProviders[0].envoyExtAuthzGrpc.statusOnError")),
        (spec("timeout", json!("0.25s")), None),
        (mesh(&[grpc("authz")]).policy("shop/a", custom("autzh", json!({}))), Some("spec.provider.name")),
    ];
    for (given, expected) in table {
        let (_, warnings) = given.compile().unwrap();
        let paths: Vec<_> = warnings.iter().map(|warning| warning.path.as_str()).collect();
        assert_eq!(paths, expected.into_iter().collect::<Vec<_>>());
        assert!(warnings.iter().all(|warning| warning.severity == Severity::Warning));
    }
}
