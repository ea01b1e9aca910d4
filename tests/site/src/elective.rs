//! A log whose offices are given and taken by the test.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use log::{Append, BoxFuture, Candidacy, Log, Outputs, PartitionCount, Producer, Reach, Result, Start, Subscription};
use log::{Tail, Topic};
use model::{Offset, PartitionId};

/// Who has each office, and when it goes.
#[derive(Debug, Default)]
pub struct Office {
    is_elsewhere: AtomicBool,
    goes_with: Mutex<Option<String>>,
}

impl Office {
    /// Gives the office to the process that is tested, or to another.
    pub fn turn(&self, is_here: bool) {
        self.is_elsewhere.store(!is_here, Ordering::SeqCst);
    }

    /// Gives the office to another as soon as the process that is tested has appended a record in which `text` stands.
    pub fn go_with(&self, text: &str) {
        *self.goes_with.lock().unwrap() = Some(text.to_owned());
    }

    /// Whether it goes with one of these; it does so once.
    fn goes_with_one_of(&self, records: &[Append]) -> bool {
        let mut waiting = self.goes_with.lock().unwrap();
        let has = |text: &String| records.iter().any(|one| String::from_utf8_lossy(&one.record.value).contains(text));
        waiting.take_if(|text| has(text)).is_some()
    }
}

/// A log that knows who has its offices.
#[derive(Debug)]
pub struct Elective {
    log: Arc<dyn Log>,
    office: Arc<Office>,
}

impl Elective {
    /// Over `log`, with all offices at the process that is tested.
    pub fn over(log: Arc<dyn Log>) -> (Self, Arc<Office>) {
        let office = Arc::<Office>::default();
        (Self { log, office: Arc::clone(&office) }, office)
    }
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
        let is_last = self.office.goes_with_one_of(&records);
        Box::pin(async move {
            let appended = self.producer.append(records).await;
            if is_last {
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
