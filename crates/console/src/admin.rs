//! What the endpoints work with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use log::Log;
use model::{Mode, PoolName, Timestamp};
use prometheus::Registry;

use crate::{Index, Views};

/// Whether Weir can do its work; shared between whoever knows and `/readyz`.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Says whether it can.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// Whether it can.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What the endpoints work with.
#[derive(Clone)]
pub struct Admin {
    /// The public topics.
    pub index: Index,
    /// Who knows customers' counts.
    pub views: Views,
    /// Where commands go.
    pub log: Arc<dyn Log>,
    /// Whether standings are carried out; in shadow the mailer is told to send everybody as a healthy customer.
    pub mode: Mode,
    /// The pool of a healthy customer.
    pub home_pool: Option<PoolName>,
    /// What `/metrics` shows.
    pub registry: Registry,
    /// What `/readyz` tells.
    pub ready: Ready,
    /// The time at which a command is appended.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("log", &self.log).field("ready", &self.ready).finish_non_exhaustive()
    }
}
