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
use http::{HeaderMap, HeaderValue, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::{exchange::Exchange, filters::Frames};

/// A body ended before its end.
#[derive(Debug, thiserror::Error)]
#[error("the body was cut")]
pub(crate) struct Cut;

/// Why a body does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Whoever sends it broke off.
    #[error(transparent)]
    Source(#[from] hyper::Error),
    /// A filter, or the sender of what a filter held.
    #[error(transparent)]
    Cut(#[from] Cut),
}

/// What a response carries.
#[derive(Debug)]
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// An answer of our own; none once it is sent.
    Whole(Option<Bytes>),
    /// What the upstream sends, as it comes.
    Upstream(Incoming),
    /// What filters let through.
    Filtered(Frames),
}

impl Content {
    /// Leaves out a body of our own, of which the headers keep telling the length.
    pub(crate) fn omit(&mut self, headers: &mut HeaderMap) {
        if let Content::Whole(Some(bytes)) = self {
            headers.entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from(bytes.len()));
            *self = Content::Empty;
        }
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Content::Empty => Poll::Ready(None),
            Content::Whole(whole) => Poll::Ready(whole.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Upstream(incoming) => Pin::new(incoming).poll_frame(cx).map_err(Broken::from),
            Content::Filtered(frames) => frames.poll_recv(cx).map_err(Broken::from),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Content::Empty | Content::Whole(None) => true,
            Content::Whole(Some(_)) => false,
            Content::Upstream(incoming) => incoming.is_end_stream(),
            Content::Filtered(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Content::Empty | Content::Whole(None) => SizeHint::with_exact(0),
            Content::Whole(Some(bytes)) => SizeHint::with_exact(bytes.len() as u64),
            Content::Upstream(incoming) => incoming.size_hint(),
            Content::Filtered(_) => SizeHint::default(),
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
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
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

    /// So many more have.
    pub(crate) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// All of it has.
    pub(crate) fn finish(&self) {
        self.done.store(true, Relaxed);
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
    /// What filters let through.
    Filtered(Frames),
    /// What a filter sends; none once it is sent.
    Whole(Option<Bytes>),
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming) -> (Self, Option<Arc<Flow>>) {
        if incoming.is_end_stream() {
            return (RequestBody::Empty, None);
        }
        let flow = Arc::new(Flow::default());
        (RequestBody::Client(incoming, Arc::clone(&flow)), Some(flow))
    }

    /// A body of our own.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        if bytes.is_empty() { RequestBody::Empty } else { RequestBody::Whole(Some(bytes)) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, RequestBody::Empty)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let (incoming, flow) = match self.get_mut() {
            RequestBody::Client(incoming, flow) => (incoming, flow),
            RequestBody::Filtered(frames) => return frames.poll_recv(cx).map_err(Broken::from),
            RequestBody::Whole(whole) => return Poll::Ready(whole.take().map(|bytes| Ok(Frame::data(bytes)))),
            RequestBody::Empty => return Poll::Ready(None),
        };
        let frame = match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
            Some(Ok(frame)) if frame.is_data() => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
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
            RequestBody::Empty | RequestBody::Whole(None) => true,
            RequestBody::Client(incoming, _) => incoming.is_end_stream(),
            RequestBody::Filtered(_) | RequestBody::Whole(Some(_)) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            RequestBody::Empty | RequestBody::Whole(None) => SizeHint::with_exact(0),
            RequestBody::Client(incoming, _) => incoming.size_hint(),
            RequestBody::Filtered(_) => SizeHint::default(),
            RequestBody::Whole(Some(bytes)) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}
