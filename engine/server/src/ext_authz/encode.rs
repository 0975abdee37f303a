//! A verdict as `envoy.service.auth.v3.CheckResponse`, written field by field: the shape is always the same.
//!
//! Every answer has a status, because Envoy takes one without for an OK. The dynamic metadata stands in Envoy under
//! `envoy.filters.http.ext_authz` and comes back with the access log entry.

use weir_attributes::{Json, Struct};
use weir_policy::{Claim, Decision, HeaderOperation, Side, Verdict};
use weir_runtime::Said;

use crate::wire::Writer;

/// The header of a denial that carries the decision id.
pub(crate) const DECISION_ID: &str = "x-weir-decision-id";
/// The names of the dynamic metadata.
pub(crate) mod metadata {
    pub(crate) const DECISION_ID: &str = "decision_id";
    pub(crate) const DECISION: &str = "decision";
    pub(crate) const REASON: &str = "reason";
    /// The names of the context extensions that tell the workload, and of what goes back.
    pub(crate) const WORKLOAD: [&str; 3] = ["weir.workload", "weir.namespace", "weir.labels"];
}

/// gRPC's PERMISSION_DENIED.
const PERMISSION_DENIED: u64 = 7;
/// `HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD`.
const OVERWRITE: u64 = 2;

/// What becomes of the lines of that name that are there (measured on Envoy 1.40).
#[derive(Clone, Copy)]
enum Lines {
    /// The new one takes their place.
    Replaced,
    /// The new one joins them: what the response's headers do by default.
    Kept,
    /// The same for the request's, which Envoy replaces unless the older `append` says otherwise. It then does nothing where
    /// there is no line, but a verdict appends to lines that are there alone.
    Joined,
}

/// Enough for an answer without a long message.
const USUAL: usize = 256;

/// The answer as a message, with `prefix` bytes left free in front.
///
/// What the proxy said about the workload goes back with the metadata: the access log entry then says it again.
/// What check adapters said for other filters stands under the name of the plugin.
pub(crate) fn encode(verdict: &Verdict, id: &str, said: &[Said], claim: &Claim<'_>, prefix: usize) -> Vec<u8> {
    let mut answer = Writer::with_capacity(USUAL);
    answer.reserve_prefix(prefix);
    match verdict.decision {
        Decision::Allow => {
            answer.message_field(1, |_| {});
            answer.message_field(3, |ok| allowed(verdict, ok));
        }
        Decision::Deny => {
            answer.message_field(1, |status| status.varint_field(1, PERMISSION_DENIED));
            answer.message_field(2, |denied| refused(verdict, id, denied));
        }
    }
    answer.message_field(4, |metadata| {
        string(metadata, metadata::DECISION_ID, id);
        string(metadata, metadata::DECISION, verdict.decision.as_str());
        string(metadata, metadata::REASON, verdict.reason.code.as_str());
        for said in said.iter().filter(|said| !said.metadata.is_empty()) {
            entry(metadata, &said.plugin, |value| value.message_field(5, |inner| fields(inner, &said.metadata)));
        }
        let told = [claim.workload, claim.namespace, claim.labels];
        for (name, told) in metadata::WORKLOAD.into_iter().zip(told) {
            if let Some(told) = told {
                string(metadata, name, told);
            }
        }
    });
    answer.into_bytes()
}

/// `OkHttpResponse`. It has no way to remove a header from the response.
fn allowed(verdict: &Verdict, ok: &mut Writer) {
    for operation in &verdict.headers {
        match operation {
            HeaderOperation::Set(Side::Request, name, value) => {
                header(ok, 2, name.as_str(), value.as_str(), Lines::Replaced)
            }
            HeaderOperation::Append(Side::Request, name, value) => {
                header(ok, 2, name.as_str(), value.as_str(), Lines::Joined)
            }
            HeaderOperation::Remove(Side::Request, name) => ok.bytes_field(5, name.as_str().as_bytes()),
            HeaderOperation::Set(Side::Response, name, value) => {
                header(ok, 6, name.as_str(), value.as_str(), Lines::Replaced)
            }
            HeaderOperation::Append(Side::Response, name, value) => {
                header(ok, 6, name.as_str(), value.as_str(), Lines::Kept)
            }
            HeaderOperation::Remove(Side::Response, _) => {}
        }
    }
    for parameter in &verdict.parameters {
        ok.bytes_field(8, parameter.as_str().as_bytes());
    }
}

/// `DeniedHttpResponse`: the request goes nowhere, so only the headers of the answer matter.
fn refused(verdict: &Verdict, id: &str, denied: &mut Writer) {
    denied.message_field(1, |status| status.varint_field(1, u64::from(verdict.status)));
    header(denied, 2, DECISION_ID, id, Lines::Replaced);
    for operation in &verdict.headers {
        match operation {
            HeaderOperation::Set(Side::Response, name, value) => {
                header(denied, 2, name.as_str(), value.as_str(), Lines::Replaced)
            }
            HeaderOperation::Append(Side::Response, name, value) => {
                header(denied, 2, name.as_str(), value.as_str(), Lines::Kept)
            }
            _ => {}
        }
    }
    denied.bytes_field(3, verdict.message.as_str().as_bytes());
}

/// `HeaderValueOption`.
fn header(message: &mut Writer, field: u32, name: &str, value: &str, lines: Lines) {
    message.message_field(field, |option| {
        option.message_field(1, |header| {
            header.bytes_field(1, name.as_bytes());
            header.bytes_field(2, value.as_bytes());
        });
        match lines {
            Lines::Replaced => option.varint_field(3, OVERWRITE),
            Lines::Joined => option.message_field(2, |append| append.varint_field(1, 1)),
            Lines::Kept => {}
        }
    });
}

/// An entry of a `google.protobuf.Struct` whose value is a string.
fn string(fields: &mut Writer, name: &str, value: &str) {
    entry(fields, name, |inner| inner.bytes_field(3, value.as_bytes()));
}

/// An entry of a `google.protobuf.Struct`; `write` writes its `Value`.
fn entry(fields: &mut Writer, name: &str, write: impl FnOnce(&mut Writer)) {
    fields.message_field(1, |entry| {
        entry.bytes_field(1, name.as_bytes());
        entry.message_field(2, write);
    });
}

/// The entries of a `google.protobuf.Struct`. How deep they nest is bounded by what a [`Struct`] may hold.
fn fields(message: &mut Writer, of: &Struct) {
    for (name, value) in of.iter() {
        entry(message, name, |inner| json(inner, value));
    }
}

/// A `google.protobuf.Value`.
fn json(message: &mut Writer, value: &Json) {
    match value {
        Json::Null => message.varint_field(1, 0),
        Json::Int(number) => message.double_field(2, *number as f64),
        Json::Double(number) => message.double_field(2, *number),
        Json::String(text) => message.bytes_field(3, text.as_bytes()),
        Json::Bool(truth) => message.varint_field(4, u64::from(*truth)),
        Json::Map(map) => message.message_field(5, |inner| fields(inner, map)),
        Json::List(list) => message.message_field(6, |inner| {
            list.items().iter().for_each(|item| inner.message_field(1, |value| json(value, item)));
        }),
    }
}

#[cfg(test)]
mod tests;
