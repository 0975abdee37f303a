//! One message in, one message out: gRPC's framing without a stub.

use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use http_body::Body;
use http_body_util::BodyExt as _;

use super::{Answer, MESSAGE_MAX};

/// A flag and the length stand before each message.
pub(crate) const PREFIX: usize = 5;
/// How long the message of a call may take to arrive.
pub(crate) const ARRIVAL: Duration = Duration::from_secs(10);

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// A call that gets a status instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    code: u8,
    message: String,
}

impl Refused {
    /// The frame or the message in it is not what it should be.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { code: 3, message: message.into() }
    }

    fn timed_out() -> Self {
        Self { code: 4, message: format!("the message did not arrive within {ARRIVAL:?}; send it with the call") }
    }

    fn too_large() -> Self {
        Self { code: 8, message: format!("the message is larger than {MESSAGE_MAX} bytes; send less of the request") }
    }

    fn compressed() -> Self {
        Self { code: 12, message: "compressed messages are not taken here; send with identity".to_owned() }
    }

    fn broken(problem: impl std::fmt::Display) -> Self {
        Self { code: 13, message: format!("the call broke off: {problem}") }
    }

    /// The status as an answer without a body. The message is percent-encoded as gRPC wants it.
    pub(crate) fn into_response(self) -> Response<Answer> {
        let mut text = String::with_capacity(self.message.len());
        for byte in self.message.bytes() {
            match byte {
                b' '..=b'~' if byte != b'%' => text.push(byte as char),
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
        let mut response = Response::new(Answer::Empty);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, GRPC);
        headers.insert("grpc-status", HeaderValue::from(u16::from(self.code)));
        headers.insert("grpc-message", HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("refused")));
        response
    }
}

/// Reads the one message of a call. It is the frame's own memory when it came in one piece.
///
/// # Errors
/// [`Refused`] when there is no whole message, more than one, a compressed or too large one, or it takes too long.
pub(crate) async fn receive<B>(body: B) -> Result<Bytes, Refused>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    match tokio::time::timeout(ARRIVAL, gather(body)).await {
        Ok(received) => received,
        Err(_) => Err(Refused::timed_out()),
    }
}

async fn gather<B>(mut body: B) -> Result<Bytes, Refused>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let (mut whole, mut pieces) = (Bytes::new(), BytesMut::new());
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame.map_err(Refused::broken)?.into_data() else { continue };
        if whole.len() + pieces.len() + data.len() > PREFIX + MESSAGE_MAX {
            return Err(Refused::too_large());
        }
        if whole.is_empty() && pieces.is_empty() {
            whole = data;
        } else {
            pieces.extend_from_slice(&std::mem::take(&mut whole));
            pieces.extend_from_slice(&data);
        }
    }
    message(if pieces.is_empty() { whole } else { pieces.freeze() })
}

/// Takes the prefix off.
fn message(mut frame: Bytes) -> Result<Bytes, Refused> {
    let Some((&[flag, a, b, c, d], rest)) = frame.split_first_chunk::<PREFIX>() else {
        return Err(Refused::invalid(format!("the call has {} bytes where a gRPC message begins with 5", frame.len())));
    };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    match flag {
        0 => {}
        1 => return Err(Refused::compressed()),
        _ => return Err(Refused::invalid(format!("the message begins with the flag {flag} at offset 0; 0 is due"))),
    }
    if length != rest.len() {
        let found = rest.len();
        return Err(Refused::invalid(format!("the message says {length} bytes at offset 1 and has {found}")));
    }
    frame.advance(PREFIX);
    Ok(frame)
}

/// An answer of one message; its first [`PREFIX`] bytes are free.
pub(crate) fn framed(mut message: Vec<u8>) -> Response<Answer> {
    let length = (message.len().saturating_sub(PREFIX) as u32).to_be_bytes();
    if let Some(place) = message.get_mut(1..PREFIX) {
        place.copy_from_slice(&length);
    }
    let mut response = Response::new(Answer::Message(message.into()));
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

#[cfg(test)]
mod tests;
