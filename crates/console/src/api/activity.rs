//! Who did what.

use std::num::NonZeroUsize;

use axum::Json;
use axum::extract::State;
use model::Act;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::Admin;
use crate::api::extract::Asked;
use crate::index::ActPlace;
use crate::problem::Problem;

/// Acts on one page at most.
const PAGE: usize = 100;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityQuery {
    /// This person's only.
    by: Option<String>,
    /// The `next` of an earlier page.
    after: Option<String>,
    /// Acts on the page; 100 unless said, and at most.
    #[param(value_type = Option<usize>, minimum = 1)]
    limit: Option<NonZeroUsize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityList {
    /// The newest first.
    acts: Vec<Act>,
    /// What to ask for as `after` to go on; nothing where this is the end.
    next: Option<String>,
}

/// What persons did, the newest first: commands and notes, answers to what awaited approval, pauses, policies, and what was taken
/// back.
#[utoipa::path(get, path = "/v1/activity", params(ActivityQuery), responses((status = 200, description = "A page", body = ActivityList)))]
pub(crate) async fn activity(
    State(admin): State<Admin>,
    Asked(query): Asked<ActivityQuery>,
) -> Result<Json<ActivityList>, Problem> {
    let ActivityQuery { by, after, limit } = query;
    let after = after.map(|after| ActPlace::parse(&after).ok_or_else(Problem::no_cursor)).transpose()?;
    let page = admin.index.activity(by.as_deref(), after.as_ref(), limit.map_or(PAGE, NonZeroUsize::get).min(PAGE));
    Ok(Json(ActivityList { acts: page.items, next: page.next.map(|next| next.cursor()) }))
}
