//! Decisions as they come.

use std::num::NonZeroUsize;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use model::Decision;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::Admin;
use crate::api::extract::Asked;
use crate::index::Cursor;
use crate::problem::Problem;

/// Decisions in one answer at most.
const PAGE: usize = 500;
/// The longest that a question waits for a decision, in seconds.
const LONGEST_WAIT: u64 = 60;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DecisionsQuery {
    /// The `next` of an earlier answer; from the beginning of what is kept without.
    #[serde(default)]
    after: String,
    /// Seconds to wait for a decision where there is none yet.
    #[serde(default)]
    #[param(maximum = 60)]
    wait: u64,
    /// Decisions in the answer; 500 unless said, and at most.
    #[param(value_type = Option<usize>, minimum = 1)]
    limit: Option<NonZeroUsize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionList {
    /// Whether decisions between `after` and the first of these are no longer in memory: they are on the log.
    gap: bool,
    decisions: Vec<Decision>,
    /// What to ask for as `after` to go on.
    next: String,
}

/// Decisions behind `after`; with none there, waits up to `wait` seconds for the first.
#[utoipa::path(get, path = "/v1/decisions", params(DecisionsQuery), responses((status = 200, description = "Decisions in order", body = DecisionList), (status = 503, description = "Weir is starting: try again in a moment")))]
pub(crate) async fn decisions(
    State(admin): State<Admin>,
    Asked(query): Asked<DecisionsQuery>,
) -> Result<Json<DecisionList>, Problem> {
    let Some(mut cursor) = Cursor::parse(&query.after) else {
        return Err(Problem::no_cursor());
    };
    if query.wait > LONGEST_WAIT {
        return Err(Problem::invalid(format!("`wait` is at most {LONGEST_WAIT} seconds: ask again when it is over")));
    }
    admin.caught_up()?;
    let limit = query.limit.map_or(PAGE, NonZeroUsize::get).min(PAGE);
    let mut read = admin.index.decisions_read();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(query.wait);
    let (has_gap, found) = loop {
        read.mark_unchanged();
        let (has_gap, found) = admin.index.decisions_or_gap(&mut cursor, limit);
        if has_gap || !found.is_empty() {
            break (has_gap, found);
        }
        match tokio::time::timeout_at(deadline, read.changed()).await {
            Ok(Ok(())) => {}
            // The time is over, or the reader has ended.
            Ok(Err(_)) | Err(_) => break (false, found),
        }
    };
    let mut decisions = Vec::with_capacity(found.len());
    for decided in found {
        cursor.pass(decided.at);
        decisions.push(decided.decision.clone());
    }
    // Whoever begins has missed nothing of what is kept.
    let gap = has_gap && !query.after.is_empty();
    Ok(Json(DecisionList { gap, decisions, next: cursor.to_string() }))
}
