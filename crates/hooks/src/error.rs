//! Why the hooks stopped.

/// Why the hooks can't run.
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
    /// The HTTP client of a hook could not be made.
    #[error("the HTTP client of hook {hook} can't be made")]
    Client {
        /// Whose.
        hook: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// No thread could be had for reading.
    #[error("no thread for reading what hooks are told")]
    Thread(#[source] std::io::Error),
    /// A reading thread ended.
    #[error("what hooks are told is no longer read")]
    ReaderEnded,
    /// What is kept of a hook is not understood.
    #[error(
        "how far hook {hook} is can't be read: another version wrote it, or it is damaged; run that version, or give the \
         hook another name, to begin with the decisions from then on"
    )]
    Unreadable {
        /// Which.
        hook: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// What is kept of a hook can't be written as JSON.
    #[error("what is kept of hook {hook} can't be written")]
    Unwritable {
        /// Which.
        hook: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A part of the hooks panicked.
    #[error("a hook panicked")]
    Panicked,
}

impl Error {
    /// Whether the same may succeed in a moment, without anyone's doing.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Log { source, .. } if source.may_pass())
    }
}
