//! What awaits approval, and the answer.

use axum::http::StatusCode;
use model::{Act, Answer, CaseView, CustomerId, DecisionId, Deed, EnforcementKey, Held, HeldWhy, Stage, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Words;
use super::enforcement::say;
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::index::enforcement::Enforcement;
use crate::problem::Problem;

/// A decision that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Approval {
    pub(crate) customer: CustomerId,
    /// Where it would be put.
    pub(crate) stage: Stage,
    pub(crate) decision: DecisionId,
    /// Why, as the decision's rule found it; nothing where the standing has meanwhile changed.
    pub(crate) finding: Option<String>,
    /// Mails that the customer sent in 24 hours: how much is moved with it.
    pub(crate) sent_24h: u32,
    pub(crate) since: Timestamp,
    /// Until when it can be answered; then it is left undone.
    pub(crate) expires: Option<Timestamp>,
}

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

/// All that waits, with what the standings say about it: those that wait longest first.
pub(crate) fn all_awaiting(admin: &Admin) -> Vec<Approval> {
    let mut approvals: Vec<_> = admin.index.enforcement(|enforcement| {
        let asked = |case: &CaseView| {
            let (decision, Held { since, expires, .. }) = awaiting(enforcement, &case.customer)?;
            let (customer, stage) = (case.customer.clone(), case.stage);
            Some(Approval { customer, stage, decision, finding: None, sent_24h: 0, since, expires })
        };
        enforcement.cases.values().filter_map(asked).collect()
    });
    for approval in &mut approvals {
        let Some(standing) = admin.index.standing(&approval.customer) else { continue };
        let mut reasons = standing.reasons.iter();
        let reason = reasons.find(|reason| reason.decision == approval.decision);
        approval.sent_24h = standing.sent_24h;
        approval.finding = reason.map(|reason| reason.text.clone());
    }
    approvals.sort_by_key(|approval| approval.since);
    approvals
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
    let (stage, decision, held) = must_await(admin, &customer)?;
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

fn must_await(admin: &Admin, customer: &CustomerId) -> Result<(Stage, DecisionId, Held), Problem> {
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
