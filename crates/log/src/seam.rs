//! What every backend promises.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::time::Duration;

use model::{Offset, PartitionId};

use crate::{Record, Stored, Topic};

/// What can go wrong between Weir and its log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log takes no more just now; the same append may succeed in a moment.
    #[error("the log is full just now ({0}); try again in a moment")]
    Busy(&'static str),
    /// The storage below refused or failed; nothing of the append is promised.
    #[error("the log's storage at {place} failed")]
    Storage {
        /// Where it lies: a directory or brokers.
        place: String,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The brokers could not be reached or could not serve; nothing of the request is promised. It may be repeated.
    #[error("the log at {place} can't be reached or can't serve")]
    Unreachable {
        /// Which brokers.
        place: String,
        /// What they said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Topics are missing.
    #[error(
        "the log at {place} lacks {topics}: make them with `weir topics create`, or set [log] create_topics = true"
    )]
    NoTopic {
        /// Where it lies.
        place: String,
        /// Their names.
        topics: String,
    },
    /// A topic is kept in a way that loses what Weir relies on.
    #[error("topic {topic} at {place} has {setting} = {found}, and needs {wanted}: change the topic's setting")]
    TopicSetting {
        /// Where it lies.
        place: String,
        /// Its name there.
        topic: String,
        /// The setting's name.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// Someone newer speaks for the partition.
    #[error("someone else has taken over partition {partition}, and speaks for it now")]
    Fenced {
        /// Whose outputs were refused.
        partition: PartitionId,
    },
    /// Someone else reads under this member's name.
    #[error("another process reads as member {member:?} of the group: give each its own [log] member")]
    MemberTaken {
        /// The name.
        member: String,
    },
    /// What is stored can't be understood: another version wrote it, or it is damaged.
    #[error("the log at {place} holds something unreadable: {found}; restore it, or move it away to begin anew")]
    Unreadable {
        /// Where it lies.
        place: String,
        /// What was found.
        found: String,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// A partition was named that the log does not have.
    #[error("the log has no partition {partition}: it has {partitions}, counted from 0")]
    NoPartition {
        /// The one named.
        partition: PartitionId,
        /// How many there are.
        partitions: u32,
    },
    /// The log was made with another number of partitions, and that is fixed for life.
    #[error("the log at {place} has {found} partitions, the configuration says {wanted}: set it back to {found}")]
    Partitions {
        /// Where it lies.
        place: String,
        /// How many it has.
        found: u32,
        /// How many were asked for.
        wanted: u32,
    },
}

impl Error {
    /// Whether the same call may succeed in a moment, without anyone's doing.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy(_))
    }
}

/// The result of a call to the log.
pub type Result<T> = std::result::Result<T, Error>;

/// How many partitions each topic has; fixed for the log's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionCount(NonZeroU32);

impl PartitionCount {
    /// `count` partitions.
    pub const fn new(count: NonZeroU32) -> Self {
        Self(count)
    }

    /// How many.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// Appends of `record` to every partition of `topic`.
    pub fn to_each(self, topic: Topic, record: &Record) -> Vec<Append> {
        self.all().map(|partition| Append { topic, route: Route::To(partition), record: record.clone() }).collect()
    }

    /// Every partition, from 0.
    pub fn all(self) -> impl Iterator<Item = PartitionId> {
        (0..self.get()).map(PartitionId::new)
    }
}

/// Where an appended record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the partition of its key.
    ByKey,
    /// To this partition.
    To(PartitionId),
}

/// A record to append.
#[derive(Clone, Debug)]
pub struct Append {
    /// To which topic.
    pub topic: Topic,
    /// To which partition.
    pub route: Route,
    /// What.
    pub record: Record,
}

/// A future that can be kept in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Appends records.
pub trait Producer: Send + Sync + fmt::Debug {
    /// Appends `records`, in their order within each partition, and resolves when all of them are durable.
    ///
    /// After an error some of them may be there: the caller repeats all, and duplicates are recognised downstream.
    /// Dropping the future does not recall them.
    fn append(&self, records: Vec<Append>) -> BoxFuture<'_, Result<()>>;
}

/// What a poll brought.
#[derive(Debug)]
pub enum Polled {
    /// These partitions are now this subscriber's: it must [`Subscription::seek`] each before records of it come.
    Assigned(Vec<PartitionId>),
    /// These partitions go to another subscriber with the next poll; until then nobody else reads them.
    Revoked(Vec<PartitionId>),
    /// These partitions were taken away some time ago: another subscriber may be reading them already.
    Lost(Vec<PartitionId>),
    /// Records of one partition, in order and without gap.
    Records(PartitionId, Vec<Stored>),
    /// Nothing came within the time given.
    Idle,
}

/// Reads the partitions of one topic that this member of the group was assigned. Blocking: it lives on its own thread.
pub trait Subscription: Send + fmt::Debug {
    /// Waits at most `timeout` for something to happen.
    fn poll(&mut self, timeout: Duration) -> Result<Polled>;

