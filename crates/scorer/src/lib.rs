//! Drives the fold: polls the log, keeps state in RocksDB, publishes what the fold decides.
//!
//! All effects around [`scoring::Fold`] live here. A thread of its own polls the log and hands each partition's records
//! to that partition's fold; a partition's customers, its offset and the outbox of what was said are committed to its
//! RocksDB in one batch, so that after a crash the fold goes on exactly where its state stands. What was said is then
//! published in sequence and forgotten once it is durable.
//!
//! ```text
//!   log ──▶ decode ──▶ fold ──▶ store (state + offset + outbox, one batch) ──▶ publish ──▶ decisions, standings, fleet
//!    ▲                                                                                                         │
//!    └──────────────────────────────────── ticker (time + fleet) ◀─────────────────────────────────────────────┘
//! ```

mod checkpoints;
mod config;
mod driver;
mod ending;
mod error;
mod fleet_gauges;
mod handle;
mod in_force;
mod lag;
mod marks;
mod metrics;
mod opener;
mod partition;
mod proposal;
mod publish;
mod publisher;
mod recalled;
mod repetition;
mod scorer;
pub mod store;
mod ticker;
mod troubles;
mod uploader;
mod watched;

pub use checkpoints::{CheckpointError, Checkpoints};
pub use config::Config;
pub use error::Error;
pub use handle::{Handle, Unavailable};
pub use metrics::{Metrics, list_metrics};
pub use partition::PartitionTask;
pub use proposal::PolicyFile;
pub use scorer::Scorer;
pub use ticker::Ticker;
pub use troubles::Troubles;

/// A way to read the time: the system's clock, or a simulation's.
pub type Clock = std::sync::Arc<dyn Fn() -> model::Timestamp + Send + Sync>;
