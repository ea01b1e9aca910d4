//! Taking back what a rule decided.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::{Extension, Json};
use model::Timestamp;
use serde::Deserialize;

use crate::access::Caller;
use crate::acts::{self, UndoWanted, Undone};
use crate::admin::Admin;
use crate::api::words::words;
use crate::problem::Problem;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    rule: String,
    since: Timestamp,
    by: Option<String>,
    reason: String,
    /// Customers in this step.
    limit: Option<usize>,
    /// Only tell whom it concerns.
    #[serde(default)]
    dry_run: bool,
}

pub(crate) async fn undo(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Wish>, JsonRejection>,
) -> Result<Json<Undone>, Problem> {
    let Json(Wish { rule, since, by, reason, limit, dry_run }) =
        body.map_err(|rejection| Problem::invalid(rejection.body_text()))?;
    let wanted = UndoWanted { rule, since, limit, dry_run };
    acts::undo(&admin, &caller, wanted, words(&caller, by, reason)?).await.map(Json)
}
