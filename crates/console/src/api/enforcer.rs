//! How enforcement is, and stopping it.

use std::collections::BTreeMap;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::{Broken, CaseView, EnforcerModes, HeldWhy, Switch};
use serde::{Deserialize, Serialize};

use crate::access::Caller;
use crate::acts::{self, Words};
use crate::admin::Admin;
use crate::api::words::{Accepted, Author, words};
use crate::problem::Problem;

/// Customers on one page at most.
const PAGE: usize = 100;

#[derive(Debug, Serialize)]
pub(crate) struct EnforcerAnswer {
    /// How it acts; null while no enforcer has told.
    modes: Option<EnforcerModes>,
    /// Whether a person has stopped it ...
    paused: bool,
    /// ... and who set the switch last, and why; null where nobody ever did.
    switch: Option<Switch>,
    /// Why it makes no calls just now; null while SendGrid answers.
    breaker: Option<Broken>,
    /// What the API key lacks for what is configured: a use, and the scopes by SendGrid's names.
    missing_scopes: BTreeMap<String, Vec<String>>,
    /// How many customers are held back, by the reason.
    held_back: BTreeMap<HeldWhy, usize>,
    /// How many customers are where Weir has let them be put.
    in_force: usize,
}

pub(crate) async fn show(State(admin): State<Admin>) -> Json<EnforcerAnswer> {
    Json(admin.index.enforcement(|enforcement| {
        let status = enforcement.status.clone().unwrap_or_default();
        let mut held_back = BTreeMap::new();
        for held in enforcement.cases.values().filter_map(|case| case.held.as_ref()) {
            *held_back.entry(held.why).or_default() += 1;
        }
        EnforcerAnswer {
            modes: enforcement.status.as_ref().map(|status| status.modes.clone()),
            paused: enforcement.switch.as_ref().is_some_and(|switch| switch.paused),
            switch: enforcement.switch.clone(),
            breaker: status.breaker,
            missing_scopes: status.missing_scopes,
            held_back,
            in_force: enforcement.cases.values().filter(|case| case.in_force.is_some()).count(),
        }
    }))
}

#[derive(Debug, Deserialize)]
pub(crate) struct HeldQuery {
    why: Option<HeldWhy>,
    #[serde(default)]
    after: usize,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(crate) struct HeldList {
    held_back: Vec<CaseView>,
    /// What to ask for as `after` to go on; nothing where this is the end.
    next: Option<usize>,
}

/// Who is held back, with the reason, by name.
pub(crate) async fn held(State(admin): State<Admin>, Query(query): Query<HeldQuery>) -> Json<HeldList> {
    let is_wanted =
        |case: &&CaseView| case.held.as_ref().is_some_and(|held| query.why.is_none_or(|why| held.why == why));
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE);
    Json(admin.index.enforcement(|enforcement| {
        let mut rest = enforcement.cases.values().filter(is_wanted).skip(query.after);
        let held_back: Vec<_> = rest.by_ref().take(limit).cloned().collect();
        let next = rest.next().map(|_| query.after.saturating_add(limit));
        HeldList { held_back, next }
    }))
}

pub(crate) async fn pause(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Author>, JsonRejection>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    acts::pause(&admin, &caller, said(&caller, body)?).await?;
    Ok(Accepted::answer())
}

pub(crate) async fn resume(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Author>, JsonRejection>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    acts::resume(&admin, &caller, said(&caller, body)?).await?;
    Ok(Accepted::answer())
}

fn said(caller: &Caller, body: Result<Json<Author>, JsonRejection>) -> Result<Words, Problem> {
    let Json(Author { by, reason }) = body.map_err(|rejection| Problem::invalid(rejection.body_text()))?;
    words(caller, by, reason)
}
