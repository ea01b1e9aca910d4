//! An office that one process at a time holds: whoever is assigned the first partition in a group of the office's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::brokers::Brokers;
use crate::{Candidacy, Result, Topic};

/// The shortest that brokers allow by default: how long an office may stay vacant when its holder dies.
const VACANT: Duration = Duration::from_secs(6);
/// How often the thread looks whether it shall end.
const POLL: Duration = Duration::from_millis(100);

/// A member of the office's group, on a thread of its own.
#[derive(Debug)]
pub(super) struct KafkaCandidacy {
    holds: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Election {
    office: String,
    holds: Arc<AtomicBool>,
}

impl ClientContext for Election {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, office = self.office, "candidate");
    }
}

impl ConsumerContext for Election {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(partitions) if has_first(partitions) => self.turn(false),
            Rebalance::Error(_) => self.turn(false),
            Rebalance::Revoke(_) | Rebalance::Assign(_) => {}
        }
    }

    fn post_rebalance(&self, member: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(partitions) = rebalance else { return };
        // Who stands for an office reads nothing.
        if let Err(error) = member.pause(partitions) {
            tracing::debug!(%error, "pausing");
        }
        if has_first(partitions) {
            self.turn(true);
        }
    }
}

impl Election {
    fn turn(&self, holds: bool) {
        if self.holds.swap(holds, Ordering::AcqRel) != holds {
            tracing::info!(office = self.office, holds, "an office changed hands");
        }
    }
}

fn has_first(partitions: &TopicPartitionList) -> bool {
    partitions.elements().iter().any(|element| element.partition() == 0)
}

impl KafkaCandidacy {
    pub(super) fn stand(brokers: &Brokers, office: &str) -> Result<Self> {
        let mut config = brokers.config().member(&format!("office-{office}"));
        config
            .set("auto.offset.reset", "latest")
            .set("session.timeout.ms", VACANT.as_millis().to_string())
            .set("heartbeat.interval.ms", "1500");
        let (holds, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let election = Election { office: office.to_owned(), holds: Arc::clone(&holds) };
        let member: BaseConsumer<Election> =
            BaseConsumer::from_config_and_context(&config, election).map_err(|source| brokers.failed(source))?;
        member.subscribe(&[brokers.topic(Topic::Fleet)]).map_err(|source| brokers.failed(source))?;
        let end = Arc::clone(&ended);
        let run = move || {
            while !end.load(Ordering::Acquire) {
                if let Some(Err(error)) = member.poll(POLL) {
                    tracing::debug!(%error, "candidate");
                }
            }
        };
        let thread = std::thread::Builder::new().name(format!("office-{office}")).spawn(run);
        let thread = thread.map_err(|_| brokers.late("no thread could be started"))?;
        Ok(Self { holds, ended, thread: Some(thread) })
    }
}

impl Candidacy for KafkaCandidacy {
    fn holds_office(&self) -> bool {
        self.holds.load(Ordering::Acquire)
    }
}

impl Drop for KafkaCandidacy {
    /// Leaves the group, so that another has the office at once.
    fn drop(&mut self) {
        self.holds.store(false, Ordering::Release);
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a candidate's thread panicked");
        }
    }
}
