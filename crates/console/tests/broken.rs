//! A log on which something does not work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::{
    Append, BoxFuture, Candidacy, Log, Outputs, PartitionCount, Producer, Reach, Start, Stored, Subscription, Tail,
    Topic,
};
use model::{Offset, PartitionId};

/// A log that is no longer written, or that is not read to its end by whoever begins while it is broken.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) is_read: AtomicBool,
    pub(crate) is_written: bool,
}

#[derive(Debug)]
struct Refuses;

impl Producer for Refuses {
    fn append(&self, _records: Vec<Append>) -> BoxFuture<'_, log::Result<()>> {
        Box::pin(std::future::ready(Err(log::Error::Busy("a test"))))
    }
}

#[derive(Debug)]
struct Endless;

impl Tail for Endless {
    fn next(&mut self, timeout: Duration) -> log::Result<Vec<Stored>> {
        std::thread::sleep(timeout);
        Ok(Vec::new())
    }

    fn caught_up(&self) -> bool {
        false
    }
}

impl Log for Broken {
    fn partitions(&self) -> PartitionCount {
        self.log.partitions()
    }

    fn identity(&self) -> log::Result<String> {
        self.log.identity()
    }

    fn producer(&self) -> Arc<dyn Producer> {
        if self.is_written { self.log.producer() } else { Arc::new(Refuses) }
    }

    fn subscribe(&self, topic: Topic, group: &str) -> log::Result<Box<dyn Subscription>> {
        self.log.subscribe(topic, group)
    }

    fn reach(&self, topic: Topic, partition: PartitionId) -> log::Result<Reach> {
        self.log.reach(topic, partition)
    }

    fn outputs(&self, partition: PartitionId) -> log::Result<Box<dyn Outputs>> {
        self.log.outputs(partition)
    }

    fn stand_for(&self, office: &str) -> log::Result<Box<dyn Candidacy>> {
        self.log.stand_for(office)
    }

    fn tail(&self, topic: Topic, start: Start) -> log::Result<Box<dyn Tail>> {
        if self.is_read.load(Ordering::Acquire) { self.log.tail(topic, start) } else { Ok(Box::new(Endless)) }
    }

    fn tail_of(&self, topic: Topic, partition: PartitionId, start: Start) -> log::Result<Box<dyn Tail>> {
        self.log.tail_of(topic, partition, start)
    }

    fn tail_from(&self, topic: Topic, places: &BTreeMap<PartitionId, Offset>) -> log::Result<Box<dyn Tail>> {
        self.log.tail_from(topic, places)
    }
}
