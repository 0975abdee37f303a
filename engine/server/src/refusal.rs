//! Requests that a door understood but that no policy may be asked about: the client is answered 400.

use std::fmt;

use weir_attributes::JsonError;
use weir_policy::{Reason, ReasonCode, Text, Verdict, is_header_name};

/// Header lines of one request.
pub(crate) const HEADER_LINES_MAX: usize = 1000;
/// Bytes of a header's name.
pub(crate) const HEADER_NAME_MAX: usize = 1024;
/// Bytes of a header's value; what Envoy takes for all headers together unless told otherwise is 60 KiB.
pub(crate) const HEADER_VALUE_MAX: usize = 64 * 1024;
/// Bytes of a request target.
pub(crate) const PATH_MAX: usize = 64 * 1024;
/// How much of a header's name a reason repeats.
const NAME_SHOWN_MAX: usize = 64;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotHttp,
    NoMethod,
    NoPath,
    PathTooLong,
    TooManyHeaders,
    Name(String),
    NameTooLong(String),
    Value { name: String, byte: u8 },
    ValueTooLong(String),
    Metadata(JsonError),
}

impl Refusal {
    /// The denial that the client and the log get.
    pub(crate) fn verdict(&self) -> Verdict {
        let reason =
            Reason { message: Some(Text::Shared(self.to_string().into())), ..Reason::from(ReasonCode::InvalidRequest) };
        let mut verdict = Verdict::deny(reason);
        verdict.status = 400;
        verdict.message = Text::Static("bad request");
        verdict
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotHttp => f.write_str("the check has no attributes.request.http: only HTTP requests are checked"),
            Refusal::NoMethod => f.write_str("the request has no method"),
            Refusal::NoPath => f.write_str("the request has no path"),
            Refusal::PathTooLong => write!(f, "the path is longer than {PATH_MAX} bytes"),
            Refusal::TooManyHeaders => write!(f, "the request has more than {HEADER_LINES_MAX} header lines"),
            Refusal::Name(name) => write!(f, "the header name {name:?} has a character that no header name may have"),
            Refusal::NameTooLong(name) => {
                write!(f, "the header name that begins with {name:?} is longer than {HEADER_NAME_MAX} bytes")
            }
            Refusal::Value { name, byte } => {
                write!(f, "the value of header {name:?} has the control character {byte:#04x}")
            }
            Refusal::ValueTooLong(name) => {
                write!(f, "the value of header {name:?} is longer than {HEADER_VALUE_MAX} bytes")
            }
            Refusal::Metadata(error) => write!(f, "the proxy's metadata cannot be read: {error}"),
        }
    }
}

/// Whether a header line may stand in a bag. NUL, CR and LF in a value would make one line look like two to whoever reads
/// it next.
pub(crate) fn check_line(name: &str, value: &[u8]) -> Result<(), Refusal> {
    let shown = || name.chars().take(NAME_SHOWN_MAX).collect();
    if name.len() > HEADER_NAME_MAX {
        return Err(Refusal::NameTooLong(shown()));
    }
    if !is_header_name(name) {
        return Err(Refusal::Name(shown()));
    }
    if value.len() > HEADER_VALUE_MAX {
        return Err(Refusal::ValueTooLong(shown()));
    }
    match memchr::memchr3(0, b'\r', b'\n', value).and_then(|place| value.get(place)) {
        Some(&byte) => Err(Refusal::Value { name: shown(), byte }),
        None => Ok(()),
    }
}
