//! A request body that ends, between two messages, when the listener drains: its service then answers what it has and
//! closes the stream, instead of being cut at the end of the drain time.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use weir_listen::Drain;

use super::PREFIX;

/// The calls whose caller may go on for ever.
const STREAMS: [&str; 6] = [
    "/weir.v1.Policy/CheckStream",
    "/weir.v1.Snapshots/Watch",
    "/weir.v1.Telemetry/Report",
    "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// The body of a routed request.
pub(crate) struct Ending<B> {
    body: B,
    /// Resolves when the listener drains; none for a call of one message.
    drained: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    place: Place,
}

/// Where in the sequence of messages the body is.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    prefix: [u8; PREFIX],
    prefix_have: usize,
    message_left: usize,
}

impl<B> Ending<B> {
    pub(crate) fn of(path: &str, body: B, mut drain: Drain) -> Self {
        let drained: Option<Pin<Box<dyn Future<Output = ()> + Send>>> =
            STREAMS.contains(&path).then(|| Box::pin(async move { drain.signalled().await }) as _);
        Self { body, drained, place: Place::default() }
    }
}

impl Place {
    fn between_messages(self) -> bool {
        self.prefix_have == 0 && self.message_left == 0
    }

    fn pass(&mut self, mut data: &[u8]) {
        while let Some((byte, rest)) = data.split_first() {
            if self.message_left > 0 {
                let passed = self.message_left.min(data.len());
                self.message_left -= passed;
                data = data.get(passed..).unwrap_or_default();
                continue;
            }
            if let Some(place) = self.prefix.get_mut(self.prefix_have) {
                *place = *byte;
            }
            self.prefix_have += 1;
            data = rest;
            if self.prefix_have == PREFIX {
                let [_, length @ ..] = self.prefix;
                (self.prefix_have, self.message_left) = (0, u32::from_be_bytes(length) as usize);
            }
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Ending<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match (&polled, &mut this.drained) {
            (Poll::Ready(Some(Ok(frame))), Some(_)) => {
                if let Some(data) = frame.data_ref() {
                    this.place.pass(data);
                }
                polled
            }
            // Nothing more has arrived: that is where it may end.
            (Poll::Pending, Some(drained)) if this.place.between_messages() => drained.as_mut().poll(cx).map(|()| None),
            _ => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> fmt::Debug for Ending<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_place_between_messages_is_found_however_the_bytes_are_cut() {
        let two = b"\0\0\0\0\x03abc\0\0\0\0\0";
        for cut in 0..=two.len() {
            let mut place = Place::default();
            place.pass(&two[..cut]);
            assert_eq!(place.between_messages(), [0, 8, 13].contains(&cut), "{cut}");
            place.pass(&two[cut..]);
            assert!(place.between_messages());
        }
    }
}
