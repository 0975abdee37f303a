//! W3C trace context: the caller's trace is continued, or one is started.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::random;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Our span of one trace. All texts are lower-case hex.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    id: [u8; 32],
    span: [u8; 16],
    parent: Option<[u8; 16]>,
    flags: [u8; 2],
}

impl Trace {
    /// Continues the trace that the request names, or starts one that is sampled; the header then names our span. A header
    /// that cannot be read, or stands twice, is replaced, and `tracestate` goes with it.
    pub(crate) fn stamp(headers: &mut HeaderMap) -> Self {
        let told = {
            let mut lines = headers.get_all(TRACEPARENT).iter();
            match (lines.next(), lines.next()) {
                (Some(line), None) => parse(line.as_bytes()),
                _ => None,
            }
        };
        let mut span = [0; 16];
        random::hex(random::bits() | 1, &mut span);
        let trace = match told {
            Some((id, parent, flags)) => Self { id, span, parent: Some(parent), flags },
            None => {
                headers.remove(TRACESTATE);
                let mut id = [0; 32];
                let (high, low) = id.split_at_mut(16);
                random::hex(random::bits(), high);
                random::hex(random::bits() | 1, low);
                Self { id, span, parent: None, flags: *b"01" }
            }
        };
        headers.insert(TRACEPARENT, trace.header());
        trace
    }

    fn header(&self) -> HeaderValue {
        let mut text = [b'-'; 55];
        for (place, byte) in text
            .iter_mut()
            .zip(b"00-".iter().chain(&self.id).chain(b"-").chain(&self.span).chain(b"-").chain(&self.flags))
        {
            *place = *byte;
        }
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The trace's id: 32 digits.
    pub(crate) fn id(&self) -> &str {
        std::str::from_utf8(&self.id).unwrap_or_default()
    }

    /// Our span: 16 digits.
    pub(crate) fn span(&self) -> &str {
        std::str::from_utf8(&self.span).unwrap_or_default()
    }

    /// The caller's span: 16 digits; none when we are the root.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.parent.as_ref().and_then(|parent| std::str::from_utf8(parent).ok())
    }
}

/// Trace id, parent id and flags of a `traceparent` (W3C Trace Context §3.2): all zeroes and version `ff` are invalid; a
/// later version may be longer.
fn parse(text: &[u8]) -> Option<([u8; 32], [u8; 16], [u8; 2])> {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).filter(|part| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
    };
    let version = digits(0..2)?;
    let id: [u8; 32] = digits(3..35)?.try_into().ok()?;
    let parent: [u8; 16] = digits(36..52)?.try_into().ok()?;
    let flags: [u8; 2] = digits(53..55)?.try_into().ok()?;
    let dashes = [2, 35, 52].iter().all(|at| text.get(*at) == Some(&b'-'));
    let length = text.len() == 55 || (version != b"00" && text.get(55) == Some(&b'-'));
    let nonzero = |part: &[u8]| part.iter().any(|byte| *byte != b'0');
    (dashes && length && version != b"ff" && nonzero(&id) && nonzero(&parent)).then_some((id, parent, flags))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    fn stamped(lines: &[&str]) -> (Trace, HeaderMap) {
        let mut headers = HeaderMap::new();
        headers.insert(TRACESTATE, HeaderValue::from_static("a=b"));
        for line in lines {
            headers.append(TRACEPARENT, line.parse().unwrap());
        }
        let trace = Trace::stamp(&mut headers);
        (trace, headers)
    }

    #[test]
    fn a_valid_trace_is_continued_with_a_span_of_our_own() {
        let (trace, headers) = stamped(&[GOOD]);
        assert_eq!(trace.id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.parent(), Some("b7ad6b7169203331"));
        assert_ne!(trace.span(), "b7ad6b7169203331");
        let sent = headers.get(TRACEPARENT).unwrap().to_str().unwrap();
        assert_eq!(sent, format!("00-{}-{}-00", trace.id(), trace.span()));
        assert!(headers.contains_key(TRACESTATE));
    }

    #[test]
    fn what_is_not_a_trace_is_replaced_by_a_new_one() {
        let tables: [&[&str]; 9] = [
            &[],
            &["hello"],
            &[GOOD, GOOD],
            &["00-00000000000000000000000000000000-b7ad6b7169203331-00"],
            &["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-00"],
            &["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"],
            &["00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"],
            &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-x"],
            &["00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"],
        ];
        for lines in tables {
            let (trace, headers) = stamped(lines);
            assert_ne!(trace.id(), "0af7651916cd43dd8448eb211c80319c", "{lines:?}");
            assert_eq!(trace.parent(), None);
            assert_eq!(headers.get_all(TRACEPARENT).iter().count(), 1);
            assert!(!headers.contains_key(TRACESTATE));
        }
    }
}
