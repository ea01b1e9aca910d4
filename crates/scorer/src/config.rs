//! What the scorer is told.

use std::path::PathBuf;
use std::time::Duration;

use telemetry::Tracing;

use crate::checkpoints::Checkpoints;
use crate::store::Budget;

/// Settings of the scorer.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the partitions' states lie, a directory each.
    pub state: PathBuf,
    /// How much each partition's state may keep in memory.
    pub budget: Budget,
    /// Where copies of the states go, so that they can be had elsewhere.
    pub checkpoints: Option<Checkpoints>,
    /// How often each state is copied there.
    pub checkpoint_interval: Duration,
    /// How long the state of a partition is kept that another scorer has now.
    pub grace: Duration,
    /// Where traces of what brought decisions about go on.
    pub tracing: Tracing,
}
