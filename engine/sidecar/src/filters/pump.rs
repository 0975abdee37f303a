//! A body on its way through the filters: each chunk goes from one to the next, or waits where a filter holds it.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;
use weir_proxy_wasm::{Data, Direction, Step};

use super::{
    chain::{Chain, Ended},
    convert,
};
use crate::body::{Cut, Flow};

/// Frames between the filters and whoever sends them on.
pub(crate) const FRAMES: usize = 4;

/// What comes out: frames, or the end before the end.
pub(crate) type Frames = mpsc::Receiver<Result<Frame<Bytes>, Cut>>;

/// Why no more comes.
enum Over {
    /// A filter ended it.
    Ended(Ended),
    /// Nobody takes it any more, or the source broke.
    Broken,
}

/// Where a filter holds the body, and what was behind what it holds.
#[derive(Clone, Copy, Default)]
struct Hold {
    held: bool,
    end: bool,
    trailers: bool,
}

/// A piece of a body.
enum Piece {
    Data(Bytes, bool),
    Trailers,
}

pub(super) struct Pump {
    chain: Arc<Chain>,
    direction: Direction,
    /// Places in the chain, in the order of the way.
    order: Vec<usize>,
    holds: Vec<Hold>,
    out: mpsc::Sender<Result<Frame<Bytes>, Cut>>,
    /// HTTP/1.1 tells the end of a body apart from its last byte, and so does Envoy.
    end_apart: bool,
}

impl Pump {
    /// A pump and what comes out of it.
    pub(super) fn new(chain: &Arc<Chain>, direction: Direction, end_apart: bool) -> (Self, Frames) {
        let (out, frames) = mpsc::channel(FRAMES);
        let all = 0..chain.streams.len();
        let order: Vec<usize> = match direction {
            Direction::Request => all.collect(),
            Direction::Response => all.rev().collect(),
        };
        let holds = vec![Hold::default(); order.len()];
        (Self { chain: Arc::clone(chain), direction, order, holds, out, end_apart }, frames)
    }

    /// Runs until all has gone through, or nobody wants it. `flow` counts what came in.
    pub(super) async fn run<B>(mut self, source: B, flow: Option<Arc<Flow>>)
    where
        B: Body<Data = Bytes> + Unpin,
    {
        match self.all(source, flow.as_deref()).await {
            Ok(()) => {
                if let Some(flow) = flow {
                    flow.finish();
                }
            }
            Err(Over::Broken) => drop(self.out.send(Err(Cut)).await),
            Err(Over::Ended(ended)) => {
                if self.direction == Direction::Request {
                    self.chain.interrupt(ended);
                }
                let _ = self.out.send(Err(Cut)).await;
            }
        }
    }

