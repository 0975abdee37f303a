//! Shared queues: one filter puts in, another is told and takes out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use crate::abi::Status;
use crate::{QUEUE_BYTES_MAX, QUEUE_ITEMS_MAX, QUEUES_MAX};

/// Who is told that something is in a queue.
pub(crate) trait Told: Send + Sync {
    fn queue_is_ready(&self, generation: u64, token: u32);
}

/// All queues of a host; a token is a place in it plus one.
#[derive(Default)]
pub(crate) struct Queues(Mutex<Vec<Queue>>);

impl std::fmt::Debug for Queues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Queues").field(&self.queues().len()).finish()
    }
}

struct Queue {
    vm_id: String,
    name: Vec<u8>,
    told: Weak<dyn Told>,
    generation: u64,
    items: VecDeque<Bytes>,
    bytes: usize,
}

impl Queues {
    fn queues(&self) -> MutexGuard<'_, Vec<Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of that queue; whoever registers last is told.
    pub(crate) fn register(
        &self,
        vm_id: &str,
        name: &[u8],
        told: Weak<dyn Told>,
        generation: u64,
    ) -> Result<u32, Status> {
        let mut queues = self.queues();
        if let Some(place) = queues.iter().position(|queue| queue.vm_id == vm_id && queue.name == name) {
            if let Some(queue) = queues.get_mut(place) {
                (queue.told, queue.generation) = (told, generation);
            }
            return Ok(place as u32 + 1);
        }
        if queues.len() >= QUEUES_MAX || name.len() > QUEUE_BYTES_MAX / QUEUE_ITEMS_MAX {
            return Err(Status::InternalFailure);
        }
        let (vm_id, name) = (vm_id.to_owned(), name.to_vec());
        queues.push(Queue { vm_id, name, told, generation, items: VecDeque::new(), bytes: 0 });
        Ok(queues.len() as u32)
    }

    pub(crate) fn resolve(&self, vm_id: &str, name: &[u8]) -> Result<u32, Status> {
        let queues = self.queues();
        let place = queues.iter().position(|queue| queue.vm_id == vm_id && queue.name == name);
        place.map(|place| place as u32 + 1).ok_or(Status::NotFound)
    }

    pub(crate) fn enqueue(&self, token: u32, item: &[u8]) -> Result<(), Status> {
        let (told, generation) = {
            let mut queues = self.queues();
            let queue = at(&mut queues, token)?;
            if queue.items.len() >= QUEUE_ITEMS_MAX || queue.bytes + item.len() > QUEUE_BYTES_MAX {
                return Err(Status::InternalFailure);
            }
            queue.bytes += item.len();
            queue.items.push_back(Bytes::copy_from_slice(item));
            (queue.told.clone(), queue.generation)
        };
        if let Some(told) = told.upgrade() {
            told.queue_is_ready(generation, token);
        }
        Ok(())
    }

    pub(crate) fn dequeue(&self, token: u32) -> Result<Bytes, Status> {
        let mut queues = self.queues();
        let queue = at(&mut queues, token)?;
        let item = queue.items.pop_front().ok_or(Status::Empty)?;
        queue.bytes -= item.len();
        Ok(item)
    }
}

fn at<'a>(queues: &'a mut MutexGuard<'_, Vec<Queue>>, token: u32) -> Result<&'a mut Queue, Status> {
    let place = token.checked_sub(1).ok_or(Status::NotFound)?;
    queues.get_mut(place as usize).ok_or(Status::NotFound)
}

/// What all filters of a host share.
#[derive(Debug, Default)]
pub(crate) struct Commons {
    pub(crate) data: crate::shared::SharedData,
    pub(crate) queues: Queues,
}

impl Commons {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[derive(Default)]
    struct Ear(Mutex<Vec<(u64, u32)>>);

    impl Told for Ear {
        fn queue_is_ready(&self, generation: u64, token: u32) {
            self.0.lock().unwrap().push((generation, token));
        }
    }

    #[test]
    fn the_last_to_register_is_told_and_takes_out_in_order() {
        let (queues, ear) = (Queues::default(), Arc::new(Ear::default()));
        let told: Arc<dyn Told> = ear.clone();
        assert_eq!(queues.resolve("vm", b"q"), Err(Status::NotFound));
        let token = queues.register("vm", b"q", Arc::downgrade(&told), 1).unwrap();
        assert_eq!(queues.register("vm", b"q", Arc::downgrade(&told), 2), Ok(token));
        assert_eq!(queues.resolve("vm", b"q"), Ok(token));
        assert_eq!(queues.dequeue(token), Err(Status::Empty));
        assert_eq!((queues.enqueue(token, b"a"), queues.enqueue(token, b"b")), (Ok(()), Ok(())));
        assert_eq!(*ear.0.lock().unwrap(), [(2, token), (2, token)]);
        assert_eq!(queues.dequeue(token).unwrap(), "a");
        assert_eq!((queues.enqueue(9, b"a"), queues.dequeue(0)), (Err(Status::NotFound), Err(Status::NotFound)));
        while queues.enqueue(token, b"x").is_ok() {}
        assert_eq!(queues.queues()[0].items.len(), QUEUE_ITEMS_MAX);
    }
}
