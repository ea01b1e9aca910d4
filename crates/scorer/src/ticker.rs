//! Time, told to every partition through the log, together with what the whole fleet did; and the policy, where it is news.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use decode::policy_record;
use log::{Candidacy, Log, Producer, Record, RecordKind, Start, Stored, Tail, Topic};
use model::{Act, Deed, Fleet, Millis, PartitionId, PolicyChange, PolicyOrigin, Tick, Timestamp};
use telemetry::Registry;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fleet_gauges::FleetGauges;
use crate::marks::{PolicyMarks, PolicySplit};
use crate::proposal::{PolicyFile, Proposal};
use crate::{Clock, Error, Handle};

/// How often one who does not tick looks whether it shall.
const LOOKING: Duration = Duration::from_millis(500);
/// How far a partition's share may lie behind the newest one before the fleet is summed without it: a partition that can't be
/// folded, because a disk is full, say, must not keep all the others waiting for the fleet's counts.
const LEFT_BEHIND: Millis = Millis::minutes(15);
/// How often the policy in force is told again, so that whatever is left of the log by retention has it near its beginning.
const REPEATED: Duration = Duration::from_secs(24 * 60 * 60);
/// How long after coming into the office that is done for the first time.
const FIRST_REPEATED: Duration = Duration::from_secs(60 * 60);

/// Appends a tick to every partition of `weir.events`, again and again.
///
/// The only place that brings time into the fold. One ticker at a time holds the office; a second one during a change of
/// hands does no harm, because the fold's time only goes forward.
#[derive(Debug)]
pub struct Ticker {
    log: Arc<dyn Log>,
    producer: Arc<dyn Producer>,
    shares: BTreeMap<PartitionId, (Fleet, PolicyMarks)>,
    proposal: Proposal,
    split: PolicySplit,
    tail: Option<Box<dyn Tail>>,
    candidacy: Box<dyn Candidacy>,
    gauges: FleetGauges,
}

impl Ticker {
    /// A ticker of `log`, in a process that was started with the policy `file`.
    ///
    /// # Errors
    ///
    /// Where the log can't be read, or a metric's name is taken.
    pub fn new(log: Arc<dyn Log>, file: PolicyFile, registry: &Registry) -> Result<Self, Error> {
        let gauges = FleetGauges::register(registry, &file)?;
        let tail = log.tail(Topic::Fleet, Start::Earliest).map_err(Error::log("opening the fleet's counts"))?;
        let producer = log.producer();
        let candidacy = log.stand_for("ticker").map_err(Error::log("standing for the ticker's office"))?;
        let (shares, proposal, split) = (BTreeMap::new(), Proposal::Unknown(file), PolicySplit::default());
        Ok(Self { log, producer, shares, proposal, split, tail: Some(tail), candidacy, gauges })
    }

    /// Whether it is this one that ticks.
    pub fn holds_office(&self) -> bool {
        self.candidacy.holds_office()
    }

    /// Appends one tick to every partition and returns when it is durable. The policy file goes before it where it is news.
    ///
    /// # Errors
    ///
    /// Where the log can't be read or written.
    pub async fn tick(&mut self, clock: &Clock) -> Result<(), Error> {
        self.read_shares().await?;
        if let Err(error) = self.propose(clock()).await {
            // One partition that can't be written must not stop the others' time.
            tracing::warn!(error = &error as &dyn std::error::Error, "the policy file did not reach every partition");
        }
        let tick = Tick { at: clock(), fleet: self.fleet() };
        let value = Bytes::from(serde_json::to_vec(&tick)?);
        let headers = Arc::new([]);
        let record = Record { kind: RecordKind::Tick, at: tick.at, key: Bytes::new(), headers, value };
        let ticks = self.log.partitions().to_each(Topic::Events, &record);
        self.producer.append(ticks).await.map_err(Error::log("appending a tick"))
    }

    /// Appends the policy file of this process to every partition, if it is news.
    async fn propose(&mut self, now: Timestamp) -> Result<(), Error> {
        let Some(file) = self.proposal.begin() else { return Ok(()) };
        tracing::info!(policy = file.digest, "the policy file goes to the log");
        let change = file.change();
        let deed = Deed::Policy { digest: file.digest, previous: None, origin: change.origin };
        let act = Act { at: now, by: change.by.clone(), reason: change.reason.clone(), deed };
        let record = policy_record(now, &change, file.text);
        let mut appends = self.log.partitions().to_each(Topic::Events, &record);
        appends.push(decode::act(&act)?);
        self.producer.append(appends).await.map_err(Error::log("appending the policy file"))?;
        self.proposal = Proposal::Settled;
        Ok(())
    }

