//! Why outreach stopped.

/// Why outreach can't run. What a mail server or a chat does is never an error.
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
    /// The HTTP client could not be made.
    #[error("the HTTP client for the chat can't be made")]
    Client(#[source] reqwest::Error),
    /// No thread could be had for reading.
    #[error("no thread for reading what is told")]
    Thread(#[source] std::io::Error),
    /// A reading thread ended.
    #[error("what is told is no longer read")]
    ReaderEnded,
    /// What is kept of a customer can't be written as JSON.
    #[error("what is kept of whom was told can't be written")]
    Unwritable(#[from] serde_json::Error),
    /// What is kept is not understood.
    #[error("who was told can't be read (key {key:?}): another version wrote it, or it is damaged; run that version")]
    Unreadable {
        /// The record's key.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Another process has the office by now: what is known here is out of date, and must not be written.
    #[error("another process tells now")]
    OfficeLost,
    /// A part of it panicked.
    #[error("a part of outreach panicked")]
    Panicked,
}

impl Error {
    /// Whether the same may succeed in a moment, without anyone's doing.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Log { source, .. } if source.may_pass())
    }
}
