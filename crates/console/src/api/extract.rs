//! What is read from a request; what can't be read is told as a [`Problem`].

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use model::{CustomerId, DecisionId, without_addresses};
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::rejects::RejectId;

/// The query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        query.map(|Query(query)| Self(query)).map_err(|rejection| Problem::unreadable(&rejection.body_text()))
    }
}

/// The body, in JSON.
pub(crate) struct Said<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Said<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Json::from_request(request, state).await.map(|Json(said)| Self(said)).map_err(|rejection| unread(&rejection))
    }
}

/// What stood in the body is not said again where it may be a recipient's address.
fn unread(rejection: &JsonRejection) -> Problem {
    match rejection.status() {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Problem::unreadable(&rejection.body_text()),
        status => Problem::new(status, "the request can't be read", without_addresses(&rejection.body_text())),
    }
}

/// The customer that the path names.
pub(crate) struct Whose(pub(crate) CustomerId);

impl<S: Send + Sync> FromRequestParts<S> for Whose {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = named(parts, state).await?;
        CustomerId::new(&name).map(Self).map_err(|error| Problem::invalid(error.to_string()))
    }
}

/// The decision that the path names.
pub(crate) struct Which(pub(crate) DecisionId);

impl<S: Send + Sync> FromRequestParts<S> for Which {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = named(parts, state).await?;
        DecisionId::parse(&name).map(Self).ok_or_else(|| {
            Problem::invalid(format!(
                "{name:?} is no decision's id: they have 32 hexadecimal digits, as in /v1/decisions"
            ))
        })
    }
}

/// The reject that the path names.
pub(crate) struct WhichReject(pub(crate) RejectId);

impl<S: Send + Sync> FromRequestParts<S> for WhichReject {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        RejectId::parse(&named(parts, state).await?).map(Self)
    }
}

async fn named<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let named = Path::<String>::from_request_parts(parts, state).await;
    named.map(|Path(name)| name).map_err(|rejection| Problem::invalid(rejection.body_text()))
}
