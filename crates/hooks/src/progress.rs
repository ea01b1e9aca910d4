//! How far a hook is, as it is kept in the log.

use std::collections::BTreeMap;

use log::Topic;
use model::{Offset, PartitionId, Timestamp};
use serde::{Deserialize, Serialize};

/// A partition of a topic that hooks read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    pub(crate) topic: Topic,
    pub(crate) partition: PartitionId,
}

/// One record of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) source: Source,
    pub(crate) offset: Offset,
}

/// A delivery's next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    /// How many tries have failed.
    pub(crate) tries: u32,
    /// When it is tried next.
    pub(crate) due: Timestamp,
}

/// How far a hook is: everything below `next` is done, except what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) next: BTreeMap<Source, Offset>,
    /// What was read and not delivered yet. Not what it says: that is read again.
    pub(crate) waiting: BTreeMap<Spot, Retry>,
}

/// What a record means to a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It was done before.
    Old,
    /// It was waiting when the progress was kept.
    Waiting(Retry),
    /// It was not read before.
    New,
}

impl Progress {
    /// Where `source` is to be read from: what waits is read again.
    pub(crate) fn begin(&self, source: Source) -> Option<Offset> {
        let next = *self.next.get(&source)?;
        let waiting = self.waiting.keys().filter(|spot| spot.source == source).map(|spot| spot.offset).min();
        Some(waiting.map_or(next, |waiting| waiting.min(next)))
    }

    /// Takes note that what stands at `spot` was read.
    pub(crate) fn read(&mut self, spot: Spot) -> News {
        let next = self.next.entry(spot.source).or_default();
        if spot.offset >= *next {
            *next = spot.offset.next();
            return News::New;
        }
        self.waiting.remove(&spot).map_or(News::Old, News::Waiting)
    }

    /// Gives up what waits before `start`, where the log no longer has it; how many those are.
    pub(crate) fn forget_before(&mut self, source: Source, start: Offset) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|spot, _| spot.source != source || spot.offset >= start);
        before - self.waiting.len()
    }
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    sources: Vec<WrittenSource>,
}

#[derive(Serialize, Deserialize)]
struct WrittenSource {
    topic: String,
    partition: PartitionId,
    next: Offset,
    #[serde(default)]
    waiting: Vec<WrittenRetry>,
}

#[derive(Serialize, Deserialize)]
struct WrittenRetry {
    offset: Offset,
    tries: u32,
    due: Timestamp,
}

impl Serialize for Progress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let waiting = |source: Source| {
            let of_it = self.waiting.iter().filter(move |(spot, _)| spot.source == source);
            of_it.map(|(spot, retry)| WrittenRetry { offset: spot.offset, tries: retry.tries, due: retry.due })
        };
        let sources = self.next.iter().map(|(source, next)| WrittenSource {
            topic: source.topic.name().to_owned(),
            partition: source.partition,
            next: *next,
            waiting: waiting(*source).collect(),
        });
        Written { sources: sources.collect() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Progress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut progress = Self::default();
        for WrittenSource { topic, partition, next, waiting } in Written::deserialize(deserializer)?.sources {
            let known = Topic::ALL.into_iter().find(|known| known.name() == topic);
            let topic = known.ok_or_else(|| serde::de::Error::custom(format!("there is no topic {topic:?}")))?;
            let source = Source { topic, partition };
            progress.next.insert(source, next);
            for WrittenRetry { offset, tries, due } in waiting {
                progress.waiting.insert(Spot { source, offset }, Retry { tries, due });
            }
        }
        Ok(progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Source = Source { topic: Topic::Decisions, partition: PartitionId::new(1) };

    fn spot(offset: u64) -> Spot {
        Spot { source: SOURCE, offset: Offset::new(offset) }
    }

    fn progress() -> Progress {
        let retry = |tries| Retry { tries, due: Timestamp::from_seconds(1_790_000_000) };
        Progress {
            next: BTreeMap::from([(SOURCE, Offset::new(9))]),
            waiting: BTreeMap::from([(spot(4), retry(2)), (spot(7), retry(0))]),
        }
    }

    #[test]
    fn what_waits_is_read_again_and_what_is_done_is_not() {
        let mut progress = progress();
        assert_eq!(progress.begin(SOURCE), Some(Offset::new(4)));
        let news: Vec<_> = (4..11).map(|offset| progress.read(spot(offset))).collect();
        let is_waiting = |news: &News| matches!(news, News::Waiting(_));
        assert_eq!(news.iter().map(is_waiting).collect::<Vec<_>>(), [true, false, false, true, false, false, false]);
        assert_eq!((news[1], news[4], news[5], news[6]), (News::Old, News::Old, News::New, News::New));
        assert_eq!(progress.begin(SOURCE), Some(Offset::new(11)));
    }

    #[test]
    fn progress_reads_back_as_it_was_written() {
        let written = serde_json::to_string(&progress()).unwrap();
        assert_eq!(serde_json::from_str::<Progress>(&written).unwrap(), progress(), "{written}");
    }

    #[test]
    fn what_the_log_dropped_is_counted_and_given_up() {
        let mut progress = progress();
        assert_eq!(progress.forget_before(SOURCE, Offset::new(5)), 1);
        assert_eq!(progress.begin(SOURCE), Some(Offset::new(7)));
    }
}
