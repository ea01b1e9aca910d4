//! A fold of the same log in one process, without anything that can go wrong: what the topics must say.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use log::kafka::{Config, KafkaLog};
use log::{Log, Output, Outputs, PartitionCount, Published, Start, Stored, Topic};
use model::PartitionId;
use policy::Policy;
use scorer::store::Budget;
use scorer::{Metrics, PartitionTask};
use telemetry::Registry;

use super::process::{Fleet, PATIENCE};

/// The log of the fleet, for one who only looks.
pub(crate) fn log(fleet: &Fleet) -> Arc<dyn Log> {
    let count = PartitionCount::new(NonZeroU32::new(fleet.partitions).unwrap());
    let mut config = Config::new(fleet.brokers.clone(), count);
    config.prefix = Fleet::PREFIX.to_owned();
    config.member = "reference".to_owned();
    Arc::new(KafkaLog::open(config).unwrap())
}

/// Everything that is on a topic now, by partition, as a reader of what is committed sees it.
pub(crate) fn read(log: &dyn Log, topic: Topic) -> BTreeMap<PartitionId, Vec<Stored>> {
    let mut tail = log.tail(topic, Start::Earliest).unwrap();
    let mut read: BTreeMap<_, Vec<_>> = BTreeMap::new();
    while !tail.caught_up() {
        for stored in tail.next(Duration::from_secs(10)).unwrap() {
            read.entry(stored.position.partition).or_default().push(stored);
        }
    }
    read
}

/// Keeps outputs in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<Output>>>);

impl Kept {
    /// Everything that was said to it, in order.
    pub(crate) fn all(&self) -> Vec<Output> {
        self.0.lock().unwrap().clone()
    }
}

impl Outputs for Kept {
    fn publish(&mut self, outputs: &[Output]) -> log::Result<()> {
        self.0.lock().unwrap().extend(outputs.iter().cloned());
        Ok(())
    }

    fn last_published(&mut self) -> log::Result<Option<Published>> {
        Ok(None)
    }
}

/// A fold that nobody else speaks for, whatever the topics say already, and what it says.
pub(crate) fn open(root: &Path, id: PartitionId) -> (PartitionTask, Kept) {
    let kept = Kept::default();
    let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
    let metrics = Metrics::register(&Registry::new()).unwrap();
    let outputs = Box::new(kept.clone());
    (PartitionTask::open(root, id, (policy, Budget::default()), metrics, outputs).unwrap(), kept)
}

/// What a fold of `records` says on `topic`, in order.
fn said(id: PartitionId, records: &[Stored], topic: Topic) -> Vec<Bytes> {
    let folder = tempfile::tempdir().unwrap();
    let (mut task, kept) = open(folder.path(), id);
    task.fold(records).unwrap();
    task.drain(PATIENCE).unwrap();
    kept.all().into_iter().filter(|output| output.topic == topic).map(|output| output.record.value).collect()
}

/// Asserts that the topic of decisions says what a fold of the same log says: nothing twice, no gap, in order; how many.
/// All scorers must have ended.
pub(crate) fn check_decisions(fleet: &Fleet) -> usize {
    let log = log(fleet);
    let events = read(log.as_ref(), Topic::Events);
    let decisions = read(log.as_ref(), Topic::Decisions);
    let mut count = 0;
    for (id, records) in &events {
        // Scorers end one after the other, and the last one's ticks find nobody to fold them; each tick that was folded
        // made its partition say its share.
        let last = log.outputs(*id).unwrap().last_published().unwrap().map(|published| published.said_at);
        let folded = records.partition_point(|stored| Some(stored.position.offset) <= last);
        let expected = said(*id, &records[..folded], Topic::Decisions);
        let found: Vec<_> = decisions.get(id).into_iter().flatten().map(|stored| stored.record.value.clone()).collect();
        assert_eq!(found, expected, "partition {id}");
        count += found.len();
    }
    assert!(count > 0, "nothing was decided, so nothing was compared");
    count
}
