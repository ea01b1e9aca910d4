//! What the comparisons with SendGrid found, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use log::{Log, Record, Start, Tail, Topic};
use model::{CompletenessKey, CompletenessReport, Day};
use tokio_util::sync::CancellationToken;

use super::{IndexError, WAIT};

/// The reports in memory. Cheap to clone; all clones see the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports(Arc<Mutex<BTreeMap<CompletenessKey, CompletenessReport>>>);

impl Reports {
    /// Reads them on a thread of its own, until `shutdown`.
    pub(crate) fn start(
        log: &Arc<dyn Log>,
        shutdown: &CancellationToken,
    ) -> Result<(Self, JoinHandle<()>), IndexError> {
        let topic = Topic::Enforcement.name();
        let tail = log.tail(Topic::Enforcement, Start::Earliest);
        let tail = tail.map_err(|source| IndexError::Log { topic, source })?;
        let reports = Self::default();
        let (reader, shutdown) = (reports.clone(), shutdown.clone());
        let thread = std::thread::Builder::new().name("index-completeness".to_owned());
        let thread = thread.spawn(move || reader.read(tail, &shutdown));
        Ok((reports, thread.map_err(|source| IndexError::Thread { topic, source })?))
    }

    fn read(&self, mut tail: Box<dyn Tail>, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            match tail.next(WAIT) {
                Ok(records) => records.iter().for_each(|stored| self.take(&stored.record)),
                Err(error) if error.may_pass() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "reports can't be read just now");
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "reports are no longer read; the API lags"
                    );
                    return;
                }
            }
        }
    }

    /// Others have their records on the topic, too. One without value takes its key back.
    fn take(&self, record: &Record) {
        let Some(key) = std::str::from_utf8(&record.key).ok().and_then(CompletenessKey::parse) else { return };
        if record.value.is_empty() {
            self.known().remove(&key);
            return;
        }
        match serde_json::from_slice(&record.value) {
            Ok(report) => drop(self.known().insert(key, report)),
            Err(error) => tracing::warn!(%key, %error, "a report is unreadable; left out"),
        }
    }

    /// Those of `first` and of later days, by account and day.
    pub(crate) fn since(&self, first: Day) -> Vec<CompletenessReport> {
        self.known().values().filter(|report| report.day >= first).cloned().collect()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<CompletenessKey, CompletenessReport>> {
        // Whoever holds the lock only inserts whole reports.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
