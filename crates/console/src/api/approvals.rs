//! What awaits a person's approval, and the answer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::DecisionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Caller;
use crate::acts::{self, AnswerWanted, Answered, Approval, Verdict};
use crate::admin::Admin;
use crate::api::extract::{Said, Whose};
use crate::api::words::words;
use crate::problem::Problem;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalList {
    /// Those that wait longest first.
    approvals: Vec<Approval>,
}

/// What awaits a person's approval: those that wait longest first.
#[utoipa::path(get, path = "/v1/approvals", responses((status = 200, description = "What waits", body = ApprovalList), (status = 503, description = "Weir is starting: try again in a moment")))]
pub(crate) async fn list(State(admin): State<Admin>) -> Result<Json<ApprovalList>, Problem> {
    admin.caught_up()?;
    Ok(Json(ApprovalList { approvals: acts::all_awaiting(&admin) }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Word {
    answer: Verdict,
    /// Which decision is meant; whichever waits where it is left out.
    decision: Option<DecisionId>,
    #[schema(min_length = 1, max_length = 200)]
    by: Option<String>,
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Answers what waits. Who has seen an older decision than the one that waits is told so, and answers nothing.
#[utoipa::path(post, path = "/v1/approvals/{id}", params(("id" = String, Path, description = "The customer")), request_body = Word, responses((status = 202, description = "It is on the log", body = Answered), (status = 404, description = "Nothing waits"), (status = 409, description = "Another decision waits, or it is too late"), (status = 503, description = "The log takes no record just now")))]
pub(crate) async fn answer(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Whose(customer): Whose,
    Said(Word { answer, decision, by, reason }): Said<Word>,
) -> Result<(StatusCode, Json<Answered>), Problem> {
    let wanted = AnswerWanted { verdict: answer, decision };
    let answered = acts::answer(&admin, &caller, customer, wanted, words(&caller, by, reason)?).await?;
    Ok((StatusCode::ACCEPTED, Json(answered)))
}
