//! A member of a group, which is told where to read by its user and not by the group's committed offsets.
//!
//! A change of the assignment is told to the user first and carried out with the user's next poll: librdkafka waits for
//! it, and so the user has the time to let go of a partition before anyone else can have it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use model::{Offset, PartitionId, Position};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::brokers::Brokers;
use super::membership::{Change, Member, member};
use super::message::Decoder;
use super::watchdog::Watchdog;
use crate::{Cleanup, Error, Polled, Reach, Result, Stored, Subscription, Topic};

/// Records, and bytes of them, handed out at once: enough to make the hand-over cheap, little enough that no partition
/// waits long for the others.
const AT_ONCE: usize = 4_096;
const BYTES_AT_ONCE: usize = 2 << 20;
/// How long librdkafka may refuse a seek that it will take later, before that is told.
const SEEKING: Duration = Duration::from_secs(30);
/// Being fenced so often within so long means that another process has the same name.
const FENCED_OFTEN: (usize, Duration) = (4, Duration::from_secs(120));
/// How often silences are minded.
const MINDING: Duration = Duration::from_secs(10);
/// How long brokers that told an error may bring nothing before they are asked whether they are there.
const UNWELL: Duration = Duration::from_secs(10);

/// A member of a group.
pub(super) struct KafkaSubscription {
    brokers: Arc<Brokers>,
    topic: Topic,
    group: String,
    consumer: Member,
    decoder: Decoder,
    /// What was polled and is not yet handed out.
    ready: VecDeque<Polled>,
    /// What the user knows and is to be carried out.
    told: Option<Change>,
    /// Where each assigned partition is read next; `None` for one that nobody has sought.
    next: BTreeMap<PartitionId, Option<Offset>>,
    /// Seeks that librdkafka has yet to take, and since when.
    seeks: BTreeMap<PartitionId, Instant>,
    /// Where records were missing last: they are sought once.
    gaps: BTreeMap<PartitionId, Offset>,
    watchdog: Watchdog,
    unwell: Option<Unwell>,
    /// When silences were minded last.
    minded: Instant,
    /// When consumers were fenced lately.
    fenced: Vec<Instant>,
}

/// An error of the brokers after which no record has come.
struct Unwell {
    error: KafkaError,
    /// When it came, or when the brokers were last asked.
    since: Instant,
    /// They did not answer.
    are_away: bool,
}

