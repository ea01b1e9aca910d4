//! Who speaks for each partition.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use model::PartitionId;

use crate::{Error, Result};

/// The number of the latest speaker of each partition.
#[derive(Debug, Default)]
pub(super) struct Speakers {
    latest: Mutex<BTreeMap<PartitionId, u64>>,
}

/// The right to speak for a partition, until someone newer has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speaker {
    pub(super) partition: PartitionId,
    number: u64,
}

impl Speakers {
    /// A new speaker for `partition`; the one before is refused from now on.
    pub(super) fn appoint(&self, partition: PartitionId) -> Speaker {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let number = latest.entry(partition).or_default();
        *number += 1;
        Speaker { partition, number: *number }
    }

    /// Refuses a speaker who is not the latest.
    pub(super) fn check(&self, speaker: Speaker) -> Result<()> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let Speaker { partition, number } = speaker;
        if latest.get(&partition) == Some(&number) { Ok(()) } else { Err(Error::Fenced { partition }) }
    }
}
