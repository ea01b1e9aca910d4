//! What the forms of a customer's page do.

use axum::extract::{Form, Path, State};
use axum::response::Response;
use model::{Millis, Order, Phase, Stage};
use serde::Deserialize;

use crate::acts;
use crate::admin::Admin;
use crate::pages::acting::customer;
use crate::pages::faults::Fault;
use crate::pages::forms::{self, Signature};
use crate::pages::visit::{Done, Visit};
use crate::problem::Problem;

/// The longest that a form exempts or holds, in days.
pub(super) const LONGEST: i64 = 90;

/// Answers `POST /customers/{id}/hold`.
pub(in crate::pages) async fn hold(
    State(admin): State<Admin>,
    visit: Visit,
    Path(id): Path<String>,
    Form(ForADays { days, signature }): Form<ForADays>,
) -> Result<Response, Fault> {
    let until = match days.trim() {
        "" => None,
        written => Some(visit.now + span(written.parse().unwrap_or_default()).map_err(Fault::of(&visit))?),
    };
    give(&admin, &visit, &id, (Order::Hold { until }, signature)).await
}

/// For how many days, where it is not until a release; and why.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct ForADays {
    #[serde(default)]
    days: String,
    #[serde(flatten)]
    signature: Signature,
}

/// So many days, if an order can last so long.
fn span(days: i64) -> Result<Millis, Problem> {
    if (1..=LONGEST).contains(&days) {
        Ok(Millis::days(days))
    } else {
        Err(Problem::invalid(format!("days is not a number from 1 to {LONGEST}")))
    }
}

/// Whether a release is back to healthy at once, and why.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct HowFar {
    #[serde(default)]
    fully: bool,
    #[serde(flatten)]
    signature: Signature,
}

/// Answers `POST /customers/{id}/release`.
pub(in crate::pages) async fn release(
    State(admin): State<Admin>,
    visit: Visit,
    Path(id): Path<String>,
    Form(HowFar { fully, signature }): Form<HowFar>,
) -> Result<Response, Fault> {
    give(&admin, &visit, &id, (Order::Release { fully }, signature)).await
}

/// A stage, and why.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct ToStage {
    stage: Stage,
    #[serde(flatten)]
    signature: Signature,
}

/// Answers `POST /customers/{id}/stage`.
pub(in crate::pages) async fn set_stage(
    State(admin): State<Admin>,
    visit: Visit,
    Path(id): Path<String>,
    Form(ToStage { stage, signature }): Form<ToStage>,
) -> Result<Response, Fault> {
    give(&admin, &visit, &id, (Order::SetStage { stage }, signature)).await
}

/// A phase, and why.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct ToPhase {
    phase: Phase,
    #[serde(flatten)]
    signature: Signature,
}

/// Answers `POST /customers/{id}/phase`.
pub(in crate::pages) async fn set_phase(
    State(admin): State<Admin>,
    visit: Visit,
    Path(id): Path<String>,
    Form(ToPhase { phase, signature }): Form<ToPhase>,
) -> Result<Response, Fault> {
    give(&admin, &visit, &id, (Order::SetPhase { phase }, signature)).await
}

/// For how many days, and why.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct ForDays {
    days: i64,
    #[serde(flatten)]
    signature: Signature,
}

/// Answers `POST /customers/{id}/exempt`.
pub(in crate::pages) async fn exempt(
    State(admin): State<Admin>,
    visit: Visit,
    Path(id): Path<String>,
    Form(ForDays { days, signature }): Form<ForDays>,
) -> Result<Response, Fault> {
    let until = visit.now + span(days).map_err(Fault::of(&visit))?;
    give(&admin, &visit, &id, (Order::Exempt { until }, signature)).await
}

/// Answers `POST /customers/{id}/note`.
pub(in crate::pages) async fn note(
    State(admin): State<Admin>,
    visit: Visit,
    Path(id): Path<String>,
    Form(signature): Form<Signature>,
) -> Result<Response, Fault> {
    give(&admin, &visit, &id, (Order::Note, signature)).await
}

async fn give(
    admin: &Admin,
    visit: &Visit,
    id: &str,
    (order, signature): (Order, Signature),
) -> Result<Response, Fault> {
    let fault = Fault::of(visit);
    let customer = customer(id).map_err(&fault)?;
    acts::give(admin, &visit.caller, &customer, order, signature.words(visit)).await.map_err(&fault)?;
    let done = if order == Order::Note { Done::Note } else { Done::Command };
    Ok(forms::back(&customer.page_path(), done))
}
