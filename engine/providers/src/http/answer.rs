//! A response as an answer.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use tokio::time::{Instant, timeout_at};
use weir_attributes::is_framing;
use weir_policy::{Answer, HeaderNames, HeaderOperation, HttpExchange, Side, Text};

use crate::{
    Failure,
    headers::{self, Changes},
    limits::DENIAL_BODY_MAX,
};

/// The header of an allow by which Envoy lets an authorizer remove request headers.
const TO_REMOVE: &str = "x-envoy-auth-headers-to-remove";

/// Headers of a denial that the client always gets.
const ALWAYS: [&str; 2] = ["location", "www-authenticate"];

/// 200 allows, 5xx is no answer, everything else denies.
pub(super) async fn answer<B>(response: Response<B>, exchange: &HttpExchange, until: Instant) -> Result<Answer, Failure>
where
    B: http_body_util::BodyExt<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = response.into_parts();
    if head.status == StatusCode::OK {
        return allowed(&head.headers, exchange);
    }
    if head.status.is_server_error() {
        return Err(Failure::Error(format!("status {}", head.status)));
    }
    // The decision is known: a body that does not come in time, or is too long, changes nothing.
    let body = match timeout_at(until, Limited::new(body, DENIAL_BODY_MAX).collect()).await {
        Ok(Ok(body)) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        _ => String::new(),
    };
    let headers = refused(&head.headers, exchange);
    let message = Some(Text::Shared(body.into()));
    Ok(Answer::Deny { status: head.status.as_u16(), message, ttl: None, max_uses: None, headers })
}

fn allowed(answered: &HeaderMap, exchange: &HttpExchange) -> Result<Answer, Failure> {
    let mut changes = Changes::default();
    for removed in answered.get_all(TO_REMOVE) {
        let names = removed.to_str().map_err(|_| Failure::BadAnswer(format!("{TO_REMOVE} is not text")))?;
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            changes.push(HeaderOperation::Remove(Side::Request, headers::name(Side::Request, name)?))?;
        }
    }
    let listed = |names: &HeaderNames, name: &str| names.contains(name) && !is_framing(name);
    for name in answered.keys() {
        if listed(&exchange.upstream_on_allow, name.as_str()) {
            replace(Side::Request, name.as_str(), answered, &mut changes)?;
        }
        if listed(&exchange.downstream_on_allow, name.as_str()) {
            for value in answered.get_all(name) {
                let value = headers::value(name.as_str(), value.as_bytes())?;
                changes.push(HeaderOperation::Append(
                    Side::Response,
                    headers::name(Side::Response, name.as_str())?,
                    value,
                ))?;
            }
        }
    }
    Ok(Answer::Allow { ttl: None, max_uses: None, headers: changes.into_inner() })
}

/// What cannot be used of it is left out: the request is denied all the same.
fn refused(answered: &HeaderMap, exchange: &HttpExchange) -> Vec<HeaderOperation> {
    let names = &exchange.downstream_on_deny;
    let listed = |name: &str| names.is_empty() || names.contains(name) || ALWAYS.contains(&name);
    let mut changes = Changes::default();
    for name in answered.keys().map(http::HeaderName::as_str).filter(|name| listed(name) && !is_framing(name)) {
        // Only an unreadable value or one too many: both are left out.
        let _ = replace(Side::Response, name, answered, &mut changes);
    }
    changes.into_inner()
}

/// All lines of that name, in place of what was there.
fn replace(side: Side, name: &str, answered: &HeaderMap, changes: &mut Changes) -> Result<(), Failure> {
    let known = headers::name(side, name)?;
    for (index, value) in answered.get_all(name).iter().enumerate() {
        let value = headers::value(name, value.as_bytes())?;
        changes.push(match index {
            0 => HeaderOperation::Set(side, known.clone(), value),
            _ => HeaderOperation::Append(side, known.clone(), value),
        })?;
    }
    Ok(())
}
