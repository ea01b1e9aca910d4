//! What mailers ask, and how they are answered.

use std::error::Error;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, FromRef, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{CustomerId, PoolName, Sending, Stage, Timestamp, without_addresses};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::allowance::Allowance;
use super::{Gate, GateError};
use crate::problem::Problem;

/// The most mails that can be asked for at once.
const MOST: u32 = 1_000_000;
/// The longest body that is read, in bytes.
const LONGEST: usize = 1 << 10;
/// When to come again, in seconds.
const AGAIN: HeaderValue = HeaderValue::from_static("1");

/// The paths for mailers.
pub(crate) fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Gate: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(route))
        .merge(OpenApiRouter::new().routes(routes!(admit)).layer(DefaultBodyLimit::max(LONGEST)))
}

#[derive(Debug, Serialize, ToSchema)]
struct Route {
    ip_pool_name: Option<PoolName>,
    stage: Stage,
    /// What it may send: `none`, `test`, `{"capped": n}` or `free`.
    sending: Sending,
    daily_cap: Option<u32>,
    /// Mails left of the cap; nothing where there is no cap.
    remaining_today: Option<u32>,
}

impl Route {
    fn of(allowance: Allowance, remaining_today: Option<u32>) -> Self {
        let Allowance { pool: ip_pool_name, stage, limit } = allowance;
        Self { ip_pool_name, stage, sending: limit.sending(), daily_cap: limit.daily_cap(), remaining_today }
    }
}

/// How many mails are asked for: `{"messages": n}` and nothing else. A struct would be read from `[n]`, too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Messages(u32),
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Admitted)]
struct Answer {
    granted: u32,
    #[serde(flatten)]
    route: Route,
    /// When a new day's cap begins; nothing where no new day changes anything.
    resets_at: Option<Timestamp>,
}

type Named = Result<Path<String>, PathRejection>;

/// Through which pool the customer's mail should leave, and how much of it may.
#[utoipa::path(get, path = "/v1/customers/{id}/route", params(("id" = String, Path, description = "The customer")), responses((status = 200, description = "The pool, and what is left", body = Route), (status = 503, description = "Not just now: try again in a moment")))]
async fn route(State(gate): State<Gate>, id: Named) -> Result<Response, Refused> {
    let (allowance, remaining) = gate.route(&named(id)?).await?;
    Ok(Json(Route::of(allowance, remaining)).into_response())
}

/// Grants mails of today's cap.
#[utoipa::path(post, path = "/v1/customers/{id}/admit", params(("id" = String, Path, description = "The customer")), request_body = Wanted, responses((status = 200, description = "What is granted", body = Answer), (status = 503, description = "Not just now: try again in a moment")))]
async fn admit(
    State(gate): State<Gate>,
    id: Named,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, Refused> {
    let (id, wanted) = (named(id)?, messages(wanted)?);
    let admitted = gate.admit(&id, wanted).await?;
    let route = Route::of(admitted.allowance, admitted.remaining);
    Ok(Json(Answer { granted: admitted.granted, route, resets_at: admitted.resets_at }).into_response())
}

fn named(id: Named) -> Result<CustomerId, Problem> {
    let Path(id) = id.map_err(|rejection| Problem::invalid(rejection.body_text()))?;
    CustomerId::new(&id).map_err(|error| Problem::invalid(error.to_string()))
}

fn messages(wanted: Result<Json<Wanted>, JsonRejection>) -> Result<u32, Problem> {
    let Json(Wanted::Messages(messages)) = wanted.map_err(|rejection| {
        let found = without_addresses(&rejection.body_text());
        let detail = format!("{found}; the body is to be {{\"messages\": n}}");
        match rejection.status() {
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => Problem::invalid(detail),
            status => Problem::new(status, "the request can't be read", detail),
        }
    })?;
    if (1..=MOST).contains(&messages) {
        Ok(messages)
    } else {
        Err(Problem::invalid(format!("messages is {messages}; it is from 1 to {MOST}")))
    }
}

/// Why there is no answer.
enum Refused {
    /// The request makes no sense.
    Invalid(Problem),
    /// The gate can't answer just now.
    NotNow(GateError),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Invalid(problem)
    }
}

impl From<GateError> for Refused {
    fn from(error: GateError) -> Self {
        Self::NotNow(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Invalid(problem) => problem.into_response(),
            Self::NotNow(error) => {
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                ([(header::RETRY_AFTER, AGAIN)], Problem::unavailable(format!("{error}{cause}"))).into_response()
            }
        }
    }
}
