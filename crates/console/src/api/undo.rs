//! Taking back what a rule decided.

use axum::extract::State;
use axum::{Extension, Json};
use model::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::acts::{self, UndoWanted, Undone};
use crate::admin::Admin;
use crate::api::extract::Said;
use crate::api::words::words;
use crate::problem::Problem;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    rule: String,
    since: Timestamp,
    #[schema(min_length = 1, max_length = 200)]
    by: Option<String>,
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Customers in this step.
    limit: Option<usize>,
    /// Only tell whom it concerns.
    #[serde(default)]
    dry_run: bool,
}

/// Takes back what a rule did since a time, a step of it.
#[utoipa::path(post, path = "/v1/undo", request_body = Wish, responses((status = 200, description = "What was taken back", body = Undone), (status = 404, description = "The rule has moved nobody since then"), (status = 503, description = "The log can't be read, or takes no record, just now"), (status = 504, description = "The decisions could not be read in time")))]
pub(crate) async fn undo(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Said(Wish { rule, since, by, reason, limit, dry_run }): Said<Wish>,
) -> Result<Json<Undone>, Problem> {
    let wanted = UndoWanted { rule, since, limit, dry_run };
    acts::undo(&admin, &caller, wanted, words(&caller, by, reason)?).await.map(Json)
}
