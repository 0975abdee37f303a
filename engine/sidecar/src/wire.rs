//! `weir.v1` on the caller's side: bags to attributes, answers to verdicts.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, request};
use weir_attributes::{Bag, Headers, Phase, Value, vocabulary};
use weir_policy::without_parameters;
use weir_proto::v1;

/// What the engine decided on one request.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) allow: bool,
    /// Status of a deny.
    pub(crate) status: StatusCode,
    /// Body of a deny.
    pub(crate) body: Bytes,
    pub(crate) id: Arc<str>,
    pub(crate) reason: Arc<str>,
    headers: Vec<Operation>,
    response: Vec<Operation>,
    parameters: Vec<String>,
}

#[derive(Debug)]
enum Operation {
    Set(HeaderName, HeaderValue),
    Append(HeaderName, HeaderValue),
    Remove(HeaderName),
}

impl Verdict {
    /// The verdict of an answer; none when the answer cannot be obeyed. A decision that is neither allow nor deny is a
    /// deny, a status that is none is 403.
    pub(crate) fn read(answer: &mut v1::CheckResponse) -> Option<Self> {
        let allow = answer.decision() == v1::Decision::Allow;
        let status = u16::try_from(answer.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        Some(Self {
            allow,
            status: status.filter(|status| (200..600).contains(&status.as_u16())).unwrap_or(StatusCode::FORBIDDEN),
            body: std::mem::take(&mut answer.body).into(),
            id: std::mem::take(&mut answer.decision_id).into(),
            reason: std::mem::take(&mut answer.reason).into(),
            headers: Operation::read_all(&answer.headers)?,
            response: Operation::read_all(&answer.response_headers)?,
            parameters: std::mem::take(&mut answer.remove_parameters),
        })
    }

    /// Does the verdict's operations on the answer to a denied request.
    pub(crate) fn refuse(&self, headers: &mut HeaderMap) {
        Operation::apply_all(&self.headers, headers);
    }

    /// Makes an allowed request what its upstream must get; none when that is no request any more.
    #[must_use]
    pub(crate) fn admit(&self, head: &mut request::Parts) -> Option<()> {
        Operation::apply_all(&self.headers, &mut head.headers);
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        if let Some(target) = without_parameters(target, &self.parameters) {
            let mut parts = head.uri.clone().into_parts();
            parts.path_and_query = Some(target.parse().ok()?);
            head.uri = Uri::from_parts(parts).ok()?;
        }
        Some(())
    }

    /// Does the verdict's operations on the upstream's response to an allowed request.
    pub(crate) fn respond(&self, headers: &mut HeaderMap) {
        Operation::apply_all(&self.response, headers);
    }
}

impl Operation {
    fn read_all(told: &[v1::HeaderOperation]) -> Option<Vec<Self>> {
        told.iter().map(Self::read).collect()
    }

    /// Does them in order.
    fn apply_all(operations: &[Self], headers: &mut HeaderMap) {
        for operation in operations {
            match operation {
                Operation::Set(name, value) => drop(headers.insert(name, value.clone())),
                Operation::Append(name, value) => drop(headers.append(name, value.clone())),
                Operation::Remove(name) => drop(headers.remove(name)),
            }
        }
    }

