//! Customers are given commands.

use std::sync::Arc;

use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Topic};
use model::{Command, CustomerId, Order, Stage, Timestamp};

use super::Words;
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::problem::Problem;

/// Appends an order about the customer to the log; the scorer follows it within moments, and the decision tells. To ban is an
/// approver's, everything else an operator's.
pub(crate) async fn give(
    admin: &Admin,
    caller: &Caller,
    customer: &CustomerId,
    order: Order,
    words: Words,
) -> Result<(), Problem> {
    caller.may(match order {
        Order::SetStage { stage: Stage::Banned } => Role::Approver,
        _ => Role::Operator,
    })?;
    if matches!(order, Order::Undo { .. }) {
        // No list of what persons did would tell of it.
        let detail = "`undo` is not for one customer: POST /v1/undo takes back what a rule did, and is told with what persons did";
        return Err(Problem::invalid(detail));
    }
    let (by, reason) = words.signed(caller)?;
    let append = append(customer, Command { order, reason, by }, (admin.clock)())?;
    admin.log.producer().append(vec![append]).await.map_err(|error| Problem::unavailable(error.to_string()))
}

/// The record that gives a customer a command, if the command is sound.
pub(super) fn append(customer: &CustomerId, command: Command, at: Timestamp) -> Result<Append, Problem> {
    let command = checked(command)?;
    let value = serde_json::to_vec(&command).map_err(|error| Problem::invalid(error.to_string()))?;
    let key = Bytes::copy_from_slice(customer.as_str().as_bytes());
    let record = Record { kind: RecordKind::Command, at, key, headers: Arc::new([]), value: value.into() };
    Ok(Append { topic: Topic::Events, route: Route::ByKey, record })
}

/// Refuses a command without author or reason.
pub(super) fn checked(command: Command) -> Result<Command, Problem> {
    command.checked().map_err(|error| Problem::invalid(error.to_string()))
}
