//! Which policy is in force.

use std::pin::Pin;
use std::sync::Arc;

use model::{PolicyView, Timestamp};
use policy::{Policy, PolicyError};
use tokio::sync::{Mutex, MutexGuard};

use crate::Unavailable;

/// The longest policy file that is taken, in bytes: far more than one has, far less than a record of Kafka may have.
pub(crate) const LONGEST_POLICY: usize = 256 << 10;

/// The future answer about the policy in force.
pub type PolicyViewed = Pin<Box<dyn Future<Output = Result<PolicyView, Unavailable>> + Send>>;

/// The policy that this process has put in force last: whoever scores may not have read it yet.
#[derive(Clone, Debug)]
pub(crate) struct Latest {
    pub(crate) digest: String,
    pub(crate) since: Timestamp,
    /// The tag of the policy that was in force before by the word of whoever scores; `None` where nobody could tell.
    pub(crate) before: Option<String>,
}

/// Asks whoever scores for the policy in force, and lets one at a time put another in force. Cheap to clone: all clones are
/// one.
#[derive(Clone)]
pub struct Policies {
    ask: Arc<dyn Fn() -> PolicyViewed + Send + Sync>,
    turn: Arc<Mutex<Option<Latest>>>,
}

impl Policies {
    /// Asks by `ask`.
    pub fn new(ask: Arc<dyn Fn() -> PolicyViewed + Send + Sync>) -> Self {
        Self { ask, turn: Arc::default() }
    }

    /// The policy in force: that of the newest record, or the one that Weir was `started_with` while there is none. `None` where
    /// nobody can tell.
    pub(crate) async fn in_force(&self, started_with: &Arc<Policy>) -> Option<Arc<Policy>> {
        read(&self.view().await.ok()?, started_with).ok()
    }

    /// What is known of the policy in force.
    pub(crate) async fn view(&self) -> Result<PolicyView, Unavailable> {
        (self.ask)().await
    }

    /// Whoever puts a policy in force waits for this, and leaves there which one it was.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, Option<Latest>> {
        self.turn.lock().await
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies").finish_non_exhaustive()
    }
}

/// The policy in force as `view` tells it: that of its record, or the one that Weir was `started_with` while there is none.
///
/// # Errors
///
/// Where another version put it in force and this one does not read it.
pub(crate) fn read(view: &PolicyView, started_with: &Arc<Policy>) -> Result<Arc<Policy>, PolicyError> {
    match &view.record {
        Some(record) => Policy::parse(&record.text).map(Arc::new),
        None => Ok(Arc::clone(started_with)),
    }
}
