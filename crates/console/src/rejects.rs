//! Signed input that made no sense, read from the log when somebody asks.
//!
//! It is not kept in memory: mostly nobody asks, and after a fault of a parser there may be gigabytes.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::http::StatusCode;
use log::{Log, Record, Stored, Tail, Topic, partition_of};
use model::{Offset, PartitionId, Position, Timestamp, without_addresses};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::readings::{Deadline, Over};

/// How long a read of the log waits.
const WAIT: Duration = Duration::from_millis(100);
/// Records that are read at once on the way to older ones, first and at most.
const SHORTEST_STRIDE: u64 = 200;
const LONGEST_STRIDE: u64 = 20_000;
/// The longest excerpt and the longest reason, in bytes of what they are taken from.
const EXCERPT: usize = 300;
const REASON: usize = 300;

/// Where a reject is: `0-17` as text, its partition and its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RejectId(pub(crate) Position);

impl RejectId {
    /// Reads such a text.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let parts = text.split_once('-').filter(|(partition, offset)| digits(partition) && digits(offset));
        let position = parts.and_then(|(partition, offset)| {
            let (partition, offset) = (partition.parse().ok()?, offset.parse().ok()?);
            Some(Position { partition: PartitionId::new(partition), offset: Offset::new(offset) })
        });
        position.map(Self).ok_or_else(|| {
            Problem::invalid("no reject has this id: they are a partition and an offset, as 0-17 in /v1/rejects")
        })
    }
}

impl fmt::Display for RejectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.partition, self.0.offset)
    }
}

/// A rejected record, in short.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Reject {
    /// To look at it and to replay it by.
    pub(crate) id: String,
    /// When it came.
    pub(crate) at: Timestamp,
    /// The source that it came to.
    pub(crate) source: String,
    /// Why it was rejected.
    pub(crate) reason: String,
    /// How long it is.
    pub(crate) bytes: usize,
    /// How it begins, without what may be an address.
    pub(crate) excerpt: String,
    #[serde(skip)]
    position: Position,
}

impl Reject {
    pub(crate) fn of(stored: &Stored) -> Self {
        let Record { at, value, .. } = &stored.record;
        let reason = stored.record.header("reason").map(|reason| beginning(reason, REASON));
        Self {
            id: RejectId(stored.position).to_string(),
            at: *at,
            source: source(&stored.record),
            reason: reason.unwrap_or_default(),
            bytes: value.len(),
            excerpt: excerpt(value),
            position: stored.position,
        }
    }
}

/// The source that a reject came to.
pub(crate) fn source(record: &Record) -> String {
    String::from_utf8_lossy(record.header("source").unwrap_or(&record.key)).into_owned()
}

fn beginning(text: &[u8], bytes: usize) -> String {
    String::from_utf8_lossy(text.get(..bytes).unwrap_or(text)).into_owned()
}

/// Quotes and commas are blanks to [`without_addresses`], which else would hide the whole of an object without any.
fn excerpt(value: &[u8]) -> String {
    let spaced = beginning(value, EXCERPT).replace(',', " , ").replace(':', " : ");
    without_addresses(&spaced).replace(" , ", ",").replace(" : ", ":")
}

/// Up to where each partition has been shown: what is older is next. `0:17,3:4` as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Before(BTreeMap<PartitionId, Offset>);

impl Before {
    /// Reads such a text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let part = |part: &str| {
            let (partition, offset) = part.split_once(':')?;
            Some((PartitionId::new(partition.parse().ok()?), Offset::new(offset.parse().ok()?)))
        };
        text.split(',').map(part).collect::<Option<_>>().map(Self)
    }
}

impl fmt::Display for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (partition, offset)) in self.0.iter().enumerate() {
            write!(f, "{}{partition}:{offset}", if number == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Which rejects are asked for.
#[derive(Clone, Debug)]
pub(crate) struct RejectsQuery {
    /// This source's only.
    pub(crate) source: Option<String>,
    /// Only those that came at this time or later.
    pub(crate) since: Option<Timestamp>,
    /// Only those older than an earlier page's.
    pub(crate) before: Option<Before>,
    pub(crate) limit: usize,
}

/// Rejects, the newest first, and where older ones begin.
#[derive(Clone, Debug)]
pub(crate) struct RejectsPage {
    pub(crate) rejects: Vec<Reject>,
    pub(crate) next: Option<Before>,
}

/// A page of the rejects. Blocking.
pub(crate) fn page(log: &dyn Log, query: &RejectsQuery, deadline: &Deadline) -> Result<RejectsPage, Problem> {
    let partitions: Vec<_> = match &query.source {
        // A source's rejects are all in the partition of its name.
        Some(source) => vec![partition_of(source.as_bytes(), log.partitions())],
        None => log.partitions().all().collect(),
    };
    let mut before = Before::default();
    let mut all = Vec::new();
    for partition in partitions {
        let reach = log.reach(Topic::Rejects, partition).map_err(|error| unread(&error))?;
        let end = query.before.as_ref().map_or(reach.end, |before| {
            // A partition that the cursor does not name has nothing older.
            before.0.get(&partition).copied().unwrap_or_default().min(reach.end)
        });
        before.0.insert(partition, end);
        all.extend(newest(log, (partition, reach.start, end), query, deadline)?);
    }
    all.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| other.position.cmp(&one.position)));
    let is_more = all.len() > query.limit;
    all.truncate(query.limit);
    for reject in &all {
        let shown = before.0.entry(reject.position.partition).or_insert(reject.position.offset);
        *shown = (*shown).min(reject.position.offset);
    }
    Ok(RejectsPage { rejects: all, next: is_more.then_some(before) })
}

