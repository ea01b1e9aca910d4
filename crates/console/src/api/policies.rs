//! The policy: which one is in force, and putting another in force.

use std::pin::Pin;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{QueryRejection, StringRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use log::Topic;
use model::{PolicyChange, PolicyOrigin, PolicyView, Stage, Timestamp};
use policy::Policy;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::Unavailable;
use crate::admin::Admin;
use crate::api::answer::Problem;

/// The longest policy file that is taken, in bytes: far more than one has, far less than a record of Kafka may have.
pub(crate) const LONGEST: usize = 256 << 10;

/// The future answer about the policy in force.
pub type PolicyViewed = Pin<Box<dyn Future<Output = Result<PolicyView, Unavailable>> + Send>>;

/// Asks whoever scores for the policy in force, and lets one at a time put another in force. Cheap to clone: all clones are
/// one.
#[derive(Clone)]
pub struct Policies {
    ask: Arc<dyn Fn() -> PolicyViewed + Send + Sync>,
    turn: Arc<Mutex<()>>,
}

impl Policies {
    /// Asks by `ask`.
    pub fn new(ask: Arc<dyn Fn() -> PolicyViewed + Send + Sync>) -> Self {
        Self { ask, turn: Arc::default() }
    }

    /// The policy in force: that of the newest record, or the one that Weir was `started_with` while there is none. `None` where
    /// nobody can tell.
    pub(crate) async fn in_force(&self, started_with: &Arc<Policy>) -> Option<Arc<Policy>> {
        match (self.ask)().await.ok()?.record {
            Some(record) => Policy::parse(&record.text).ok().map(Arc::new),
            None => Some(Arc::clone(started_with)),
        }
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies").finish_non_exhaustive()
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct InForce {
    digest: String,
    /// Where it comes from; nothing of what follows while no record of the log has put a policy in force.
    origin: Option<PolicyOrigin>,
    by: Option<String>,
    reason: Option<String>,
    since: Option<Timestamp>,
    /// The policy file, as it was given.
    text: Option<String>,
}

pub(crate) async fn show(State(admin): State<Admin>) -> Result<Json<InForce>, Problem> {
    let view = (admin.policies.ask)().await?;
    let (since, text, change) = match view.record {
        Some(record) => (Some(record.since), Some(record.text), Some(record.change)),
        None => (None, None, None),
    };
    let origin = change.as_ref().map(|change| change.origin);
    let (by, reason) = change.map(|change| (change.by, change.reason)).unzip();
    Ok(Json(InForce { digest: view.digest, origin, by, reason, since, text }))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Author {
    #[serde(default)]
    by: String,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Applied {
    /// The digest that decisions under it carry.
    digest: String,
    /// How many rules it has.
    rules: usize,
    /// The digest of the one before; nothing where no scorer of this process could tell.
    previous: Option<String>,
}

/// Appends the policy to every partition of the log; each is under it from there on.
pub(crate) async fn apply(
    State(admin): State<Admin>,
    author: Result<Query<Author>, QueryRejection>,
    body: Result<String, StringRejection>,
) -> Result<Json<Applied>, Problem> {
    let Query(Author { by, reason }) = author.map_err(|rejection| Problem::unreadable(&rejection.body_text()))?;
    let change = PolicyChange { origin: PolicyOrigin::Api, by, reason, file: None };
    let change = change.checked().map_err(|error| Problem::invalid(error.to_string()))?;
    let text = body.map_err(|rejection| Problem::new(rejection.status(), "no policy", rejection.body_text()))?;
    let policy = Policy::parse(&text).map_err(|error| Problem::faulty(&error))?;
    if let Some(fixed) = fixed(&admin.policy, &policy) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not without a restart", fixed));
    }
    // Two at once could stand in one order in this partition and in another in that.
    let _turn = admin.policies.turn.lock().await;
    let previous = (admin.policies.ask)().await.ok().map(|view| view.digest);
    append(&admin, &change, text).await?;
    Ok(Json(Applied { digest: policy.digest().to_owned(), rules: policy.rules().len(), previous }))
}

async fn append(admin: &Admin, change: &PolicyChange, text: String) -> Result<(), Problem> {
    let record = decode::policy_record((admin.clock)(), change, text);
    let appends = admin.log.partitions().to_each(Topic::Events, &record);
    admin.log.producer().append(appends).await.map_err(|error| {
        Problem::unavailable(format!("{error}; some partitions may be under the policy already: send it again"))
    })
}

/// What `policy` would change that the other parts of Weir were started with.
fn fixed(started_with: &Policy, policy: &Policy) -> Option<String> {
    let differs = |stage| started_with.pool(stage) != policy.pool(stage);
    let what = if started_with.mode() != policy.mode() {
        "mode"
    } else if Stage::ALL.into_iter().any(differs) {
        "[pools]"
    } else {
        return None;
    };
    Some(format!(
        "{what} is another than that which Weir was started with, and the enforcer keeps to that: \
         leave {what} as it is, or change the policy file of the configuration and restart"
    ))
}
