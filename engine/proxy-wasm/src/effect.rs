//! What a filter wants done outside of its virtual machine.

use std::time::Duration;

use bytes::Bytes;

use crate::headers::Headers;

/// A filter answers the request itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalResponse {
    /// HTTP status.
    pub status: u32,
    /// Why, for logs; often empty.
    pub details: String,
    /// Headers to add.
    pub headers: Headers,
    /// The body; empty for none.
    pub body: Bytes,
    /// gRPC status for a gRPC client; none: derived from the HTTP status.
    pub grpc_status: Option<u32>,
}

impl LocalResponse {
    /// What Envoy answers for a filter that failed.
    pub(crate) fn failed() -> Self {
        Self {
            status: 503,
            details: "wasm_fail_stream".to_owned(),
            headers: Headers::default(),
            body: Bytes::new(),
            grpc_status: Some(14),
        }
    }

    /// What Envoy answers when a body is longer than may be held back.
    pub(crate) fn too_large(request: bool) -> Self {
        let (status, details, body) = match request {
            true => (413, "request_payload_too_large", "Payload Too Large"),
            false => (500, "response_payload_too_large", "Internal Server Error"),
        };
        Self {
            status,
            details: details.to_owned(),
            headers: Headers::default(),
            body: Bytes::from_static(body.as_bytes()),
            grpc_status: None,
        }
    }
}

/// A filter asks an upstream something; hand the answer to [`crate::Vm::answer`].
#[derive(Debug)]
pub struct HttpCall {
    /// Which call it is.
    pub token: u32,
    /// Of which generation of the virtual machine.
    pub(crate) generation: u64,
    /// One of the upstreams that the filter's specification names.
    pub upstream: String,
    /// With `:method`, `:path` and `:authority`.
    pub headers: Headers,
    /// The body, at most [`crate::CALL_BODY_BYTES_MAX`].
    pub body: Bytes,
    /// Trailers, most often none.
    pub trailers: Headers,
    /// How long it may take; at most [`crate::CALL_TIME_MAX`].
    pub timeout: Duration,
}

/// What became of a call; none when the response broke off.
pub type CallAnswer = Option<CallResponse>;

/// A response to a call.
#[derive(Clone, Debug, Default)]
pub struct CallResponse {
    /// With `:status`.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
    /// Trailers, most often none.
    pub trailers: Headers,
}
