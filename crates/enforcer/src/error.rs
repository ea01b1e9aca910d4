//! Why the enforcer stopped.

/// Why the enforcer can't run.
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
    /// No thread could be had for reading the standings.
    #[error("no thread for listening to what is decided")]
    Thread(#[source] std::io::Error),
    /// The reading thread ended.
    #[error("what is decided is no longer read")]
    ReaderEnded,
    /// The enforcer is to act and has nothing to act with.
    #[error("the modes approve and enforce need a SendGrid API key; set it, or use mode shadow")]
    NoClient,
}
