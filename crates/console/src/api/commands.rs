//! What a person tells Weir to do with a customer.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::Order;
use serde::Deserialize;

use crate::access::Caller;
use crate::acts;
use crate::admin::Admin;
use crate::api::customers::customer;
use crate::api::words::{Accepted, words};
use crate::problem::Problem;

#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    #[serde(flatten)]
    order: Order,
    by: Option<String>,
    reason: String,
}

/// Appends the command to the log; the scorer follows it within moments, and the decision tells.
pub(crate) async fn command(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Result<Json<Given>, JsonRejection>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let id = customer(&id)?;
    let Json(Given { order, by, reason }) = body.map_err(|rejection| Problem::unreadable(&rejection.body_text()))?;
    acts::give(&admin, &caller, &id, order, words(&caller, by, reason)?).await?;
    Ok(Accepted::answer())
}