    /// Appends the policy in force once more, as `scorer` knows it; whether it did.
    async fn repeat(&mut self, now: Timestamp, scorer: &Handle) -> Result<bool, Error> {
        let Ok(known) = scorer.policy().await else { return Ok(false) };
        let Some(in_force) = known.record else { return Ok(false) };
        let change = PolicyChange { origin: PolicyOrigin::Repeat, ..in_force.change };
        let record = policy_record(now, &change, in_force.text);
        let policies = self.log.partitions().to_each(Topic::Events, &record);
        self.producer.append(policies).await.map_err(Error::log("repeating the policy"))?;
        Ok(true)
    }

    /// Ticks every `interval` until `shutdown`, while it holds the office; at once when it comes into it. A tick that fails
    /// is left out: the next one carries the same and more. Now and then it tells again which policy is in force, as `scorer`
    /// knows it.
    pub async fn run(mut self, interval: Duration, clock: Clock, scorer: Handle, shutdown: CancellationToken) {
        let mut due = Instant::now();
        let mut repeated = due + FIRST_REPEATED;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep_until(due) => {}
            }
            if !self.holds_office() {
                self.gauges.forget();
                due = Instant::now() + LOOKING.min(interval);
                repeated = Instant::now() + FIRST_REPEATED;
                // Whoever comes into the office knows the fleet as it is then.
                if let Err(error) = self.read_shares().await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the fleet's counts are not followed");
                }
                continue;
            }
            due = (due + interval).max(Instant::now());
            if let Err(error) = self.tick(&clock).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a tick was left out");
            }
            self.gauges.follow(&scorer).await;
            let fleet = self.fleet();
            self.gauges.tell(&fleet);
            if repeated > Instant::now() {
                continue;
            }
            match self.repeat(clock(), &scorer).await {
                Ok(true) => repeated = Instant::now() + REPEATED,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the policy in force was not told again");
                }
            }
        }
    }

    /// The sum of the shares; not caught up with any moment while a partition has not told its share.
    fn fleet(&self) -> Fleet {
        let shares = || self.shares.values().map(|(share, _)| share);
        let newest = shares().filter_map(|share| share.as_of).max();
        let is_current = |share: &&Fleet| match (share.as_of, newest) {
            (Some(as_of), Some(newest)) => as_of + LEFT_BEHIND >= newest,
            _ => true,
        };
        let mut fleet = Fleet::sum(shares().filter(is_current));
        if self.shares.len() < self.log.partitions().all().count() {
            fleet.as_of = None;
        }
        fleet
    }

    /// Which policies are in force, as the newest shares tell; one of them may be of a partition that has lost its state and
    /// does not know.
    fn marks(&self) -> PolicyMarks {
        let (_, mut marks) = self.newest_marks();
        let first = marks.clone().next();
        marks.find(|marks| marks.file.is_some()).or(first).cloned().unwrap_or_default()
    }

    /// What stands beside the newest shares, and the tick of those.
    fn newest_marks(&self) -> (Option<Timestamp>, impl Iterator<Item = &PolicyMarks> + Clone) {
        let newest = self.shares.values().map(|(share, _)| share.as_of).max().flatten();
        let marks = self.shares.values().filter(move |(share, _)| share.as_of == newest).map(|(_, marks)| marks);
        (newest, marks)
    }

    /// Says once that partitions are under different policies: none is newer than the other, so that a person must choose.
    fn tell_a_split(&mut self) {
        let (tick, marks) = self.newest_marks();
        let policies: BTreeSet<_> = marks.map(|marks| marks.policy.clone()).collect();
        let named: Vec<_> = policies.iter().map(|policy| policy.as_deref().unwrap_or("the configured one")).collect();
        let named = named.join(", ");
        if self.split.is_news(tick, policies) {
            tracing::warn!(
                policies = named,
                "partitions are under different policies: send the one that is meant once more"
            );
        }
    }

    /// Takes in the shares published since the last tick.
    async fn read_shares(&mut self) -> Result<(), Error> {
        let Some(mut tail) = self.tail.take() else { return Err(Error::Thread("lost the fleet's counts")) };
        let (tail, read) = tokio::task::spawn_blocking(move || {
            let read = read_all(tail.as_mut());
            (tail, read)
        })
        .await
        .map_err(|_| Error::Thread("that reads the fleet's counts ended"))?;
        let is_caught_up = tail.caught_up();
        self.tail = Some(tail);
        for stored in read.map_err(Error::log("reading the fleet's counts"))? {
            match serde_json::from_slice(&stored.record.value) {
                Ok(share) => {
                    self.shares.insert(stored.position.partition, (share, PolicyMarks::of(&stored.record)));
                }
                Err(error) => tracing::warn!(%error, "a fleet share is unreadable and left out"),
            }
        }
        if is_caught_up {
            self.proposal.learn(&self.marks());
            self.tell_a_split();
        }
        Ok(())
    }
}

fn read_all(tail: &mut dyn Tail) -> log::Result<Vec<Stored>> {
    let mut all = Vec::new();
    loop {
        let next = tail.next(Duration::ZERO)?;
        if next.is_empty() {
            return Ok(all);
        }
        all.extend(next);
    }
}
