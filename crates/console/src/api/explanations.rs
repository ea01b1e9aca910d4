//! Why a decision was made.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use explain::Explanation;
use log::Log;
use model::DecisionId;
use policy::Policy;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::admin::Admin;
use crate::api::extract::Which;
use crate::problem::Problem;
use crate::{ExplainError, Explainer};

/// How long a caller waits for an explanation.
const PATIENCE: Duration = Duration::from_secs(60);

/// Explains one decision at a time: each reads the log from its beginning.
#[derive(Clone, Debug)]
pub struct Explanations {
    explainer: Explainer,
    turn: Arc<Semaphore>,
}

impl Explanations {
    /// Explains what `log` holds by `policy`, until `shutdown`.
    pub fn new(log: Arc<dyn Log>, policy: Arc<Policy>, shutdown: CancellationToken) -> Self {
        let explainer = Explainer::new(log, policy, PATIENCE).until(shutdown);
        Self { explainer, turn: Arc::new(Semaphore::new(1)) }
    }

    /// Explains one decision, once nobody else is told about another.
    pub(crate) async fn explain(&self, id: DecisionId) -> Result<Explanation, Problem> {
        let Ok(turn) = Arc::clone(&self.turn).try_acquire_owned() else {
            return Err(Problem::unavailable("another decision is being explained: try again in a moment"));
        };
        let explainer = self.explainer.clone();
        // The turn goes with the work: whoever hangs up does not let the next one in before it ends.
        let work = tokio::task::spawn_blocking(move || {
            let explained = explainer.explain(&id);
            drop(turn);
            explained
        });
        let explained = work.await.map_err(|error| Problem::unavailable(format!("the work ended: {error}")))?;
        explained.map_err(|error| problem(&error))
    }
}

/// Why a decision was made: derived again from the log, and in words.
#[utoipa::path(get, path = "/v1/decisions/{id}/explanation", params(("id" = String, Path, description = "The decision")), responses((status = 200, description = "The explanation", body = Explanation)))]
pub(crate) async fn explanation(State(admin): State<Admin>, Which(id): Which) -> Result<Json<Explanation>, Problem> {
    admin.explanations.explain(id).await.map(Json)
}

fn problem(error: &ExplainError) -> Problem {
    let detail = error.to_string();
    match error {
        ExplainError::Unknown(_) => Problem::new(StatusCode::NOT_FOUND, "no such decision", detail),
        ExplainError::Gone { .. } => Problem::new(StatusCode::GONE, "the log no longer reaches back so far", detail),
        ExplainError::TooLong { .. } => {
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "the log is too long for this", detail)
        }
        ExplainError::Ending | ExplainError::Log(_) => Problem::unavailable(detail),
    }
}
