//! Why the comparison stopped.

/// Why the comparison can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log failed.
    #[error("the log failed while {doing}")]
    Log {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        #[source]
        source: log::Error,
    },
    /// A metric could not be registered: a name is taken.
    #[error("a metric could not be registered")]
    Metrics(#[from] telemetry::Error),
    /// No thread could be had for reading the events.
    #[error("no thread for counting events")]
    Thread(#[source] std::io::Error),
    /// The reading thread ended, or a part panicked.
    #[error("events are no longer counted")]
    ReaderEnded,
    /// The tally can't be written down.
    #[error("the tally can't be written")]
    Tally(#[source] postcard::Error),
    /// A report can't be written as JSON.
    #[error("a report can't be written")]
    Report(#[source] serde_json::Error),
}

impl Error {
    /// Whether the same may succeed in a moment, without anyone's doing.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Log { source, .. } if source.may_pass())
    }
}
