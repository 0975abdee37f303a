//! Check plugins: inputs in, verdicts out.

use serde_json::{Value as Json, json};
use weir_adapters::{AdapterDecision, Cause};
use weir_attributes::{Bag, Builder, slot};

use crate::guests::load;

fn request() -> Builder {
    Bag::builder().text(slot::REQUEST_METHOD, "GET").header("user-agent", "curl/8").header("accept", "*/*")
}

async fn decision(config: &Json, bag: Bag) -> AdapterDecision {
    load("deny-list", config.clone()).await.unwrap().check(&bag).await.unwrap().decision
}

#[tokio::test]
async fn deny_list_denies_what_is_listed_and_has_no_opinion_on_the_rest() {
    use AdapterDecision::{Abstain, Deny};
    let principal = json!({"attribute": "source.principal", "list": ["td/ns/a/sa/x"]});
    let header = json!({"header": "X-Client", "list": ["evil"]});
    let cases = [
        (&principal, request().text(slot::SOURCE_PRINCIPAL, "td/ns/a/sa/x"), Deny),
        (&principal, request().text(slot::SOURCE_PRINCIPAL, "td/ns/a/sa/xy"), Abstain),
        (&principal, request(), Abstain),
        (&header, request().header("x-client", "evil"), Deny),
        (&header, request().header("x-client", "good").header("x-client", "evil"), Deny),
        (&header, request().header("x-client", "good, evil"), Deny),
        (&header, request().header("x-client", "good,evil").joined_by_proxy(), Deny),
        (&header, request().header("x-client", "evilish"), Abstain),
        (&header, request(), Abstain),
    ];
    for (number, (config, bag, expected)) in cases.into_iter().enumerate() {
        assert_eq!(decision(config, bag.build()).await, expected, "case {number}");
    }
}

#[tokio::test]
async fn a_denial_carries_status_message_and_reason() {
    let config = json!({"attribute": "remote.ip", "list": ["10.0.0.9"], "status": 429, "message": "go away"});
    let adapter = load("deny-list", config).await.unwrap();
    let verdict = adapter.check(&request().text(slot::REMOTE_IP, "10.0.0.9").build()).await.unwrap();
    assert_eq!((verdict.status, verdict.message.as_deref()), (Some(429), Some("go away")));
    assert_eq!(verdict.reason, "remote.ip is in the list");
    assert_eq!((verdict.ttl, verdict.max_uses), (None, None));
}

#[tokio::test]
async fn the_manifest_comes_out_of_the_component() {
    let adapter = load("deny-list", json!({"attribute": "source.ip", "list": []})).await.unwrap();
    let manifest = adapter.manifest().unwrap();
    assert_eq!((&*manifest.name, &*manifest.version), ("weir/deny-list", "0.1.0"));
    let inputs: Vec<_> = manifest.inputs.iter().map(|input| (input.to_string(), input.optional)).collect();
    assert_eq!(inputs[0], ("source.principal".to_owned(), true));
    assert_eq!(inputs.last().unwrap().0, "request.headers");
    assert_eq!(adapter.stats().instances, 2);
}

#[tokio::test]
async fn an_adapter_does_only_what_its_world_does() {
    let check = load("deny-list", json!({"attribute": "source.ip", "list": []})).await.unwrap();
    assert_eq!(check.report(&[request().build()]).await.unwrap_err().cause, Cause::World);
    let report = load("access-log", Json::Null).await.unwrap();
    assert_eq!(report.check(&request().build()).await.unwrap_err().cause, Cause::World);
}

#[tokio::test]
async fn a_configuration_that_breaks_the_schema_is_refused_with_its_field_and_without_its_value() {
    let cases = [
        (json!({"attribute": "source.ip", "list": ["a", 17]}), "config.list[1]: value is not of type \"string\""),
        (json!({"attribute": "source.ip", "list": [], "status": 99}), "config.status: "),
        (json!({"attribute": "s3cret", "list": []}), "config.attribute: value is not one of"),
        (json!({"attribute": "source.ip"}), "config: \"list\" is a required property"),
        (json!({"list": []}), "config: value is not valid under any of the schemas"),
        (Json::Null, "config: "),
    ];
    for (config, expected) in cases {
        let error = load("deny-list", config.clone()).await.unwrap_err().to_string();
        assert!(error.starts_with("adapter test-deny-list: ") && error.contains(expected), "{config}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn many_checks_share_few_instances() {
    let adapter = load("deny-list", json!({"attribute": "source.ip", "list": ["10.0.0.3"]})).await.unwrap();
    let checks = (0..200).map(|number| {
        let (adapter, ip) = (adapter.clone(), format!("10.0.0.{}", number % 10));
        tokio::spawn(
            async move { adapter.check(&request().text(slot::SOURCE_IP, &ip).build()).await.unwrap().decision },
        )
    });
    let mut denied = 0;
    for check in checks.collect::<Vec<_>>() {
        denied += usize::from(check.await.unwrap() == AdapterDecision::Deny);
    }
    let stats = adapter.stats();
    assert_eq!((denied, stats.calls, stats.instances, stats.restarts), (20, 200, 2, 0));
}
