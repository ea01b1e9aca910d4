//! Taking back what a rule decided: everybody whom it moved since a time goes back to where it stood before.
//!
//! In steps: each request gives a number of customers the order, as a command on the log like any other, and waits until their
//! standings tell that it was followed. What was taken back is to be seen from the log itself, so that whoever asks again goes
//! on, after a crash as well.

mod chains;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use log::{Log, Start, Topic};
use model::{Act, Command, CustomerId, Deed, Order, Stage, Standing, Timestamp};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use self::chains::Chains;
use super::enforcement::told;
use super::{Words, commands};
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::problem::Problem;
use crate::readings::{Deadline, Over};

/// Customers in one step, unless asked otherwise, and at most.
const STEP: usize = 100;
const LONGEST_STEP: usize = 1_000;
/// How long a step waits for the scorers.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a read of the log waits.
const WAIT: Duration = Duration::from_millis(100);
/// How long nothing new is waited for before standings are looked at again.
const LOOK: Duration = Duration::from_millis(50);

/// What is to be taken back.
#[derive(Clone, Debug)]
pub(crate) struct UndoWanted {
    /// The rule that decided.
    pub(crate) rule: String,
    /// Since when.
    pub(crate) since: Timestamp,
    /// Customers in this step; a hundred unless said, a thousand at most.
    pub(crate) limit: Option<usize>,
    /// Only tell whom it concerns.
    pub(crate) dry_run: bool,
}

/// A customer that goes back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Back {
    pub(crate) customer: CustomerId,
    pub(crate) from: Stage,
    pub(crate) to: Stage,
}

/// What was taken back.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Undone {
    /// Who went back in this step; in a dry run, everybody who would.
    pub(crate) undone: Vec<Back>,
    /// Who was told to, and is not seen to be back yet: ask again.
    pub(crate) pending: Vec<Back>,
    /// How many are left for further steps.
    pub(crate) left: usize,
    /// Whom a person holds where it is; nobody but a person moves it.
    pub(crate) held: Vec<CustomerId>,
    /// Whom another rule has moved further up since: take back that one, or release the customer.
    pub(crate) moved_on: Vec<CustomerId>,
}

/// Takes back what a rule did since a time, a step of it.
pub(crate) async fn undo(admin: &Admin, caller: &Caller, wanted: UndoWanted, words: Words) -> Result<Undone, Problem> {
    caller.may(Role::Operator)?;
    admin.caught_up()?;
    let (by, reason) = words.signed(caller)?;
    let since = wanted.since;
    let role = Some(caller.role);
    let command = |stage| Command { order: Order::Undo { stage, since }, reason: reason.clone(), by: by.clone(), role };
    commands::checked(command(Stage::Healthy))?;
    let chains = chains(admin, &wanted).await?;
    if let Some(others) = chains.others_only() {
        let (rule, others) = (&wanted.rule, others.collect::<Vec<_>>().join(", "));
        let others = if others.is_empty() { "no rule did".to_owned() } else { format!("these did: {others}") };
        let detail = format!("rule {rule} has moved nobody since {since}; {others}");
        return Err(Problem::new(StatusCode::NOT_FOUND, "nothing to take back", detail));
    }
    let (mut all, mut held) = back(admin, chains.before());
    let moved_on = stricter(admin, chains.moved_on()).map(|(customer, ..)| customer.clone()).collect();
    if wanted.dry_run {
        return Ok(Undone { undone: all, held, moved_on, ..Undone::default() });
    }
    let rest = all.split_off(wanted.limit.unwrap_or(STEP).clamp(1, LONGEST_STEP).min(all.len()));
    let now = (admin.clock)();
    let appends = all.iter().map(|back| commands::append(&back.customer, command(back.to), now));
    let mut appends = appends.collect::<Result<Vec<_>, _>>()?;
    if !appends.is_empty() {
        let deed = Deed::Undo { rule: wanted.rule, since, customers: all.len() };
        appends.push(told(&Act { at: now, by: by.clone(), reason: reason.clone(), deed })?);
        admin.log.producer().append(appends).await.map_err(|error| Problem::unavailable(error.to_string()))?;
    }
    let (undone, pending) = followed(admin, all).await;
    let (held_since, pending): (Vec<_>, Vec<_>) = pending.into_iter().partition(|back| is_held(admin, back));
    held.extend(held_since.into_iter().map(|back| back.customer));
    Ok(Undone { undone, pending, left: rest.len(), held, moved_on })
}

