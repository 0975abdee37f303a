//! Queues that have something for a filter.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::QUEUE_ITEMS_MAX;

/// What the filter is yet to be told: a queue, and in which generation of the machine it was registered. Of each queue no
/// more than it can hold, whatever was taken out meanwhile.
#[derive(Debug, Default)]
pub(super) struct Ready(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    order: VecDeque<(u64, u32)>,
    /// How many of `order` are about each queue.
    of: BTreeMap<u32, usize>,
}

impl Ready {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, generation: u64, token: u32) {
        let mut waiting = self.waiting();
        let of = waiting.of.entry(token).or_default();
        if *of < QUEUE_ITEMS_MAX {
            *of += 1;
            waiting.order.push_back((generation, token));
        }
    }

    pub(super) fn pop(&self) -> Option<(u64, u32)> {
        let mut waiting = self.waiting();
        let (generation, token) = waiting.order.pop_front()?;
        if let Some(of) = waiting.of.get_mut(&token) {
            *of -= 1;
        }
        Some((generation, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_is_filled_and_emptied_again_and_again_waits_no_longer_than_a_full_one() {
        let ready = Ready::default();
        ready.push(1, 7);
        (0..5 * QUEUE_ITEMS_MAX).for_each(|_| ready.push(1, 8));
        ready.push(2, 7);
        assert_eq!(ready.pop(), Some((1, 7)));
        assert_eq!(std::iter::from_fn(|| ready.pop()).filter(|(_, token)| *token == 8).count(), QUEUE_ITEMS_MAX);
        ready.push(3, 8);
        assert_eq!((ready.pop(), ready.pop()), (Some((3, 8)), None));
    }
}
