//! What must not be forgotten, on the compacted topic [`Topic::Enforcement`]: the tally (key `tally:` and a source's name, and
//! `tally-progress`), and the reports ([`CompletenessKey`]).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use log::{Append, Log, Record, RecordKind, Route, Start, Topic};
use model::{CompletenessKey, CompletenessReport, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::tally::{Kept, Progress};

const SOURCE: &str = "tally:";
const PROGRESS: &str = "tally-progress";
/// The first byte of what postcard writes: another layout gets another number.
const LAYOUT: u8 = 1;
/// How long one who reads waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);

/// What was found there.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) progress: Option<Progress>,
    pub(crate) sources: BTreeMap<String, Kept>,
    pub(crate) reports: BTreeMap<CompletenessKey, CompletenessReport>,
    /// Whether something of the tally could not be read: then it is made anew from the log.
    is_damaged: bool,
}

impl Memory {
    /// Reads it; what there is by then where `shutdown` comes first. Blocking.
    pub(crate) fn read(log: &dyn Log, shutdown: &CancellationToken) -> Result<Self, Error> {
        let failed = |source| Error::Log { doing: "reading what was counted before", source };
        let mut tail = log.tail(Topic::Enforcement, Start::Earliest).map_err(failed)?;
        let mut memory = Self::default();
        while !tail.caught_up() && !shutdown.is_cancelled() {
            for stored in tail.next(WAIT).map_err(failed)? {
                memory.take(&stored.record);
            }
        }
        if std::mem::take(&mut memory.is_damaged) {
            tracing::error!("what was counted before can't be read: it is counted anew from the log");
            (memory.progress, memory.sources) = (None, BTreeMap::new());
        }
        Ok(memory)
    }

    /// A record without value takes its key back.
    fn take(&mut self, record: &Record) {
        let Ok(key) = std::str::from_utf8(&record.key) else { return };
        let value = Some(&record.value).filter(|value| !value.is_empty());
        if key == PROGRESS {
            self.progress = value.and_then(|value| self.unpacked(value));
        } else if let Some(source) = key.strip_prefix(SOURCE) {
            match value.and_then(|value| self.unpacked(value)) {
                Some(kept) => drop(self.sources.insert(source.to_owned(), kept)),
                None => drop(self.sources.remove(source)),
            }
        } else if let Some(key) = CompletenessKey::parse(key) {
            match value.and_then(|value| serde_json::from_slice(value).ok()) {
                Some(report) => drop(self.reports.insert(key, report)),
                None => drop(self.reports.remove(&key)),
            }
        }
    }

    fn unpacked<T: DeserializeOwned>(&mut self, value: &[u8]) -> Option<T> {
        let packed = value.split_first().filter(|(layout, _)| **layout == LAYOUT);
        let unpacked = packed.and_then(|(_, packed)| postcard::from_bytes(packed).ok());
        self.is_damaged |= unpacked.is_none();
        unpacked
    }
}

/// The record of a source's tally.
pub(crate) fn source(name: &str, kept: &Kept, at: Timestamp) -> Result<Append, Error> {
    Ok(record(format!("{SOURCE}{name}"), packed(kept)?, at))
}

/// The record that takes a source's tally back.
pub(crate) fn forgotten(name: &str, at: Timestamp) -> Append {
    record(format!("{SOURCE}{name}"), Bytes::new(), at)
}

/// The record of how far the tally is.
pub(crate) fn progress(progress: &Progress, at: Timestamp) -> Result<Append, Error> {
    Ok(record(PROGRESS.to_owned(), packed(progress)?, at))
}

/// The record of a report.
pub(crate) fn report(report: &CompletenessReport) -> Result<Append, Error> {
    let value = serde_json::to_vec(report).map_err(Error::Report)?;
    Ok(record(report.key().to_string(), value.into(), report.compared_at))
}

/// The record that takes a report back.
pub(crate) fn outdated(key: &CompletenessKey, at: Timestamp) -> Append {
    record(key.to_string(), Bytes::new(), at)
}

fn packed(value: &impl Serialize) -> Result<Bytes, Error> {
    let packed = postcard::to_extend(value, vec![LAYOUT]).map_err(Error::Tally)?;
    Ok(packed.into())
}

fn record(key: String, value: Bytes, at: Timestamp) -> Append {
    let record = Record { kind: RecordKind::Output, at, key: key.into(), headers: [].into(), value };
    Append { topic: Topic::Enforcement, route: Route::ByKey, record }
}

#[cfg(test)]
mod tests {
    use model::{Counter, Counts, Offset, PartitionId};

    use super::*;
    use crate::Hour;
    use crate::seen::Starts;

    fn kept() -> Kept {
        let mut counts = Counts::ZERO;
        counts[Counter::Delivered] = 70_000;
        counts[Counter::HardBounce] = 3;
        let now = Timestamp::from_seconds(1_790_000_000);
        Kept {
            since: now,
            through: [(PartitionId::new(1), Offset::new(9))].into(),
            hours: (0..96).map(|hour| (Hour::of(now).plus(-hour), counts)).collect(),
        }
    }

    #[test]
    fn what_is_kept_reads_back_as_it_was_written() {
        let at = Timestamp::from_seconds(1_790_000_000);
        let places = |offset| [(PartitionId::new(0), Offset::new(offset))].into();
        let starts = Starts { older: places(1), current: places(2), since: at };
        let written = Progress { places: places(3), starts, latest: at };
        let mut memory = Memory::default();
        memory.take(&source("main", &kept(), at).unwrap().record);
        memory.take(&source("gone", &kept(), at).unwrap().record);
        memory.take(&forgotten("gone", at).record);
        memory.take(&progress(&written, at).unwrap().record);
        assert_eq!(memory.progress, Some(written));
        assert_eq!(memory.sources, BTreeMap::from([("main".to_owned(), kept())]));
        assert!(!memory.is_damaged);
    }

    #[test]
    fn a_sources_record_is_small() {
        let bytes = source("main", &kept(), Timestamp::default()).unwrap().record.value.len();
        assert!(bytes < 2_000, "{bytes} bytes");
    }

    #[test]
    fn what_another_layout_wrote_is_not_misread() {
        let mut append = source("main", &kept(), Timestamp::default()).unwrap();
        let mut value = append.record.value.to_vec();
        value[0] += 1;
        append.record.value = value.into();
        let mut memory = Memory::default();
        memory.take(&append.record);
        assert!(memory.is_damaged && memory.sources.is_empty());
    }
}
