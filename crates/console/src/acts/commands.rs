//! Customers are given commands.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Topic};
use model::{Command, CustomerId, Order, Phase, Stage, Timestamp};

use super::Words;
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::problem::Problem;
use tokio::time::Instant;

/// For how long a command before this one may not show yet.
const SETTLING: Duration = Duration::from_millis(750);
/// How often it is looked whether it shows.
const LOOKING: Duration = Duration::from_millis(50);

/// Appends an order about the customer to the log; the scorer follows it within moments, and the decision tells. To ban, to change
/// what is banned and to readmit is an approver's, everything else an operator's.
pub(crate) async fn give(
    admin: &Admin,
    caller: &Caller,
    customer: &CustomerId,
    order: Order,
    words: Words,
) -> Result<(), Problem> {
    caller.may(Role::Operator)?;
    allowed(admin, caller, customer, order).await?;
    let (by, reason) = words.signed(caller)?;
    let append = append(customer, Command { order, reason, by, role: Some(caller.role) }, (admin.clock)())?;
    admin.log.producer().append(vec![append]).await.map_err(|error| Problem::unavailable(error.to_string()))
}

/// Refuses an order that makes no sense, or that the caller may not give about the customer as it stands.
async fn allowed(admin: &Admin, caller: &Caller, customer: &CustomerId, order: Order) -> Result<(), Problem> {
    let stands = admin.index.standing(customer);
    let is_banned = stands.as_ref().is_some_and(|standing| standing.stage == Stage::Banned);
    let readmits = stands.as_ref().is_some_and(|standing| standing.phase == Phase::Offboarded);
    match order {
        // No list of what persons did would tell of it.
        Order::Undo { .. } => Err(Problem::invalid(
            "`undo` is not for one customer: POST /v1/undo takes back what a rule did, and is told with what persons did",
        )),
        Order::Register { .. } => Err(Problem::invalid(
            "`register` is the gate's: `set_phase` puts a customer that Weir does not know into its first phase",
        )),
        Order::Hold { until: Some(until) } if until <= (admin.clock)() => {
            Err(Problem::invalid(format!("until is {until}, which is past: a hold ends later than now")))
        }
        Order::Note => Ok(()),
        _ if is_banned => caller.may(Role::Approver).map_err(|_| {
            let detail =
                format!("an approver banned {customer}: only an approver changes that, and {} is none", caller.name);
            Problem::forbidden(detail)
        }),
        Order::SetStage { stage: Stage::Banned } => caller.may(Role::Approver),
        Order::SetPhase { .. } if readmits => caller.may(Role::Approver),
        Order::SetPhase { phase } => can_go(admin, customer, phase).await,
        Order::Hold { .. } | Order::Release { .. } | Order::SetStage { .. } | Order::Exempt { .. } => Ok(()),
    }
}

/// Refuses a phase that the customer can't go to. What is known of it may be a moment old: a command before this one may have
/// changed its phase.
async fn can_go(admin: &Admin, customer: &CustomerId, to: Phase) -> Result<(), Problem> {
    let deadline = Instant::now() + SETTLING;
    loop {
        let from = admin.index.standing(customer).map(|standing| standing.phase);
        match Phase::change(from, to) {
            Ok(_) => return Ok(()),
            Err(refused) if Instant::now() >= deadline => return Err(Problem::conflict(refused.to_string())),
            Err(_) => tokio::time::sleep(LOOKING).await,
        }
    }
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
