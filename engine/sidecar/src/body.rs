//! Message bodies on their way through: never held, always counted.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::exchange::Exchange;

/// What a response carries.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// An answer of our own; none once it is sent.
    Whole(Option<Bytes>),
    /// What the upstream sends, as it comes.
    Upstream(Incoming),
}

impl Body for Content {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Content::Empty => Poll::Ready(None),
            Content::Whole(whole) => Poll::Ready(whole.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Upstream(incoming) => Pin::new(incoming).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Content::Empty | Content::Whole(None) => true,
            Content::Whole(Some(_)) => false,
            Content::Upstream(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Content::Empty | Content::Whole(None) => SizeHint::with_exact(0),
            Content::Whole(Some(bytes)) => SizeHint::with_exact(bytes.len() as u64),
            Content::Upstream(incoming) => incoming.size_hint(),
        }
    }
}

/// The body of a response to the client. The exchange ends when it is dropped: after the last byte, or when the client left.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: Content,
    exchange: Exchange,
}

impl ResponseBody {
    pub(crate) fn new(content: Content, exchange: Exchange) -> Self {
        Self { content, exchange }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.content).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    this.exchange.sent(data.len());
                }
                if let Some(trailers) = frame.trailers_ref() {
                    this.exchange.saw_trailers(trailers);
                }
            }
            Some(Err(_)) => this.exchange.upstream_broke(),
            None => this.exchange.all_sent(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // A body of known length is not polled again after its last byte.
        if self.content.is_end_stream() {
            self.exchange.all_sent();
        }
    }
}

/// How far a request's body has come.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    bytes: AtomicU64,
    done: AtomicBool,
}

impl Flow {
    /// Bytes of it that have passed.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Whether all of it has passed.
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Relaxed)
    }
}

/// The body of a request to the upstream. Trailers of a request stop here: the policy could not see them before it decided.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// Nothing.
    Empty,
    /// What the client sends, as it comes.
    Client(Incoming, Arc<Flow>),
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming) -> (Self, Option<Arc<Flow>>) {
        if incoming.is_end_stream() {
            return (RequestBody::Empty, None);
        }
        let flow = Arc::new(Flow::default());
        (RequestBody::Client(incoming, Arc::clone(&flow)), Some(flow))
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, RequestBody::Empty)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let RequestBody::Client(incoming, flow) = self.get_mut() else { return Poll::Ready(None) };
        let frame = match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
            Some(Ok(frame)) if frame.is_data() => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            _ => {
                flow.done.store(true, Relaxed);
                return Poll::Ready(None);
            }
        };
        flow.bytes.fetch_add(frame.data_ref().map_or(0, |data| data.len() as u64), Relaxed);
        if incoming.is_end_stream() {
            flow.done.store(true, Relaxed);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            RequestBody::Empty => true,
            RequestBody::Client(incoming, _) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            RequestBody::Empty => SizeHint::with_exact(0),
            RequestBody::Client(incoming, _) => incoming.size_hint(),
        }
    }
}
