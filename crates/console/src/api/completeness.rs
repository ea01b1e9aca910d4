//! What the comparisons with SendGrid found.

use axum::Json;
use axum::extract::State;
use model::{CompletenessReport, Day};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::Admin;
use crate::api::extract::Asked;
use crate::problem::Problem;

/// The days of an answer, unless others are asked for.
const DAYS: u32 = 7;
/// The most days of an answer.
const LONGEST: u32 = 366;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompletenessQuery {
    /// How many days back; 7 unless said.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompletenessAnswer {
    /// By account, and of each by day.
    reports: Vec<CompletenessReport>,
}

/// The reports of the last days, today not among them: it is not over.
#[utoipa::path(get, path = "/v1/completeness", params(CompletenessQuery), responses((status = 200, description = "The reports", body = CompletenessAnswer)))]
pub(crate) async fn completeness(
    State(admin): State<Admin>,
    Asked(query): Asked<CompletenessQuery>,
) -> Result<Json<CompletenessAnswer>, Problem> {
    let days = query.days.unwrap_or(DAYS);
    if !(1..=LONGEST).contains(&days) {
        let why = format!("`days` is at least 1, as today is not over and has no report, and at most {LONGEST}");
        return Err(Problem::invalid(why));
    }
    let first = Day::of((admin.clock)()).before(days);
    Ok(Json(CompletenessAnswer { reports: admin.index.completeness().since(first) }))
}