    fn read(operation: &v1::HeaderOperation) -> Option<Self> {
        let name = HeaderName::from_bytes(operation.name.as_bytes()).ok()?;
        let value = || HeaderValue::from_bytes(&operation.value).ok();
        Some(match v1::header_operation::Action::try_from(operation.action).ok()? {
            v1::header_operation::Action::Set => Operation::Set(name, value()?),
            v1::header_operation::Action::Append => Operation::Append(name, value()?),
            v1::header_operation::Action::Remove => Operation::Remove(name),
        })
    }
}

/// Everything that the bag has, of that phase and earlier ones.
pub(crate) fn attributes(bag: &Bag, phase: Phase) -> v1::Attributes {
    let known = vocabulary().iter().filter(|attribute| phase == Phase::Response || attribute.phase == Phase::Request);
    let attributes = known.filter_map(|attribute| {
        use v1::attribute::Value as Wire;
        let value = match bag.get(attribute.slot)? {
            Value::String(text) => Wire::Text(text.to_owned()),
            Value::Int(number) | Value::Timestamp(number) | Value::Duration(number) => Wire::NumberValue(number),
            Value::Bool(truth) => Wire::Truth(truth),
            // Header lines have fields of their own; labels and tokens are the engine's, metadata is Envoy's.
            Value::Map(_) | Value::ListMap(_) | Value::Struct(_) => return None,
        };
        Some(v1::Attribute { number: attribute.wire, value: Some(value) })
    });
    let response = if phase == Phase::Response { lines(bag.response_headers()) } else { Vec::new() };
    v1::Attributes { attributes: attributes.collect(), headers: lines(bag.headers()), response_headers: response }
}

fn lines(headers: Headers<'_>) -> Vec<v1::Header> {
    headers.iter().map(|(name, value)| v1::Header { name: name.to_owned(), value: value.as_bytes().to_vec() }).collect()
}

/// The workload's name on the wire; none when the engine is to tell it by the address.
pub(crate) fn workload(name: &str) -> Option<v1::Workload> {
    (!name.is_empty()).then(|| v1::Workload { name: name.to_owned(), ..v1::Workload::default() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::Request;
    use weir_attributes::{by_wire, slot};

    use super::*;

    #[test]
    fn a_bag_travels_by_number_and_its_response_only_at_report() {
        let bag = Bag::builder()
            .text(slot::REQUEST_METHOD, "GET")
            .int(slot::REQUEST_TIME, 7)
            .bool(slot::CONNECTION_MTLS, false)
            .int(slot::RESPONSE_CODE, 200)
            .header("a", "1")
            .header("a", "2")
            .response_header("b", "3")
            .build();
        let check = attributes(&bag, Phase::Request);
        let names: Vec<_> = check.attributes.iter().map(|attribute| by_wire(attribute.number).unwrap().name).collect();
        assert_eq!(names, ["request.method", "request.time", "connection.mtls"]);
        assert_eq!(check.headers.iter().map(|line| line.value.as_slice()).collect::<Vec<_>>(), [b"1", b"2"]);
        assert!(check.response_headers.is_empty());
        let report = attributes(&bag, Phase::Response);
        assert_eq!(report.attributes.len(), 4);
        assert_eq!(report.response_headers.len(), 1);
    }

    #[test]
    fn an_answer_without_a_decision_is_a_deny_and_one_that_cannot_be_obeyed_is_none() {
        let verdict = Verdict::read(&mut v1::CheckResponse::default()).unwrap();
        assert!(!verdict.allow);
        assert_eq!(verdict.status, StatusCode::FORBIDDEN);
        let operation = v1::HeaderOperation { action: 0, name: "a b".to_owned(), value: Vec::new() };
        assert!(Verdict::read(&mut v1::CheckResponse { headers: vec![operation], ..Default::default() }).is_none());
        let operation = v1::HeaderOperation { action: 9, name: "a".to_owned(), value: Vec::new() };
        assert!(Verdict::read(&mut v1::CheckResponse { headers: vec![operation], ..Default::default() }).is_none());
    }

    #[test]
    fn header_operations_are_done_in_order() {
        let operation = |action, name: &str, value: &str| v1::HeaderOperation {
            action,
            name: name.to_owned(),
            value: value.as_bytes().to_vec(),
        };
        let headers = vec![operation(0, "a", "1"), operation(1, "a", "2"), operation(2, "b", "")];
        let response_headers = vec![operation(1, "c", "1"), operation(1, "c", "2")];
        let answer = v1::CheckResponse { headers, response_headers, ..Default::default() };
        let verdict = Verdict::read(&mut answer.clone()).unwrap();
        let mut request = Request::get("/").header("a", "0").header("b", "0").body(()).unwrap().into_parts().0;
        verdict.admit(&mut request).unwrap();
        assert_eq!(request.headers.get_all("a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert!(!request.headers.contains_key("b") && !request.headers.contains_key("c"));
        let mut response = HeaderMap::new();
        verdict.respond(&mut response);
        assert_eq!(response.get_all("c").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(response.len(), 2);
    }

    #[test]
    fn parameters_are_taken_out_of_the_request_by_the_names_that_they_have_there() {
        let remove_parameters = vec!["access%5Ftoken".to_owned(), "t".to_owned()];
        let mut answer = v1::CheckResponse { remove_parameters, ..Default::default() };
        let verdict = Verdict::read(&mut answer).unwrap();
        for (uri, expected) in [
            ("/p?z=1&access%5Ftoken=x&a=%26&t=2", "/p?z=1&a=%26"),
            ("http://shop.example/?t=1", "http://shop.example/"),
            ("/p?access_token=x", "/p?access_token=x"),
        ] {
            let mut request = Request::get(uri).body(()).unwrap().into_parts().0;
            verdict.admit(&mut request).unwrap();
            assert_eq!(request.uri, expected);
        }
    }
}
