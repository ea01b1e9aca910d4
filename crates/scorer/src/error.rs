//! What can go wrong while scoring.

use std::path::PathBuf;

use model::PartitionId;

use crate::CheckpointError;

/// Why the scorer stopped or refused to start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state's storage failed. The log holds the truth: what is damaged is set aside and had again, the rest is tried again.
    #[error("state of partition {partition} at {path}: {doing} failed", path = path.display())]
    State {
        /// Whose state.
        partition: PartitionId,
        /// Where it lies.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What RocksDB said.
        #[source]
        source: rocksdb::Error,
    },
    /// The state can't be understood.
    #[error(
        "state of partition {partition} at {path} is unreadable ({what}); it is set aside, and had again from a checkpoint or the log",
        path = path.display()
    )]
    Unreadable {
        /// Whose state.
        partition: PartitionId,
        /// Where it lies.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A record has put a policy in force that another version of Weir reads, and this one does not.
    #[error(
        "partition {partition} is under a policy that this version of Weir does not read; start the version from before again, put \
         a policy in force that both read (`weir policy apply`), and come back; or remove its state at {state} and its \
         checkpoints: it is then made again from the log, by the last policy there that this version reads",
        state = state.display()
    )]
    Policy {
        /// Whose.
        partition: PartitionId,
        /// Where its state lies.
        state: PathBuf,
        /// What this version has against it.
        #[source]
        source: policy::PolicyError,
    },
    /// A directory could not be made or moved.
    #[error("directory {path} can't be prepared for state", path = path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The log failed.
    #[error("the log failed while {doing}")]
    Log {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        #[source]
        source: log::Error,
    },
    /// A checkpoint could not be brought.
    #[error("bringing a checkpoint")]
    Checkpoint(#[source] CheckpointError),
    /// A metric could not be registered: a name is taken.
    #[error("a metric could not be registered")]
    Metrics(#[from] telemetry::Error),
    /// The scorer's thread could not be started, or ended without an answer.
    #[error("the scorer's thread {0}")]
    Thread(&'static str),
    /// Something could not be written as JSON.
    #[error("an output can't be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Whether a state is damaged, and not only out of reach.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::State { source, .. } => source.kind() == rocksdb::ErrorKind::Corruption,
            Self::Unreadable { .. } => true,
            _ => false,
        }
    }

    /// Whether it may pass: by space on a disk, brokers that come back, another owner that goes, or a state that is had again.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::State { .. } | Self::Unreadable { .. } | Self::Directory { .. } | Self::Checkpoint(_) => true,
            Self::Log { source, .. } => source.may_pass() || matches!(source, log::Error::Fenced { .. }),
            // In another process, of the version that reads it, the partition goes on.
            Self::Policy { .. } => false,
            Self::Metrics(_) | Self::Thread(_) | Self::Json(_) => false,
        }
    }

    pub(crate) const fn log(doing: &'static str) -> impl FnOnce(log::Error) -> Self {
        move |source| Self::Log { doing, source }
    }
}