/// What the rule did, from the log: the decisions in memory may not reach back so far.
async fn chains(admin: &Admin, wanted: &UndoWanted) -> Result<Chains, Problem> {
    let (log, chains) = (Arc::clone(&admin.log), Chains::new(&wanted.rule, wanted.since));
    let readings = &admin.readings;
    readings.read(&readings.undoing, move |deadline| read(log.as_ref(), chains, deadline)).await?
}

fn read(log: &dyn Log, mut chains: Chains, deadline: &Deadline) -> Result<Chains, Problem> {
    let unread = |error: log::Error| Problem::unavailable(format!("the decisions can't be read: {error}"));
    let mut tail = log.tail(Topic::Decisions, Start::Earliest).map_err(unread)?;
    while !tail.caught_up() {
        deadline.check().map_err(over)?;
        for stored in tail.next(WAIT).map_err(unread)? {
            match serde_json::from_slice(&stored.record.value) {
                Ok(decision) => chains.take(&decision),
                Err(_) => tracing::warn!(offset = %stored.position.offset, "a decision is unreadable; left out"),
            }
        }
    }
    Ok(chains)
}

fn over(over: Over) -> Problem {
    match over {
        Over::Ending => Problem::ending(),
        Over::TooLong(patience) => {
            let seconds = patience.as_secs();
            let detail = format!(
                "the decisions could not be read within {seconds} s, and nothing was changed: does the log answer?"
            );
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "the log takes too long", detail)
        }
    }
}

/// Who stands stricter than before the rule, and is not held by a person; and who is.
fn back(admin: &Admin, before: &BTreeMap<CustomerId, Stage>) -> (Vec<Back>, Vec<CustomerId>) {
    let (mut all, mut held) = (Vec::new(), Vec::new());
    for (customer, to, standing) in stricter(admin, before) {
        if standing.held {
            held.push(customer.clone());
        } else {
            all.push(Back { customer: customer.clone(), from: standing.stage, to });
        }
    }
    (all, held)
}

/// Those who stand stricter than before, and where they stand.
fn stricter<'a>(
    admin: &'a Admin,
    before: &'a BTreeMap<CustomerId, Stage>,
) -> impl Iterator<Item = (&'a CustomerId, Stage, Arc<Standing>)> {
    before.iter().filter_map(|(customer, before)| {
        let standing = admin.index.standing(customer).filter(|standing| standing.stage > *before)?;
        Some((customer, *before, standing))
    })
}

/// Whether a person holds it by now: then the order has moved it nowhere.
fn is_held(admin: &Admin, back: &Back) -> bool {
    admin.index.standing(&back.customer).is_some_and(|standing| standing.held && standing.stage > back.to)
}

/// Waits for the scorers: who is back, and who is not yet.
async fn followed(admin: &Admin, all: Vec<Back>) -> (Vec<Back>, Vec<Back>) {
    let is_back = |back: &Back| admin.index.standing(&back.customer).is_some_and(|standing| standing.stage <= back.to);
    let mut read = admin.index.decisions_read();
    let deadline = Instant::now() + PATIENCE;
    loop {
        read.mark_unchanged();
        if all.iter().all(|back| is_back(back) || is_held(admin, back)) || Instant::now() >= deadline {
            return all.into_iter().partition(is_back);
        }
        // A standing may be read a moment after its decision.
        let _news = timeout_at(deadline.min(Instant::now() + LOOK), read.changed()).await;
    }
}
