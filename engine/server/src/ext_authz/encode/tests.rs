#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use envoy_types::pb::{
    envoy::{
        config::core::v3::HeaderValueOption,
        service::auth::v3::{CheckResponse, check_response::HttpResponse},
    },
    google::protobuf::value::Kind,
};
use prost::Message as _;
use weir_policy::{ReasonCode, Text};

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef";

fn decoded(verdict: &Verdict) -> CheckResponse {
    answered(verdict, &Claim::default())
}

fn answered(verdict: &Verdict, claim: &Claim<'_>) -> CheckResponse {
    let bytes = encode(verdict, ID, &[], claim, 5);
    assert_eq!(bytes[..5], [0; 5]);
    CheckResponse::decode(&bytes[5..]).unwrap()
}

fn lines(headers: &[HeaderValueOption]) -> Vec<(String, String, i32)> {
    let line = |option: &HeaderValueOption| {
        let header = option.header.clone().unwrap();
        (header.key, header.value, option.append_action)
    };
    headers.iter().map(line).collect()
}

fn metadata_of(response: &CheckResponse) -> BTreeMap<String, String> {
    let fields = response.dynamic_metadata.clone().unwrap().fields;
    let text = |kind| match kind {
        Some(Kind::StringValue(text)) => text,
        other => panic!("{other:?}"),
    };
    fields.into_iter().map(|(name, value)| (name, text(value.kind))).collect()
}

fn operation(make: fn(Side, Text, Text) -> HeaderOperation, side: Side, name: &'static str) -> HeaderOperation {
    make(side, Text::Static(name), Text::Static("v"))
}

#[test]
fn what_an_adapter_said_for_other_filters_stands_under_its_plugins_name() {
    use weir_attributes::{Json, List};
    let map = |entries: Vec<(&str, Json)>| {
        Struct::new(entries.into_iter().map(|(name, value)| (name.into(), value)).collect()).unwrap()
    };
    let long = "x".repeat(200);
    let list = Json::List(List::new(vec![Json::Null, Json::Bool(true)]).unwrap());
    let metadata = map(vec![
        ("half", Json::Double(0.5)),
        ("list", list),
        ("long", Json::string(&long)),
        ("map", Json::Map(map(vec![("n", Json::Int(7))]))),
    ]);
    let said = [
        Said { plugin: "acme/geo".into(), reason: "for the log".into(), metadata },
        Said { plugin: "acme/mute".into(), reason: "for the log".into(), metadata: Struct::default() },
    ];
    let bytes = encode(&Verdict::allow(ReasonCode::NotDenied), ID, &said, &Claim::default(), 0);
    let fields = CheckResponse::decode(&*bytes).unwrap().dynamic_metadata.unwrap().fields;
    assert!(!fields.contains_key("acme/mute"));
    let of = |value: &envoy_types::pb::google::protobuf::Value| match value.kind.clone().unwrap() {
        Kind::StructValue(inner) => inner.fields,
        other => panic!("{other:?}"),
    };
    let told = of(&fields["acme/geo"]);
    assert_eq!(told["half"].kind, Some(Kind::NumberValue(0.5)));
    assert_eq!(told["long"].kind, Some(Kind::StringValue(long)));
    assert_eq!(of(&told["map"])["n"].kind, Some(Kind::NumberValue(7.0)));
    let Some(Kind::ListValue(list)) = &told["list"].kind else { panic!("{told:?}") };
    assert_eq!(list.values[0].kind, Some(Kind::NullValue(0)));
    assert_eq!(list.values[1].kind, Some(Kind::BoolValue(true)));
    assert!(!String::from_utf8_lossy(&bytes).contains("for the log"));
}

#[test]
fn an_allow_has_a_status_and_metadata() {
    let response = decoded(&Verdict::allow(ReasonCode::AllowedByRule));
    assert_eq!(response.status.as_ref().unwrap().code, 0);
    let Some(HttpResponse::OkResponse(ok)) = &response.http_response else { panic!("{response:?}") };
    assert!(ok.headers.is_empty() && ok.headers_to_remove.is_empty());
    let metadata = metadata_of(&response);
    assert_eq!(metadata["decision_id"], ID);
    assert_eq!((metadata["decision"].as_str(), metadata["reason"].as_str()), ("allow", "allowed-by-rule"));
}

#[test]
fn a_denial_has_status_body_and_the_decision_id() {
    for body in ["RBAC: access denied".to_owned(), String::new(), "x".repeat(5000)] {
        let mut verdict = Verdict::deny_because(ReasonCode::DeniedByRule, "secret policy name");
        (verdict.status, verdict.message) = (451, Text::Shared(body.as_str().into()));
        verdict.headers = vec![
            operation(HeaderOperation::Set, Side::Response, "x-a"),
            operation(HeaderOperation::Append, Side::Response, "x-b"),
            operation(HeaderOperation::Set, Side::Request, "x-never"),
        ];
        let response = decoded(&verdict);
        assert_eq!(response.status.as_ref().unwrap().code, 7);
        assert_eq!(metadata_of(&response)["decision"], "deny");
        let Some(HttpResponse::DeniedResponse(denied)) = response.http_response else { panic!("not denied") };
        assert_eq!(denied.status.unwrap().code, 451);
        assert_eq!(denied.body, body);
        let expected = [("x-weir-decision-id", ID, 2), ("x-a", "v", 2), ("x-b", "v", 0)];
        assert_eq!(lines(&denied.headers), expected.map(|(name, value, action)| (name.into(), value.into(), action)));
    }
}

// The older field is what Envoy goes by.
#[allow(deprecated)]
#[test]
fn an_allow_changes_the_request_and_the_response_as_the_verdict_says() {
    let mut verdict = Verdict::allow(ReasonCode::Adapter);
    verdict.headers = vec![
        operation(HeaderOperation::Set, Side::Request, "x-a"),
        operation(HeaderOperation::Append, Side::Request, "x-b"),
        HeaderOperation::Remove(Side::Request, Text::Static("x-c")),
        operation(HeaderOperation::Set, Side::Response, "x-d"),
        operation(HeaderOperation::Append, Side::Response, "x-e"),
    ];
    verdict.parameters = vec![Text::Static("access%5Ftoken"), Text::Static("t")];
    let Some(HttpResponse::OkResponse(ok)) = decoded(&verdict).http_response else { panic!("not allowed") };
    assert_eq!(lines(&ok.headers), [("x-a".into(), "v".into(), 2), ("x-b".into(), "v".into(), 0)]);
    let appends = |option: &HeaderValueOption| option.append.as_ref().is_some_and(|append| append.value);
    assert_eq!(ok.headers.iter().map(appends).collect::<Vec<_>>(), [false, true]);
    assert_eq!(ok.query_parameters_to_remove, ["access%5Ftoken", "t"]);
    assert_eq!(ok.headers_to_remove, ["x-c"]);
    assert_eq!(lines(&ok.response_headers_to_add), [("x-d".into(), "v".into(), 2), ("x-e".into(), "v".into(), 0)]);
}

#[test]
fn what_named_the_workload_goes_back_with_the_metadata() {
    let claim = Claim { namespace: Some("shop"), labels: Some("app=cart"), ..Claim::default() };
    let metadata = metadata_of(&answered(&Verdict::allow(ReasonCode::NoPolicy), &claim));
    assert_eq!((metadata["weir.namespace"].as_str(), metadata["weir.labels"].as_str()), ("shop", "app=cart"));
    assert!(!metadata.contains_key("weir.workload"));
}
