//! The brokers: whom to ask, and what their errors mean.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::{Offset, PartitionId};
use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use super::{ASKING, Config};
use crate::{Error, Reach, Result, Topic};

/// How long a question waits for a partition to have a leader: one that was just made, or whose broker is gone, has none for
/// a moment.
const ELECTING: Duration = Duration::from_secs(5);
/// How long one who begins to read waits for brokers that are away: about as long as the failure of a broker takes to mend.
const BEGINNING: Duration = Duration::from_secs(30);
/// How soon they are asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// A reader whose errors are told by what it polls, and where they pass, not at all.
#[derive(Debug)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "reader");
    }
}

impl ConsumerContext for Quiet {}

/// A consumer outside any group.
pub(super) type Reader = BaseConsumer<Quiet>;

/// Who is asked about topics and offsets.
pub(super) struct Brokers {
    config: Config,
    /// The topics' names in Kafka, in the order of [`Topic::ALL`].
    names: [String; Topic::ALL.len()],
    /// Replaced where it fails: one that has seen a leader may ask it for a long time after it is gone.
    client: Mutex<Arc<Reader>>,
}

impl std::fmt::Debug for Brokers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Brokers").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Brokers {
    pub(super) fn connect(config: Config) -> Result<Self> {
        let client = Mutex::new(Arc::new(asking(&config)?));
        let names = Topic::ALL.map(|topic| config.topic(topic));
        Ok(Self { config, names, client })
    }

    /// Asks, and again with another client where there was no answer; for as long as a leader is being elected.
    fn ask<T>(&self, question: impl Fn(&Reader) -> KafkaResult<T>) -> Result<T> {
        let client = Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner));
        if let Ok(answer) = question(&client) {
            return Ok(answer);
        }
        let fresh = Arc::new(asking(&self.config)?);
        let deadline = Instant::now() + ELECTING;
        let answer = loop {
            match question(&fresh) {
                Err(error) if is_electing(&error) && Instant::now() < deadline => std::thread::sleep(AGAIN),
                answer => break answer.map_err(|source| self.failed(source))?,
            }
        };
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(answer)
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// The topic's name in Kafka.
    pub(super) fn topic(&self, topic: Topic) -> &str {
        // Topics are numbered in the order in which `Topic::ALL` lists them.
        &self.names[topic as usize]
    }

    /// Refuses a partition that the log does not have; its number for Kafka.
    pub(super) fn known(&self, partition: PartitionId) -> Result<i32> {
        let partitions = self.config.partitions.get();
        let number = i32::try_from(partition.get()).ok().filter(|_| partition.get() < partitions);
        number.ok_or(Error::NoPartition { partition, partitions })
    }

    /// A new reader.
    pub(super) fn reader(&self) -> Result<Reader> {
        Reader::from_config_and_context(&self.config.reader(), Quiet).map_err(|source| self.failed(source))
    }

    /// A new reader that hears at once where a partition ends, instead of waiting there for more.
    pub(super) fn hasty_reader(&self) -> Result<Reader> {
        let mut config = self.config.reader();
        config.set("fetch.wait.max.ms", "5");
        Reader::from_config_and_context(&config, Quiet).map_err(|source| self.failed(source))
    }

    pub(super) fn metadata(&self) -> Result<Metadata> {
        self.ask(|client| client.fetch_metadata(None, ASKING))
    }

    /// The cluster's own name.
    pub(super) fn cluster(&self) -> Result<String> {
        let unknown = KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut);
        self.ask(|client| client.client().fetch_cluster_id(ASKING).ok_or_else(|| unknown.clone()))
    }

    /// From where to where a partition reaches; what is not committed does not count.
    pub(super) fn reach(&self, topic: Topic, partition: PartitionId) -> Result<Reach> {
        let number = self.known(partition)?;
        let name = self.topic(topic);
        let (start, end) = self.ask(|client| client.fetch_watermarks(name, number, ASKING))?;
        Ok(Reach { start: offset(start), end: offset(end) })
    }

    /// As [`Brokers::reach`], for one who begins: brokers that are away for a moment are waited for. Blocking.
    pub(super) fn reach_patiently(&self, topic: Topic, partition: PartitionId) -> Result<Reach> {
        let deadline = Instant::now() + BEGINNING;
        loop {
            match self.reach(topic, partition) {
                Err(error @ Error::Unreachable { .. }) if Instant::now() < deadline => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        topic = topic.name(),
                        "waiting for the brokers"
                    );
                    std::thread::sleep(AGAIN);
                }
                reached => return reached,
            }
        }
    }

    pub(super) fn failed(&self, source: KafkaError) -> Error {
        failed(&self.config, source)
    }

    pub(super) fn unreadable(&self, found: String) -> Error {
        Error::Unreadable { place: self.config.brokers.clone(), found }
    }

    /// The brokers did not do what they should within the time.
    pub(super) fn late(&self, what: &'static str) -> Error {
        Error::Unreachable { place: self.config.brokers.clone(), source: what.into() }
    }
}

/// A client for questions.
fn asking(config: &Config) -> Result<Reader> {
    let mut reader = config.admin();
    reader.set("isolation.level", "read_committed");
    Reader::from_config_and_context(&reader, Quiet).map_err(|source| failed(config, source))
}

/// Whether the partition has no leader just now, as far as those who were asked know.
fn is_electing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::NotLeaderForPartition
                | Code::LeaderNotAvailable
                | Code::ReplicaNotAvailable
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
                | Code::UnknownTopicOrPartition
                | Code::UnknownPartition
        )
    )
}

/// Kafka's offsets are not negative where they name a record.
pub(super) fn offset(offset: i64) -> Offset {
    Offset::new(u64::try_from(offset).unwrap_or(0))
}

/// The partition that Kafka numbers so.
pub(super) fn partition(number: i32) -> PartitionId {
    PartitionId::new(u32::try_from(number).unwrap_or(0))
}

/// What cannot pass by itself is told apart from what can.
pub(super) fn failed(config: &Config, source: KafkaError) -> Error {
    let place = config.brokers.clone();
    if is_for_good(&source) {
        Error::Storage { place, source: source.into() }
    } else {
        Error::Unreachable { place, source: source.into() }
    }
}

fn is_for_good(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let code = match error {
        // The client can't be made from its settings.
        KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) | KafkaError::Nul(_) => return true,
        KafkaError::AdminOp(code) => Some(*code),
        _ => error.rdkafka_error_code(),
    };
    matches!(
        code,
        Some(
            Code::SaslAuthenticationFailed
                | Code::Authentication
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
                | Code::MessageSizeTooLarge
                | Code::InvalidConfig
                | Code::InvalidTopic
                | Code::InvalidPartitions
                | Code::PolicyViolation
                | Code::Fatal
        )
    )
}
