//! `request.*`: from the headers as they now are, and from what is known of the request.

use weir_attributes::slot;

use super::{Encoded, fact_int, fact_text, int, map_of};
use crate::abi::Status;
use crate::headers::Headers;
use crate::transaction::Scene;

/// As Envoy: what is read from the headers is there only while the filter may see them, `open`.
pub(super) fn get(scene: &Scene, open: bool, rest: &[&str]) -> Encoded {
    let none = Headers::default();
    let (headers, facts) = (if open { &scene.request_headers } else { &none }, &scene.facts);
    let header = |name: &str| headers.first(name).map(<[u8]>::to_vec).ok_or(Status::NotFound);
    let path = || headers.first(":path").ok_or(Status::NotFound);
    match rest {
        ["headers", rest @ ..] => map_of(headers, rest),
        ["path"] => header(":path"),
        ["url_path"] => Ok(path()?.split(|byte| *byte == b'?').next().unwrap_or_default().to_vec()),
        ["query"] => {
            let whole = path()?;
            let at = whole.iter().position(|byte| *byte == b'?').map_or(whole.len(), |at| at + 1);
            let query = whole.get(at..).unwrap_or_default();
            Ok(query.split(|byte| *byte == b'#').next().unwrap_or_default().to_vec())
        }
        ["host"] => header(":authority"),
        ["scheme"] => header(":scheme"),
        ["method"] => header(":method"),
        ["referer"] => header("referer"),
        ["useragent"] => header("user-agent"),
        ["id"] => header("x-request-id"),
        ["protocol"] => fact_text(facts, slot::REQUEST_PROTOCOL),
        ["time"] => fact_int(facts, slot::REQUEST_TIME),
        ["duration"] => fact_int(facts, slot::REQUEST_DURATION),
        ["headers_bytes"] => Ok(int(headers.bytes() as i64)),
        ["size"] => match headers.first("content-length") {
            Some(told) => {
                let told = std::str::from_utf8(told).ok().and_then(|told| told.parse().ok());
                told.map(int).ok_or(Status::NotFound)
            }
            None => Ok(int(facts.int(slot::REQUEST_SIZE).unwrap_or(0))),
        },
        ["total_size"] => Ok(int(facts.int(slot::REQUEST_SIZE).unwrap_or(0) + headers.bytes() as i64)),
        // A map that cannot be listed.
        [] => Err(Status::SerializationFailure),
        _ => Err(Status::NotFound),
    }
}
