use std::collections::HashMap;

use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};
use weir_attributes::{Slot, slot};
use weir_proto::v1::{
    Attribute, Attributes, CheckRequest, Decision, Header, ReportRequest, StreamResponse, attribute::Value,
    policy_client::PolicyClient, stream_response::Message, telemetry_client::TelemetryClient,
};

use crate::{
    engine::Engine,
    raw::{Raw, damaged},
};

fn text(slot: Slot, text: &str) -> Attribute {
    Attribute { number: slot.attribute().wire, value: Some(Value::Text(text.into())) }
}

fn request(id: u64, method: &str, role: Option<&str>) -> CheckRequest {
    let headers = role.map(|role| Header { name: "x-role".into(), value: role.into() });
    let attributes = vec![text(slot::REQUEST_METHOD, method), text(slot::REQUEST_PATH, "/items")];
    let attributes = Attributes { attributes, headers: headers.into_iter().collect(), response_headers: vec![] };
    CheckRequest { id, attributes: Some(attributes), proxy: "test".into(), ..Default::default() }
}

async fn next(answers: &mut Streaming<StreamResponse>) -> Message {
    answers.message().await.unwrap().expect("the stream goes on").message.unwrap()
}

#[tokio::test]
async fn a_check_is_answered_with_what_a_cache_needs() {
    let engine = Engine::start().await;
    let mut client = PolicyClient::new(engine.channel().await);
    let allowed = client.check(request(0, "GET", Some("user"))).await.unwrap().into_inner();
    assert_eq!(
        (allowed.decision(), allowed.status, allowed.reason.as_str()),
        (Decision::Allow, 200, "allowed-by-rule")
    );
    assert_eq!(allowed.decision_id.len(), 32);
    assert_eq!(allowed.snapshot, &*engine.runtime.snapshot_version());
    assert!(allowed.ttl_ms > 0 && allowed.max_uses > 0);
    let referenced = allowed.referenced.unwrap();
    let set = referenced.set.unwrap();
    assert!(set.attributes.contains(&slot::REQUEST_METHOD.attribute().wire));
    assert_eq!(set.headers, ["x-role"]);

    let known = CheckRequest { known_referenced: vec![referenced.number], ..request(0, "GET", Some("admin")) };
    let denied = client.check(known).await.unwrap().into_inner();
    assert_eq!((denied.decision(), denied.status), (Decision::Deny, 403));
    assert_eq!(denied.body, "RBAC: access denied");
    let again = denied.referenced.unwrap();
    assert_eq!((again.number, again.set), (referenced.number, None));
}

#[tokio::test]
async fn what_is_not_in_the_vocabulary_is_refused_by_its_number() {
    let engine = Engine::start().await;
    let mut client = PolicyClient::new(engine.channel().await);
    let mut newer = request(0, "GET", None);
    newer.attributes.as_mut().unwrap().attributes.push(Attribute { number: 4711, value: Some(Value::Truth(true)) });
    let status = client.check(newer).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("attributes[2]") && status.message().contains("4711"), "{status:?}");
}

#[tokio::test]
async fn a_stream_answers_every_check_and_tells_of_new_snapshots() {
    let engine = Engine::start().await;
    let mut client = PolicyClient::new(engine.channel().await);
    let (checks, receiver) = mpsc::channel(8);
    let mut answers = client.check_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    let Message::Notice(first) = next(&mut answers).await else { panic!("a notice comes first") };
    assert_eq!(first.snapshot, &*engine.runtime.snapshot_version());

    let sending = checks.clone();
    tokio::spawn(async move {
        for id in 0..1000 {
            sending.send(request(id, if id % 2 == 0 { "GET" } else { "POST" }, None)).await.unwrap();
        }
    });
    let mut decided = HashMap::new();
    while decided.len() < 1000 {
        let Message::Check(answer) = next(&mut answers).await else { panic!("no notice is due") };
        assert!(decided.insert(answer.id, answer.decision()).is_none(), "{} twice", answer.id);
    }
    for (id, decision) in decided {
        assert_eq!(decision, if id % 2 == 0 { Decision::Allow } else { Decision::Deny }, "{id}");
    }

    let version = engine.reconfigure(|policies| policies.replace("methods: [GET]", "methods: [POST]")).await;
    let Message::Notice(notice) = next(&mut answers).await else { panic!("a notice is due") };
    assert_eq!(notice.snapshot, version);
    checks.send(request(7, "POST", None)).await.unwrap();
    let Message::Check(answer) = next(&mut answers).await else { panic!("an answer is due") };
    assert_eq!((answer.id, answer.decision(), answer.snapshot), (7, Decision::Allow, version));

    drop(checks);
    assert!(answers.message().await.unwrap().is_none(), "the stream ends when the caller ended");
}

#[tokio::test]
async fn a_report_is_answered_when_its_entries_are_taken() {
    let engine = Engine::start().await;
    let mut client = TelemetryClient::new(engine.channel().await);
    let entry = request(0, "GET", None).attributes.unwrap();
    let message = ReportRequest { proxy: "test".into(), entries: vec![entry; 3], ..Default::default() };
    let sum = client.report(tokio_stream::iter(vec![message.clone(), message])).await.unwrap().into_inner();
    assert_eq!((sum.accepted, sum.lost), (6, 0));
    let odd = Attributes { attributes: vec![Attribute { number: 4711, value: None }], ..Default::default() };
    let message = ReportRequest { entries: vec![Attributes::default(), odd], ..Default::default() };
    let status = client.report(tokio_stream::iter([message])).await.unwrap_err();
    assert!(status.message().starts_with("entries[1].attributes[0]: number 4711"), "{status:?}");
}

#[tokio::test]
async fn malformed_frames_are_refused_by_place_and_the_engine_serves_on() {
    let engine = Engine::start().await;
    let check = request(1, "GET", Some("user"));
    let report = ReportRequest { entries: vec![check.attributes.clone().unwrap(); 2], ..Default::default() };
    for (path, whole) in [
        ("/weir.v1.Policy/Check", check.encode_to_vec()),
        ("/weir.v1.Policy/CheckStream", check.encode_to_vec()),
        ("/weir.v1.Telemetry/Report", report.encode_to_vec()),
    ] {
        let mut raw = Raw::to(&engine, path).await;
        let mut refused = 0;
        for frame in damaged(&whole, 200) {
            if let Err(status) = raw.call(frame).await {
                refused += 1;
                assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
                let said = status.message();
                assert!(said.contains(" at offset ") || said.contains("attributes["), "{status:?}");
            }
        }
        assert!(refused > 50, "{path}: {refused}");
    }
    let mut client = PolicyClient::new(engine.channel().await);
    assert_eq!(client.check(check).await.unwrap().into_inner().decision(), Decision::Allow);
    let mut raw = Raw::to(&engine, "/weir.v1.Policy/Check").await;
    let status = raw.call(vec![0x1a, 0x04, 0x0a, 0x02, 0x0a, 0x01]).await.unwrap_err();
    assert!(status.message().starts_with("attributes.attributes.number: "), "{status:?}");
}
