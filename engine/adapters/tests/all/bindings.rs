//! The operator's expressions: inputs that no attribute has, and requests that the plugin never sees.

use serde_json::{Value as Json, json};
use weir_adapters::{AdapterDecision, AdapterSpec, Binding, Cause, Error};
use weir_attributes::{Bag, slot};

use crate::contract::{built_then, everything};
use crate::guests::{host, spec};

fn binding(name: &str, expression: &str) -> Binding {
    Binding { name: name.into(), expression: expression.into() }
}

fn request() -> Bag {
    Bag::builder().text(slot::REQUEST_METHOD, "GET").int(slot::REQUEST_SIZE, 7).header("x-user", "ann").build()
}

#[tokio::test]
async fn an_expression_replaces_an_input_and_more_inputs_follow_in_their_order() {
    let bindings = vec![
        binding("request.headers[x-team]", r#""team-" + request.headers["x-user"]"#),
        binding("double", "request.size * 2"),
        binding("half", "double(request.size) / 2.0"),
        binding("list", r#"["a", request.method]"#),
        binding("absent", "source.principal"),
    ];
    let adapter = host().load("b", AdapterSpec { bindings, ..built_then(everything()) }).await.unwrap();
    let said = adapter.check(&request()).await.unwrap().reason;
    assert!(said.contains("last=team-ann"), "{said}");
    let bound = r#"bound=double=Some(Value::Int(14)),half=Some(Value::Double(3.5)),list=Some(Value::Texts(["a", "GET"])),absent=None"#;
    assert!(said.ends_with(bound), "{said}");
}

#[tokio::test]
async fn only_requests_that_match_are_asked_about_and_an_error_is_a_failure() {
    let config = json!({"attribute": "source.ip", "list": ["10.0.0.1"]});
    let condition = Some(r#"request.headers["x-user"] == "ann""#.to_owned());
    let adapter = host().load("b", AdapterSpec { condition, ..spec("deny-list", config) }).await.unwrap();
    let from = |user: Option<&str>| {
        let bag = Bag::builder().text(slot::SOURCE_IP, "10.0.0.1");
        user.into_iter().fold(bag, |bag, user| bag.header("x-user", user)).build()
    };
    assert_eq!(adapter.check(&from(Some("ann"))).await.unwrap().decision, AdapterDecision::Deny);
    assert_eq!(adapter.check(&from(Some("bob"))).await.unwrap().decision, AdapterDecision::Abstain);
    let cause = adapter.check(&from(None)).await.unwrap_err().cause;
    assert!(matches!(&cause, Cause::Expression(text) if text.contains("x-user")), "{cause}");
    assert_eq!(adapter.stats().calls, 1);
}

#[tokio::test]
async fn an_expression_that_cannot_be_is_refused_with_its_place() {
    let list = || json!({"attribute": "source.ip", "list": []});
    let cases = [
        (binding("source.ip", "1 + 1"), "bindings.source.ip: 1:1: the expression is int, but string is needed"),
        (binding("source.ip", "request.methud"), "did you mean `request.method`?"),
        (binding("more", "1"), "bindings.more: the plugin has no input of that name; it has source.principal"),
        (binding("source.ip", "string(response.code)"), "bindings.source.ip: 1:8:"),
    ];
    for (binding, expected) in cases {
        let spec = AdapterSpec { bindings: vec![binding], ..spec("deny-list", list()) };
        let error = host().load("b", spec).await.unwrap_err();
        assert!(matches!(error, Error::Expression { .. }) && error.to_string().contains(expected), "{error}");
    }
    let spec = AdapterSpec { condition: Some("1".into()), ..spec("deny-list", list()) };
    let error = host().load("b", spec).await.unwrap_err().to_string();
    assert!(error.starts_with("adapter b: match: 1:1: the expression is int, but bool is needed"), "{error}");
}

#[tokio::test]
async fn an_expression_does_not_lead_a_secret_past_the_mask() {
    let bindings = vec![binding("request.url_path", r#""/" + request.headers["authorization"]"#)];
    let adapter = host().load("b", AdapterSpec { bindings, ..spec("access-log", Json::Null) }).await.unwrap();
    let bag = Bag::builder().header("authorization", "Bearer s3cret").build();
    let emitted = format!("{:?}", adapter.report(&[bag]).await.unwrap().emissions);
    assert!(emitted.contains("hmac:") && !emitted.contains("s3cret"), "{emitted}");
}
