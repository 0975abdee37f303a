//! One request inside one virtual machine: what the filter may see of it now, what it holds back, what it has decided.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::abi::MapType;
use crate::effect::LocalResponse;
use crate::transaction::{Direction, Transaction};

/// What has come of a request that a filter holds.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub(crate) continued: [bool; 2],
    pub(crate) respond: Option<LocalResponse>,
    pub(crate) reset: bool,
    /// The virtual machine is gone.
    pub(crate) failed: bool,
}

/// The same seen from both sides: the virtual machine writes, the stream reads.
#[derive(Debug, Default)]
pub(crate) struct Signal(Mutex<Turn>);

impl Signal {
    pub(crate) fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body on its way through one filter.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    /// What the filter sees: the chunk, or all that it holds back.
    pub(crate) shown: Vec<u8>,
    /// There is something to see, be it empty.
    pub(crate) visible: bool,
    /// Held back without being shown again.
    pub(crate) held: Vec<u8>,
    /// The next chunk is shown together with what is held back.
    pub(crate) buffering: bool,
}

/// What a body callback said about the chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Continue,
    Buffer,
    Watermark,
    /// The filter keeps nothing of it.
    Discard,
}

impl Verdict {
    pub(crate) fn read(number: u32, stopped: bool) -> Self {
        match number {
            _ if stopped => Self::Discard,
            0 => Self::Continue,
            1 => Self::Buffer,
            2 => Self::Watermark,
            _ => Self::Discard,
        }
    }
}

impl Passage {
    /// A chunk is about to be shown. Returns how many bytes the filter sees.
    pub(crate) fn arrive(&mut self, chunk: &[u8]) -> usize {
        if !self.buffering {
            self.shown.clear();
        }
        self.shown.extend_from_slice(chunk);
        self.visible = true;
        self.shown.len()
    }

    /// The filter has seen it. Returns what goes on, if anything does.
    pub(crate) fn settle(&mut self, verdict: Verdict) -> Option<Vec<u8>> {
        let was_buffering = std::mem::take(&mut self.buffering);
        match verdict {
            Verdict::Continue => Some(self.release()),
            Verdict::Buffer => {
                if !self.held.is_empty() {
                    let shown = std::mem::take(&mut self.shown);
                    self.shown = std::mem::take(&mut self.held);
                    self.shown.extend_from_slice(&shown);
                }
                self.buffering = true;
                None
            }
            Verdict::Watermark => {
                self.held.append(&mut self.shown);
                self.visible = false;
                None
            }
            Verdict::Discard => {
                // What was buffered before is not the filter's to throw away.
                if was_buffering {
                    self.held.append(&mut self.shown);
                }
                self.shown.clear();
                self.visible = false;
                None
            }
        }
    }

    /// All that was held back.
    pub(crate) fn release(&mut self) -> Vec<u8> {
        (self.visible, self.buffering) = (false, false);
        let mut all = std::mem::take(&mut self.held);
        if all.is_empty() {
            std::mem::take(&mut self.shown)
        } else {
            all.append(&mut self.shown);
            all
        }
    }

    /// How many bytes are held back.
    pub(crate) fn waiting(&self) -> usize {
        self.held.len() + self.shown.len()
    }
}

/// One request inside one virtual machine.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) transaction: Transaction,
    pub(crate) signal: Arc<Signal>,
    pub(crate) request: Passage,
    pub(crate) response: Passage,
    /// Which of the four header maps a filter may see and write: while their callback runs or holds.
    open: [bool; 4],
    /// Trailers that the filter may make: there are none, and the last piece of the body is here.
    makes: Option<MapType>,
    /// The request is over: everything can be read, nothing written.
    pub(crate) over: bool,
    /// The filter has answered it.
    pub(crate) answered: bool,
    /// It was forgotten in good order.
    pub(crate) forgotten: bool,
}

impl Context {
    pub(crate) fn new(transaction: Transaction, signal: Arc<Signal>) -> Self {
        let (request, response) = (Passage::default(), Passage::default());
        Self {
            transaction,
            signal,
            request,
            response,
            open: [false; 4],
            makes: None,
            over: false,
            answered: false,
            forgotten: false,
        }
    }

    fn place(map: MapType) -> Option<usize> {
        match map {
            MapType::RequestHeaders => Some(0),
            MapType::RequestTrailers => Some(1),
            MapType::ResponseHeaders => Some(2),
            MapType::ResponseTrailers => Some(3),
            _ => None,
        }
    }

