//! Somebody has seen what SendGrid did to the account or to a subuser.

use axum::http::StatusCode;
use model::{Act, CustomerId, Deed, OrderError};

use super::Words;
use super::enforcement::told;
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::problem::Problem;

/// Acknowledges what SendGrid did to a customer, or to the account: its banner goes until SendGrid does something else.
pub(crate) async fn acknowledge(
    admin: &Admin,
    caller: &Caller,
    customer: CustomerId,
    words: Words,
) -> Result<(), Problem> {
    caller.may(Role::Operator)?;
    admin.caught_up()?;
    let (by, reason) = words.signed(caller)?;
    OrderError::check(&by, &reason).map_err(|error| Problem::invalid(error.to_string()))?;
    let Some(change) = admin.index.account_status(&customer) else {
        let detail =
            format!("SendGrid has not changed the status of {customer}: GET /v1/account-status lists what it did");
        return Err(Problem::new(StatusCode::NOT_FOUND, "nothing to acknowledge", detail));
    };
    let deed = Deed::Acknowledge { customer, status: change.status, changed_at: change.at };
    let act = told(&Act { at: (admin.clock)(), by, reason, deed })?;
    admin.log.producer().append(vec![act]).await.map_err(|error| Problem::unavailable(error.to_string()))
}
