//! A check plugin's verdict, after the host has looked at it.

use std::time::Duration;

use weir_attributes::is_framing;

use crate::contract::v1::exports::weir::plugin::check as wire;
use crate::value::{Field, Value};
use crate::{Cause, HEADER_OPS_MAX, METADATA_MAX};

/// What a check plugin decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AdapterDecision {
    /// The request may pass, as far as this plugin is concerned.
    Allow,
    /// It may not.
    Deny,
    /// The plugin has no opinion.
    Abstain,
}

/// A change of one header: of the request upstream when it is allowed, of the answer when it is denied.
///
/// Names are lower-case HTTP tokens and none that frames the message; values have no control characters but tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderOp {
    /// Replaces every line of that name.
    Set(String, String),
    /// Adds a line.
    Append(String, String),
    /// Removes every line of that name.
    Remove(String),
}

/// What a check plugin said of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterVerdict {
    /// May it pass?
    pub decision: AdapterDecision,
    /// HTTP status of a denial, 200 to 599; none for the host's own.
    pub status: Option<u16>,
    /// Body of a denial, for the client; none for the host's own.
    pub message: Option<String>,
    /// For the log, never for the client.
    pub reason: String,
    /// How long an equal request may get it again; none for never.
    pub ttl: Option<Duration>,
    /// How many equal requests may get it; none for no such limit.
    pub max_uses: Option<u32>,
    /// At most [`HEADER_OPS_MAX`].
    pub headers: Vec<HeaderOp>,
    /// For the proxy's other filters and the logs; at most [`METADATA_MAX`].
    pub metadata: Vec<Field>,
}

impl AdapterVerdict {
    /// No opinion.
    #[must_use]
    pub fn abstain() -> Self {
        AdapterVerdict {
            decision: AdapterDecision::Abstain,
            status: None,
            message: None,
            reason: String::new(),
            ttl: None,
            max_uses: None,
            headers: Vec::new(),
            metadata: Vec::new(),
        }
    }

    pub(crate) fn of(verdict: wire::Verdict) -> Result<Self, Cause> {
        let status = match verdict.status {
            None => None,
            Some(status @ 200..=599) => Some(status as u16),
            Some(other) => return Err(Cause::Output(format!("status {other} is not in 200 to 599"))),
        };
        if verdict.headers.len() > HEADER_OPS_MAX {
            let count = verdict.headers.len();
            return Err(Cause::Output(format!("{count} header operations, the limit is {HEADER_OPS_MAX}")));
        }
        if verdict.metadata.len() > METADATA_MAX {
            let count = verdict.metadata.len();
            return Err(Cause::Output(format!("{count} fields of metadata, the limit is {METADATA_MAX}")));
        }
        Ok(AdapterVerdict {
            decision: match verdict.decision {
                wire::Decision::Allow => AdapterDecision::Allow,
                wire::Decision::Deny => AdapterDecision::Deny,
                wire::Decision::Abstain => AdapterDecision::Abstain,
            },
            status,
            message: verdict.message,
            reason: verdict.reason,
            ttl: verdict.ttl_ms.map(|ms| Duration::from_millis(ms.into())),
            max_uses: verdict.max_uses,
            headers: verdict.headers.into_iter().map(header_op).collect::<Result<_, _>>()?,
            metadata: verdict.metadata.into_iter().map(|(name, value)| (name, Value::of(value))).collect(),
        })
    }
}

fn header_op(op: wire::HeaderOp) -> Result<HeaderOp, Cause> {
    Ok(match op {
        wire::HeaderOp::Set((name, value)) => HeaderOp::Set(header_name(&name)?, header_value(value)?),
        wire::HeaderOp::Append((name, value)) => HeaderOp::Append(header_name(&name)?, header_value(value)?),
        wire::HeaderOp::Remove(name) => HeaderOp::Remove(header_name(&name)?),
    })
}

/// RFC 9110 §5.1: a token. Pseudo headers are not.
fn header_name(name: &str) -> Result<String, Cause> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || name.len() > 256 || !name.bytes().all(token) {
        return Err(Cause::Output("a header operation's name is no HTTP token".into()));
    }
    let name = name.to_ascii_lowercase();
    // Changing one of these would make two requests of one, or send it elsewhere.
    match is_framing(&name) || name == "host" {
        true => Err(Cause::Output(format!("a header operation on {name}, which frames the message"))),
        false => Ok(name),
    }
}

/// RFC 9110 §5.5: no control characters, so no second header.
fn header_value(value: String) -> Result<String, Cause> {
    match value.chars().all(|c| c == '\t' || !c.is_control()) {
        true => Ok(value),
        false => Err(Cause::Output("a header operation's value has a control character".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::{header_name, header_value};

    #[test]
    fn header_operations_cannot_forge_a_header_or_reframe_the_message() {
        assert_eq!(header_name("X-Team"), Ok("x-team".into()));
        for wrong in ["", ":path", "x a", "x\r\ny", "é", "Transfer-Encoding", "host", "content-length"] {
            assert!(header_name(wrong).is_err(), "{wrong:?}");
        }
        assert!(header_value("a\tb é".into()).is_ok());
        for wrong in ["a\r\nx: y", "a\0", "a\u{85}"] {
            assert!(header_value(wrong.into()).is_err(), "{wrong:?}");
        }
    }
}