impl std::fmt::Debug for KafkaSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaSubscription")
            .field("topic", &self.topic)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl KafkaSubscription {
    pub(super) fn join(brokers: Arc<Brokers>, topic: Topic, group: &str) -> Result<Self> {
        let consumer = member(&brokers, group)?;
        consumer.subscribe(&[brokers.topic(topic)]).map_err(|source| brokers.failed(source))?;
        Ok(Self {
            brokers,
            topic,
            group: group.to_owned(),
            consumer,
            decoder: Decoder::default(),
            ready: VecDeque::new(),
            told: None,
            next: BTreeMap::new(),
            seeks: BTreeMap::new(),
            gaps: BTreeMap::new(),
            watchdog: Watchdog::default(),
            unwell: None,
            minded: Instant::now(),
            fenced: Vec::new(),
        })
    }

    /// Carries out what the user was told.
    fn carry_out(&mut self) -> Result<()> {
        match self.told.take() {
            None => Ok(()),
            Some(Change::Assign(partitions)) => {
                // Brokers that can't be asked just now are asked again: the group waits.
                self.assign(&partitions).inspect_err(|_| self.told = Some(Change::Assign(partitions)))
            }
            Some(Change::Revoke(partitions) | Change::Lose(partitions)) => self.unassign(&partitions),
        }
    }

    fn assign(&mut self, partitions: &[PartitionId]) -> Result<()> {
        let mut places = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let from = match self.next.get(partition) {
                Some(Some(from)) => *from,
                // Who leaves reads no more.
                _ if self.consumer.context().is_leaving.load(Ordering::Acquire) => Offset::ZERO,
                // Some place that is there, and not "the end" or the like: librdkafka looks such a place up, and where a seek
                // comes meanwhile, looks it up again half a second later and goes there all the same.
                _ => self.brokers.reach(self.topic, *partition)?.start,
            };
            places.push((*partition, place(from)));
        }
        let list = self.list(places)?;
        self.consumer.incremental_assign(&list).map_err(|source| self.brokers.failed(source))?;
        let is_sought = |partition: &PartitionId| matches!(self.next.get(partition), Some(Some(_)));
        let (sought, unsought): (Vec<_>, Vec<_>) = partitions.iter().partition(|partition| is_sought(partition));
        let whole = |partitions: Vec<&PartitionId>| {
            self.list(partitions.into_iter().map(|partition| (*partition, Place::Invalid)))
        };
        // One that was paused when it was this member's before is still paused.
        self.consumer.resume(&whole(sought)?).map_err(|source| self.brokers.failed(source))?;
        self.consumer.pause(&whole(unsought)?).map_err(|source| self.brokers.failed(source))?;
        self.seeks.retain(|sought, _| !partitions.contains(sought));
        Ok(())
    }

    fn unassign(&mut self, partitions: &[PartitionId]) -> Result<()> {
        let mut known = Vec::new();
        for partition in partitions {
            known.extend(self.next.remove(partition).map(|_| (*partition, Place::Invalid)));
            self.seeks.remove(partition);
        }
        // What a consumer had that was replaced is not the new one's to give.
        if known.is_empty() {
            return Ok(());
        }
        let list = self.list(known)?;
        self.consumer.incremental_unassign(&list).map_err(|source| self.brokers.failed(source))
    }

    /// Takes the seeks to librdkafka, which refuses them while a partition is just being assigned.
    fn seek_all(&mut self) -> Result<()> {
        let waiting: Vec<_> = self.seeks.iter().map(|(partition, since)| (*partition, *since)).collect();
        for (partition, since) in waiting {
            let Some(Some(from)) = self.next.get(&partition).copied() else { continue };
            let number = self.brokers.known(partition)?;
            match self.consumer.seek(self.brokers.topic(self.topic), number, place(from), super::ASKING) {
                Ok(()) => {
                    self.seeks.remove(&partition);
                    let list = self.list([(partition, Place::Invalid)])?;
                    self.consumer.resume(&list).map_err(|source| self.brokers.failed(source))?;
                }
                Err(error) if since.elapsed() > SEEKING => {
                    tracing::warn!(%error, %partition, "a seek is refused for long");
                    self.seeks.insert(partition, Instant::now());
                }
                Err(error) => tracing::debug!(%error, %partition, "a seek is tried again"),
            }
        }
        Ok(())
    }

    /// Polls until something is ready to be handed out.
    fn fill(&mut self, deadline: Instant) -> Result<()> {
        let mut runs: BTreeMap<PartitionId, Vec<Stored>> = BTreeMap::new();
        let (mut count, mut bytes, mut failed) = (0, 0, Ok(()));
        while count < AT_ONCE && bytes < BYTES_AT_ONCE {
            let is_seeking = !self.seeks.is_empty();
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = match (count, is_seeking) {
                (0, false) => left,
                (0, true) => left.min(Duration::from_millis(10)),
                _ => Duration::ZERO,
            };
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    let stored = self.decoder.decode(&message);
                    count += 1;
                    bytes += stored.record.value.len();
                    if self.is_wanted(stored.position) {
                        runs.entry(stored.position.partition).or_default().push(stored);
                    }
                }
                Some(Err(error)) => {
                    failed = self.bear(error);
                    if failed.is_err() {
                        break;
                    }
                }
                None => {
                    let is_changed = self.take_change();
                    if count > 0 || is_changed || is_seeking || Instant::now() >= deadline {
                        break;
                    }
                }
            }
        }
        runs.keys().for_each(|partition| self.watchdog.heard(*partition));
        if !runs.is_empty() {
            self.unwell = None;
        }
        // Records that came before a change are handed out before it.
        let runs = runs.into_iter().rev().map(|(partition, records)| Polled::Records(partition, records));
        runs.for_each(|run| self.ready.push_front(run));
        failed
    }

    /// Whether the record at `position` is to be handed out; then the next one is expected.
    fn is_wanted(&mut self, Position { partition, offset }: Position) -> bool {
        // What was on its way when the user sought elsewhere is not.
        let Some(Some(next)) = self.next.get_mut(&partition) else { return false };
        if offset < *next || self.seeks.contains_key(&partition) {
            return false;
        }
        let is_gap = offset > *next && self.topic.cleanup() == Cleanup::Delete;
        if is_gap && self.gaps.insert(partition, *next) != Some(*next) {
            tracing::warn!(%partition, %offset, expected = %next, "records are missing: they are sought");
            self.seeks.insert(partition, Instant::now());
            return false;
        }
        if is_gap {
            tracing::error!(%partition, %offset, expected = %next, "records are missing, and are not there");
        }
        *next = offset.next();
        true
    }

    /// Takes the next change, if the one before is carried out; whether there was one.
    fn take_change(&mut self) -> bool {
        if self.told.is_some() || self.ready.iter().any(|polled| !matches!(polled, Polled::Records(..))) {
            return false;
        }
        let mut changes = self.consumer.context().changes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(change) = changes.pop_front() else { return false };
        self.ready.push_back(match change {
            Change::Assign(partitions) => Polled::Assigned(partitions),
            Change::Revoke(partitions) => Polled::Revoked(partitions),
            Change::Lose(partitions) => Polled::Lost(partitions),
        });
        true
    }

    /// Hands out what is ready first.
    fn hand_out(&mut self) -> Option<Polled> {
        let polled = self.ready.pop_front()?;
        match &polled {
            Polled::Assigned(partitions) => {
                self.next.extend(partitions.iter().map(|partition| (*partition, None)));
                self.told = Some(Change::Assign(partitions.clone()));
            }
            Polled::Revoked(partitions) => self.told = Some(Change::Revoke(partitions.clone())),
            Polled::Lost(partitions) => self.told = Some(Change::Lose(partitions.clone())),
            Polled::Records(..) | Polled::Idle => {}
        }
        Some(polled)
    }

    /// What passes by itself is borne; what can't is told.
    fn bear(&mut self, error: KafkaError) -> Result<()> {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code() {
            // Looked into at the next poll.
            Some(Code::Fatal) => Ok(()),
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => Err(self.brokers.unreadable(format!(
                "a record of {} that is to be read next is not there ({error}); retention, or another log under the name",
                self.brokers.topic(self.topic)
            ))),
            Some(
                Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::SaslAuthenticationFailed
                | Code::Authentication
                | Code::InconsistentGroupProtocol
                | Code::InvalidSessionTimeout,
            ) => Err(self.brokers.failed(error)),
            _ => {
                tracing::debug!(%error, "reading goes on");
                self.unwell.get_or_insert(Unwell { error, since: Instant::now(), are_away: false });
                Ok(())
            }
        }
    }

    /// A consumer that can do no more is replaced where that helps.
    ///
    /// A group that changes its coordinator may fence a member by the member's own earlier request, whose answer was lost. So
    /// once or twice proves nothing; two processes of one name, however, fence each other again and again.
    fn mind_end(&mut self) -> Result<()> {
        let Some((code, reason)) = self.consumer.client().fatal_error() else { return Ok(()) };
        if code != RDKafkaErrorCode::FencedInstanceId {
            tracing::error!(%code, reason, "the consumer can do no more");
            return Err(self.brokers.failed(KafkaError::Global(RDKafkaErrorCode::Fatal)));
        }
        let (often, within) = FENCED_OFTEN;
        self.fenced.retain(|before| before.elapsed() < within);
        self.fenced.push(Instant::now());
        if self.fenced.len() >= often {
            return Err(Error::MemberTaken { member: self.brokers.config().member.clone() });
        }
        tracing::warn!(
            member = self.brokers.config().member,
            "fenced by another of its name, or by itself; joins anew"
        );
        self.join_anew()
    }

    /// Brokers that told an error and have brought nothing since are asked whether they are there.
    fn mind_health(&mut self) -> Result<()> {
        let Some(unwell) = &mut self.unwell else { return Ok(()) };
        if unwell.since.elapsed() >= UNWELL {
            unwell.are_away = self.brokers.metadata().is_err();
            unwell.since = Instant::now();
            if !unwell.are_away {
                self.unwell = None;
                return Ok(());
            }
        }
        if unwell.are_away { Err(self.brokers.failed(unwell.error.clone())) } else { Ok(()) }
    }

    /// A consumer that has stopped hearing of records that are there is replaced.
    fn mind_silence(&mut self) -> Result<()> {
        if self.minded.elapsed() < MINDING {
            return Ok(());
        }
        self.minded = Instant::now();
        let reading = self.next.iter().filter_map(|(partition, next)| next.map(|next| (*partition, next)));
        let reading: Vec<_> = reading.collect();
        if !self.watchdog.is_stalled(&reading, |partition| self.brokers.reach(self.topic, partition).map(|r| r.end)) {
            return Ok(());
        }
        tracing::warn!(topic = self.topic.name(), "no record came although there are some: the consumer is replaced");
        self.join_anew()
    }

    /// Puts another consumer in the place of this one, which loses all that it had.
    fn join_anew(&mut self) -> Result<()> {
        let fresh = member(&self.brokers, &self.group)?;
        let owned: Vec<_> = self.next.keys().copied().collect();
        self.leave();
        self.next.clear();
        self.seeks.clear();
        // The old one must be gone before the new one joins under its name.
        drop(std::mem::replace(&mut self.consumer, fresh));
        self.ready = VecDeque::from([Polled::Lost(owned)]);
        let topic = self.brokers.topic(self.topic);
        self.consumer.subscribe(&[topic]).map_err(|source| self.brokers.failed(source))
    }

    fn leave(&mut self) {
        self.consumer.context().is_leaving.store(true, Ordering::Release);
        if let Err(error) = self.carry_out() {
            tracing::debug!(error = &error as &dyn std::error::Error, "leaving");
        }
        let waiting =
            std::mem::take(&mut *self.consumer.context().changes.lock().unwrap_or_else(PoisonError::into_inner));
        for change in waiting {
            self.told = Some(change);
            if let Err(error) = self.carry_out() {
                tracing::debug!(error = &error as &dyn std::error::Error, "leaving");
            }
        }
    }

    fn list(&self, places: impl IntoIterator<Item = (PartitionId, Place)>) -> Result<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        let name = self.brokers.topic(self.topic);
        for (partition, place) in places {
            let added = list.add_partition_offset(name, self.brokers.known(partition)?, place);
            added.map_err(|source| self.brokers.failed(source))?;
        }
        Ok(list)
    }
}

