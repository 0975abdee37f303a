//! A virtual machine: one filter on one worker. Its callbacks run one after another; when one fails the machine is dropped
//! and another takes its place.

mod ready;
mod start;

use std::future::{Future, poll_fn};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};
use wasmtime::Store;

use self::ready::Ready;
use crate::effect::{CallAnswer, HttpCall};
use crate::exports::Exports;
use crate::filter::Filter;
use crate::guest::{DeadlinePassed, Guest};
use crate::queues::Told;
use crate::stats::count;
use crate::stream::Stream;
use crate::transaction::Transaction;
use crate::{Error, RESTART_PAUSE_MAX, RESTART_PAUSE_MIN, RESTART_WINDOW};

/// How long [`Vm::run`] sleeps when nothing is planned; anything that comes up wakes it.
const IDLE: Duration = Duration::from_secs(3600);

/// One filter on one worker.
pub struct Vm {
    filter: Arc<Filter>,
    // Unbounded in type only: each call holds one of CALLS_MAX places of its virtual machine.
    outbox: mpsc::UnboundedSender<HttpCall>,
    state: tokio::sync::Mutex<State>,
    ready: Ready,
    wake: Notify,
    me: Weak<Vm>,
}

/// The calls that the filter wants made; each is to be answered with [`Vm::answer`].
#[derive(Debug)]
pub struct Calls(mpsc::UnboundedReceiver<HttpCall>);

struct State {
    running: Option<Running>,
    generation: u64,
    /// Failures, each within [`RESTART_WINDOW`] of the one before.
    in_a_row: u32,
    failed_at: Option<Instant>,
    restart_at: Option<Instant>,
    tick: Option<Duration>,
    tick_at: Option<Instant>,
}

/// A machine that runs.
pub(crate) struct Running {
    pub(crate) store: Store<Guest>,
    pub(crate) exports: Exports,
}

/// Something to do inside a virtual machine.
pub(crate) trait Work: Send + 'static {
    /// What comes of it.
    type Output: Send + 'static;

    /// In which generation of the machine it must happen; none: in any.
    fn generation(&self) -> Option<u64> {
        None
    }

    /// Does it. An error means that the machine cannot be used again.
    fn run(self, running: &mut Running) -> impl Future<Output = wasmtime::Result<Self::Output>> + Send;
}

/// The machine that was to do it is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone;

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl Calls {
    /// The next call; none when the virtual machine is gone for good.
    pub async fn next(&mut self) -> Option<HttpCall> {
        self.0.recv().await
    }
}

impl Vm {
    /// Starts and configures a virtual machine. Let [`Vm::run`] run beside it, on the same worker.
    ///
    /// # Errors
    /// [`Error::Start`] when the filter traps, takes too long or refuses its configuration.
    pub async fn start(filter: Arc<Filter>) -> Result<(Arc<Vm>, Calls), Error> {
        let (outbox, inbox) = mpsc::unbounded_channel();
        let vm = Arc::new_cyclic(|me: &Weak<Vm>| Vm {
            filter,
            outbox,
            state: tokio::sync::Mutex::new(State {
                running: None,
                generation: 0,
                in_a_row: 0,
                failed_at: None,
                restart_at: None,
                tick: None,
                tick_at: None,
            }),
            ready: Ready::default(),
            wake: Notify::new(),
            me: me.clone(),
        });
        let started = start::start(&vm.filter, 0, vm.outbox.clone(), vm.told()).await;
        let running = started
            .map_err(|message| Error::Start { name: vm.filter.spec.name.clone(), message: message.to_string() })?;
        vm.state.lock().await.run_on(running);
        Ok((vm, Calls(inbox)))
    }

    /// The filter that it runs.
    #[must_use]
    pub fn filter(&self) -> &Arc<Filter> {
        &self.filter
    }

