//! What a policy would have decided over what the log has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::backtest::{Candidate, Finding, Outcome, Run, differences, findings, over_log};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::StringRejection;
use axum::http::StatusCode;
use log::{Log, Topic};
use model::{CustomerId, Stage, Timestamp};
use policy::Policy;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Admin;
use crate::problem::Problem;
use crate::readings::{Deadline, Over};

/// The most records of the log that are gone through for an answer.
const RECORDS: u64 = 20_000_000;
/// Customers that are told at most.
const TOLD: usize = 1_000;

/// When a policy held a customer back, and how far it went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Found {
    /// The first decision that held it back.
    pub(crate) at: Timestamp,
    /// The rule of that decision.
    pub(crate) rule: String,
    /// The strictest stage that it reached.
    pub(crate) strictest: Stage,
}

impl Found {
    fn of(finding: &Finding<'_>) -> Self {
        let first = &finding.first.decision;
        Self { at: first.at, rule: first.rule.clone(), strictest: finding.strictest }
    }
}

/// A customer about whom the two policies differ.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Differing {
    pub(crate) customer: CustomerId,
    /// By the policy in force; null where it never held the customer back.
    pub(crate) in_force: Option<Found>,
    /// By the policy that is tried.
    pub(crate) tried: Option<Found>,
    /// Where it would stand in the end by the policy in force.
    pub(crate) ends_in_force: Stage,
    /// Where it would stand in the end by the policy that is tried.
    pub(crate) ends_tried: Stage,
}

/// How a policy differs from the one in force over what the log has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tried {
    /// The digest of the policy that was tried.
    pub(crate) digest: String,
    /// The digest of the policy in force, beside which it was tried.
    pub(crate) in_force: String,
    /// The first and the last tick; null where there was none.
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// Records that were gone through: events, commands and ticks.
    pub(crate) records: u64,
    /// Events among them.
    pub(crate) events: u64,
    /// Whether retention has cut off the log's beginning: what was before it is not known to either policy.
    pub(crate) is_cut: bool,
    /// Customers that were seen.
    pub(crate) seen: usize,
    /// Decisions of the policy in force that move somebody, from the beginning to the end under it.
    pub(crate) moves_in_force: usize,
    /// Decisions of the policy that was tried that move somebody.
    pub(crate) moves_tried: usize,
    /// How many customers they differ about: whom only one holds back, or at another time, or further, or leaves elsewhere in
    /// the end.
    pub(crate) differ: usize,
    /// The first thousand of them, by name.
    pub(crate) customers: Vec<Differing>,
}

impl Tried {
    fn of(outcome: &Outcome, records: u64) -> Option<Self> {
        let [in_force, tried] = outcome.runs.as_slice() else { return None };
        let differing = differing(in_force, tried);
        let (from, until) = outcome.read.span.unzip();
        Some(Self {
            digest: tried.digest.clone(),
            in_force: in_force.digest.clone(),
            from,
            until,
            records,
            events: outcome.read.effects.events(),
            is_cut: !outcome.read.cut.is_empty(),
            seen: outcome.read.customers,
            moves_in_force: in_force.moves().count(),
            moves_tried: tried.moves().count(),
            differ: differing.len(),
            customers: differing.into_iter().take(TOLD).collect(),
        })
    }
}

/// Everybody whom only one of them held back, or at another time, or further, or left elsewhere in the end; by name.
fn differing(in_force: &Run, tried: &Run) -> Vec<Differing> {
    let ends = [in_force, tried]
        .map(|run| run.moves().map(|made| (&made.decision.customer, made.decision.to)).collect::<BTreeMap<_, _>>());
    let end = |run: usize, customer: &CustomerId| ends[run].get(customer).copied().unwrap_or(Stage::Healthy);
    let found = [in_force, tried].map(findings);
    let found = |run: usize, customer: &CustomerId| found[run].get(customer).map(Found::of);
    let elsewhere = ends.iter().flat_map(BTreeMap::keys).copied().filter(|id| end(0, id) != end(1, id));
    let differences = differences(in_force, tried);
    let customers: BTreeSet<_> = differences.iter().map(|difference| difference.customer).chain(elsewhere).collect();
    let differing = |customer: &CustomerId| Differing {
        customer: customer.clone(),
        in_force: found(0, customer),
        tried: found(1, customer),
        ends_in_force: end(0, customer),
        ends_tried: end(1, customer),
    };
    customers.into_iter().map(differing).collect()
}

/// What a policy would have decided over all that the log has, beside the one in force. One at a time; a log that is too long is
/// refused, and `weir backtest --log` takes its time over it.
#[utoipa::path(
    post,
    path = "/v1/policy/backtest",
    request_body(content = String, content_type = "text/plain", example = json!(policy::DEFAULT)),
    responses(
        (status = 200, description = "The differences", body = Tried),
        (status = 404, description = "There is nothing to try it on"),
        (status = 422, description = "The policy is unsound, or the log is too long"),
        (status = 503, description = "Another policy is being tried, or the log can't be read"),
        (status = 504, description = "The log could not be gone through in time")
    )
)]
pub(crate) async fn backtest(
    State(admin): State<Admin>,
    body: Result<String, StringRejection>,
) -> Result<Json<Tried>, Problem> {
    let text = body.map_err(|rejection| Problem::new(rejection.status(), "no policy", rejection.body_text()))?;
    tried(&admin, &text).await.map(Json)
}

/// What the policy file `text` would have decided over all that the log has, beside the policy in force.
pub(crate) async fn tried(admin: &Admin, text: &str) -> Result<Tried, Problem> {
    let tried = Arc::new(Policy::parse(text).map_err(|error| Problem::faulty(&error))?);
    let in_force = admin.policies.in_force(&admin.policy).await;
    let in_force = in_force.unwrap_or_else(|| Arc::clone(&admin.policy));
    let (log, readings) = (Arc::clone(&admin.log), &admin.readings);
    let named = |name: &str, policy| Candidate { name: name.to_owned(), policy };
    let candidates = [named("in force", in_force), named("tried", tried)];
    readings.read(&readings.trying, move |deadline| run(&candidates, log.as_ref(), deadline)).await?
}

fn run(candidates: &[Candidate], log: &dyn Log, deadline: &Deadline) -> Result<Tried, Problem> {
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
    match over_log(candidates, log, &|| deadline.check().is_err()) {
        Ok(outcome) => Tried::of(&outcome, records).ok_or_else(|| Problem::unavailable("the backtest has no outcome")),
        Err(error @ ::backtest::Error::NoEvent { .. }) => {
            Err(Problem::new(StatusCode::NOT_FOUND, "nothing to try it on", error.to_string()))
        }
        Err(::backtest::Error::Stopped) => Err(stopped(deadline)),
        Err(error) => Err(unread(&error)),
    }
}

fn stopped(deadline: &Deadline) -> Problem {
    match deadline.check() {
        Err(Over::TooLong(patience)) => {
            let minutes = patience.as_secs() / 60;
            let detail = format!(
                "the log could not be gone through within {minutes} minutes: `weir backtest --log` takes its time over it"
            );
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "the log is too long for this", detail)
        }
        Ok(()) | Err(Over::Ending) => Problem::ending(),
    }
}
