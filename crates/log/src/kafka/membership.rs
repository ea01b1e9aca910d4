//! What a member of a group hears of the group.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use model::PartitionId;
use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::brokers::{Brokers, partition};
use crate::Result;

/// A change of the assignment that waits to be carried out.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Assign(Vec<PartitionId>),
    Revoke(Vec<PartitionId>),
    Lose(Vec<PartitionId>),
}

/// Hears of changes.
#[derive(Debug, Default)]
pub(super) struct Membership {
    pub(super) changes: Mutex<VecDeque<Change>>,
    /// Nobody is there any more to be told: changes are carried out at once.
    pub(super) is_leaving: AtomicBool,
}

impl ClientContext for Membership {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "consumer");
    }
}

impl ConsumerContext for Membership {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let is_assignment = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let partitions: Vec<_> = list.elements().iter().map(|element| partition(element.partition())).collect();
        if self.is_leaving.load(Ordering::Acquire) || partitions.is_empty() {
            let carried_out =
                if is_assignment { consumer.incremental_assign(list) } else { consumer.incremental_unassign(list) };
            if let Err(error) = carried_out {
                tracing::debug!(%error, "a change of nothing");
            }
            return;
        }
        let change = match (is_assignment, consumer.assignment_lost()) {
            (true, _) => Change::Assign(partitions),
            (false, true) => Change::Lose(partitions),
            (false, false) => Change::Revoke(partitions),
        };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
    }
}

pub(super) type Member = BaseConsumer<Membership>;

/// A member that has not joined yet.
pub(super) fn member(brokers: &Brokers, group: &str) -> Result<Member> {
    let mut config = brokers.config().member(group);
    config.set("group.instance.id", &brokers.config().member);
    Member::from_config_and_context(&config, Membership::default()).map_err(|source| brokers.failed(source))
}
