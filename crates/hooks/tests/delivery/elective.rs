//! A log whose offices are given and taken by the test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use log::{Candidacy, Log, Outputs, PartitionCount, Producer, Reach, Result, Start, Subscription, Tail, Topic};
use model::{Offset, PartitionId};

#[derive(Debug)]
pub(crate) struct Elective {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) holds_office: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Candidate(Arc<AtomicBool>);

impl Candidacy for Candidate {
    fn holds_office(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Log for Elective {
    fn stand_for(&self, _: &str) -> Result<Box<dyn Candidacy>> {
        Ok(Box::new(Candidate(Arc::clone(&self.holds_office))))
    }

    fn partitions(&self) -> PartitionCount {
        self.log.partitions()
    }

    fn identity(&self) -> Result<String> {
        self.log.identity()
    }

    fn producer(&self) -> Arc<dyn Producer> {
        self.log.producer()
    }

    fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Subscription>> {
        self.log.subscribe(topic, group)
    }

    fn reach(&self, topic: Topic, partition: PartitionId) -> Result<Reach> {
        self.log.reach(topic, partition)
    }

    fn outputs(&self, partition: PartitionId) -> Result<Box<dyn Outputs>> {
        self.log.outputs(partition)
    }

    fn tail(&self, topic: Topic, start: Start) -> Result<Box<dyn Tail>> {
        self.log.tail(topic, start)
    }

    fn tail_of(&self, topic: Topic, partition: PartitionId, start: Start) -> Result<Box<dyn Tail>> {
        self.log.tail_of(topic, partition, start)
    }

    fn tail_from(&self, topic: Topic, places: &BTreeMap<PartitionId, Offset>) -> Result<Box<dyn Tail>> {
        self.log.tail_from(topic, places)
    }
}
