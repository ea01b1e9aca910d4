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
    AccountStatusChange, CaseView, CompletenessReport, Day, EnforcerStatus, Fleet, HeldWhy, Stage, Switch, Timestamp,
};
use policy::{OpenIncident, Ranked};

use super::shell::{self, Place};
use super::visit::Visit;
use crate::acts::{Approval, all_awaiting};
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
    /// How far the decisions were read when the page was begun: the feed goes on from here. `None` while Weir starts: what it
    /// reads then was decided long ago.
    pub(crate) seen: Option<Cursor>,
    /// What SendGrid did to the account and to subusers, and nobody has acknowledged.
    pub(crate) accounts: Vec<AccountStatusChange>,
    pub(crate) switch: Option<Switch>,
    /// `None` where no enforcer has told how it is.
    pub(crate) status: Option<EnforcerStatus>,
    /// Those that wait longest first.
    pub(crate) waiting: Vec<Approval>,
    pub(crate) held: BTreeMap<HeldWhy, Held>,
    pub(crate) worst: Arc<[Ranked]>,
    pub(crate) reports: Vec<CompletenessReport>,
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
        let seen = admin.index.is_caught_up().then(|| admin.index.end_of_decisions());
        let fleet = admin.index.fleet();
        let policy = admin.policies.in_force(&admin.policy).await;
        let incidents = policy.as_ref().map(|policy| policy.open_incidents(&fleet));
        let (switch, status, held) = admin.index.enforcement(|enforcement| {
            let held = held_back(enforcement.cases.values());
            (enforcement.switch.clone(), enforcement.status.clone(), held)
        });
        Self {
            now,
            seen,
            incidents: incidents.unwrap_or_default(),
            is_policy_known: policy.is_some(),
            decisions: admin.index.newest_decisions(DECISIONS, |_| true),
            accounts: admin.index.open_account_statuses(),
            switch,
            status,
            waiting: all_awaiting(admin),
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

/// Answers `/`.
pub(super) async fn show(State(admin): State<Admin>, visit: Visit) -> Response {
    let overview = Overview::gather(&admin, visit.now).await;
    let body: Markup = view::overview(&overview, &visit);
    shell::page(&visit, Place::Overview, "Overview", &body).into_response()
}
