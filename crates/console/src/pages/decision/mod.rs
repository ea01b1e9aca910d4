//! A decision: what it says itself at once, and beneath it, once the log was read, whether that says the same.

mod view;

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use explain::{Explanation, Told, tell};
use futures_util::StreamExt as _;
use futures_util::stream;
use maud::Markup;
use model::{Decision, DecisionId, Standing, Timestamp};

use super::faults::Fault;
use super::shell::{self, Place};
use super::visit::Visit;
use crate::admin::Admin;
use crate::index::Decided;
use crate::problem::Problem;

/// Decisions about the same customer that are looked through for what was before.
const HISTORY: usize = 100;
/// Where what the log says comes in. No text of others holds it: theirs is escaped.
const CHECKS: &str = "<!--checks-->";

/// What the page tells.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) now: Timestamp,
    pub(crate) decision: Decision,
    /// `None` where nobody can say which policy is in force.
    pub(crate) told: Option<Told>,
    /// Whether the policy at hand is another than the decision's.
    pub(crate) is_policy_another: bool,
}

/// Answers `/decisions/{id}`.
pub(super) async fn show(State(admin): State<Admin>, visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let id = DecisionId::parse(&id).ok_or_else(|| fault(unknown()))?;
    if let Some(decided) = admin.index.decision(&id) {
        return Ok(at_once(admin, &visit, &decided).await);
    }
    // It is older than what is kept in memory.
    let explanation = admin.explanations.explain(id).await.map_err(fault)?;
    let checks = view::checks(&explanation);
    let page = Page::explained(explanation, visit.now);
    let [before, behind] = whole(&visit, &page);
    Ok(shell::html(before + &checks.into_string() + &behind).into_response())
}

impl Page {
    async fn remembered(admin: &Admin, decided: &Decided, now: Timestamp) -> Self {
        let decision = &decided.decision;
        let history = admin.index.history(&decision.customer, HISTORY);
        let before = history.iter().take_while(|earlier| earlier.decision.id != decision.id);
        let before: Vec<_> = before.map(|earlier| earlier.decision.clone()).collect();
        // Where it stands now tells of the latest decision alone.
        let is_latest = history.last().is_some_and(|latest| latest.decision.id == decision.id);
        let standing = admin.index.standing(&decision.customer).filter(|_| is_latest);
        let standing = standing.map(|standing| Standing::clone(&standing));
        let policy = admin.policies.in_force(&admin.policy).await;
        let told = policy.as_ref().map(|policy| tell(decision, &before, policy, standing));
        let is_policy_another = policy.is_some_and(|policy| policy.digest() != decision.policy);
        Self { now, decision: decision.clone(), told, is_policy_another }
    }

    fn explained(explanation: Explanation, now: Timestamp) -> Self {
        let Explanation { headline, facts, comparison, set_aside, way_back, for_the_customer, decision, .. } =
            explanation;
        let told = Told { headline, grounds: facts, comparison, set_aside, way_back, for_the_customer };
        Self { now, decision, told: Some(told), is_policy_another: false }
    }
}

/// The page as soon as it can be told, which goes on once the log was read.
async fn at_once(admin: Admin, visit: &Visit, decided: &Arc<Decided>) -> Response {
    let [before, behind] = whole(visit, &Page::remembered(&admin, decided, visit.now).await);
    let id = decided.decision.id.clone();
    let checks = async move {
        let explained = admin.explanations.explain(id).await;
        let checks: Markup = explained.map_or_else(|problem| view::unchecked(&problem), |found| view::checks(&found));
        checks.into_string()
    };
    let begin = stream::iter([before]);
    let parts = begin.chain(stream::once(checks)).chain(stream::iter([behind]));
    let body = Body::from_stream(parts.map(|part| Ok::<_, Infallible>(Bytes::from(part))));
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

/// The page before and behind what the log says.
fn whole(visit: &Visit, page: &Page) -> [String; 2] {
    let title = format!("Decision about {}", page.decision.customer);
    let page = shell::page(visit, Place::Elsewhere, &title, &view::decision(page, CHECKS)).0;
    match page.split_once(CHECKS) {
        Some((before, behind)) => [before.to_owned(), behind.to_owned()],
        None => [page, String::new()],
    }
}

fn unknown() -> Problem {
    let detail = "that is no decision's id: they have 32 hexadecimal digits";
    Problem::new(StatusCode::NOT_FOUND, "no such decision", detail)
}
