//! A log, and what lies on it.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Topic};

use crate::events::START;

/// An embedded log of four partitions.
pub(crate) fn open(folder: &Path) -> anyhow::Result<Arc<dyn Log>> {
    let count = PartitionCount::new(NonZeroU32::new(4).context("four")?);
    Ok(Arc::new(EmbeddedLog::open(Config::new(folder, count))?))
}

/// A record of a public topic.
pub(crate) fn output(topic: Topic, key: String, value: Vec<u8>) -> Append {
    let record =
        Record { kind: RecordKind::Output, at: START, key: key.into(), headers: Arc::new([]), value: value.into() };
    Append { topic, route: Route::ByKey, record }
}
