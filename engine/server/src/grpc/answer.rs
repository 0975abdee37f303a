//! The body of an answer: one message and the trailers, nothing at all, or whatever a route streams.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};

/// The body of an answer on the gRPC port.
#[derive(Debug)]
pub(crate) enum Answer {
    /// One framed message, then `grpc-status: 0`.
    Message(Bytes),
    /// Only the trailers are left.
    Trailers,
    /// Nothing: the status stands in the head.
    Empty,
    /// Another service's.
    Routed(tonic::body::Body),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if let Answer::Routed(body) = this {
            return Pin::new(body).poll_frame(cx);
        }
        Poll::Ready(match std::mem::replace(this, Answer::Empty) {
            Answer::Message(message) => {
                *this = Answer::Trailers;
                Some(Ok(Frame::data(message)))
            }
            Answer::Trailers => {
                let mut trailers = HeaderMap::with_capacity(1);
                trailers.insert("grpc-status", HeaderValue::from_static("0"));
                Some(Ok(Frame::trailers(trailers)))
            }
            _ => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Answer::Empty => true,
            Answer::Routed(body) => body.is_end_stream(),
            _ => false,
        }
    }
}