    /// A request's way through the filter. Nothing happens until its first hook.
    #[must_use]
    pub fn stream(&self, transaction: &Transaction) -> Stream {
        Stream::new(self.me.clone(), Arc::clone(&self.filter), transaction.clone())
    }

    /// Hands the answer to a call over. Of a machine that is gone it is dropped.
    pub async fn answer(self: &Arc<Self>, token: u32, generation: &HttpCallId, answer: CallAnswer) {
        let _ = self.enter(Answer { token, generation: generation.0, answer }).await;
    }

    /// Ticks, queues and replacements; runs for ever.
    pub async fn run(self: Arc<Self>) {
        loop {
            let next = self.state.lock().await.next_due().unwrap_or_else(|| Instant::now() + IDLE);
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep_until(next) => {}
            }
            self.chores().await;
        }
    }

    async fn chores(self: &Arc<Self>) {
        let now = Instant::now();
        let (restart, tick) = {
            let mut state = self.state.lock().await;
            let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            let tick = due(state.tick_at);
            if tick {
                // As Envoy: the next period begins when this tick is over, at the earliest now.
                state.tick_at = state.tick.map(|period| now + period);
            }
            (due(state.restart_at), tick)
        };
        if restart {
            self.restart().await;
        }
        if tick {
            let _ = self.enter(Tick).await;
        }
        while let Some((generation, token)) = self.ready.pop() {
            let _ = self.enter(QueueReady { generation, token }).await;
        }
    }

    async fn restart(self: &Arc<Self>) {
        let mut state = self.state.lock().await;
        let generation = state.generation + 1;
        match start::start(&self.filter, generation, self.outbox.clone(), self.told()).await {
            Ok(running) => {
                state.generation = generation;
                state.run_on(running);
                count(&self.filter.counters.restarts);
                tracing::info!(filter = self.filter.name(), "the filter runs again");
            }
            Err(message) => self.failed(&mut state, &message.to_string(), false),
        }
    }

    /// Does something inside the machine, to its end whoever waits for it: a client that leaves breaks no machine that
    /// others use.
    pub(crate) async fn enter<W: Work>(self: &Arc<Self>, work: W) -> Result<W::Output, Gone> {
        let vm = Arc::clone(self);
        let mut future = Box::pin(async move { vm.work(work).await });
        match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            Poll::Ready(done) => done,
            Poll::Pending => tokio::spawn(future).await.unwrap_or(Err(Gone)),
        }
    }

    async fn work<W: Work>(&self, work: W) -> Result<W::Output, Gone> {
        let mut state = self.state.lock().await;
        if work.generation().is_some_and(|generation| generation != state.generation) {
            return Err(Gone);
        }
        let State { running: Some(running), tick, tick_at, .. } = &mut *state else { return Err(Gone) };
        let _ticking = self.filter.machine.ticker.running();
        let root = running.store.data().root;
        Guest::begin(&mut running.store, root, Instant::now() + self.filter.spec.limits.call_time);
        match work.run(running).await {
            Ok(output) => {
                let wanted = running.store.data().tick;
                if wanted != *tick {
                    (*tick, *tick_at) = (wanted, wanted.map(|period| Instant::now() + period));
                    self.wake.notify_one();
                }
                Ok(output)
            }
            Err(error) => {
                let late = error.downcast_ref::<DeadlinePassed>().is_some();
                let why = cause(&error, running, self.filter.spec.limits.call_time);
                self.failed(&mut state, &why, late);
                Err(Gone)
            }
        }
    }

    fn failed(&self, state: &mut State, why: &str, late: bool) {
        let counters = &self.filter.counters;
        count(&counters.failures);
        if late {
            count(&counters.timeouts);
        }
        // Its requests learn of it here.
        state.running = None;
        (state.tick, state.tick_at) = (None, None);
        let now = Instant::now();
        let again = state.failed_at.is_some_and(|at| now - at < RESTART_WINDOW + state.pause());
        state.in_a_row = if again { state.in_a_row.saturating_add(1) } else { 0 };
        state.failed_at = Some(now);
        let pause = state.pause();
        state.restart_at = Some(now + pause);
        tracing::warn!(filter = self.filter.name(), ?pause, "the filter failed and will be started anew: {why}");
        self.wake.notify_one();
    }

    fn told(&self) -> Weak<dyn Told> {
        self.me.clone()
    }
}

