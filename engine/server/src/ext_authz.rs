//! `envoy.service.auth.v3.Authorization`: Envoy's question whether a request may pass.
//!
//! | Envoy sends | attribute |
//! |---|---|
//! | `request.http.header_map`, else `headers` | `request.headers`; lines that only `headers` tells are in doubt |
//! | `request.http.{method, path, host, scheme, protocol}` | the same under `request.`; a `query` of its own is appended |
//! | header `x-request-id`, else `request.http.id` | `request.id` |
//! | header `content-length`, else a positive `request.http.size` | `request.size` |
//! | `source.principal` | with `spiffe://`: `source.principal`; anything else only shows that there was a certificate |
//! | `source.address`, `destination.address` | `ip:port`; a pipe or an address inside Envoy is absent |
//! | `destination.principal` | `destination.principal`, and the workload |
//! | `context_extensions` `weir.workload`, `weir.namespace`, `weir.labels` | the workload |
//! | `tls_session.sni` | `connection.requested_server_name` |
//!
//! A `body` or `raw_body` is kept for external authorizers alone. A `grpc-timeout` is how long the proxy waits: what is
//! asked for its check ends by then. The proxy is called by the gRPC metadata `x-weir-proxy` when its `grpc_service` sets
//! `initial_metadata`, else by its address.

mod decode;
mod encode;
mod fill;

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use weir_runtime::{CHECK_TIME_MAX, Door, Runtime};

use crate::grpc::{Answer, PREFIX, Refused, framed, receive};

pub(crate) use encode::{DECISION_ID, metadata};

/// The metadata by which a proxy names itself.
const PROXY: &str = "x-weir-proxy";
/// Bytes of a proxy's name.
pub(crate) const PROXY_MAX: usize = 256;

/// The door for Envoy's checks.
#[derive(Debug)]
pub(crate) struct ExtAuthz {
    pub(crate) runtime: Arc<Runtime>,
}

impl ExtAuthz {
    /// Answers one call. Only a frame that cannot be read gets a bare status; everything else gets a verdict.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: &str) -> Response<Answer> {
        let (head, body) = request.into_parts();
        let named = head.headers.get(PROXY).and_then(|name| name.to_str().ok());
        let proxy = named.filter(|name| !name.is_empty() && name.len() <= PROXY_MAX).unwrap_or(peer);
        match receive(body).await {
            Ok(frame) => self.check(&frame, proxy, timeout(&head.headers)).await,
            Err(refused) => self.refuse(refused),
        }
    }

    async fn check(&self, frame: &[u8], proxy: &str, patience: Duration) -> Response<Answer> {
        let facts = match decode::decode(frame) {
            Ok(facts) => facts,
            Err(fault) => return self.refuse(Refused::invalid(fault.to_string())),
        };
        let claim = facts.claim();
        let checked = match facts.fill(frame.len()) {
            (bag, None) => self.runtime.check_within(patience, bag, &claim, Door::ExtAuthz, proxy).await,
            (bag, Some(refusal)) => self.runtime.refuse(bag, refusal.verdict(), Door::ExtAuthz),
        };
        framed(encode::encode(&checked.verdict, &checked.id.to_string(), &checked.said, &claim, PREFIX))
    }

    fn refuse(&self, refused: Refused) -> Response<Answer> {
        self.runtime.count_frame_error(Door::ExtAuthz);
        refused.into_response()
    }
}

/// How long the caller waits, by gRPC's header: at most eight digits and a unit. Without a readable one, as long as any check
/// may take.
fn timeout(headers: &HeaderMap) -> Duration {
    let read = |text: &str| {
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
        Some(match unit {
            "H" => Duration::from_secs(number * 3600),
            "M" => Duration::from_secs(number * 60),
            "S" => Duration::from_secs(number),
            "m" => Duration::from_millis(number),
            "u" => Duration::from_micros(number),
            "n" => Duration::from_nanos(number),
            _ => return None,
        })
    };
    let told = headers.get("grpc-timeout").and_then(|value| value.to_str().ok());
    told.and_then(read).unwrap_or(CHECK_TIME_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_patience_is_read_as_grpc_writes_it() {
        let table = [
            ("250m", Duration::from_millis(250)),
            ("3S", Duration::from_secs(3)),
            ("90000u", Duration::from_millis(90)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("1M", Duration::from_secs(60)),
            ("123456789S", CHECK_TIME_MAX),
            ("", CHECK_TIME_MAX),
            ("m", CHECK_TIME_MAX),
            ("-1S", CHECK_TIME_MAX),
            ("5x", CHECK_TIME_MAX),
        ];
        for (text, expected) in table {
            let headers = [(http::HeaderName::from_static("grpc-timeout"), text.parse().unwrap())];
            assert_eq!(timeout(&headers.into_iter().collect()), expected, "{text}");
        }
    }
}
