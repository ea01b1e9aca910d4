//! The scorer's fold, from records to committed state, against parsing the same events and nothing else.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use log::embedded::{Config, EmbeddedLog};
use log::{Log, PartitionCount, Stored};
use model::PartitionId;
use policy::Policy;
use scorer::store::Budget;
use scorer::{Metrics, PartitionTask};
use sendgrid::webhook::WebhookEvent;
use telemetry::Registry;

use crate::events;
use crate::timing::{median, rate, timed};

const ROUNDS: usize = 5;
/// Records that a poll hands out: about 2 MiB.
pub(crate) const POLL: usize = 4_000;

pub(crate) fn run() -> anyhow::Result<Vec<Vec<String>>> {
    let records = events::records(&events::raw(1_000, 100_000))?;
    let (mut floors, mut folds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floors.push(timed(|| parse_all(&records)).1);
        let folder = tempfile::tempdir()?;
        let (mut task, _log) = open(folder.path(), Budget::default())?;
        let (result, time) = timed(|| fold_all(&mut task, &records));
        result?;
        folds.push(time);
    }
    let (floor, fold) = (median(floors), median(folds));
    let row = |name: &str, time| vec![name.to_owned(), format!("{:.0}", rate(records.len(), time))];
    let ratio = vec!["ratio".to_owned(), format!("{:.2} (wanted: 0.25)", floor.as_secs_f64() / fold.as_secs_f64())];
    Ok(vec![
        vec![format!("{} events, 1,000 customers", records.len()), "events/s".to_owned()],
        row("floor: parse", floor),
        row("fold: parse, de-duplicate, count, judge, commit, publish", fold),
        ratio,
    ])
}

/// How long publishing the rest may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A partition's fold below `folder`, and the log that it publishes to.
pub(crate) fn open(folder: &Path, budget: Budget) -> anyhow::Result<(PartitionTask, Arc<dyn Log>)> {
    let count = PartitionCount::new(NonZeroU32::MIN);
    let log: Arc<dyn Log> = Arc::new(EmbeddedLog::open(Config::new(folder.join("log"), count))?);
    let policy = Arc::new(Policy::parse(policy::DEFAULT)?);
    let metrics = Metrics::register(&Registry::new())?;
    let outputs = log.outputs(PartitionId::new(0))?;
    let state = folder.join("state");
    let task = PartitionTask::open(&state, PartitionId::new(0), (policy, budget), metrics, outputs)?;
    Ok((task, log))
}

/// Folds the records as the scorer does, poll by poll, and commits at the end.
pub(crate) fn fold_all(task: &mut PartitionTask, records: &[Stored]) -> anyhow::Result<()> {
    for poll in records.chunks(POLL) {
        task.fold(poll)?;
        if task.wants_commit() {
            task.commit()?;
        }
    }
    task.drain(PATIENCE).context("the last commit")
}

fn parse_all(records: &[Stored]) -> usize {
    let parsed = records.iter().filter_map(|stored| WebhookEvent::parse(&stored.record.value).ok());
    parsed.map(|event| std::hint::black_box(event.to_event()).id.len()).sum()
}
