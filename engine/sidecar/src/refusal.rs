//! The answers that the sidecar gives itself, all of them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::body::Content;

/// Why the sidecar answers itself: a status, a word for `x-weir-reason`, metrics and logs, and Envoy's short flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
    pub(crate) flag: &'static str,
}

const fn bad(reason: &'static str) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, reason, flag: "DPE" }
}

const fn away(status: StatusCode, reason: &'static str, flag: &'static str) -> Refusal {
    Refusal { status, reason, flag }
}

/// `CONNECT`: this is no forward proxy.
pub(crate) const CONNECT: Refusal = Refusal { status: StatusCode::METHOD_NOT_ALLOWED, ..bad("connect-not-supported") };
/// A method of HTTP/1 that no policy means, such as `get`.
pub(crate) const UNKNOWN_METHOD: Refusal = bad("unknown-method");
/// An upgrade other than to HTTP/2, which may be ignored.
pub(crate) const UPGRADE: Refusal = bad("upgrade-not-supported");
/// `Expect` of something else than `100-continue`.
pub(crate) const EXPECT: Refusal =
    Refusal { status: StatusCode::EXPECTATION_FAILED, ..bad("expectation-not-supported") };
/// No `Host` and no `:authority`.
pub(crate) const NO_HOST: Refusal = bad("no-host");
/// More than one `Host`, or `Host` and target name different hosts.
pub(crate) const SEVERAL_HOSTS: Refusal = bad("several-hosts");
/// A host that is not `HOST` or `HOST:PORT`; user information counts as such.
pub(crate) const INVALID_HOST: Refusal = bad("invalid-host");
/// `Connection` names a header that frames or routes the message.
pub(crate) const CONNECTION_NAMES: Refusal = bad("connection-names-host-or-length");
/// A header value that is not UTF-8: no policy could see it as the upstream would.
pub(crate) const NOT_UTF8: Refusal = bad("header-not-utf8");
/// A path that cannot be normalized.
pub(crate) const INVALID_PATH: Refusal = bad("invalid-path");
/// More header lines than the limit (HTTP/2; in HTTP/1.1 the parser says so itself).
pub(crate) const TOO_MANY_HEADERS: Refusal =
    Refusal { status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, ..bad("too-many-headers") };
/// The engine could not be asked, or not in time.
pub(crate) const ENGINE_UNAVAILABLE: Refusal = away(StatusCode::SERVICE_UNAVAILABLE, "engine-unavailable", "UAEX");
/// The engine's answer cannot be obeyed.
pub(crate) const ENGINE_ANSWER: Refusal = away(StatusCode::SERVICE_UNAVAILABLE, "engine-answer-invalid", "UAEX");
/// The upstream refused the connection.
pub(crate) const UPSTREAM_CONNECT: Refusal = away(StatusCode::SERVICE_UNAVAILABLE, "upstream-connection-failure", "UF");
/// The upstream did not accept the connection in time.
pub(crate) const UPSTREAM_CONNECT_TIMEOUT: Refusal =
    away(StatusCode::SERVICE_UNAVAILABLE, "upstream-connection-timeout", "UF");
/// The upstream closed the connection before its response.
pub(crate) const UPSTREAM_CLOSED: Refusal = away(StatusCode::SERVICE_UNAVAILABLE, "upstream-closed", "UC");
/// The upstream's response is not HTTP.
pub(crate) const UPSTREAM_PROTOCOL: Refusal = away(StatusCode::BAD_GATEWAY, "upstream-protocol-error", "UPE");
/// The upstream did not respond in time.
pub(crate) const UPSTREAM_TIMEOUT: Refusal = away(StatusCode::GATEWAY_TIMEOUT, "upstream-timeout", "UT");
/// The client's own body broke off.
pub(crate) const BODY_BROKE: Refusal = bad("request-body-broke-off");
/// A filter removed a header that a request needs, or wrote one that is none; as Envoy says it.
pub(crate) const FILTER_HEADERS: Refusal = away(StatusCode::SERVICE_UNAVAILABLE, "filter-broke-headers", "");
/// A filter broke the request off; the client sees no answer.
pub(crate) const FILTER_RESET: Refusal = away(StatusCode::SERVICE_UNAVAILABLE, "filter-reset", "LR");

/// How many there are.
pub(crate) const COUNT: usize = 21;
/// All of them: their places are the places of their counters.
pub(crate) const ALL: [Refusal; COUNT] = [
    CONNECT,
    UNKNOWN_METHOD,
    UPGRADE,
    EXPECT,
    NO_HOST,
    SEVERAL_HOSTS,
    INVALID_HOST,
    CONNECTION_NAMES,
    NOT_UTF8,
    INVALID_PATH,
    TOO_MANY_HEADERS,
    ENGINE_UNAVAILABLE,
    ENGINE_ANSWER,
    UPSTREAM_CONNECT,
    UPSTREAM_CONNECT_TIMEOUT,
    UPSTREAM_CLOSED,
    UPSTREAM_PROTOCOL,
    UPSTREAM_TIMEOUT,
    BODY_BROKE,
    FILTER_HEADERS,
    FILTER_RESET,
];

impl Refusal {
    /// The answer: the reason as a header and as a line of text.
    pub(crate) fn answer(&self) -> Response<Content> {
        let mut response = text(self.status, Bytes::from_static(self.reason.as_bytes()));
        response.headers_mut().insert("x-weir-reason", HeaderValue::from_static(self.reason));
        response
    }
}

/// An answer with a text body.
pub(crate) fn text(status: StatusCode, body: Bytes) -> Response<Content> {
    let mut response = Response::new(if body.is_empty() { Content::Empty } else { Content::Whole(Some(body)) });
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_refusal() {
        let reasons: std::collections::BTreeSet<_> = ALL.iter().map(|refusal| refusal.reason).collect();
        assert_eq!(reasons.len(), ALL.len());
    }
}