fn place(from: Offset) -> Place {
    Place::Offset(i64::try_from(from.get()).unwrap_or(i64::MAX))
}

impl Subscription for KafkaSubscription {
    fn poll(&mut self, timeout: Duration) -> Result<Polled> {
        let deadline = Instant::now() + timeout;
        self.mind_end()?;
        self.carry_out()?;
        self.mind_silence()?;
        loop {
            self.seek_all()?;
            if self.ready.is_empty() {
                self.fill(deadline)?;
            }
            if let Some(polled) = self.hand_out() {
                return Ok(polled);
            }
            if Instant::now() >= deadline {
                self.mind_health()?;
                return Ok(self.hand_out().unwrap_or(Polled::Idle));
            }
        }
    }

    fn seek(&mut self, partition: PartitionId, from: Offset) -> Result<()> {
        self.brokers.known(partition)?;
        let Reach { start, end } = self.brokers.reach(self.topic, partition)?;
        if from < start || from > end {
            let name = self.brokers.topic(self.topic);
            return Err(self.brokers.unreadable(format!(
                "a reader wants record {from} of {name}/{partition}, which reaches from {start} to {end}: retention has \
                 overtaken the reader, or the log is another"
            )));
        }
        self.next.insert(partition, Some(from));
        self.seeks.insert(partition, Instant::now());
        self.ready.retain(|polled| !matches!(polled, Polled::Records(of, _) if *of == partition));
        Ok(())
    }

    fn pause(&mut self, partition: PartitionId) -> Result<()> {
        if let Some(next) = self.next.get_mut(&partition) {
            *next = None;
            self.seeks.remove(&partition);
            let list = self.list([(partition, Place::Invalid)])?;
            self.consumer.pause(&list).map_err(|source| self.brokers.failed(source))?;
        }
        Ok(())
    }

    fn commit(&mut self, partition: PartitionId, next: Offset) -> Result<()> {
        let list = self.list([(partition, place(next))])?;
        // A hint: the next one tells more.
        if let Err(error) = self.consumer.commit(&list, CommitMode::Async) {
            tracing::debug!(%error, %partition, "telling how far it is");
        }
        Ok(())
    }
}

impl Drop for KafkaSubscription {
    fn drop(&mut self) {
        self.leave();
    }
}
