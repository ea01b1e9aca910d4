//! The public topics in memory, as far as operators ask for them.

pub(crate) mod enforcement;
mod latest;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{Log, Start, Stored, Tail, Topic};
use model::{CustomerId, Decision, Fleet, Offset, PartitionId, Position, Standing};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::enforcement::Enforcement;
use crate::api::completeness::Reports;

/// Decisions and actions kept in memory, newest; older ones are in the log.
const KEPT: usize = 10_000;
/// How long a reader waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);
/// The topics that are read.
const TOPICS: [Topic; 5] = [Topic::Standings, Topic::Decisions, Topic::Actions, Topic::Fleet, Topic::Enforcement];

/// Why the topics can't be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The log refused.
    #[error("topic {topic} can't be read")]
    Log {
        /// Which topic.
        topic: &'static str,
        /// What the log said.
        #[source]
        source: log::Error,
    },
    /// No thread could be had.
    #[error("no thread for reading {topic}")]
    Thread {
        /// Which topic.
        topic: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// What operators ask for. Cheap to clone; all clones see the same.
#[derive(Clone, Debug)]
pub struct Index {
    known: Arc<Mutex<Known>>,
    /// Counts the decisions that were read.
    decisions: watch::Receiver<u64>,
    completeness: Reports,
}

#[derive(Debug, Default)]
struct Known {
    standings: BTreeMap<CustomerId, Standing>,
    decisions: VecDeque<(Position, Decision)>,
    actions: VecDeque<(CustomerId, serde_json::Value)>,
    shares: BTreeMap<PartitionId, Fleet>,
    enforcement: Enforcement,
}

impl Index {
    /// Reads the topics from their beginning, each on a thread of its own, until `shutdown`.
    ///
    /// # Errors
    ///
    /// [`IndexError`], where a topic can't be opened.
    pub fn start(log: &Arc<dyn Log>, shutdown: &CancellationToken) -> Result<(Self, Vec<JoinHandle<()>>), IndexError> {
        let (count, decisions) = watch::channel(0);
        let (completeness, thread) = Reports::start(log, shutdown)?;
        let index = Self { known: Arc::default(), decisions, completeness };
        let mut threads = vec![thread];
        for topic in TOPICS {
            let name = topic.name();
            let tail = log.tail(topic, Start::Earliest).map_err(|source| IndexError::Log { topic: name, source })?;
            let reader = Reader { topic, tail, index: index.clone(), count: count.clone(), shutdown: shutdown.clone() };
            let thread = std::thread::Builder::new().name(format!("index-{name}")).spawn(move || reader.run());
            threads.push(thread.map_err(|source| IndexError::Thread { topic: name, source })?);
        }
        Ok((index, threads))
    }

    /// The customer's standing; `None` for one that was never seen.
    pub fn standing(&self, id: &CustomerId) -> Option<Standing> {
        self.known().standings.get(id).cloned()
    }

    /// All standings that `wanted` wants, worst first: by stage, then those longest in it, then by name.
    pub fn standings(&self, wanted: impl Fn(&Standing) -> bool) -> Vec<Standing> {
        let mut found: Vec<_> = self.known().standings.values().filter(|s| wanted(s)).cloned().collect();
        found.sort_by(|a, b| {
            b.stage.cmp(&a.stage).then(a.since.cmp(&b.since)).then_with(|| a.customer.cmp(&b.customer))
        });
        found
    }

    /// Decisions that `wanted` wants, in the order in which they were read, at most `limit`.
    pub fn decisions(&self, limit: usize, wanted: impl Fn(Position, &Decision) -> bool) -> Vec<(Position, Decision)> {
        let known = self.known();
        known.decisions.iter().filter(|(at, decision)| wanted(*at, decision)).take(limit).cloned().collect()
    }

    /// Calls to SendGrid for the customer, oldest first.
    pub fn actions(&self, id: &CustomerId) -> Vec<serde_json::Value> {
        self.known().actions.iter().filter(|(customer, _)| customer == id).map(|(_, action)| action.clone()).collect()
    }

    /// The sum of the partitions' latest shares.
    pub fn fleet(&self) -> Fleet {
        Fleet::sum(self.known().shares.values())
    }

    /// What the comparisons with SendGrid found.
    pub(crate) const fn completeness(&self) -> &Reports {
        &self.completeness
    }

    /// What is said of enforcement.
    pub(crate) fn enforcement<T>(&self, ask: impl FnOnce(&Enforcement) -> T) -> T {
        ask(&self.known().enforcement)
    }

    /// Changes whenever a decision was read.
    pub fn decisions_read(&self) -> watch::Receiver<u64> {
        self.decisions.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Whoever holds the lock only inserts whole records: what a panic leaves behind is sound.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Reader {
    topic: Topic,
    tail: Box<dyn Tail>,
    index: Index,
    count: watch::Sender<u64>,
    shutdown: CancellationToken,
}

impl Reader {
    fn run(mut self) {
        while !self.shutdown.is_cancelled() {
            match self.tail.next(WAIT) {
                Ok(records) => self.take(&records),
                Err(error) if error.may_pass() => {
                    let topic = self.topic.name();
                    tracing::warn!(topic, error = &error as &dyn std::error::Error, "can't be read just now");
                }
                Err(error) => {
                    let topic = self.topic.name();
                    tracing::error!(topic, error = &error as &dyn std::error::Error, "no longer read; the API lags");
                    return;
                }
            }
        }
    }

    fn take(&self, records: &[Stored]) {
        for stored in records {
            if self.take_one(stored).is_none() {
                tracing::warn!(topic = self.topic.name(), offset = %stored.position.offset, "unreadable; left out");
            }
        }
        if self.topic == Topic::Decisions && !records.is_empty() {
            self.count.send_modify(|count| *count += records.len() as u64);
        }
    }

    fn take_one(&self, stored: &Stored) -> Option<()> {
        let value = &stored.record.value;
        let mut known = self.index.known();
        match self.topic {
            Topic::Standings => {
                let standing: Standing = serde_json::from_slice(value).ok()?;
                known.standings.insert(standing.customer.clone(), standing);
            }
            Topic::Decisions => {
                let decision = serde_json::from_slice(value).ok()?;
                push_bounded(&mut known.decisions, (stored.position, decision));
            }
            Topic::Actions => {
                let customer = CustomerId::new(std::str::from_utf8(&stored.record.key).ok()?).ok()?;
                push_bounded(&mut known.actions, (customer, serde_json::from_slice(value).ok()?));
            }
            Topic::Fleet => {
                known.shares.insert(stored.position.partition, serde_json::from_slice(value).ok()?);
            }
            Topic::Enforcement => known.enforcement.take(stored)?,
            Topic::Events | Topic::Rejects => {}
        }
        Some(())
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == KEPT {
        queue.pop_front();
    }
    queue.push_back(item);
}

/// How far a reader of the decisions is, in each partition: `0:17,3:4` as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor(BTreeMap<PartitionId, Offset>);

impl Cursor {
    /// Reads the text of a cursor; the empty text is the beginning.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts = text.split(',').filter(|part| !part.is_empty());
        let part = |part: &str| {
            let (partition, offset) = part.split_once(':')?;
            Some((PartitionId::new(partition.parse().ok()?), Offset::new(offset.parse().ok()?)))
        };
        parts.map(part).collect::<Option<_>>().map(Self)
    }

    /// Whether the record at `at` lies behind it.
    pub(crate) fn is_before(&self, at: Position) -> bool {
        self.0.get(&at.partition).is_none_or(|seen| at.offset > *seen)
    }

    /// Goes past the record at `at`.
    pub(crate) fn pass(&mut self, at: Position) {
        let seen = self.0.entry(at.partition).or_insert(at.offset);
        *seen = (*seen).max(at.offset);
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (partition, offset)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "," };
            write!(f, "{separator}{partition}:{offset}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_wrote() {
        let mut cursor = Cursor::default();
        let at = |partition, offset| Position { partition: PartitionId::new(partition), offset: Offset::new(offset) };
        assert!(cursor.is_before(at(3, 0)));
        cursor.pass(at(3, 4));
        cursor.pass(at(0, 17));
        assert_eq!(cursor.to_string(), "0:17,3:4");
        assert_eq!(Cursor::parse("0:17,3:4"), Some(cursor.clone()));
        assert!(!cursor.is_before(at(3, 4)) && cursor.is_before(at(3, 5)));
        assert_eq!(Cursor::parse("nonsense"), None);
    }
}
