//! Who did what; and taking back what a rule decided.

mod undo;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use model::{Act, Deed, Millis, Mode, Timestamp};
use serde::Deserialize;

pub(super) use self::undo::{ask, moment, take_back};
use super::faults::Fault;
use super::shell::{self, Place};
use super::visit::Visit;
use crate::admin::Admin;
use crate::index::{ActPlace, Page};
use crate::problem::Problem;

/// Acts on a page.
const PAGE: usize = 50;

/// What is asked for, as the form of the page sends it: what is left empty is not asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    by: String,
    #[serde(default)]
    after: String,
}

/// What the page tells.
#[derive(Debug)]
struct Activity {
    now: Timestamp,
    wanted: Wanted,
    page: Page<Act, ActPlace>,
    people: Vec<String>,
    rules: BTreeMap<String, Moves>,
    /// The digests of the policies that can be put back.
    replaced: BTreeSet<String>,
}

/// Whom a rule has moved of late, as far as decisions are in memory.
#[derive(Clone, Copy, Debug)]
struct Moves {
    hour: usize,
    day: usize,
    latest: Timestamp,
}

/// Answers `/activity`.
pub(super) async fn show(
    State(admin): State<Admin>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let activity = Activity::gather(&admin, visit.now, wanted).map_err(Fault::of(&visit))?;
    let body = view::activity(&activity, &visit);
    Ok(shell::page(&visit, Place::Activity, "Activity", &body).into_response())
}

impl Activity {
    fn gather(admin: &Admin, now: Timestamp, wanted: Wanted) -> Result<Self, Problem> {
        let after = Some(wanted.after.as_str()).filter(|after| !after.is_empty());
        let after = after.map(|after| ActPlace::parse(after).ok_or_else(Problem::no_cursor)).transpose()?;
        let by = Some(wanted.by.as_str()).filter(|by| !by.is_empty());
        let page = admin.index.activity(by, after.as_ref(), PAGE);
        let previous = page.items.iter().filter_map(|act| {
            let Deed::Policy { previous, .. } = &act.deed else { return None };
            previous.as_ref()
        });
        let replaced = previous.filter(|digest| admin.index.replaced_policy(digest).is_some()).cloned().collect();
        Ok(Self { now, replaced, page, people: admin.index.people(), rules: rules(admin, now), wanted })
    }
}

/// The rules that moved anybody up within a day.
fn rules(admin: &Admin, now: Timestamp) -> BTreeMap<String, Moves> {
    let (hour_ago, day_ago) = (now - Millis::hours(1), now - Millis::days(1));
    let moved = admin.index.newest_decisions(usize::MAX, |decided| {
        let decision = &decided.decision;
        decision.at >= day_ago && decision.to > decision.from && decision.mode == Mode::Enforce && decision.by.is_none()
    });
    let mut rules: BTreeMap<String, Moves> = BTreeMap::new();
    for decided in moved {
        let at = decided.decision.at;
        let moves = rules.entry(decided.decision.rule.clone()).or_insert(Moves { hour: 0, day: 0, latest: at });
        moves.day += 1;
        moves.hour += usize::from(at >= hour_ago);
    }
    rules
}
