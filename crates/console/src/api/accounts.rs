//! What SendGrid did to the account and to subusers.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::{AccountStatusChange, CustomerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Caller;
use crate::acts;
use crate::admin::Admin;
use crate::api::extract::Said;
use crate::api::words::{Accepted, words};
use crate::problem::Problem;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountStatusList {
    /// The latest of each customer, and of the account by each source that told it: what restricts, and nobody has acknowledged.
    open: Vec<AccountStatusChange>,
}

/// What SendGrid's compliance team did to the account and to subusers, as far as it still restricts them and nobody has acknowledged
/// it. All of it stands in the activity.
#[utoipa::path(get, path = "/v1/account-status", responses((status = 200, description = "What is open", body = AccountStatusList)))]
pub(crate) async fn list(State(admin): State<Admin>) -> Json<AccountStatusList> {
    Json(AccountStatusList { open: admin.index.open_account_statuses() })
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acknowledgement {
    /// The `customer` of what is acknowledged.
    customer: CustomerId,
    #[schema(min_length = 1, max_length = 200)]
    by: Option<String>,
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Acknowledges what SendGrid did to a customer, or to the account: the banner goes until SendGrid does something else.
#[utoipa::path(post, path = "/v1/account-status/acknowledge", request_body = Acknowledgement, responses((status = 202, description = "It is on the log", body = Accepted), (status = 404, description = "SendGrid has done nothing to it"), (status = 503, description = "The log can't be read, or takes no record, just now")))]
pub(crate) async fn acknowledge(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Said(Acknowledgement { customer, by, reason }): Said<Acknowledgement>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    acts::acknowledge(&admin, &caller, customer, words(&caller, by, reason)?).await?;
    Ok(Accepted::answer())
}
