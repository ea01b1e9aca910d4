//! Why a decision was made.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use explain::Explanation;
use log::Log;
use model::DecisionId;
use policy::Policy;

use crate::admin::Admin;
use crate::api::extract::Which;
use crate::problem::Problem;
use crate::{ExplainError, Explainer, Readings};

/// Explains decisions, one at a time: each reads the log from its beginning.
#[derive(Clone, Debug)]
pub struct Explanations {
    explainer: Explainer,
    readings: Readings,
}

impl Explanations {
    /// Explains what `log` holds by `policy`, by the turns of `readings`.
    pub fn new(log: Arc<dyn Log>, policy: Arc<Policy>, readings: Readings) -> Self {
        Self { explainer: Explainer::new(log, policy, readings.explaining.patience), readings }
    }

    /// Explains one decision, once nobody else is told about another. Whoever no longer waits for it ends it.
    pub(crate) async fn explain(&self, id: DecisionId) -> Result<Explanation, Problem> {
        let (explainer, readings) = (self.explainer.clone(), &self.readings);
        let explained =
            readings.read(&readings.explaining, move |deadline| explainer.explain_by(&id, deadline)).await?;
        explained.map_err(|error| problem(&error))
    }
}

/// Why a decision was made: derived again from the log, and in words.
#[utoipa::path(get, path = "/v1/decisions/{id}/explanation", params(("id" = String, Path, description = "The decision")), responses((status = 200, description = "The explanation", body = Explanation), (status = 404, description = "There is no such decision"), (status = 410, description = "The log no longer reaches back so far"), (status = 503, description = "Not just now: try again in a moment"), (status = 504, description = "The log is too long for this")))]
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
        ExplainError::Ending => Problem::ending(),
        ExplainError::Log(_) => Problem::unavailable(detail),
    }
}
