//! Signed input that made no sense: listed, looked at, replayed.

mod view;

use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Response};
use model::Timestamp;
use serde::Deserialize;

use super::activity::moment;
use super::faults::Fault;
use super::forms::Signature;
use super::shell::{self, Place};
use super::visit::Visit;
use crate::access::Role;
use crate::acts::{self, ReplayWanted, SpanWanted};
use crate::admin::Admin;
use crate::api::rejects::{page, whole};
use crate::problem::Problem;
use crate::rejects::{Before, RejectId, RejectsPage, RejectsQuery};

/// Rejects on a page.
const PAGE: usize = 50;
/// Rejects that a form replays at once: as many as a step may have.
const STEP: usize = 10_000;

/// What is asked for, as the form of the page sends it: what is left empty is not asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    source: String,
    #[serde(default)]
    after: String,
}

/// What the page tells.
#[derive(Debug)]
struct Rejects {
    now: Timestamp,
    wanted: Wanted,
    page: RejectsPage,
    /// The sources of the configuration.
    sources: Vec<String>,
}

/// Answers `/rejects`.
pub(super) async fn list(
    State(admin): State<Admin>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let before = given(&wanted.after).map(|after| Before::parse(&after).ok_or_else(Problem::no_cursor));
    let before = before.transpose().map_err(&fault)?;
    let query = RejectsQuery { source: given(&wanted.source), since: None, before, limit: PAGE };
    let page = page(&admin, query).await.map_err(&fault)?;
    let sources = admin.reject_sources.iter().map(|source| source.name.clone()).collect();
    let rejects = Rejects { now: visit.now, wanted, page, sources };
    Ok(shell::page(&visit, Place::Elsewhere, "Rejects", &view::rejects(&rejects, &visit)).into_response())
}

/// Answers `/rejects/{id}`. It may hold recipients' addresses, so that it is not for every viewer.
pub(super) async fn show(State(admin): State<Admin>, visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    visit.caller.may(Role::Operator).map_err(&fault)?;
    let reject = whole(&admin, RejectId::parse(&id).map_err(&fault)?).await.map_err(&fault)?;
    Ok(shell::page(&visit, Place::Elsewhere, "Reject", &view::reject(&reject, &visit)).into_response())
}

/// Answers `POST /rejects/{id}/replay`.
pub(super) async fn replay(
    State(admin): State<Admin>,
    visit: Visit,
    Path(id): Path<String>,
    Form(signature): Form<Signature>,
) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let wanted = ReplayWanted::One(RejectId::parse(&id).map_err(&fault)?);
    replayed(&admin, &visit, wanted, signature).await
}

/// All of a source since a time.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Span {
    source: String,
    since: String,
    #[serde(default)]
    after: String,
    #[serde(flatten)]
    signature: Signature,
}

/// Answers `POST /rejects/replay`.
pub(super) async fn replay_span(
    State(admin): State<Admin>,
    visit: Visit,
    Form(Span { source, since, after, signature }): Form<Span>,
) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let since = moment(&since).map_err(&fault)?;
    let after = Some(after).filter(|after| !after.is_empty()).map(|after| RejectId::parse(&after));
    let after = after.transpose().map_err(&fault)?;
    let span = SpanWanted { source, since, until: None, after, limit: Some(STEP), dry_run: false };
    replayed(&admin, &visit, ReplayWanted::Span(span), signature).await
}

async fn replayed(admin: &Admin, visit: &Visit, wanted: ReplayWanted, signature: Signature) -> Result<Response, Fault> {
    let words = signature.clone().words(visit);
    let done = acts::replay(admin, &visit.caller, wanted.clone(), words).await.map_err(Fault::of(visit))?;
    let body = view::replayed(&done, &wanted, &signature, visit);
    Ok(shell::page(visit, Place::Elsewhere, "Replayed", &body).into_response())
}
