//! Making a verdict.

use std::time::Duration;

use crate::{Decision, HeaderOp, Value, Verdict};

impl Verdict {
    fn of(decision: Decision, reason: String) -> Verdict {
        Verdict {
            decision,
            status: None,
            message: None,
            reason,
            ttl_ms: None,
            max_uses: None,
            headers: Vec::new(),
            metadata: Vec::new(),
        }
    }

    /// The request may pass.
    pub fn allow() -> Verdict {
        Verdict::of(Decision::Allow, String::new())
    }

    /// The request may not pass. The reason is for the decision log, the client never sees it.
    pub fn deny(reason: impl Into<String>) -> Verdict {
        Verdict::of(Decision::Deny, reason.into())
    }

    /// No opinion.
    pub fn abstain() -> Verdict {
        Verdict::of(Decision::Abstain, String::new())
    }

    /// HTTP status of a denial, 200 to 599; 403 unless it is set.
    pub fn status(mut self, status: u16) -> Verdict {
        self.status = Some(status.into());
        self
    }

    /// Body of a denial, for the client's eyes.
    pub fn message(mut self, message: impl Into<String>) -> Verdict {
        self.message = Some(message.into());
        self
    }

    /// Lets the host answer equal requests with this verdict for a while, at most 49 days.
    /// Without it every request is asked.
    pub fn ttl(mut self, ttl: Duration) -> Verdict {
        self.ttl_ms = Some(u32::try_from(ttl.as_millis()).unwrap_or(u32::MAX));
        self
    }

    /// Ends the [`ttl`](Self::ttl) after so many requests.
    pub fn max_uses(mut self, uses: u32) -> Verdict {
        self.max_uses = Some(uses);
        self
    }

    /// Changes a header: upstream when the request is allowed, in the answer when it is denied.
    pub fn header(mut self, op: HeaderOp) -> Verdict {
        self.headers.push(op);
        self
    }

    /// Replaces a header.
    pub fn set_header(self, name: &str, value: &str) -> Verdict {
        self.header(HeaderOp::Set((name.to_owned(), value.to_owned())))
    }

    /// Tells the proxy's other filters, its access log and the decision log.
    pub fn metadata(mut self, name: &str, value: impl Into<Value>) -> Verdict {
        self.metadata.push((name.to_owned(), value.into()));
        self
    }
}
