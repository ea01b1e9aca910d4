//! Reading a topic outside any group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Offset, PartitionId};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::brokers::{Brokers, Reader, partition};
use super::message::Decoder;
use crate::{Reach, Result, Stored, Tail, Topic};

/// Records handed out at once.
const AT_ONCE: usize = 10_000;

/// Reads partitions of a topic.
pub(super) struct KafkaTail {
    brokers: Arc<Brokers>,
    consumer: Reader,
    decoder: Decoder,
    next: BTreeMap<PartitionId, Offset>,
    /// Where each partition ended when the tail was opened.
    ends: BTreeMap<PartitionId, Offset>,
    /// Those whose end was reached: markers of transactions may lie between the last record and it.
    reached: BTreeSet<PartitionId>,
}

impl std::fmt::Debug for KafkaTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaTail").field("next", &self.next).finish_non_exhaustive()
    }
}

impl KafkaTail {
    pub(super) fn open(
        brokers: Arc<Brokers>,
        topic: Topic,
        partitions: impl Iterator<Item = PartitionId>,
        begin: impl Fn(PartitionId, Reach) -> Offset,
    ) -> Result<Self> {
        let consumer = brokers.reader()?;
        let (mut next, mut ends) = (BTreeMap::new(), BTreeMap::new());
        let mut places = TopicPartitionList::new();
        for partition in partitions {
            let reach = brokers.reach_patiently(topic, partition)?;
            let from = begin(partition, reach);
            next.insert(partition, from);
            ends.insert(partition, reach.end);
            let place = Place::Offset(i64::try_from(from.get()).unwrap_or(i64::MAX));
            let added = places.add_partition_offset(brokers.topic(topic), brokers.known(partition)?, place);
            added.map_err(|source| brokers.failed(source))?;
        }
        consumer.assign(&places).map_err(|source| brokers.failed(source))?;
        Ok(Self { brokers, consumer, decoder: Decoder::default(), next, ends, reached: BTreeSet::new() })
    }
}

impl Tail for KafkaTail {
    fn next(&mut self, timeout: Duration) -> Result<Vec<Stored>> {
        let deadline = Instant::now() + timeout;
        let mut records = Vec::new();
        while records.len() < AT_ONCE {
            let wait =
                if records.is_empty() { deadline.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    let stored = self.decoder.decode(&message);
                    self.next.insert(stored.position.partition, stored.position.offset.next());
                    records.push(stored);
                }
                Some(Err(KafkaError::PartitionEOF(number))) => {
                    let was_caught_up = self.caught_up();
                    self.reached.insert(partition(number));
                    // Whoever waits to be caught up is not kept longer than needed.
                    if !was_caught_up && self.caught_up() {
                        break;
                    }
                }
                Some(Err(error)) => self.bear(&error),
                None if !records.is_empty() || Instant::now() >= deadline => break,
                None => {}
            }
        }
        Ok(records)
    }

    fn caught_up(&self) -> bool {
        let at_end = |(partition, end): (&PartitionId, &Offset)| {
            self.reached.contains(partition) || self.next.get(partition).is_some_and(|next| next >= end)
        };
        self.ends.iter().all(at_end)
    }
}

impl KafkaTail {
    /// Whatever it is, it is told and borne: brokers come back, topics and rights are given back, and a reader that had ended
    /// would show what is old for ever.
    fn bear(&self, error: &KafkaError) {
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed,
            ) => tracing::warn!(%error, brokers = self.brokers.config().brokers, "a reader waits"),
            // It comes as often as a broker is asked in vain.
            _ => tracing::debug!(%error, "a reader waits"),
        }
    }
}
