//! Reads the outputs that are on their topics: what is not seen here is not published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::{Offset, PartitionId};
use rdkafka::Message;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};

use super::brokers::{Brokers, Reader, offset, partition};
use super::message::published_of;
use crate::{Cleanup, Error, Output, Published, Result, Sequence, Topic};

/// Where outputs of folds go.
const SAID: [Topic; 5] = [Topic::Decisions, Topic::Standings, Topic::Profiles, Topic::Fleet, Topic::Enforcement];
/// Offsets that are read back at first when a partition is taken over. Markers of transactions are among them.
const BACK: u64 = 256;
/// Numbers remembered of one topic's partition; what is lower is taken for published.
const REMEMBERED: usize = 100_000;
/// How often the thread looks whether it shall end.
const POLL: Duration = Duration::from_millis(100);

type Key = (PartitionId, Topic);

/// What was seen of one partition of one topic.
#[derive(Debug)]
struct Seen {
    cleanup: Cleanup,
    /// Everything up to this number is taken for published.
    floor: Option<Sequence>,
    numbers: BTreeSet<Sequence>,
    last: Option<Published>,
    /// The next offset to read.
    next: Offset,
}

impl Seen {
    /// Of a topic that was read from `next` on.
    const fn from(next: Offset, cleanup: Cleanup) -> Self {
        Self { cleanup, floor: None, numbers: BTreeSet::new(), last: None, next }
    }

    fn has(&self, sequence: Sequence) -> bool {
        match self.cleanup {
            // What compaction removed is missing like what was never published; but numbers are published in their order, and
            // the last record of all always stays.
            Cleanup::Compact => self.last.is_some_and(|last| sequence <= last.sequence),
            Cleanup::Delete => self.floor.is_some_and(|floor| sequence <= floor) || self.numbers.contains(&sequence),
        }
    }

    fn note(&mut self, message: &BorrowedMessage<'_>) {
        self.next = self.next.max(offset(message.offset()).next());
        // Others may write to the topics too; what has no number is not ours.
        let Some(published) = published_of(message) else { return };
        if self.cleanup == Cleanup::Delete {
            self.numbers.insert(published.sequence);
        }
        if self.last.is_none_or(|last| last.sequence < published.sequence) {
            self.last = Some(published);
        }
        if self.numbers.len() > REMEMBERED {
            self.floor = self.numbers.pop_first().max(self.floor);
        }
    }
}

#[derive(Debug, Default)]
struct Sight {
    seen: Mutex<BTreeMap<Key, Seen>>,
    changed: Condvar,
}

impl Sight {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Seen>> {
        // Each entry is changed as a whole: what a panic leaves behind is sound.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `wanted` holds; whether it does.
    fn wait(&self, patience: Duration, wanted: impl Fn(&BTreeMap<Key, Seen>) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |seen| !wanted(seen));
        let (seen, _) = waited.unwrap_or_else(PoisonError::into_inner);
        wanted(&seen)
    }
}

/// One watching of a partition: a later one takes its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Watch(u64);

/// One reader, on a thread of its own, for all partitions that this process speaks for.
pub(super) struct ReadBack {
    brokers: Arc<Brokers>,
    consumer: Arc<Reader>,
    sight: Arc<Sight>,
    /// Who watches each partition now; taken while partitions are taken up or dropped.
    watches: Mutex<BTreeMap<PartitionId, Watch>>,
    /// Something that was published was not seen in time.
    blind: AtomicBool,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for ReadBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadBack").finish_non_exhaustive()
    }
}

impl ReadBack {
    pub(super) fn start(brokers: Arc<Brokers>) -> Result<Self> {
        let consumer = brokers.reader()?;
        let (consumer, sight, ended) = (Arc::new(consumer), Arc::<Sight>::default(), Arc::new(AtomicBool::new(false)));
        let topics = SAID.map(|topic| (topic, brokers.topic(topic).to_owned()));
        let reader = Follower { consumer: Arc::clone(&consumer), sight: Arc::clone(&sight), topics };
        let end = Arc::clone(&ended);
        let run = move || {
            while !end.load(Ordering::Acquire) {
                reader.step();
            }
        };
        let thread = std::thread::Builder::new().name("read-back".to_owned()).spawn(run);
        let thread = thread.map_err(|_| brokers.late("no thread could be started"))?;
        Ok(Self {
            brokers,
            consumer,
            sight,
            watches: Mutex::default(),
            blind: AtomicBool::new(false),
            ended,
            thread: Some(thread),
        })
    }

    /// Reads what was published for `partition` so far, and goes on reading what will be, until [`ReadBack::leave`].
    pub(super) fn watch(&self, partition: PartitionId, patience: Duration) -> Result<Watch> {
        let deadline = Instant::now() + patience;
        let looking = self.brokers.hasty_reader()?;
        let looked = SAID.map(|topic| (topic, self.look_back(&looking, (partition, topic), deadline)));
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(partition);
        for (topic, seen) in looked {
            let seen = seen?;
            let from = self.place((partition, topic), seen.next)?;
            self.sight.lock().insert((partition, topic), seen);
            self.consumer.incremental_assign(&from).map_err(|source| self.brokers.failed(source))?;
        }
        // Whoever watched before may wait for what was just read back.
        self.sight.changed.notify_all();
        let watch = watches.entry(partition).or_default();
        *watch = Watch(watch.0 + 1);
        Ok(*watch)
    }

