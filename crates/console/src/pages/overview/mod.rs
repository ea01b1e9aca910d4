//! The overview: are we losing events, who hurts our pools, what did Weir just do and why, and how is it stopped.

pub(crate) mod banners;
mod completeness;
pub(crate) mod mail;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::Markup;
use model::{
    CaseView, CompletenessReport, CustomerId, Day, DecisionId, EnforcerStatus, Fleet, HeldWhy, Stage, Switch, Timestamp,
};
use policy::{OpenIncident, Ranked};

use super::shell::{self, Place};
use super::visit::Visit;
use crate::acts;
use crate::admin::Admin;
use crate::index::{Cursor, Decided};

/// Decisions that are shown.
const DECISIONS: usize = 25;
/// Held-back customers that are shown of each reason.
const HELD: usize = 8;
/// Customers in the list of those that weigh most.
const WORST: usize = 12;
/// Days of comparisons with SendGrid.
const DAYS: u32 = 7;

/// What the page tells.
#[derive(Debug)]
pub(crate) struct Overview {
    pub(crate) now: Timestamp,
    pub(crate) fleet: Arc<Fleet>,
    /// How many customers are at each stage.
    pub(crate) stages: BTreeMap<Stage, usize>,
    pub(crate) incidents: Vec<OpenIncident>,
    /// Whether somebody could say which policy is in force: without it incidents can't be told.
    pub(crate) is_policy_known: bool,
    /// The newest first.
    pub(crate) decisions: Vec<Arc<Decided>>,
    /// How far the decisions were read when the page was begun: the feed goes on from here.
    pub(crate) seen: Cursor,
    pub(crate) switch: Option<Switch>,
    /// `None` where no enforcer has told how it is.
    pub(crate) status: Option<EnforcerStatus>,
    /// Those that wait longest first.
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) held: BTreeMap<HeldWhy, Held>,
    pub(crate) worst: Arc<[Ranked]>,
    pub(crate) reports: Vec<CompletenessReport>,
}

/// A decision that waits for a person.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) customer: CustomerId,
    pub(crate) stage: Stage,
    pub(crate) decision: DecisionId,
    /// Why, in a sentence.
    pub(crate) finding: Option<String>,
    /// How much mail is moved with it.
    pub(crate) sent_24h: u32,
    pub(crate) since: Timestamp,
    pub(crate) expires: Option<Timestamp>,
}

/// Who is held back for one reason.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) customers: usize,
    /// Some of them.
    pub(crate) some: Vec<CaseView>,
}

impl Overview {
    /// All of it, as it is now.
    pub(crate) async fn gather(admin: &Admin, now: Timestamp) -> Self {
        // Before the decisions themselves: one that is told twice is shown once, one that falls between would be missed.
        let seen = admin.index.end_of_decisions();
        let fleet = admin.index.fleet();
        let policy = admin.policies.in_force(&admin.policy).await;
        let incidents = policy.as_ref().map(|policy| policy.open_incidents(&fleet));
        let (switch, status, held, waiting) = admin.index.enforcement(|enforcement| {
            let held = held_back(enforcement.cases.values());
            let waiting: Vec<_> = enforcement.cases.values().filter_map(|case| waits(enforcement, case)).collect();
            (enforcement.switch.clone(), enforcement.status.clone(), held, waiting)
        });
        Self {
            now,
            seen,
            incidents: incidents.unwrap_or_default(),
            is_policy_known: policy.is_some(),
            decisions: admin.index.newest_decisions(DECISIONS, |_| true),
            switch,
            status,
            waiting: found(admin, waiting),
            held,
            worst: admin.index.ranking(),
            stages: admin.index.stages(None),
            reports: admin.index.completeness().since(Day::of(now).before(DAYS)),
            fleet,
        }
    }
}

fn held_back<'a>(cases: impl Iterator<Item = &'a CaseView>) -> BTreeMap<HeldWhy, Held> {
    let mut all: BTreeMap<HeldWhy, Held> = BTreeMap::new();
    for case in cases {
        let Some(why) = case.held.as_ref().map(|held| held.why) else { continue };
        let held = all.entry(why).or_default();
        held.customers += 1;
        if held.some.len() < HELD {
            held.some.push(case.clone());
        }
    }
    all
}

fn waits(enforcement: &crate::index::enforcement::Enforcement, case: &CaseView) -> Option<Waiting> {
    let (decision, held) = acts::awaiting(enforcement, &case.customer)?;
    Some(Waiting {
        customer: case.customer.clone(),
        stage: case.stage,
        decision,
        finding: None,
        sent_24h: 0,
        since: held.since,
        expires: held.expires,
    })
}

/// Those that wait, with what their standings say about them.
fn found(admin: &Admin, mut waiting: Vec<Waiting>) -> Vec<Waiting> {
    for one in &mut waiting {
        let Some(standing) = admin.index.standing(&one.customer) else { continue };
        one.sent_24h = standing.sent_24h;
        one.finding =
            standing.reasons.iter().find(|reason| reason.decision == one.decision).map(|reason| reason.text.clone());
    }
    waiting.sort_by_key(|one| one.since);
    waiting
}

/// Answers `/`.
pub(super) async fn show(State(admin): State<Admin>, visit: Visit) -> Response {
    let overview = Overview::gather(&admin, visit.now).await;
    let body: Markup = view::overview(&overview, &visit);
    shell::page(&visit, Place::Overview, "Overview", &body).into_response()
}
