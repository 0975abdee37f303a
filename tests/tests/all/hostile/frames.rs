//! Protobuf: damaged messages in good frames, and damaged frames, on the gRPC port.

use super::{generator, inputs, serves_on};
use crate::envoy_api;
use crate::story::{allow, deny, workload};
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};
use weir_tests::client::Caller;
use weir_tests::house::Plan;

/// The doors that take one message and give one.
const DOORS: [&str; 2] = ["/envoy.service.auth.v3.Authorization/Check", "/weir.v1.Policy/Check"];

/// A codec that does not look: bytes out, bytes in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

fn plan() -> Plan {
    Plan::empty()
        .document("cart.yaml", &workload("cart", "shop"))
        .document("open.yaml", &allow("open", "shop", "/open"))
        .document("closed.yaml", &deny("closed", "shop", "/closed"))
        .plaintext()
}

#[tokio::test]
async fn a_damaged_message_is_refused_with_field_and_offset() {
    let mut house = plan().start().await.unwrap();
    let mut random = generator(4);
    let seeds = [
        envoy_api::request("GET", "/closed", &[("x-a", "b"), ("cookie", "c=d")]).encode_to_vec(),
        native().encode_to_vec(),
    ];
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", house.engine.grpc().unwrap())).unwrap();
    let mut client = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
    let mut refused = 0;
    for at in 0..inputs() {
        let door = at % DOORS.len();
        let bytes = match random.below(6) {
            0 => random.bytes(at % 64 + 1),
            _ => random.damage(&seeds[door]),
        };
        client.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(DOORS[door]);
        let answer = client.unary(Request::new(Bytes::from(bytes.clone())), path, Raw).await;
        match answer {
            // Damage may leave a message whole, or another message: then it is answered like any other, and denied.
            Ok(answer) => never_allows(door, &answer.into_inner(), &bytes),
            Err(status) => {
                refused += 1;
                let text = status.message();
                assert_eq!(status.code(), Code::InvalidArgument, "input {at}: {text}");
                assert!(text.contains("offset"), "input {at} does not say where: {text}");
            }
        }
    }
    assert!(refused >= inputs() / 4, "only {refused} messages were refused");
    serves_on(&mut house).await;
}

fn native() -> weir_proto::v1::CheckRequest {
    use weir_proto::v1::{Attribute, Attributes, Header, Workload, attribute::Value};
    let text = |number, text: &str| Attribute { number, value: Some(Value::Text(text.into())) };
    weir_proto::v1::CheckRequest {
        workload: Some(Workload { name: "shop/cart".into(), ..Workload::default() }),
        attributes: Some(Attributes {
            attributes: vec![text(1, "GET"), text(2, "/closed"), text(5, "cart.shop.test")],
            headers: vec![Header { name: "x-a".into(), value: b"b".to_vec() }],
            ..Attributes::default()
        }),
        proxy: "hostile".into(),
        ..weir_proto::v1::CheckRequest::default()
    }
}

/// `/closed` is denied, and so is everything but exactly `/open`.
fn never_allows(door: usize, answer: &[u8], bytes: &[u8]) {
    let opened = bytes.windows(5).any(|window| window == b"/open");
    let allowed = if door == 0 {
        let answer = envoy_types::pb::envoy::service::auth::v3::CheckResponse::decode(answer).unwrap();
        answer.status.expect("an answer always has a status").code == 0
    } else {
        let answer = weir_proto::v1::CheckResponse::decode(answer).unwrap();
        answer.decision() == weir_proto::v1::Decision::Allow
    };
    assert!(!allowed || opened, "allowed by damage: {bytes:?}");
}

#[tokio::test]
async fn damaged_frames_end_their_connection_only() {
    let mut house = plan().start().await.unwrap();
    let mut random = generator(5);
    let mut good = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // SETTINGS, then HEADERS of nonsense, then DATA with a gRPC frame that promises more than it has.
    good.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    good.extend([0, 0, 4, 1, 4, 0, 0, 0, 1, 0x83, 0x86, 0x84, 0x41]);
    good.extend([0, 0, 8, 0, 1, 0, 0, 0, 1, 0, 255, 255, 255, 255, 10, 3, 1]);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..inputs() {
        let caller = Caller::to(house.engine.grpc().unwrap());
        let bytes = random.damage(&good);
        waiting.spawn(async move { caller.raw(&bytes).await.map(|_| ()).map_err(|trouble| trouble.to_string()) });
        if waiting.len() >= 32 {
            waiting.join_next().await.unwrap().unwrap().unwrap();
        }
    }
    while let Some(done) = waiting.join_next().await {
        done.unwrap().unwrap();
    }
    serves_on(&mut house).await;
}
