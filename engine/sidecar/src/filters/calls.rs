//! Carries out the HTTP calls of filters. What goes wrong on the way is answered as Envoy's router would.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::Request;
use tokio::time::timeout;
use weir_proxy_wasm::{CALL_BODY_BYTES_MAX, CallAnswer, CallResponse, Calls, Headers, HttpCall, Vm};

use super::{Lane, convert, pump};
use crate::{body::RequestBody, refusal, refusal::Refusal, upstream::Upstream};

/// Carries out calls until the filter is gone for good.
pub(super) async fn carry(lane: Arc<Lane>, vm: Arc<Vm>, mut calls: Calls) {
    while let Some(call) = calls.next().await {
        let (lane, vm) = (Arc::clone(&lane), Arc::clone(&vm));
        // Bounded: a filter has so many calls in flight and no more.
        tokio::spawn(async move {
            let (token, id, time) = (call.token, call.id(), call.timeout);
            let answer = match lane.upstreams.get(&call.upstream) {
                Some(upstream) => match timeout(time, ask(upstream, call)).await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(refusal)) => Some(away(&refusal)),
                    Err(_) => Some(away(&refusal::UPSTREAM_TIMEOUT)),
                },
                None => None,
            };
            vm.answer(token, &id, answer).await;
        });
    }
}

async fn ask(upstream: &Upstream, call: HttpCall) -> Result<CallAnswer, Refusal> {
    let (mut head, ()) = Request::new(()).into_parts();
    convert::to_request(&call.headers, &mut head)?;
    crate::sanitize::remove_hop_by_hop(&mut head.headers);
    head.headers.remove(http::header::CONTENT_LENGTH);
    let responded = upstream.send(head, RequestBody::whole(call.body)).await?;
    let (head, mut body) = responded.response.into_parts();
    let mut answer = CallResponse { headers: convert::of_response(&head), ..CallResponse::default() };
    let mut whole = BytesMut::new();
    while let Some(frame) = pump::next(&mut body).await {
        let Ok(frame) = frame else { return Ok(None) };
        match frame.into_data() {
            Ok(data) if whole.len() + data.len() > CALL_BODY_BYTES_MAX => return Ok(None),
            Ok(data) => whole.extend_from_slice(&data),
            Err(other) => {
                if let Ok(trailers) = other.into_trailers() {
                    answer.trailers = convert::of_trailers(&trailers);
                }
            }
        }
    }
    if let Some(returning) = responded.returning {
        upstream.put_back(returning);
    }
    answer.body = whole.freeze();
    Ok(Some(answer))
}

/// The response that Envoy makes up when it has none.
fn away(refusal: &Refusal) -> CallResponse {
    let body = match *refusal {
        refusal::UPSTREAM_TIMEOUT => "upstream request timeout",
        _ => "upstream connect error or disconnect/reset before headers",
    };
    let mut headers = Headers::default();
    headers.push(":status", refusal.status.as_str().as_bytes());
    headers.push("content-length", body.len().to_string().as_bytes());
    headers.push("content-type", b"text/plain");
    CallResponse { headers, body: Bytes::from_static(body.as_bytes()), trailers: Headers::default() }
}
