//! Stores checkpoints, one after the other, on a thread of its own.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use model::{Offset, PartitionId};

use crate::checkpoints::Checkpoints;
use crate::metrics::Metrics;
use crate::opener::remove;
use crate::{CheckpointError, Error, Troubles};

/// What `Troubles` call it.
const ABOUT: &str = "checkpoints";

/// A copy of a state on this machine, to be stored elsewhere and then deleted.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) partition: PartitionId,
    pub(crate) offset: Offset,
    pub(crate) folder: PathBuf,
}

/// The storing thread.
#[derive(Debug)]
pub(crate) struct Uploader {
    copies: Option<Sender<(Copied, Sender<()>)>>,
    thread: Option<JoinHandle<()>>,
}

impl Uploader {
    pub(crate) fn start(to: Checkpoints, metrics: Metrics, troubles: Troubles) -> Result<Self, Error> {
        let (copies, waiting) = channel();
        let thread = std::thread::Builder::new().name("checkpoints".to_owned());
        let thread = thread.spawn(move || run(&to, &waiting, &metrics, &troubles));
        let thread = thread.map_err(|_| Error::Thread("for checkpoints could not be started"))?;
        Ok(Self { copies: Some(copies), thread: Some(thread) })
    }

    /// Stores a copy; the answer ends when it is stored or could not be.
    pub(crate) fn store(&self, copied: Copied) -> Receiver<()> {
        let (done, stored) = channel();
        if let Some(copies) = &self.copies {
            // The thread ends only with this one.
            let _ended = copies.send((copied, done)).is_err();
        }
        stored
    }
}

/// Waits until the copies are stored, or until `patience` is over.
pub(crate) fn wait_for(stored: Vec<Receiver<()>>, patience: Duration) {
    let deadline = std::time::Instant::now() + patience;
    for stored in stored {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        if stored.recv_timeout(left) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("a checkpoint is still being stored");
            return;
        }
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        self.copies = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread for checkpoints panicked");
        }
    }
}

fn run(to: &Checkpoints, waiting: &Receiver<(Copied, Sender<()>)>, metrics: &Metrics, troubles: &Troubles) {
    while let Ok((Copied { partition, offset, folder }, _done)) = waiting.recv() {
        let stored: Result<(), CheckpointError> = to.save(partition, offset, &folder);
        let outcome = if stored.is_ok() { "stored" } else { "failed" };
        metrics.checkpoints.with_label_values(&[outcome]).inc();
        match stored {
            Ok(()) => troubles.end(ABOUT),
            Err(error) => troubles.tell(ABOUT, &error),
        }
        if let Err(error) = remove(&folder) {
            tracing::warn!(error = &error as &dyn std::error::Error, "a copy is left behind");
        }
    }
}