/// The newest of a partition's rejects between two offsets that are wanted: one more than fit on the page, if there are.
fn newest(
    log: &dyn Log,
    (partition, start, mut end): (PartitionId, Offset, Offset),
    query: &RejectsQuery,
    deadline: &Deadline,
) -> Result<Vec<Reject>, Problem> {
    let is_wanted = |reject: &Reject| query.source.as_ref().is_none_or(|source| reject.source == *source);
    let is_young = |reject: &Reject| query.since.is_none_or(|since| reject.at >= since);
    let (mut found, mut stride) = (Vec::new(), SHORTEST_STRIDE);
    while start < end && found.len() <= query.limit {
        let begin = Offset::new(end.get().saturating_sub(stride)).max(start);
        let mut read = Vec::new();
        let mut is_past = false;
        each(log, Position { partition, offset: begin }, deadline, |stored| {
            if stored.position.offset >= end {
                return false;
            }
            let reject = Reject::of(&stored);
            is_past |= !is_young(&reject);
            if is_wanted(&reject) && is_young(&reject) {
                read.push(reject);
            }
            true
        })?;
        found.extend(read.into_iter().rev());
        if is_past {
            break;
        }
        (end, stride) = (begin, stride.saturating_mul(2).min(LONGEST_STRIDE));
    }
    found.truncate(query.limit + 1);
    Ok(found)
}

/// Hands over the rejects of a partition from a place on, until `take` returns `false` or there are no more.
pub(crate) fn each(
    log: &dyn Log,
    from: Position,
    deadline: &Deadline,
    mut take: impl FnMut(Stored) -> bool,
) -> Result<(), Problem> {
    let places = BTreeMap::from([(from.partition, from.offset)]);
    let mut tail: Box<dyn Tail> = log.tail_from(Topic::Rejects, &places).map_err(|error| unread(&error))?;
    while !tail.caught_up() {
        deadline.check().map_err(over)?;
        for stored in tail.next(WAIT).map_err(|error| unread(&error))? {
            if !take(stored) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// One reject, whole. Blocking.
pub(crate) fn one(log: &dyn Log, id: RejectId, deadline: &Deadline) -> Result<Stored, Problem> {
    let mut found = None;
    if id.0.partition.get() < log.partitions().get() {
        each(log, id.0, deadline, |stored| {
            found = (stored.position == id.0).then_some(stored);
            false
        })?;
    }
    found.ok_or_else(|| {
        let detail = format!("reject {id} is not in the log: it was never there, or is older than what the log keeps");
        Problem::new(StatusCode::NOT_FOUND, "no such reject", detail)
    })
}

fn unread(error: &log::Error) -> Problem {
    Problem::unavailable(format!("the rejects can't be read: {error}"))
}

fn over(over: Over) -> Problem {
    match over {
        Over::Ending => Problem::ending(),
        Over::TooLong(patience) => {
            let seconds = patience.as_secs();
            let detail = format!("the rejects could not be read within {seconds} s: ask for a source, and for fewer");
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "the log takes too long", detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_cursors_read_back_and_nothing_else_does() {
        let id = RejectId::parse("3-17").unwrap();
        assert_eq!((id.to_string().as_str(), id.0.partition.get(), id.0.offset.get()), ("3-17", 3, 17));
        for text in ["", "3", "-", "3-", "-17", "3-17-1", "+3-17", "a-b", "99999999999-1"] {
            assert!(RejectId::parse(text).is_err(), "{text}");
        }
        let before = Before::parse("0:17,3:4").unwrap();
        assert_eq!(before.to_string(), "0:17,3:4");
        for text in ["", "0", "0:", "0:1,", "x:1"] {
            assert_eq!(Before::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_excerpt_is_short_and_names_no_recipient() {
        let text = r#"{"email":"jo@example.org","event":7,"url":"https://x.example/?a=b"}"#;
        assert_eq!(excerpt(text.as_bytes()), r#"{"email":<address>,"event":7,"url":"https://x.example/?a=b"}"#);
        assert!(excerpt(&[b'a'; 10_000]).len() <= EXCERPT);
        assert_eq!(excerpt(b"\xff"), "\u{fffd}");
    }
}
