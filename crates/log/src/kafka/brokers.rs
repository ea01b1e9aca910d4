//! The brokers: whom to ask, and what their errors mean.

use model::{Offset, PartitionId};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use super::{ASKING, Config};
use crate::{Error, Reach, Result, Topic};

/// Who is asked about topics and offsets.
pub(super) struct Brokers {
    config: Config,
    client: BaseConsumer,
}

impl std::fmt::Debug for Brokers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Brokers").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Brokers {
    pub(super) fn connect(config: Config) -> Result<Self> {
        let mut reader = config.admin();
        reader.set("isolation.level", "read_committed");
        let client = reader.create().map_err(|source| failed(&config, source))?;
        Ok(Self { config, client })
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// The topic's name in Kafka.
    pub(super) fn topic(&self, topic: Topic) -> String {
        self.config.topic(topic)
    }

    /// Refuses a partition that the log does not have; its number for Kafka.
    pub(super) fn known(&self, partition: PartitionId) -> Result<i32> {
        let partitions = self.config.partitions.get();
        let number = i32::try_from(partition.get()).ok().filter(|_| partition.get() < partitions);
        number.ok_or(Error::NoPartition { partition, partitions })
    }

    pub(super) fn metadata(&self) -> Result<Metadata> {
        self.client.fetch_metadata(None, ASKING).map_err(|source| self.failed(source))
    }

    /// From where to where a partition reaches; what is not committed does not count.
    pub(super) fn reach(&self, topic: Topic, partition: PartitionId) -> Result<Reach> {
        let number = self.known(partition)?;
        let reach = self.client.fetch_watermarks(&self.topic(topic), number, ASKING);
        let (start, end) = reach.map_err(|source| self.failed(source))?;
        Ok(Reach { start: offset(start), end: offset(end) })
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
    match source.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::InvalidConfig,
        ) => Error::Storage { place, source: source.into() },
        Some(_) => Error::Unreachable { place, source: source.into() },
        // The client could not be made from its settings.
        None => Error::Storage { place, source: source.into() },
    }
}