    /// A callback about that map runs, or is over.
    pub(crate) fn open(&mut self, map: MapType, open: bool) {
        if let Some(place) = Self::place(map).and_then(|place| self.open.get_mut(place)) {
            *place = open;
        }
    }

    /// Lets the filter make trailers, or no more.
    pub(crate) fn let_make(&mut self, map: Option<MapType>) {
        self.makes = map;
    }

    /// Whether the filter may write that map now. Trailers that it makes can be read from then on.
    pub(crate) fn may_write(&mut self, map: MapType) -> bool {
        if self.makes == Some(map) {
            self.open(map, true);
        }
        self.is_open(map)
    }

    fn is_open(&self, map: MapType) -> bool {
        Self::place(map).and_then(|place| self.open.get(place)).is_some_and(|open| *open)
    }

    pub(crate) fn may_read(&self, map: MapType) -> bool {
        self.is_open(map) || self.over && map != MapType::RequestTrailers && Self::place(map).is_some()
    }

    pub(crate) fn passage(&mut self, direction: Direction) -> &mut Passage {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// The filter lets go of a direction.
    pub(crate) fn resume(&mut self, direction: Direction) {
        // As Envoy: whatever was let go, the request is no longer the filter's.
        self.open(MapType::RequestHeaders, false);
        self.open(MapType::RequestTrailers, false);
        if let Some(continued) = self.signal.turn().continued.get_mut(direction as usize) {
            *continued = true;
        }
        self.transaction.ring(direction);
    }

    /// The filter answers itself, or breaks off.
    pub(crate) fn end(&self, change: impl FnOnce(&mut Turn)) {
        change(&mut self.signal.turn());
        self.transaction.ring(Direction::Request);
        self.transaction.ring(Direction::Response);
    }
}

impl Drop for Context {
    /// Dropped with its virtual machine: whoever waits learns of it.
    fn drop(&mut self) {
        if !self.forgotten {
            self.end(|turn| turn.failed = true);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    /// What goes on after each chunk, and what is left when the filter lets go.
    fn run(steps: &[(&str, Verdict)]) -> (Vec<Option<String>>, String) {
        let mut passage = Passage::default();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let passed = steps.iter().map(|(chunk, verdict)| {
            passage.arrive(chunk.as_bytes());
            passage.settle(*verdict).map(text)
        });
        (passed.collect(), text(passage.release()))
    }

    #[test]
    fn nothing_of_a_body_is_lost_or_doubled_unless_it_is_discarded() {
        use Verdict::{Buffer, Continue, Discard, Watermark};
        let some = |text: &str| Some(text.to_owned());
        type Case = (&'static [(&'static str, Verdict)], Vec<Option<String>>, &'static str);
        let cases: [Case; 8] = [
            (&[("a", Continue), ("b", Continue)], vec![some("a"), some("b")], ""),
            (&[("a", Buffer), ("b", Continue)], vec![None, some("ab")], ""),
            (&[("a", Buffer), ("b", Buffer)], vec![None, None], "ab"),
            (&[("a", Watermark), ("b", Continue)], vec![None, some("ab")], ""),
            (&[("a", Watermark), ("b", Buffer), ("c", Continue)], vec![None, None, some("abc")], ""),
            (&[("a", Buffer), ("b", Watermark), ("c", Continue)], vec![None, None, some("abc")], ""),
            (&[("a", Discard), ("b", Continue)], vec![None, some("b")], ""),
            (&[("a", Buffer), ("b", Discard), ("c", Continue)], vec![None, None, some("abc")], ""),
        ];
        for (steps, passed, left) in cases {
            assert_eq!(run(steps), (passed, left.to_owned()), "{steps:?}");
        }
    }

    #[test]
    fn a_filter_that_buffers_sees_all_of_it_each_time() {
        let mut passage = Passage::default();
        assert_eq!(passage.arrive(b"ab"), 2);
        passage.settle(Verdict::Buffer);
        assert_eq!(passage.arrive(b"c"), 3);
        passage.settle(Verdict::Watermark);
        assert_eq!(passage.arrive(b"d"), 1);
        passage.settle(Verdict::Buffer);
        assert_eq!(passage.arrive(b""), 4);
    }
}
