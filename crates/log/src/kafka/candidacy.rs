//! An office that one process at a time holds: whoever is assigned the first partition in a group of the office's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
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
    term: Arc<Term>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who ask know of the office.
#[derive(Debug)]
struct Term {
    office: String,
    holds: AtomicBool,
    ended: AtomicBool,
    began: Instant,
    /// When the thread last heard from the group, in milliseconds since `began`.
    heard: AtomicU64,
}

impl Term {
    fn turn(&self, holds: bool) {
        if self.holds.swap(holds, Ordering::AcqRel) != holds {
            tracing::info!(office = self.office, holds, "an office changed hands");
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn hear(&self) {
        self.heard.store(self.now(), Ordering::Release);
    }

    /// A process that was frozen may have been replaced before it hears of it.
    fn was_away(&self) -> bool {
        let silent = self.now().saturating_sub(self.heard.load(Ordering::Acquire));
        Duration::from_millis(silent) >= VACANT
    }
}

type Member = BaseConsumer<Election>;

#[derive(Debug)]
struct Election {
    term: Arc<Term>,
}

impl ClientContext for Election {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, office = self.term.office, "candidate");
    }
}

impl ConsumerContext for Election {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(partitions) if has_first(partitions) => self.term.turn(false),
            Rebalance::Error(_) => self.term.turn(false),
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
            self.term.turn(true);
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
        let term = Arc::new(Term {
            office: office.to_owned(),
            holds: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            began: Instant::now(),
            heard: AtomicU64::new(0),
        });
        let election = Election { term: Arc::clone(&term) };
        let member = Member::from_config_and_context(&config, election).map_err(|source| brokers.failed(source))?;
        let topic = brokers.topic(Topic::Fleet).to_owned();
        member.subscribe(&[&topic]).map_err(|source| brokers.failed(source))?;
        let run = move || attend(&member, &topic);
        let thread = std::thread::Builder::new().name(format!("office-{office}")).spawn(run);
        let thread = thread.map_err(|_| brokers.late("no thread could be started"))?;
        Ok(Self { term, thread: Some(thread) })
    }
}

/// Stays a member of the group until it is ended.
fn attend(member: &Member, topic: &str) {
    let term = &member.context().term;
    while !term.ended.load(Ordering::Acquire) {
        if let Some(Err(error)) = member.poll(POLL) {
            tell(&term.office, &error);
        }
        if term.was_away() {
            tracing::warn!(office = term.office, "was away for too long, and stands for its office again");
            term.turn(false);
            member.unsubscribe();
            if let Err(error) = member.subscribe(&[topic]) {
                tell(&term.office, &error);
            }
        }
        term.hear();
    }
}

/// What needs a person is told; the rest passes by itself.
fn tell(office: &str, error: &KafkaError) {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(
            Code::InvalidSessionTimeout
            | Code::InconsistentGroupProtocol
            | Code::GroupAuthorizationFailed
            | Code::TopicAuthorizationFailed
            | Code::Authentication
            | Code::Fatal,
        ) => tracing::error!(%error, office, "can't stand for its office"),
        _ => tracing::debug!(%error, office, "candidate"),
    }
}

impl Candidacy for KafkaCandidacy {
    fn holds_office(&self) -> bool {
        self.term.holds.load(Ordering::Acquire) && !self.term.was_away()
    }
}

impl Drop for KafkaCandidacy {
    /// Leaves the group, so that another has the office at once.
    fn drop(&mut self) {
        self.term.holds.store(false, Ordering::Release);
        self.term.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a candidate's thread panicked");
        }
    }
}
