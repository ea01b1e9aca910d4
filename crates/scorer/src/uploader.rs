//! Stores checkpoints, one after the other, on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::{Offset, PartitionId};

use crate::checkpoints::Checkpoints;
use crate::opener::remove;
use crate::watched::Watched;
use crate::{CheckpointError, Error, ending};

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
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Uploader {
    pub(crate) fn start(to: Checkpoints, watched: Watched) -> Result<Self, Error> {
        let (copies, waiting) = channel();
        let ending = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&ending);
        let run = move || {
            while let Ok((copied, _done)) = waiting.recv() {
                if !ended.load(Ordering::Acquire) {
                    store(&to, &copied, &watched);
                }
                if let Err(error) = remove(&copied.folder) {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a copy is left behind");
                }
            }
        };
        let thread = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(run);
        let thread = thread.map_err(|_| Error::Thread("for checkpoints could not be started"))?;
        Ok(Self { copies: Some(copies), ending, thread: Some(thread) })
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
    let deadline = Instant::now() + patience;
    for stored in stored {
        let left = deadline.saturating_duration_since(Instant::now());
        if stored.recv_timeout(left) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("a checkpoint is still being stored");
            return;
        }
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        self.copies = None;
        if let Some(thread) = self.thread.take() {
            // What is not stored by then is stored by whoever has the partition next.
            ending::join(thread, "checkpoints");
        }
    }
}

fn store(to: &Checkpoints, copied: &Copied, watched: &Watched) {
    let stored: Result<(), CheckpointError> = to.save(copied.partition, copied.offset, &copied.folder);
    let about = format!("checkpoints of partition {}", copied.partition);
    match stored {
        Ok(()) => {
            watched.metrics.checkpoints_stored.inc();
            watched.metrics.checkpointed(copied.partition, (watched.clock)());
            watched.troubles.end(&about);
        }
        Err(error) => {
            watched.metrics.checkpoints_failed.inc();
            watched.troubles.tell(&about, &error);
        }
    }
}