    async fn all<B>(&mut self, mut source: B, flow: Option<&Flow>) -> Result<(), Over>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let mut over = false;
        while !over || self.holds.iter().any(|hold| hold.held) {
            let (transaction, out) = (self.chain.transaction.clone(), self.out.clone());
            tokio::select! {
                biased;
                () = out.closed() => return Err(Over::Broken),
                () = transaction.rung(self.direction) => self.resume().await?,
                frame = next(&mut source), if !over => {
                    over = self.frame(frame, source.is_end_stream(), flow).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes a frame in; whether it was the last.
    async fn frame<E>(
        &mut self,
        frame: Option<Result<Frame<Bytes>, E>>,
        last: bool,
        flow: Option<&Flow>,
    ) -> Result<bool, Over> {
        let Some(frame) = frame.transpose().map_err(|_| Over::Broken)? else {
            self.push(0, Piece::Data(Bytes::new(), true)).await?;
            return Ok(true);
        };
        match frame.into_data() {
            Ok(data) => {
                if let Some(flow) = flow {
                    flow.add(data.len());
                }
                let end = last && !self.end_apart;
                self.push(0, Piece::Data(data, end)).await?;
                if last && !end {
                    self.push(0, Piece::Data(Bytes::new(), true)).await?;
                }
                Ok(last)
            }
            Err(other) => {
                let Ok(trailers) = other.into_trailers() else { return Ok(false) };
                self.show(&trailers);
                self.push(0, Piece::Trailers).await?;
                Ok(true)
            }
        }
    }

    fn has_trailers(&self) -> bool {
        let scene = self.chain.transaction.scene();
        match self.direction {
            Direction::Request => !scene.request_trailers.is_empty(),
            Direction::Response => !scene.response_trailers.is_empty(),
        }
    }

    fn show(&self, trailers: &http::HeaderMap) {
        let lines = convert::of_trailers(trailers);
        let mut scene = self.chain.transaction.scene();
        match self.direction {
            Direction::Request => scene.request_trailers = lines,
            Direction::Response => scene.response_trailers = lines,
        }
    }

    /// Looks at every filter that holds something.
    async fn resume(&mut self) -> Result<(), Over> {
        for at in 0..self.order.len() {
            let (Some(hold), Some(place)) = (self.holds.get(at).copied(), self.order.get(at).copied()) else {
                continue;
            };
            let Some(stream) = self.chain.streams.get(place) else { continue };
            // One that holds nothing may still answer the request.
            match stream.resumed(self.direction) {
                Step::Continue if hold.held => {
                    let held = released(stream.release(self.direction).await)?;
                    self.set(at, Hold::default());
                    self.push(at + 1, Piece::Data(held, hold.end)).await?;
                    if hold.trailers {
                        self.push(at + 1, Piece::Trailers).await?;
                    }
                }
                Step::Continue | Step::Pause => {}
                Step::Respond(response) => return Err(Over::Ended(Ended::Respond(response))),
                Step::Reset => return Err(Over::Ended(Ended::Reset)),
            }
        }
        Ok(())
    }

    fn set(&mut self, at: usize, hold: Hold) {
        if let Some(place) = self.holds.get_mut(at) {
            *place = hold;
        }
    }

    /// Lets a piece go through the filters from that one on.
    async fn push(&mut self, from: usize, mut piece: Piece) -> Result<(), Over> {
        for at in from..self.order.len() {
            let chain = Arc::clone(&self.chain);
            let Some(stream) = self.order.get(at).and_then(|place| chain.streams.get(*place)) else { continue };
            let hold = self.holds.get(at).copied().unwrap_or_default();
            let (step, next) = match piece {
                Piece::Data(bytes, end) => {
                    let data = stream.body(self.direction, bytes, end).await;
                    (data.step, Piece::Data(data.bytes, end))
                }
                Piece::Trailers => (stream.trailers(self.direction).await, Piece::Trailers),
            };
            match step {
                Step::Continue if hold.held && matches!(next, Piece::Trailers) => {
                    let held = released(stream.release(self.direction).await)?;
                    self.set(at, Hold::default());
                    self.push_boxed(at + 1, Piece::Data(held, false)).await?;
                }
                Step::Continue => {
                    self.set(at, Hold::default());
                    // The filter has made trailers: the data is no longer the end.
                    if let Piece::Data(bytes, true) = &next
                        && self.has_trailers()
                    {
                        self.push_boxed(at + 1, Piece::Data(bytes.clone(), false)).await?;
                        piece = Piece::Trailers;
                        continue;
                    }
                }
                Step::Pause => {
                    let (end, trailers) = (matches!(next, Piece::Data(_, true)), matches!(next, Piece::Trailers));
                    self.set(at, Hold { held: true, end, trailers });
                    return Ok(());
                }
                Step::Respond(response) => return Err(Over::Ended(Ended::Respond(response))),
                Step::Reset => return Err(Over::Ended(Ended::Reset)),
            }
            if matches!(&next, Piece::Data(bytes, false) if bytes.is_empty()) {
                return Ok(());
            }
            piece = next;
        }
        self.send(piece).await
    }

    fn push_boxed(&mut self, from: usize, piece: Piece) -> Pin<Box<dyn Future<Output = Result<(), Over>> + Send + '_>> {
        Box::pin(self.push(from, piece))
    }

    async fn send(&self, piece: Piece) -> Result<(), Over> {
        let frame = match piece {
            Piece::Data(bytes, _) if bytes.is_empty() => return Ok(()),
            Piece::Data(bytes, _) => Frame::data(bytes),
            // The policy could not see them before it decided: trailers of a request stop here, as without filters.
            Piece::Trailers if self.direction == Direction::Request => return Ok(()),
            Piece::Trailers => {
                let lines = convert::to_lines(&self.chain.transaction.scene().response_trailers);
                Frame::trailers(lines.ok_or(Over::Broken)?)
            }
        };
        self.out.send(Ok(frame)).await.map_err(|_| Over::Broken)
    }
}

fn released(data: Data) -> Result<Bytes, Over> {
    match data.step {
        Step::Respond(response) => Err(Over::Ended(Ended::Respond(response))),
        _ => Ok(data.bytes),
    }
}

/// The next frame of a body.
pub(super) async fn next<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Option<Result<Frame<Bytes>, B::Error>> {
    std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
}
