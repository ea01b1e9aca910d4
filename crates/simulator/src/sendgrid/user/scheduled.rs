//! Batches of mail that is to be sent later, and which of them are paused or cancelled.

use std::collections::{BTreeMap, BTreeSet};

/// Batches by id.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Scheduled {
    batches: BTreeSet<String>,
    stopped: BTreeMap<String, String>,
}

/// Why a batch was not paused or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum NotScheduled {
    #[error("invalid batch id")]
    Unknown,
    #[error("a status for this batch id exists, update it instead")]
    Already,
    #[error("you can have at most 10 batches paused or cancelled")]
    TooMany,
}

impl Scheduled {
    /// SendGrid's own limit.
    const MOST_STOPPED: usize = 10;

    /// A new batch's id.
    pub(in super::super) fn create(&mut self) -> String {
        let id = format!("SimulatedBatch-{:08}", self.batches.len() + 1);
        self.batches.insert(id.clone());
        id
    }

    pub(in super::super) fn is_batch(&self, id: &str) -> bool {
        self.batches.contains(id)
    }

    /// Pauses or cancels a batch that was neither.
    pub(in super::super) fn stop(&mut self, id: &str, status: &str) -> Result<(), NotScheduled> {
        if !self.is_batch(id) {
            return Err(NotScheduled::Unknown);
        }
        if self.stopped.contains_key(id) {
            return Err(NotScheduled::Already);
        }
        if self.stopped.len() >= Self::MOST_STOPPED {
            return Err(NotScheduled::TooMany);
        }
        self.stopped.insert(id.to_owned(), status.to_owned());
        Ok(())
    }

    /// Changes what was asked of a batch; whether anything was.
    pub(in super::super) fn update(&mut self, id: &str, status: &str) -> bool {
        self.stopped.get_mut(id).map(|known| status.clone_into(known)).is_some()
    }

    /// Lets a batch go on; whether it was stopped.
    pub(in super::super) fn resume(&mut self, id: &str) -> bool {
        self.stopped.remove(id).is_some()
    }

    /// Batches that are paused or cancelled, with which of it.
    pub(in super::super) fn stopped(&self) -> impl Iterator<Item = (&String, &String)> {
        self.stopped.iter()
    }
}
