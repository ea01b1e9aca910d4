//! How far each partition reaches, and waiting until it reaches further.
//!
//! Readers go by what stands here and not by what the database shows, so that they see only what is durable.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Offset, PartitionId};

use super::keys::Place;
use crate::{Reach, Topic};

/// The reach of a topic's partitions.
pub(super) type TopicReach = BTreeMap<PartitionId, Reach>;

/// The reach of everything.
#[derive(Debug, Default)]
pub(super) struct Reaches {
    topics: BTreeMap<Topic, Waitable>,
}

/// Apart for each topic, so that an append wakes only those who read its topic.
#[derive(Debug, Default)]
struct Waitable {
    partitions: Mutex<TopicReach>,
    grown: Condvar,
}

impl Reaches {
    /// The reach of all partitions as it was found at the start.
    pub(super) fn new(found: BTreeMap<Topic, TopicReach>) -> Self {
        let waitable = |partitions| Waitable { partitions: Mutex::new(partitions), grown: Condvar::new() };
        Self { topics: found.into_iter().map(|(topic, partitions)| (topic, waitable(partitions))).collect() }
    }

    /// The reach of one partition; empty where there is no such partition.
    pub(super) fn of(&self, (topic, partition): Place) -> Reach {
        let reach = self.topics.get(&topic).and_then(|topic| topic.lock().get(&partition).copied());
        reach.unwrap_or_default()
    }

    /// The reach of all partitions of a topic.
    pub(super) fn of_topic(&self, topic: Topic) -> TopicReach {
        self.topics.get(&topic).map(|topic| topic.lock().clone()).unwrap_or_default()
    }

    /// Says where these partitions end now, durably, and wakes those who wait for it.
    pub(super) fn grow(&self, ends: &BTreeMap<Place, Offset>) {
        for ((topic, partition), end) in ends {
            let Some(topic) = self.topics.get(topic) else { continue };
            topic.lock().entry(*partition).or_default().end = *end;
            topic.grown.notify_all();
        }
    }

    /// Says that the records before `start` are gone.
    pub(super) fn trim(&self, (topic, partition): Place, start: Offset) {
        if let Some(topic) = self.topics.get(&topic) {
            topic.lock().entry(partition).or_default().start = start;
        }
    }

    /// Waits at most `timeout` until `wanted` finds something in the topic's reach.
    pub(super) fn wait<T>(
        &self,
        topic: Topic,
        timeout: Duration,
        wanted: impl Fn(&TopicReach) -> Option<T>,
    ) -> Option<T> {
        let topic = self.topics.get(&topic)?;
        let waited = topic.grown.wait_timeout_while(topic.lock(), timeout, |reach| wanted(reach).is_none());
        let (reach, _) = waited.unwrap_or_else(PoisonError::into_inner);
        wanted(&reach)
    }
}

impl Waitable {
    fn lock(&self) -> MutexGuard<'_, TopicReach> {
        // The map is changed entry by entry: what a panic leaves behind is sound.
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
