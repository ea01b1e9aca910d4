//! What awaits a person's approval, and the answer.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::{Answer, CustomerId, DecisionId, EnforcementKey, Held, HeldWhy, Stage, Timestamp};
use serde::{Deserialize, Serialize};

use crate::admin::Admin;
use crate::api::answer::Problem;
use crate::api::customers::customer;
use crate::api::words::say;
use crate::index::enforcement::Enforcement;

/// A decision that waits.
#[derive(Debug, Serialize)]
pub(crate) struct Approval {
    customer: CustomerId,
    /// Where it would be put.
    stage: Stage,
    decision: DecisionId,
    /// Why, as the decision's rule found it; nothing where the standing has meanwhile changed.
    finding: Option<String>,
    /// Mails that the customer sent in 24 hours: how much is moved with it.
    sent_24h: u32,
    since: Timestamp,
    /// Until when it can be answered; then it is left undone.
    expires: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ApprovalList {
    /// Those that wait longest first.
    approvals: Vec<Approval>,
}

pub(crate) async fn list(State(admin): State<Admin>) -> Json<ApprovalList> {
    let awaiting = admin.index.enforcement(|enforcement| {
        let asked =
            |case: &model::CaseView| Some((case.customer.clone(), case.stage, awaiting(enforcement, &case.customer)?));
        enforcement.cases.values().filter_map(asked).collect::<Vec<_>>()
    });
    let mut approvals: Vec<_> = awaiting
        .into_iter()
        .map(|(customer, stage, (decision, held))| {
            let standing = admin.index.standing(&customer);
            let reason = standing.iter().flat_map(|s| &s.reasons).find(|reason| reason.decision == decision);
            let (finding, sent_24h) =
                (reason.map(|reason| reason.text.clone()), standing.as_ref().map_or(0, |s| s.sent_24h));
            Approval { customer, stage, decision, finding, sent_24h, since: held.since, expires: held.expires }
        })
        .collect();
    approvals.sort_by_key(|approval| approval.since);
    Json(ApprovalList { approvals })
}

/// The decision about the customer that nobody has answered yet.
fn awaiting(enforcement: &Enforcement, customer: &CustomerId) -> Option<(DecisionId, Held)> {
    let held = enforcement.cases.get(customer)?.held.as_ref().filter(|held| held.why == HeldWhy::Approval)?;
    let decision = held.decision.clone()?;
    let is_answered = enforcement.answers.get(customer).is_some_and(|answer| answer.decision == decision);
    (!is_answered).then(|| (decision, held.clone()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Approve,
    Reject,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Word {
    answer: Verdict,
    /// Which decision is meant; whichever waits where it is left out.
    decision: Option<DecisionId>,
    by: String,
    reason: String,
}

/// What was answered, on the log: the enforcer reads it within moments.
#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    accepted: bool,
    /// Where the customer is put, or was to be put.
    stage: Stage,
    decision: DecisionId,
}

/// Answers what waits. Who has seen an older decision than the one that waits is told so, and answers nothing.
pub(crate) async fn answer(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    body: Result<Json<Word>, JsonRejection>,
) -> Result<(StatusCode, Json<Answered>), Problem> {
    let customer = customer(&id)?;
    let Json(word) = body.map_err(|rejection| Problem::invalid(rejection.body_text()))?;
    let waiting = admin.index.enforcement(|enforcement| {
        let stage = enforcement.cases.get(&customer)?.stage;
        Some((stage, awaiting(enforcement, &customer)?))
    });
    let Some((stage, (decision, held))) = waiting else {
        let detail =
            format!("nothing about customer {customer} awaits approval: it was answered, has expired, or never did");
        return Err(Problem::new(StatusCode::NOT_FOUND, "nothing to approve", detail));
    };
    if let Some(meant) = word.decision.filter(|meant| *meant != decision) {
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
    let Word { by, reason, .. } = word;
    let approved = word.answer == Verdict::Approve;
    let answer = Answer { customer: customer.clone(), decision: decision.clone(), approved, by, reason, at: now };
    let answer = answer.checked().map_err(|error| Problem::invalid(error.to_string()))?;
    let (status, _) = say(&admin, &EnforcementKey::Answer(customer), &answer).await?;
    Ok((status, Json(Answered { accepted: true, stage, decision })))
}