    /// Reads `partition` from `from` on. Where `from` was deleted by retention, or is beyond the partition's end, this or
    /// the next poll fails as [`Error::Unreadable`]: a gap is never skipped in silence. In a compacted topic gaps are
    /// natural, and the next record kept is read.
    fn seek(&mut self, partition: PartitionId, from: Offset) -> Result<()>;

    /// Hands out no more of `partition` until the next [`Subscription::seek`].
    fn pause(&mut self, partition: PartitionId) -> Result<()>;

    /// Tells others how far this subscriber is: the first offset that it has not yet taken in. A hint for operators.
    fn commit(&mut self, partition: PartitionId, next: Offset) -> Result<()>;
}

/// The number of an output among those of its partition: above 0, and rising; not dense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// The output numbered `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Something that the fold of one partition said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its number.
    pub sequence: Sequence,
    /// The offset of the input record that made the fold say it.
    pub said_at: Offset,
    /// Where to.
    pub topic: Topic,
    /// What.
    pub record: Record,
}

/// The last output of a partition that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub sequence: Sequence,
    /// The offset of the input record that made the fold say it.
    pub said_at: Offset,
}

/// Publishes what the fold of one partition said, each once. Blocking.
///
/// Whoever opens one last speaks for the partition: those opened before it are refused as [`Error::Fenced`].
pub trait Outputs: Send + fmt::Debug {
    /// Publishes `outputs` (ascending in sequence), each to the partition of its topic, and returns when they are durable and
    /// were seen there. An output that is there already is left out.
    fn publish(&mut self, outputs: &[Output]) -> Result<()>;

    /// The last output published, read back from the log itself.
    fn last_published(&mut self) -> Result<Option<Published>>;
}

/// A candidacy for an office that one process at a time holds. Dropping it gives the office up.
pub trait Candidacy: Send + Sync + fmt::Debug {
    /// Whether the office is this process's now.
    fn holds_office(&self) -> bool;
}

/// Where a tail begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record kept.
    Earliest,
    /// Behind the newest record.
    Latest,
    /// This many records before the end of each partition, or its oldest record.
    Last(u64),
}

/// Reads all partitions of one topic, or one of them, outside any group. Blocking.
pub trait Tail: Send + fmt::Debug {
    /// Waits at most `timeout` for records, or until it turns out to be caught up; an empty answer means that none came. Records of a partition are in order;
    /// where retention overtook the reader, it goes on at the oldest record kept.
    fn next(&mut self, timeout: Duration) -> Result<Vec<Stored>>;

    /// Whether everything that was in the topic when the tail was opened has been handed out.
    fn caught_up(&self) -> bool;
}

/// From where to where a partition of a topic reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The oldest record kept: where a reader without a state of its own begins.
    pub start: Offset,
    /// Behind the newest record.
    pub end: Offset,
}

impl Reach {
    /// Where a reader that begins at `start` begins.
    pub(crate) const fn at(self, start: Start) -> Offset {
        match start {
            Start::Earliest => self.start,
            Start::Latest => self.end,
            Start::Last(records) => {
                let begin = Offset::new(self.end.get().saturating_sub(records));
                if begin.get() > self.start.get() { begin } else { self.start }
            }
        }
    }

    /// `place`, or the end of the reach that is nearer to it.
    pub(crate) fn nearest(self, place: Offset) -> Offset {
        place.min(self.end).max(self.start)
    }
}

/// A log, whichever backend it has.
pub trait Log: Send + Sync + fmt::Debug {
    /// How many partitions each topic has.
    fn partitions(&self) -> PartitionCount;

    /// What tells this log from others: what belongs to it is kept under this name, which is a folder's.
    fn identity(&self) -> Result<String>;

    /// A way to append. Cheap: callers may ask for several.
    fn producer(&self) -> std::sync::Arc<dyn Producer>;

    /// Joins those who read `topic` as the group `group`.
    fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Subscription>>;

    /// From where to where `partition` of `topic` reaches now.
    fn reach(&self, topic: Topic, partition: PartitionId) -> Result<Reach>;

    /// A way to publish the outputs of `partition`.
    fn outputs(&self, partition: PartitionId) -> Result<Box<dyn Outputs>>;

    /// Stands for `office` among all processes that use this log.
    fn stand_for(&self, office: &str) -> Result<Box<dyn Candidacy>>;

    /// Reads `topic` from `start` on.
    fn tail(&self, topic: Topic, start: Start) -> Result<Box<dyn Tail>>;

    /// Reads one partition of `topic` from `start` on.
    fn tail_of(&self, topic: Topic, partition: PartitionId, start: Start) -> Result<Box<dyn Tail>>;

    /// Reads those partitions of `topic` that `places` names, each from its place on. A place outside of what is kept
    /// stands for the nearer end of that.
    fn tail_from(&self, topic: Topic, places: &BTreeMap<PartitionId, Offset>) -> Result<Box<dyn Tail>>;
}
