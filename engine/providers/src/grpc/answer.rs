//! A `CheckResponse` as an answer.

use envoy_types::pb::envoy::{
    config::core::v3::{HeaderValueOption, header_value_option::HeaderAppendAction},
    service::auth::v3::{CheckResponse, DeniedHttpResponse, OkHttpResponse, check_response::HttpResponse},
};
use weir_attributes::Bag;
use weir_policy::{Answer, HeaderOperation, Side, Text};

use crate::{
    Failure,
    headers::{self, Changes},
    limits::DENIAL_BODY_MAX,
};

/// What a denial is answered with that names no status.
const FORBIDDEN: u16 = 403;

/// The decision is the status: OK, also when there is none, allows; anything else denies.
pub(super) fn answer(response: CheckResponse, bag: &Bag) -> Result<Answer, Failure> {
    let code = response.status.as_ref().map_or(0, |status| status.code);
    match (code, response.http_response) {
        (_, Some(HttpResponse::ErrorResponse(error))) => {
            let status = error.status.map_or(0, |status| status.code);
            Err(Failure::Error(format!("it says that it failed, with status {status}")))
        }
        (0, Some(HttpResponse::OkResponse(ok))) => allowed(ok, bag),
        (0, _) => Ok(Answer::Allow { ttl: None, max_uses: None, headers: Vec::new() }),
        (_, Some(HttpResponse::DeniedResponse(denied))) => Ok(refused(denied)),
        (_, _) => Ok(Answer::Deny { status: FORBIDDEN, message: None, ttl: None, max_uses: None, headers: Vec::new() }),
    }
}

// Deprecated, but what this message still means by default.
#[allow(deprecated)]
fn allowed(ok: OkHttpResponse, bag: &Bag) -> Result<Answer, Failure> {
    if !ok.query_parameters_to_set.is_empty() || !ok.query_parameters_to_remove.is_empty() {
        return Err(Failure::BadAnswer("it changes the query, which is not supported: let it set a header".to_owned()));
    }
    let mut changes = Changes::default();
    for option in &ok.headers {
        let (name, value) = line(Side::Request, option)?;
        let there = bag.headers().contains(name.as_str());
        let appends = option.append.as_ref().is_some_and(|append| append.value);
        // `append` and its default, to replace, are what this message means; the newer field says more when it is set.
        changes.push(match HeaderAppendAction::try_from(option.append_action) {
            Ok(HeaderAppendAction::AddIfAbsent) if there => continue,
            Ok(HeaderAppendAction::OverwriteIfExists) if !there => continue,
            _ if appends => HeaderOperation::Append(Side::Request, name, value),
            _ => HeaderOperation::Set(Side::Request, name, value),
        })?;
    }
    for name in &ok.headers_to_remove {
        changes.push(HeaderOperation::Remove(Side::Request, headers::name(Side::Request, name)?))?;
    }
    for option in &ok.response_headers_to_add {
        let (name, value) = line(Side::Response, option)?;
        changes.push(on_response(option, name, value))?;
    }
    Ok(Answer::Allow { ttl: None, max_uses: None, headers: changes.into_inner() })
}

/// What of a denial cannot be used is left out: the request is denied all the same.
fn refused(denied: DeniedHttpResponse) -> Answer {
    let status = denied.status.and_then(|status| u16::try_from(status.code).ok()).filter(|status| *status != 0);
    let mut changes = Changes::default();
    for option in &denied.headers {
        if let Ok((name, value)) = line(Side::Response, option)
            && changes.push(on_response(option, name, value)).is_err()
        {
            break;
        }
    }
    let message = Some(Text::Shared(cut(&denied.body).into()));
    let headers = changes.into_inner();
    Answer::Deny { status: status.unwrap_or(FORBIDDEN), message, ttl: None, max_uses: None, headers }
}

// As above.
#[allow(deprecated)]
fn on_response(option: &HeaderValueOption, name: Text, value: Text) -> HeaderOperation {
    let appends = match &option.append {
        Some(append) => append.value,
        None => matches!(
            HeaderAppendAction::try_from(option.append_action),
            Ok(HeaderAppendAction::AppendIfExistsOrAdd | HeaderAppendAction::AddIfAbsent)
        ),
    };
    match appends {
        true => HeaderOperation::Append(Side::Response, name, value),
        false => HeaderOperation::Set(Side::Response, name, value),
    }
}

fn line(side: Side, option: &HeaderValueOption) -> Result<(Text, Text), Failure> {
    let Some(header) = &option.header else { return Err(Failure::BadAnswer("a header without name".to_owned())) };
    let value = if header.raw_value.is_empty() { header.value.as_bytes() } else { &header.raw_value };
    Ok((headers::name(side, &header.key)?, headers::value(&header.key, value)?))
}

/// At most [`DENIAL_BODY_MAX`] bytes, cut between characters.
pub(crate) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(DENIAL_BODY_MAX)).unwrap_or_default()
}
