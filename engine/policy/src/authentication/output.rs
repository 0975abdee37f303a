//! Headers that tell the workload what a token says. Nobody else may write them.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use weir_attributes::{Bag, Json};

use super::JwtRule;
use crate::verdict::{HeaderOperation, Side, Text};

/// A header that gets one claim.
#[derive(Clone, Debug)]
pub(crate) struct ClaimHeader {
    /// In lower case.
    pub(crate) header: Arc<str>,
    pub(crate) path: Box<[Box<str>]>,
}

/// The names of all such headers, in lower case.
#[derive(Debug, Default)]
pub(super) struct Outputs(Box<[Arc<str>]>);

impl Outputs {
    pub(super) fn of(rules: &[Arc<JwtRule>]) -> Self {
        let claims = |rule: &JwtRule| rule.claim_headers.iter().map(|claim| claim.header.clone()).collect::<Vec<_>>();
        let mut names: Vec<Arc<str>> =
            rules.iter().flat_map(|rule| rule.payload_header.iter().cloned().chain(claims(rule))).collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }

    /// Removes what a client may have written into them.
    pub(super) fn clear(&self, bag: &mut Bag) -> Vec<HeaderOperation> {
        let remove = |name: &Arc<str>| {
            bag.remove_header(name);
            HeaderOperation::Remove(Side::Request, Text::Shared(name.clone()))
        };
        self.0.iter().map(remove).collect()
    }
}

/// Adds an operation in the place of the removal of the same header: a proxy may do removals last.
pub(super) fn put(headers: &mut Vec<HeaderOperation>, operation: HeaderOperation) {
    if let HeaderOperation::Set(_, name, _) = &operation {
        headers.retain(|other| match other {
            HeaderOperation::Remove(_, removed) | HeaderOperation::Set(_, removed, _) => removed != name,
            HeaderOperation::Append(..) => true,
        });
    }
    headers.push(operation);
}

/// A claim as a header has it: texts, numbers and truth values as they are, lists and maps as base64 of their JSON. None
/// for null, and for a text that no header can have.
pub(super) fn header_value(claim: &Json) -> Option<String> {
    match claim {
        Json::Null => None,
        Json::String(text) => (!text.bytes().any(|byte| byte.is_ascii_control())).then(|| text.to_string()),
        Json::Double(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some((*number as i64).to_string()),
        Json::List(_) | Json::Map(_) => Some(STANDARD.encode(claim.to_string())),
        other => Some(other.to_string()),
    }
}
