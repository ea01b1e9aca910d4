//! The log of many machines: Apache Kafka.
//!
//! Each topic of ours is a topic there, with the same number of partitions, and a key lies on the partition that Kafka's own
//! default partitioner gives it. What Kafka promises is used and not trusted further than it goes: the position that
//! counts is the one in the reader's own state, the group's committed offset only a hint; outputs are read back before
//! they are taken for published; transactions fence whoever spoke before, and nothing else rests on them.

mod brokers;
mod candidacy;
mod membership;
mod message;
mod outputs;
mod producer;
mod read_back;
mod settings;
mod subscription;
mod tail;
mod topics;
mod watchdog;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Offset, PartitionId};

use crate::{Candidacy, Log, Outputs, PartitionCount, Producer, Reach, Result, Start, Subscription, Tail, Topic};

use brokers::Brokers;
use producer::KafkaProducer;
use read_back::ReadBack;

pub use settings::{Config, ForbiddenSetting};
pub use topics::{Replication, create_topics};

/// How long a question to the brokers may take.
const ASKING: Duration = Duration::from_secs(5);

/// A log in Kafka.
#[derive(Debug)]
pub struct KafkaLog {
    brokers: Arc<Brokers>,
    /// Made when the first record is appended: who only reads needs none.
    producer: Arc<KafkaProducer>,
    /// Made when the first output is published; another takes the place of one that does not see what is published.
    read_back: Mutex<Option<Arc<ReadBack>>>,
}

impl KafkaLog {
    /// Connects, and checks that every topic is there with the partitions configured.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NoTopic`] and [`crate::Error::Partitions`] where the topics are not as configured,
    /// [`crate::Error::Unreachable`] where no broker answers.
    pub fn open(config: Config) -> Result<Self> {
        let brokers = Arc::new(Brokers::connect(config)?);
        topics::check(&brokers)?;
        let producer = Arc::new(KafkaProducer::new(Arc::clone(&brokers)));
        Ok(Self { brokers, producer, read_back: Mutex::new(None) })
    }

    fn read_back(&self) -> Result<Arc<ReadBack>> {
        let mut read_back = self.read_back.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read_back) = read_back.as_ref().filter(|read_back| !read_back.is_blind()) {
            return Ok(Arc::clone(read_back));
        }
        let fresh = Arc::new(ReadBack::start(Arc::clone(&self.brokers))?);
        *read_back = Some(Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl Log for KafkaLog {
    fn partitions(&self) -> PartitionCount {
        self.brokers.config().partitions
    }

    fn identity(&self) -> Result<String> {
        Ok(format!("{}{}", self.brokers.config().prefix, self.brokers.cluster()?))
    }

    fn producer(&self) -> Arc<dyn Producer> {
        Arc::clone(&self.producer) as Arc<dyn Producer>
    }

    fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Subscription>> {
        Ok(Box::new(subscription::KafkaSubscription::join(Arc::clone(&self.brokers), topic, group)?))
    }

    fn reach(&self, topic: Topic, partition: PartitionId) -> Result<Reach> {
        self.brokers.reach(topic, partition)
    }

    fn outputs(&self, partition: PartitionId) -> Result<Box<dyn Outputs>> {
        let read_back = self.read_back()?;
        Ok(Box::new(outputs::KafkaOutputs::open(Arc::clone(&self.brokers), read_back, partition)?))
    }

    fn stand_for(&self, office: &str) -> Result<Box<dyn Candidacy>> {
        Ok(Box::new(candidacy::KafkaCandidacy::stand(&self.brokers, office)?))
    }

    fn tail(&self, topic: Topic, start: Start) -> Result<Box<dyn Tail>> {
        let (partitions, begin) = (self.partitions().all(), |_, reach: Reach| reach.at(start));
        Ok(Box::new(tail::KafkaTail::open(Arc::clone(&self.brokers), topic, partitions, begin)?))
    }

    fn tail_of(&self, topic: Topic, partition: PartitionId, start: Start) -> Result<Box<dyn Tail>> {
        let (partitions, begin) = (std::iter::once(partition), |_, reach: Reach| reach.at(start));
        Ok(Box::new(tail::KafkaTail::open(Arc::clone(&self.brokers), topic, partitions, begin)?))
    }

    fn tail_from(&self, topic: Topic, places: &BTreeMap<PartitionId, Offset>) -> Result<Box<dyn Tail>> {
        let begin = |partition, reach: Reach| reach.nearest(places.get(&partition).copied().unwrap_or(reach.start));
        let partitions = places.keys().copied();
        Ok(Box::new(tail::KafkaTail::open(Arc::clone(&self.brokers), topic, partitions, begin)?))
    }
}
