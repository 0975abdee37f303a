//! Threads with a runtime of their own: a connection stays on its worker, and nothing on the way wakes another thread.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use tokio::sync::mpsc;

use crate::Error;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Makes the task on the worker's own thread, so that it registers its socket with that worker's reactor.
type Job = Box<dyn FnOnce() -> Task + Send>;

/// A fixed set of worker threads, shared by any number of listeners. The threads end when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Workers(Arc<[Worker]>);

#[derive(Debug)]
struct Worker {
    // Unbounded in type only: each job holds a slot of its listener's connection limit.
    jobs: mpsc::UnboundedSender<Job>,
    load: Arc<AtomicUsize>,
    // Never joined: a worker ends when its queue closes, on its own time.
    _thread: JoinHandle<()>,
}

/// Counts a connection on its worker while it lives.
#[derive(Debug)]
pub(crate) struct Load(Arc<AtomicUsize>);

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Workers {
    /// Starts one worker for each processor that this process may use.
    ///
    /// # Errors
    /// [`Error::Worker`] when a thread cannot be started.
    pub fn start_all() -> Result<Self, Error> {
        Self::start(std::thread::available_parallelism().map_or(1, Into::into))
    }

    /// Starts that many workers, at least one.
    ///
    /// # Errors
    /// [`Error::Worker`] when a thread cannot be started.
    pub fn start(count: usize) -> Result<Self, Error> {
        (0..count.max(1)).map(Worker::start).collect::<Result<Vec<_>, _>>().map(|workers| Self(workers.into()))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Runs a future on that worker (counted from 0, modulo the number of workers), for what a handler keeps beside its
    /// connections.
    pub fn spawn<F, T>(&self, worker: usize, make: F)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        if let Some(worker) = self.0.get(worker % self.0.len()) {
            let _ = worker.jobs.send(Box::new(move || Box::pin(make())));
        }
    }

    /// Hands work to the worker with the fewest connections.
    pub(crate) fn place<F, T>(&self, make: F)
    where
        F: FnOnce(usize, Load) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let fewest = self.0.iter().enumerate().min_by_key(|(_, worker)| worker.load.load(Relaxed));
        let Some((index, worker)) = fewest else { return };
        worker.load.fetch_add(1, Relaxed);
        let load = Load(Arc::clone(&worker.load));
        let _ = worker.jobs.send(Box::new(move || Box::pin(make(index, load))));
    }
}

impl Worker {
    fn start(index: usize) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Worker)?;
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        let thread = std::thread::Builder::new()
            .name(format!("weir-worker-{index}"))
            .spawn(move || {
                runtime.block_on(async move {
                    while let Some(job) = queue.recv().await {
                        tokio::spawn(job());
                    }
                });
                // What still runs is cut; a blocking call in flight does not hold the process.
                runtime.shutdown_background();
            })
            .map_err(Error::Worker)?;
        Ok(Self { jobs, load: Arc::default(), _thread: thread })
    }
}
