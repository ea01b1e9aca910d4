//! In whose name a request is made, and what is answered to a change.

use axum::Json;
use axum::http::StatusCode;
use model::OrderError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Caller, Credential};
use crate::acts::Words;
use crate::problem::Problem;

/// It is on the log, where whoever it concerns reads it within moments.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    accepted: bool,
}

impl Accepted {
    pub(crate) const fn answer() -> (StatusCode, Json<Self>) {
        (StatusCode::ACCEPTED, Json(Self { accepted: true }))
    }
}

/// Who changes something, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Author {
    #[schema(min_length = 1, max_length = 200)]
    pub(crate) by: Option<String>,
    #[schema(min_length = 1, max_length = 500)]
    pub(crate) reason: String,
}

/// The words of a request. Who is known by nothing has to say who they are.
pub(crate) fn words(caller: &Caller, by: Option<String>, reason: String) -> Result<Words, Problem> {
    if by.is_none() && caller.credential == Credential::Open {
        return Err(Problem::invalid(OrderError::NoAuthor.to_string()));
    }
    Ok(Words { by, reason })
}
