//! Publishes what a partition said, on a thread of its own: the fold goes on meanwhile.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{Output, Outputs, Sequence};

use crate::{Error, ending};

/// Outputs published at once.
const AT_ONCE: usize = 5_000;
/// How long the thread waits before it tries again what the log could not do.
const AGAIN: Duration = Duration::from_millis(500);
/// A partition's publishing thread.
#[derive(Debug)]
pub(crate) struct Publisher {
    /// `None` only while it is dropped.
    work: Option<Sender<Vec<Output>>>,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Progress {
    reached: Mutex<Reached>,
    changed: Condvar,
}

/// How far it is.
#[derive(Debug, Default)]
struct Reached {
    published: Sequence,
    failed: Option<log::Error>,
    is_stopped: bool,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Reached> {
        // Each field is set by itself: what a panic leaves behind is sound.
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(&mut Reached)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits for a while, or until it is to stop; whether it is to go on.
    fn pause(&self) -> bool {
        let paused = self.changed.wait_timeout_while(self.lock(), AGAIN, |reached| !reached.is_stopped);
        let (reached, _) = paused.unwrap_or_else(PoisonError::into_inner);
        !reached.is_stopped
    }
}

impl Publisher {
    pub(crate) fn start(outputs: Box<dyn Outputs>) -> Result<Self, Error> {
        let (work, waiting) = channel();
        let progress = Arc::<Progress>::default();
        let shared = Arc::clone(&progress);
        let thread = std::thread::Builder::new().name("publisher".to_owned());
        let thread = thread.spawn(move || run(outputs, &waiting, &shared));
        let thread = thread.map_err(|_| Error::Thread("for publishing could not be started"))?;
        Ok(Self { work: Some(work), progress, thread: Some(thread) })
    }

    /// Publishes `outputs` behind what it has already.
    pub(crate) fn send(&self, outputs: Vec<Output>) {
        if let (false, Some(work)) = (outputs.is_empty(), &self.work) {
            // The thread ends only after a failure, which `published` tells.
            let _ended = work.send(outputs).is_err();
        }
    }

    /// The last output that is durable, among those given to it; 0 where none is.
    ///
    /// # Errors
    ///
    /// What made it give up.
    pub(crate) fn published(&self) -> Result<Sequence, Error> {
        let mut reached = self.progress.lock();
        reached
            .failed
            .take()
            .map_or(Ok(reached.published), |source| Err(Error::Log { doing: "publishing what was decided", source }))
    }

    /// Waits until everything up to `last` is durable, it has given up, or `patience` is over.
    pub(crate) fn wait_for(&self, last: Sequence, patience: Duration) {
        let waits = |reached: &mut Reached| reached.failed.is_none() && reached.published < last;
        let waited = self.progress.changed.wait_timeout_while(self.progress.lock(), patience, waits);
        drop(waited);
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.work = None;
        self.progress.set(|reached| reached.is_stopped = true);
        if let Some(thread) = self.thread.take() {
            // What it still publishes is refused once somebody else speaks for the partition.
            ending::join(thread, "publisher");
        }
    }
}

fn run(mut outputs: Box<dyn Outputs>, waiting: &Receiver<Vec<Output>>, progress: &Progress) {
    while let Ok(mut batch) = waiting.recv() {
        while batch.len() < AT_ONCE
            && let Ok(more) = waiting.try_recv()
        {
            batch.extend(more);
        }
        if !publish(outputs.as_mut(), &batch, progress) {
            return;
        }
    }
}

/// Publishes a batch, however often it takes; whether it succeeded.
fn publish(outputs: &mut dyn Outputs, batch: &[Output], progress: &Progress) -> bool {
    loop {
        match outputs.publish(batch) {
            Ok(()) => {
                progress
                    .set(|reached| reached.published = batch.last().map_or(reached.published, |last| last.sequence));
                return true;
            }
            Err(error @ log::Error::Busy(_)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "publishing again");
                if !progress.pause() {
                    return false;
                }
            }
            Err(error) => {
                progress.set(|reached| reached.failed = Some(error));
                return false;
            }
        }
    }
}
