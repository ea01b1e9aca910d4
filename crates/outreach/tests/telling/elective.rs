//! A log whose office is given and taken by the test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use log::{Append, BoxFuture, Candidacy, Log, Outputs, PartitionCount, Producer, Reach, Result, Start, Subscription};
use log::{Tail, Topic};
use model::{Offset, PartitionId};

/// Who has the office, and when it goes.
#[derive(Debug, Default)]
pub(crate) struct Office {
    is_elsewhere: AtomicBool,
    goes_with_a_sending: AtomicBool,
}

impl Office {
    /// Gives the office to the process that is tested, or to another.
    pub(crate) fn turn(&self, is_here: bool) {
        self.is_elsewhere.store(!is_here, Ordering::SeqCst);
    }

    /// Gives the office to another while it is kept that a message is on its way.
    pub(crate) fn go_with_a_sending(&self) {
        self.goes_with_a_sending.store(true, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(crate) struct Elective {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) office: Arc<Office>,
}

#[derive(Debug)]
struct Candidate(Arc<Office>);

impl Candidacy for Candidate {
    fn holds_office(&self) -> bool {
        !self.0.is_elsewhere.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct Appending {
    producer: Arc<dyn Producer>,
    office: Arc<Office>,
}

impl Producer for Appending {
    fn append(&self, records: Vec<Append>) -> BoxFuture<'_, Result<()>> {
        let is_sending =
            records.iter().any(|append| String::from_utf8_lossy(&append.record.value).contains("\"sending\":{"));
        Box::pin(async move {
            let appended = self.producer.append(records).await;
            if is_sending && self.office.goes_with_a_sending.swap(false, Ordering::SeqCst) {
                self.office.turn(false);
            }
            appended
        })
    }
}

impl Log for Elective {
    fn stand_for(&self, _: &str) -> Result<Box<dyn Candidacy>> {
        Ok(Box::new(Candidate(Arc::clone(&self.office))))
    }

    fn partitions(&self) -> PartitionCount {
        self.log.partitions()
    }

    fn identity(&self) -> Result<String> {
        self.log.identity()
    }

    fn producer(&self) -> Arc<dyn Producer> {
        Arc::new(Appending { producer: self.log.producer(), office: Arc::clone(&self.office) })
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
