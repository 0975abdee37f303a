//! One virtual machine's side of the host: what it may use, who is speaking, what it has asked for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use wasmtime::{Memory, ResourceLimiter, Store, StoreLimits, StoreLimitsBuilder, TypedFunc, UpdateDeadline};

use crate::context::Context;
use crate::effect::{CallResponse, HttpCall};
use crate::filter::Filter;
use crate::queues::Told;
use crate::{TABLE_ELEMENTS_MAX, TICK_MIN};

/// What the store of a virtual machine holds.
pub(crate) struct Guest {
    pub(crate) filter: Arc<Filter>,
    pub(crate) generation: u64,
    pub(crate) memory: Option<Memory>,
    pub(crate) allocate: Option<TypedFunc<u32, u32>>,
    pub(crate) limiter: Limiter,
    pub(crate) deadline: Instant,
    pub(crate) contexts: HashMap<u32, Context>,
    next_context: u32,
    pub(crate) root: u32,
    /// Whose callback runs.
    current: u32,
    /// In whose name it speaks, if not its own.
    effective: u32,
    /// A local response was sent in this callback: the request stops here.
    pub(crate) stopped: bool,
    /// The plugin's configuration can be read.
    pub(crate) configuring: bool,
    /// The response to a call, while its callback runs.
    pub(crate) answered: Option<CallResponse>,
    /// The last failure of a call: a status and a word.
    pub(crate) failure: (u32, &'static str),
    /// Calls without an answer.
    pub(crate) calls: HashSet<u32>,
    next_call: u32,
    pub(crate) outbox: mpsc::UnboundedSender<HttpCall>,
    pub(crate) tick: Option<Duration>,
    pub(crate) told: std::sync::Weak<dyn Told>,
}

/// The deadline passed while the filter ran.
#[derive(Debug, thiserror::Error)]
#[error("deadline")]
pub(crate) struct DeadlinePassed;

impl Guest {
    pub(crate) fn new(
        filter: Arc<Filter>,
        generation: u64,
        outbox: mpsc::UnboundedSender<HttpCall>,
        told: std::sync::Weak<dyn Told>,
    ) -> Self {
        let limiter = Limiter::new(filter.spec.limits.memory_bytes);
        filter.counters.machines.fetch_add(1, Relaxed);
        Self {
            filter,
            generation,
            memory: None,
            allocate: None,
            limiter,
            deadline: Instant::now(),
            contexts: HashMap::new(),
            next_context: 1,
            root: 0,
            current: 0,
            effective: 0,
            stopped: false,
            configuring: false,
            answered: None,
            failure: (0, ""),
            calls: HashSet::new(),
            next_call: 1,
            outbox,
            tick: None,
            told,
        }
    }

    /// A store that stops at every deadline and yields until then.
    pub(crate) fn store(self, engine: &wasmtime::Engine) -> Store<Guest> {
        let mut store = Store::new(engine, self);
        store.limiter(|guest| &mut guest.limiter);
        store.epoch_deadline_callback(|store| match Instant::now() >= store.data().deadline {
            true => Err(DeadlinePassed.into()),
            false => Ok(UpdateDeadline::Yield(1)),
        });
        store
    }

    /// Gets ready for a callback of that context.
    pub(crate) fn begin(store: &mut Store<Guest>, context: u32, deadline: Instant) {
        store.set_epoch_deadline(1);
        let guest = store.data_mut();
        (guest.deadline, guest.current, guest.effective, guest.stopped) = (deadline, context, 0, false);
    }

    pub(crate) fn new_context(&mut self) -> u32 {
        loop {
            let id = self.next_context;
            self.next_context = self.next_context.checked_add(1).unwrap_or(1);
            if id != self.root && !self.contexts.contains_key(&id) {
                return id;
            }
        }
    }

    pub(crate) fn new_call(&mut self) -> u32 {
        loop {
            let token = self.next_call;
            self.next_call = self.next_call.checked_add(1).unwrap_or(1);
            if self.calls.insert(token) {
                return token;
            }
        }
    }

    /// The request in whose name the filter speaks; none when it is the root.
    pub(crate) fn speaking(&self) -> Option<&Context> {
        self.contexts.get(&self.speaker())
    }

    pub(crate) fn speaking_mut(&mut self) -> Option<&mut Context> {
        self.contexts.get_mut(&self.speaker())
    }

    fn speaker(&self) -> u32 {
        let gone = self.effective == 0 || self.effective != self.root && !self.contexts.contains_key(&self.effective);
        if gone { self.current } else { self.effective }
    }

    /// Lets the filter speak in another's name until its callback ends.
    pub(crate) fn speak_for(&mut self, context: u32) -> bool {
        let known = context == self.root || self.contexts.contains_key(&context);
        if known {
            self.effective = context;
        }
        known
    }

    /// 0 stops the ticks.
    pub(crate) fn set_tick(&mut self, milliseconds: u32) {
        let period = Duration::from_millis(milliseconds.into());
        self.tick = (milliseconds > 0).then(|| period.max(TICK_MIN));
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.filter.counters.machines.fetch_sub(1, Relaxed);
    }
}

/// Says no when a virtual machine wants more memory than it may have.
pub(crate) struct Limiter {
    limit: usize,
    /// It has been told no: if it traps now, that is why.
    pub(crate) refused: bool,
    others: StoreLimits,
}

impl Limiter {
    fn new(limit: usize) -> Self {
        let others = StoreLimitsBuilder::new().table_elements(TABLE_ELEMENTS_MAX).instances(1).tables(4).memories(1);
        Self { limit, refused: false, others: others.build() }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.refused |= desired > self.limit;
        Ok(desired <= self.limit)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.others.table_growing(current, desired, maximum)
    }

    fn instances(&self) -> usize {
        self.others.instances()
    }

    fn tables(&self) -> usize {
        self.others.tables()
    }

    fn memories(&self) -> usize {
        self.others.memories()
    }
}
