//! What the pages' forms do: the same acts that the API does, and back to the page with a word of what was done.

use axum::extract::{Form, Path, State};
use axum::response::Response;
use model::{CustomerId, DecisionId};
use serde::Deserialize;

use super::faults::Fault;
use super::forms::{self, AnsweredOn, Signature};
use super::visit::{Done, Visit};
use crate::acts::{self, AnswerWanted, Verdict};
use crate::admin::Admin;
use crate::problem::Problem;

/// Answers `POST /enforcement/pause`.
pub(super) async fn pause(
    State(admin): State<Admin>,
    visit: Visit,
    Form(signature): Form<Signature>,
) -> Result<Response, Fault> {
    acts::pause(&admin, &visit.caller, signature.words(&visit)).await.map_err(Fault::of(&visit))?;
    Ok(forms::back("/", Done::Paused))
}

/// Answers `POST /enforcement/resume`.
pub(super) async fn resume(
    State(admin): State<Admin>,
    visit: Visit,
    Form(signature): Form<Signature>,
) -> Result<Response, Fault> {
    acts::resume(&admin, &visit.caller, signature.words(&visit)).await.map_err(Fault::of(&visit))?;
    Ok(forms::back("/", Done::Resumed))
}

/// Whose change of status somebody has seen.
#[derive(Debug, Deserialize)]
pub(super) struct Acknowledged {
    customer: String,
    #[serde(flatten)]
    signature: Signature,
}

/// Answers `POST /account-status/acknowledge`.
pub(super) async fn acknowledge(
    State(admin): State<Admin>,
    visit: Visit,
    Form(Acknowledged { customer, signature }): Form<Acknowledged>,
) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let customer = CustomerId::new(&customer).map_err(|error| fault(Problem::invalid(error.to_string())))?;
    acts::acknowledge(&admin, &visit.caller, customer, signature.words(&visit)).await.map_err(&fault)?;
    Ok(forms::back("/", Done::Acknowledged))
}

/// An answer to what waits.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    answer: Verdict,
    decision: String,
    #[serde(flatten)]
    signature: Signature,
    /// The page that it was given on.
    #[serde(default)]
    from: AnsweredOn,
}

/// Answers `POST /customers/{id}/answer`.
pub(super) async fn answer(
    State(admin): State<Admin>,
    visit: Visit,
    Path(id): Path<String>,
    Form(Answer { answer, decision, signature, from }): Form<Answer>,
) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let customer = customer(&id).map_err(&fault)?;
    let path = customer.page_path();
    let Some(decision) = DecisionId::parse(&decision) else {
        return Err(fault(Problem::invalid("the form names no decision: load the page again")));
    };
    let wanted = AnswerWanted { verdict: answer, decision: Some(decision) };
    acts::answer(&admin, &visit.caller, customer, wanted, signature.words(&visit)).await.map_err(&fault)?;
    let done = if answer == Verdict::Approve { Done::Approved } else { Done::Rejected };
    Ok(forms::back(if from == AnsweredOn::Overview { "/" } else { &path }, done))
}

/// The customer that a path names.
pub(super) fn customer(id: &str) -> Result<CustomerId, Problem> {
    CustomerId::of_page(id).map_err(|error| Problem::invalid(error.to_string()))
}
