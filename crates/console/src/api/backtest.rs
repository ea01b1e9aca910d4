//! What a policy would have decided over what the log has.

use std::sync::Arc;

use ::backtest::{Candidate, Difference, Finding, Kind, Outcome, differences, over_log};
use axum::extract::State;
use axum::extract::rejection::StringRejection;
use axum::http::StatusCode;
use axum::{Extension, Json};
use log::{Log, Topic};
use model::{CustomerId, Stage, Timestamp};
use policy::Policy;
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::admin::Admin;
use crate::problem::Problem;

/// The most records of the log that are gone through for an answer.
const RECORDS: u64 = 20_000_000;
/// Customers that are told at most.
const TOLD: usize = 1_000;

/// One backtest at a time: each reads the log from its beginning.
#[derive(Clone, Debug)]
pub(crate) struct Backtests(Arc<Semaphore>);

impl Default for Backtests {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// When a policy held a customer back, and how far it went.
#[derive(Debug, Serialize, ToSchema)]
struct Found {
    /// The first decision that held it back.
    at: Timestamp,
    /// The rule of that decision.
    rule: String,
    /// The strictest stage that it reached.
    strictest: Stage,
}

impl Found {
    fn of(finding: &Finding<'_>) -> Self {
        let first = &finding.first.decision;
        Self { at: first.at, rule: first.rule.clone(), strictest: finding.strictest }
    }
}

/// A customer about whom the two policies differ.
#[derive(Debug, Serialize, ToSchema)]
struct Differing {
    customer: CustomerId,
    /// By the policy in force; null where it never held the customer back.
    in_force: Option<Found>,
    /// By the policy that is tried.
    tried: Option<Found>,
}

impl Differing {
    fn of(difference: &Difference<'_>) -> Self {
        let (in_force, tried) = match &difference.kind {
            Kind::OnlyFirst(a) => (Some(Found::of(a)), None),
            Kind::OnlySecond(b) => (None, Some(Found::of(b))),
            Kind::Both(a, b) => (Some(Found::of(a)), Some(Found::of(b))),
        };
        Self { customer: difference.customer.clone(), in_force, tried }
    }
}

/// How a policy differs from the one in force over what the log has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tried {
    /// The digest of the policy that was tried.
    digest: String,
    /// The first and the last tick; null where there was none.
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Events that were gone through.
    events: u64,
    /// Decisions of the policy in force that move somebody, from the beginning to the end under it.
    moves_in_force: usize,
    /// Decisions of the policy that was tried that move somebody.
    moves_tried: usize,
    /// How many customers they differ about.
    differ: usize,
    /// The first thousand of them, by name.
    customers: Vec<Differing>,
}

impl Tried {
    fn of(outcome: &Outcome) -> Option<Self> {
        let [in_force, tried] = outcome.runs.as_slice() else { return None };
        let differing = differences(in_force, tried);
        let (from, until) = outcome.read.span.unzip();
        Some(Self {
            digest: tried.digest.clone(),
            from,
            until,
            events: outcome.read.effects.events(),
            moves_in_force: in_force.moves().count(),
            moves_tried: tried.moves().count(),
            differ: differing.len(),
            customers: differing.iter().take(TOLD).map(Differing::of).collect(),
        })
    }
}

/// What a policy would have decided over all that the log has, beside the one in force. One at a time; a log that is too long is
/// refused, and `weir backtest --log` takes its time over it.
#[utoipa::path(
    post,
    path = "/v1/policy/backtest",
    request_body(content = String, content_type = "text/plain"),
    responses(
        (status = 200, description = "The differences", body = Tried),
        (status = 404, description = "There is nothing to try it on"),
        (status = 422, description = "The policy is unsound, or the log is too long"),
        (status = 503, description = "Another policy is being tried, or the log can't be read")
    )
)]
pub(crate) async fn backtest(
    State(admin): State<Admin>,
    Extension(Backtests(turn)): Extension<Backtests>,
    body: Result<String, StringRejection>,
) -> Result<Json<Tried>, Problem> {
    let text = body.map_err(|rejection| Problem::new(rejection.status(), "no policy", rejection.body_text()))?;
    let tried = Arc::new(Policy::parse(&text).map_err(|error| Problem::faulty(&error))?);
    let in_force = admin.policies.in_force(&admin.policy).await;
    let in_force = in_force.unwrap_or_else(|| Arc::clone(&admin.policy));
    let Ok(turn) = turn.try_acquire_owned() else {
        return Err(Problem::unavailable("another policy is being tried: try again in a moment"));
    };
    let log = Arc::clone(&admin.log);
    let work = tokio::task::spawn_blocking(move || {
        let named = |name: &str, policy| Candidate { name: name.to_owned(), policy };
        let outcome = run(&[named("in force", in_force), named("tried", tried)], log.as_ref());
        // The turn goes with the work: whoever hangs up does not let the next one in before it ends.
        drop(turn);
        outcome
    });
    work.await.map_err(|error| Problem::unavailable(format!("the work ended: {error}")))?.map(Json)
}

fn run(candidates: &[Candidate], log: &dyn Log) -> Result<Tried, Problem> {
    let unread = |error: &dyn std::error::Error| Problem::unavailable(format!("the log can't be read: {error}"));
    let mut records: u64 = 0;
    for partition in log.partitions().all() {
        let reach = log.reach(Topic::Events, partition).map_err(|error| unread(&error))?;
        records = records.saturating_add(reach.end.get().saturating_sub(reach.start.get()));
    }
    if records > RECORDS {
        let detail = format!(
            "the log has {records} records, and {RECORDS} are gone through at most: `weir backtest --log` goes through all"
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the log is too long for this", detail));
    }
    match over_log(candidates, log) {
        Ok(outcome) => Tried::of(&outcome).ok_or_else(|| Problem::unavailable("the backtest has no outcome")),
        Err(error @ ::backtest::Error::NoEvent { .. }) => {
            Err(Problem::new(StatusCode::NOT_FOUND, "nothing to try it on", error.to_string()))
        }
        Err(error) => Err(unread(&error)),
    }
}
