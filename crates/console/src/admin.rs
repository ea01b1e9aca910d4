//! What the endpoints work with.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRef;
use decode::RejectSource;
use log::Log;
use model::Timestamp;
use policy::Policy;
use telemetry::Registry;

use crate::problem::Problem;
use crate::{Access, Explanations, Gate, Index, Policies, Readings, Views};

/// What keeps Weir from its work, a line each.
pub type Troubles = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// Whether Weir can do its work; shared between whoever knows and `/readyz`.
#[derive(Clone, Default)]
pub struct Ready {
    is_up: Arc<AtomicBool>,
    troubles: Arc<Mutex<Vec<Troubles>>>,
}

impl Ready {
    /// Says whether it can.
    pub fn set(&self, ready: bool) {
        self.is_up.store(ready, Ordering::Release);
    }

    /// Says whom to ask for troubles, beside those who were named before.
    pub fn ask(&self, troubles: Troubles) {
        self.troubles().push(troubles);
    }

    fn troubles(&self) -> MutexGuard<'_, Vec<Troubles>> {
        // Whoever holds the lock only adds one.
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What keeps it from its work; nothing where it can do it.
    pub(crate) fn obstacles(&self) -> Vec<String> {
        if !self.is_up.load(Ordering::Acquire) {
            return vec!["starting or draining".to_owned()];
        }
        self.troubles().iter().flat_map(|troubles| troubles()).collect()
    }
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("obstacles", &self.obstacles()).finish()
    }
}

/// What health and metrics are told from: all that a process without operators' API serves.
#[derive(Clone, Debug)]
pub struct Probes {
    /// What `/metrics` shows.
    pub registry: Registry,
    /// What `/readyz` tells.
    pub ready: Ready,
}

impl FromRef<Admin> for Probes {
    fn from_ref(admin: &Admin) -> Self {
        admin.probes.clone()
    }
}

impl FromRef<Admin> for Access {
    fn from_ref(admin: &Admin) -> Self {
        admin.access.clone()
    }
}

impl FromRef<Admin> for Gate {
    fn from_ref(admin: &Admin) -> Self {
        admin.gate.clone()
    }
}

/// What the endpoints work with.
#[derive(Clone)]
pub struct Admin {
    /// Who is let in.
    pub access: Access,
    /// The public topics.
    pub index: Index,
    /// Who knows customers' counts.
    pub views: Views,
    /// Why decisions were made.
    pub explanations: Explanations,
    /// Who reads the log for an answer.
    pub readings: Readings,
    /// Who knows the policy in force.
    pub policies: Policies,
    /// What mailers may send.
    pub gate: Gate,
    /// The sources whose rejects can be replayed.
    pub reject_sources: Arc<[RejectSource]>,
    /// Where commands and policies go.
    pub log: Arc<dyn Log>,
    /// The policy that Weir was started with: its pools and its mode are those of the enforcer and of the mailer's routes. What
    /// customers are judged by is asked of [`Admin::policies`].
    pub policy: Arc<Policy>,
    /// Health and metrics.
    pub probes: Probes,
    /// The time at which a command or a policy is appended.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Admin {
    /// Refuses what would be answered wrongly before the index has read the topics: what is not there may only not have been read.
    pub(crate) fn caught_up(&self) -> Result<(), Problem> {
        if self.index.is_caught_up() {
            return Ok(());
        }
        Err(Problem::unavailable("Weir is starting: the log is still being read; try again in a moment"))
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("log", &self.log).field("probes", &self.probes).finish_non_exhaustive()
    }
}
