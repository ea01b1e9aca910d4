//! Signed input that made no sense: to list, to look at and to replay.

use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Caller;
use crate::acts::{self, ReplayWanted, Replayed, SpanWanted};
use crate::admin::Admin;
use crate::api::extract::{Asked, Said, WhichReject};
use crate::api::words::{Author, words};
use crate::problem::Problem;
use crate::readings::Deadline;
use crate::rejects::{self, Before, Reject, RejectId, RejectsPage, RejectsQuery};

/// Rejects on one page at most.
const PAGE: usize = 100;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RejectsAsked {
    /// This source's only.
    source: Option<String>,
    /// Only those that came at this time or later.
    since: Option<Timestamp>,
    /// The `next` of an earlier page.
    after: Option<String>,
    /// Rejects on the page; 100 unless said, and at most.
    #[param(value_type = Option<usize>, minimum = 1)]
    limit: Option<NonZeroUsize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectList {
    /// The newest first.
    rejects: Vec<Reject>,
    /// What to ask for as `after` to go on; nothing where this is the end.
    next: Option<String>,
}

/// A rejected record, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeReject {
    #[serde(flatten)]
    pub(crate) reject: Reject,
    /// All of it as text; what is no UTF-8 is replaced.
    pub(crate) text: String,
    /// All of it as it came, in base64.
    pub(crate) base64: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpanWish {
    /// The source whose rejects are replayed.
    source: String,
    /// Those that came at this time or later.
    since: Timestamp,
    /// Not those that came at this time or later.
    until: Option<Timestamp>,
    /// The `next` of an earlier step.
    after: Option<String>,
    /// Rejects in this step; 1,000 unless said, and 10,000 at most.
    limit: Option<usize>,
    /// Only tell what would be found.
    #[serde(default)]
    dry_run: bool,
    #[schema(min_length = 1, max_length = 200)]
    by: Option<String>,
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Signed input that made no sense, the newest first.
#[utoipa::path(get, path = "/v1/rejects", params(RejectsAsked), responses((status = 200, description = "A page", body = RejectList), (status = 503, description = "Others read rejects, or the log can't be read"), (status = 504, description = "The rejects could not be read in time")))]
pub(crate) async fn list(
    State(admin): State<Admin>,
    Asked(RejectsAsked { source, since, after, limit }): Asked<RejectsAsked>,
) -> Result<Json<RejectList>, Problem> {
    let before = after.map(|after| Before::parse(&after).ok_or_else(Problem::no_cursor)).transpose()?;
    let limit = limit.map_or(PAGE, NonZeroUsize::get).min(PAGE);
    let RejectsPage { rejects, next } = page(&admin, RejectsQuery { source, since, before, limit }).await?;
    Ok(Json(RejectList { rejects, next: next.map(|next| next.to_string()) }))
}

/// A page of rejects, once it is this reader's turn.
pub(crate) async fn page(admin: &Admin, query: RejectsQuery) -> Result<RejectsPage, Problem> {
    let (log, readings) = (Arc::clone(&admin.log), &admin.readings);
    readings.read(&readings.rejects, move |deadline: &Deadline| rejects::page(log.as_ref(), &query, deadline)).await?
}

/// A rejected record, whole. It may hold recipients' addresses.
#[utoipa::path(get, path = "/v1/rejects/{id}", params(("id" = String, Path, description = "The reject's id")), responses((status = 200, description = "The reject", body = WholeReject), (status = 404, description = "There is no such reject"), (status = 503, description = "Others read rejects, or the log can't be read"), (status = 504, description = "The reject could not be read in time")))]
pub(crate) async fn show(
    State(admin): State<Admin>,
    WhichReject(id): WhichReject,
) -> Result<Json<WholeReject>, Problem> {
    whole(&admin, id).await.map(Json)
}

/// A reject, once it is this reader's turn.
pub(crate) async fn whole(admin: &Admin, id: RejectId) -> Result<WholeReject, Problem> {
    let (log, readings) = (Arc::clone(&admin.log), &admin.readings);
    let read = move |deadline: &Deadline| rejects::one(log.as_ref(), id, deadline);
    let stored = readings.read(&readings.rejects, read).await??;
    let value = &stored.record.value;
    let text = String::from_utf8_lossy(value).into_owned();
    Ok(WholeReject { reject: Reject::of(&stored), text, base64: STANDARD.encode(value) })
}

/// Reads a reject again, and puts on the log what is readable by now. What was replayed before is counted once.
#[utoipa::path(post, path = "/v1/rejects/{id}/replay", params(("id" = String, Path, description = "The reject's id")), request_body = Author, responses((status = 200, description = "What was found", body = Replayed), (status = 404, description = "There is no such reject, or its source is not configured"), (status = 503, description = "The log can't be read, or takes no record, just now"), (status = 504, description = "The reject could not be read in time")))]
pub(crate) async fn replay(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    WhichReject(id): WhichReject,
    Said(Author { by, reason }): Said<Author>,
) -> Result<Json<Replayed>, Problem> {
    acts::replay(&admin, &caller, ReplayWanted::One(id), words(&caller, by, reason)?).await.map(Json)
}

/// Reads again all rejects of a source that came within a time, a step of them.
#[utoipa::path(post, path = "/v1/rejects/replay", request_body = SpanWish, responses((status = 200, description = "What was found", body = Replayed), (status = 404, description = "The source is not configured"), (status = 503, description = "The log can't be read, or takes no record, just now"), (status = 504, description = "The rejects could not be read in time")))]
pub(crate) async fn replay_span(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Said(SpanWish { source, since, until, after, limit, dry_run, by, reason }): Said<SpanWish>,
) -> Result<Json<Replayed>, Problem> {
    let after = after.map(|after| RejectId::parse(&after)).transpose()?;
    let wanted = SpanWanted { source, since, until, after, limit, dry_run };
    acts::replay(&admin, &caller, ReplayWanted::Span(wanted), words(&caller, by, reason)?).await.map(Json)
}
