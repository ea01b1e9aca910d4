//! What a person tells Weir to do with a customer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::Order;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::acts;
use crate::admin::Admin;
use crate::api::extract::{Said, Whose};
use crate::api::words::{Accepted, words};
use crate::problem::Problem;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Given {
    #[serde(flatten)]
    order: Order,
    /// Who gives it, where that is another than who sends it; without a token it has to be said.
    #[schema(min_length = 1, max_length = 200)]
    by: Option<String>,
    /// Why, in the author's words.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Appends the command to the log; the scorer follows it within moments, and the decision tells.
#[utoipa::path(post, path = "/v1/customers/{id}/commands", params(("id" = String, Path, description = "The customer")), request_body = Given, responses((status = 202, description = "It is on the log", body = Accepted), (status = 503, description = "The log takes no record just now")))]
pub(crate) async fn command(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Whose(id): Whose,
    Said(Given { order, by, reason }): Said<Given>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    acts::give(&admin, &caller, &id, order, words(&caller, by, reason)?).await?;
    Ok(Accepted::answer())
}