/// Which machine made a call.
#[derive(Clone, Copy, Debug)]
pub struct HttpCallId(u64);

impl HttpCall {
    /// Which machine made it; goes with the answer.
    #[must_use]
    pub fn id(&self) -> HttpCallId {
        HttpCallId(self.generation)
    }
}

impl Told for Vm {
    fn queue_is_ready(&self, generation: u64, token: u32) {
        self.ready.push(generation, token);
        self.wake.notify_one();
    }
}

impl State {
    fn run_on(&mut self, running: Running) {
        self.tick = running.store.data().tick;
        self.tick_at = self.tick.map(|period| Instant::now() + period);
        self.restart_at = None;
        self.running = Some(running);
    }

    fn next_due(&self) -> Option<Instant> {
        [self.restart_at, self.tick_at].into_iter().flatten().min()
    }

    /// None for the first failure, then longer and longer.
    fn pause(&self) -> Duration {
        match self.in_a_row.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => (RESTART_PAUSE_MIN * 2_u32.saturating_pow(doublings.min(16))).min(RESTART_PAUSE_MAX),
        }
    }
}

/// What a wasmtime error means.
fn cause(error: &wasmtime::Error, running: &Running, time: Duration) -> String {
    if error.downcast_ref::<DeadlinePassed>().is_some() {
        return format!("it ran longer than its limit of {time:?}");
    }
    if running.store.data().limiter.refused {
        return format!(
            "it wanted more than its limit of {} bytes of memory",
            running.store.data().filter.spec.limits.memory_bytes
        );
    }
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(trap) => format!("it trapped: {}", trap.to_string().trim_start_matches("wasm trap: ")),
        None => format!("it failed: {error:#}"),
    }
}

struct Tick;

impl Work for Tick {
    type Output = ();

    async fn run(self, Running { store, exports }: &mut Running) -> wasmtime::Result<()> {
        let root = store.data().root;
        match &exports.tick {
            Some(tick) => tick.call_async(store, root).await,
            None => Ok(()),
        }
    }
}

struct QueueReady {
    generation: u64,
    token: u32,
}

impl Work for QueueReady {
    type Output = ();

    fn generation(&self) -> Option<u64> {
        Some(self.generation)
    }

    async fn run(self, Running { store, exports }: &mut Running) -> wasmtime::Result<()> {
        let root = store.data().root;
        match &exports.queue_ready {
            Some(ready) => ready.call_async(store, (root, self.token)).await,
            None => Ok(()),
        }
    }
}

struct Answer {
    token: u32,
    generation: u64,
    answer: CallAnswer,
}

impl Work for Answer {
    type Output = ();

    fn generation(&self) -> Option<u64> {
        Some(self.generation)
    }

    async fn run(self, Running { store, exports }: &mut Running) -> wasmtime::Result<()> {
        let guest = store.data_mut();
        let root = guest.root;
        if !guest.calls.remove(&self.token) {
            return Ok(());
        }
        let Some(callback) = &exports.call_response else { return Ok(()) };
        let sizes = self.answer.as_ref().map_or((0, 0, 0), |answer| {
            (answer.headers.len() as u32, answer.body.len() as u32, answer.trailers.len() as u32)
        });
        if self.answer.is_none() {
            guest.failure = (crate::abi::Status::BrokenConnection as u32, "reset");
        }
        guest.answered = self.answer;
        let called = callback.call_async(&mut *store, (root, self.token, sizes.0, sizes.1, sizes.2)).await;
        let guest = store.data_mut();
        (guest.answered, guest.failure.1) = (None, "");
        called
    }
}
