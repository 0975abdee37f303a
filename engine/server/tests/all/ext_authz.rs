use std::collections::HashMap;

use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext, CheckRequest, CheckResponse,
    attribute_context::{HttpRequest, Request},
    authorization_client::AuthorizationClient,
    check_response::HttpResponse,
};
use prost::Message as _;
use tonic::Code;

use crate::{
    engine::Engine,
    raw::{Raw, damaged},
};

pub(crate) fn check(method: &str, headers: &[(&str, &str)]) -> CheckRequest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let http = HttpRequest { method: method.into(), path: "/items".into(), headers, ..Default::default() };
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(Request { http: Some(http), time: None }),
            ..Default::default()
        }),
    }
}

/// HTTP status, body and decision id of a denial; none for an OK.
fn denied(response: CheckResponse) -> Option<(i32, String, String)> {
    let code = response.status.expect("an answer has a status").code;
    match response.http_response.expect("an answer says what to do") {
        HttpResponse::OkResponse(_) => {
            assert_eq!(code, 0);
            None
        }
        HttpResponse::DeniedResponse(denied) => {
            assert_eq!(code, 7);
            let id = denied.headers[0].header.clone().unwrap();
            assert_eq!(id.key, "x-weir-decision-id");
            Some((denied.status.unwrap().code, denied.body, id.value))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn envoys_question_gets_the_policies_answer() {
    let engine = Engine::start().await;
    let mut client = AuthorizationClient::new(engine.channel().await);
    for (request, expected) in [
        (check("GET", &[]), None),
        (check("POST", &[]), Some((403, "RBAC: access denied"))),
        (check("GET", &[("x-role", "admin")]), Some((403, "RBAC: access denied"))),
        // Joined lines are in doubt: one of them may be `admin`.
        (check("GET", &[("x-role", "user,admin")]), Some((403, "RBAC: access denied"))),
        (check("GET", &[("x-role", "user")]), None),
        (check("GET", &[("x-bad", "a\r\nx-role: admin")]), Some((400, "bad request"))),
        (check("", &[]), Some((400, "bad request"))),
        (CheckRequest::default(), Some((400, "bad request"))),
    ] {
        let answer = denied(client.check(request.clone()).await.unwrap().into_inner());
        let (status, body) = answer.as_ref().map_or((0, ""), |(status, body, _)| (*status, body.as_str()));
        assert_eq!((status, body), expected.unwrap_or((0, "")), "{request:?}");
        if let Some((_, _, id)) = answer {
            assert_eq!(id.len(), 32);
        }
    }
}

#[tokio::test]
async fn a_workload_that_nobody_knows_is_denied() {
    let engine = Engine::start().await;
    let mut client = AuthorizationClient::new(engine.channel().await);
    let mut request = check("GET", &[]);
    request.attributes.as_mut().unwrap().context_extensions =
        HashMap::from([("weir.workload".to_owned(), "shop/nobody".to_owned())]);
    assert_eq!(denied(client.check(request).await.unwrap().into_inner()).unwrap().0, 403);
}

#[tokio::test]
async fn malformed_frames_are_refused_by_place_and_the_engine_serves_on() {
    let engine = Engine::start().await;
    let whole = check("GET", &[("x-role", "user"), ("accept", "*/*")]).encode_to_vec();
    let mut raw = Raw::to(&engine, "/envoy.service.auth.v3.Authorization/Check").await;
    let mut refused = 0;
    for frame in damaged(&whole, 400) {
        match raw.call(frame).await {
            Ok(answer) => drop(CheckResponse::decode(answer).unwrap().status.unwrap()),
            Err(status) => {
                refused += 1;
                assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
                assert!(status.message().contains("at offset"), "{status:?}");
            }
        }
    }
    assert!(refused > 100, "{refused}");
    let mut client = AuthorizationClient::new(engine.channel().await);
    assert!(denied(client.check(check("GET", &[])).await.unwrap().into_inner()).is_none());
    let counted = format!("weir_frame_errors_total{{door=\"ext_authz\"}} {refused}");
    assert!(engine.metrics().await.contains(&counted));
}