    /// Ends a watching, where no later one has taken its place.
    pub(super) fn leave(&self, partition: PartitionId, watch: Watch) {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if watches.get(&partition) == Some(&watch) {
            self.forget(partition);
        }
    }

    /// Reads the end of a topic's partition, further and further back, until an output is found.
    fn look_back(&self, reader: &Reader, key: Key, deadline: Instant) -> Result<Seen> {
        let reach = self.brokers.reach(key.1, key.0)?;
        let mut back = BACK;
        loop {
            let from = Offset::new(reach.end.get().saturating_sub(back)).max(reach.start);
            let mut seen = self.read_to_end(reader, key, (from, reach.end), deadline)?;
            if from == reach.start || seen.last.is_some() {
                // What was there before the first one that was read had a lower number.
                seen.floor = seen.numbers.first().copied().filter(|_| from > Offset::ZERO);
                return Ok(seen);
            }
            back = back.saturating_mul(8);
        }
    }

    fn read_to_end(&self, reader: &Reader, key: Key, (from, end): (Offset, Offset), deadline: Instant) -> Result<Seen> {
        let mut seen = Seen::from(from, key.1.cleanup());
        if from == end {
            return Ok(seen);
        }
        let failed = |source| self.brokers.failed(source);
        reader.assign(&self.place(key, from)?).map_err(failed)?;
        while Instant::now() < deadline {
            match reader.poll(POLL) {
                Some(Ok(message)) => seen.note(&message),
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    reader.unassign().map_err(failed)?;
                    return Ok(seen);
                }
                Some(Err(error)) => tracing::debug!(%error, "reading back"),
                None => {}
            }
        }
        Err(self.brokers.late("what was published before could not be read back in time"))
    }

    /// Looks no more at what is published for `partition`.
    fn forget(&self, partition: PartitionId) {
        for topic in SAID {
            if self.sight.lock().remove(&(partition, topic)).is_some()
                && let Ok(place) = self.place((partition, topic), Offset::ZERO)
                && let Err(error) = self.consumer.incremental_unassign(&place)
            {
                tracing::debug!(%error, %partition, "no longer read back");
            }
        }
    }

    /// Whether the output is on its topic.
    pub(super) fn has(&self, partition: PartitionId, output: &Output) -> bool {
        self.sight.lock().get(&(partition, output.topic)).is_some_and(|seen| seen.has(output.sequence))
    }

    /// Waits until all of `outputs` were seen.
    ///
    /// # Errors
    ///
    /// [`Error::Fenced`] where a later watching has taken this one's place: it reads for itself, and ends when it likes.
    /// Otherwise it may be the reader that is at fault, and the next one is a new one.
    pub(super) fn wait_for(
        &self,
        (partition, watch): (PartitionId, Watch),
        outputs: &[&Output],
        patience: Duration,
    ) -> Result<()> {
        let seen = self.sight.wait(patience, |seen| {
            outputs.iter().all(|output| seen.get(&(partition, output.topic)).is_some_and(|s| s.has(output.sequence)))
        });
        if seen {
            return Ok(());
        }
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if watches.get(&partition) != Some(&watch) {
            return Err(Error::Fenced { partition });
        }
        self.blind.store(true, Ordering::Release);
        Err(self.brokers.late("what was committed is not on its topics; it will be published again"))
    }

    /// Whether something was not seen in time: it may be the reader that is at fault.
    pub(super) fn is_blind(&self) -> bool {
        self.blind.load(Ordering::Acquire)
    }

    /// The output of the highest number that was seen for `partition`.
    pub(super) fn last(&self, partition: PartitionId) -> Option<Published> {
        let seen = self.sight.lock();
        let lasts = SAID.iter().filter_map(|topic| seen.get(&(partition, *topic))?.last);
        lasts.max_by_key(|published| published.sequence)
    }

    fn place(&self, (partition, topic): Key, from: Offset) -> Result<TopicPartitionList> {
        let place = Place::Offset(i64::try_from(from.get()).unwrap_or(i64::MAX));
        let mut list = TopicPartitionList::new();
        let added = list.add_partition_offset(self.brokers.topic(topic), self.brokers.known(partition)?, place);
        added.map_err(|source| self.brokers.failed(source))?;
        Ok(list)
    }
}

impl Drop for ReadBack {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that reads outputs back panicked");
        }
    }
}

/// What the thread works with.
struct Follower {
    consumer: Arc<Reader>,
    sight: Arc<Sight>,
    topics: [(Topic, String); SAID.len()],
}

impl Follower {
    fn step(&self) {
        match self.consumer.poll(POLL) {
            Some(Ok(message)) => {
                let Some((topic, _)) = self.topics.iter().find(|(_, name)| name == message.topic()) else { return };
                let mut seen = self.sight.lock();
                let Some(seen) = seen.get_mut(&(partition(message.partition()), *topic)) else { return };
                seen.note(&message);
                self.sight.changed.notify_all();
            }
            Some(Err(KafkaError::PartitionEOF(_))) | None => {}
            Some(Err(error)) => tracing::debug!(%error, "reading back"),
        }
    }
}
