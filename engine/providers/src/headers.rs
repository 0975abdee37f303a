//! Headers of an answer, as changes to a request or response.

use http::{HeaderName, HeaderValue, header};
use weir_attributes::is_framing;
use weir_policy::{HeaderOperation, Side, Text};

use crate::{Failure, limits::HEADERS_MAX};

/// Collects changes; bounded.
#[derive(Debug, Default)]
pub(crate) struct Changes(Vec<HeaderOperation>);

impl Changes {
    pub(crate) fn push(&mut self, operation: HeaderOperation) -> Result<(), Failure> {
        if self.0.len() >= HEADERS_MAX {
            return Err(Failure::BadAnswer(format!("it changes more than {HEADERS_MAX} headers")));
        }
        self.0.push(operation);
        Ok(())
    }

    pub(crate) fn into_inner(self) -> Vec<HeaderOperation> {
        self.0
    }
}

/// The name of a header that an answer may change, in lower case.
pub(crate) fn name(side: Side, name: &str) -> Result<Text, Failure> {
    let refuse = || Failure::BadAnswer(format!("it may not change the header {name:?}"));
    let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse())?;
    if is_framing(known.as_str()) || (side == Side::Request && known == header::HOST) {
        return Err(refuse());
    }
    Ok(Text::Shared(known.as_str().into()))
}

/// A value that can stand in a header line.
pub(crate) fn value(name: &str, value: &[u8]) -> Result<Text, Failure> {
    let good = HeaderValue::from_bytes(value).is_ok();
    let text = std::str::from_utf8(value).ok().filter(|_| good);
    text.map(|text| Text::Shared(text.into()))
        .ok_or_else(|| Failure::BadAnswer(format!("the value of its header {name:?} cannot stand in a header")))
}
