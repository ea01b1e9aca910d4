//! What awaits approval is answered.

use axum::http::StatusCode;
use model::{Act, Answer, CustomerId, DecisionId, Deed, EnforcementKey, Held, HeldWhy, Stage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Words;
use super::enforcement::say;
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::index::enforcement::Enforcement;
use crate::problem::Problem;

/// Whether what waits is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It is.
    Approve,
    /// It is not.
    Reject,
}

/// An answer to what waits.
#[derive(Clone, Debug)]
pub(crate) struct AnswerWanted {
    pub(crate) verdict: Verdict,
    /// Which decision is meant; whichever waits where it is left out.
    pub(crate) decision: Option<DecisionId>,
}

/// What was answered, on the log: the enforcer reads it within moments.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answered {
    pub(crate) accepted: bool,
    /// Where the customer is put, or was to be put.
    pub(crate) stage: Stage,
    pub(crate) decision: DecisionId,
}

/// The decision about the customer that nobody has answered yet.
pub(crate) fn awaiting(enforcement: &Enforcement, customer: &CustomerId) -> Option<(DecisionId, Held)> {
    let held = enforcement.cases.get(customer)?.held.as_ref().filter(|held| held.why == HeldWhy::Approval)?;
    let decision = held.decision.clone()?;
    let is_answered = enforcement.answers.get(customer).is_some_and(|answer| answer.decision == decision);
    (!is_answered).then(|| (decision, held.clone()))
}

/// Answers what waits. Who has seen an older decision than the one that waits is told so, and answers nothing.
pub(crate) async fn answer(
    admin: &Admin,
    caller: &Caller,
    customer: CustomerId,
    wanted: AnswerWanted,
    words: Words,
) -> Result<Answered, Problem> {
    caller.may(Role::Approver)?;
    admin.caught_up()?;
    let (stage, decision, held) = waiting(admin, &customer)?;
    if let Some(meant) = wanted.decision.filter(|meant| *meant != decision) {
        let detail = format!("decision {meant} no longer waits; decision {decision} does: look at it and answer that");
        return Err(Problem::new(StatusCode::CONFLICT, "another decision waits", detail));
    }
    let now = (admin.clock)();
    if let Some(expires) = held.expires.filter(|expires| now > *expires) {
        let detail = format!(
            "decision {decision} could be answered until {expires} and is left undone: the customer's next decision is asked about \
             anew, or put it to {stage} by hand"
        );
        return Err(Problem::new(StatusCode::CONFLICT, "too late", detail));
    }
    let (by, reason) = words.signed(caller)?;
    let approved = wanted.verdict == Verdict::Approve;
    let answer = Answer { customer: customer.clone(), decision: decision.clone(), approved, by, reason, at: now };
    let answer = answer.checked().map_err(|error| Problem::invalid(error.to_string()))?;
    let (whom, what) = (answer.customer.clone(), decision.clone());
    let deed = if approved {
        Deed::Approve { customer: whom, decision: what, stage }
    } else {
        Deed::Reject { customer: whom, decision: what, stage }
    };
    let act = Act { at: now, by: answer.by.clone(), reason: answer.reason.clone(), deed };
    say(admin, (&EnforcementKey::Answer(customer), &answer), &act).await?;
    Ok(Answered { accepted: true, stage, decision })
}

fn waiting(admin: &Admin, customer: &CustomerId) -> Result<(Stage, DecisionId, Held), Problem> {
    let waiting = admin.index.enforcement(|enforcement| {
        let stage = enforcement.cases.get(customer)?.stage;
        let (decision, held) = awaiting(enforcement, customer)?;
        Some((stage, decision, held))
    });
    waiting.ok_or_else(|| {
        let detail =
            format!("nothing about customer {customer} awaits approval: it was answered, has expired, or never did");
        Problem::new(StatusCode::NOT_FOUND, "nothing to approve", detail)
    })
}
