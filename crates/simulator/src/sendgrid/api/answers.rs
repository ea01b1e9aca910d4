//! The shapes in which SendGrid answers and refuses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a key is told that SendGrid does not take.
pub(in super::super) const BAD_KEY: &str = "The provided authorization grant is invalid, expired, or revoked";

/// A JSON answer.
pub(super) fn ok(value: Value) -> Response {
    Json(value).into_response()
}

/// The usual shape of a refusal.
pub(in super::super) fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "errors": [{ "field": null, "message": message }] }))).into_response()
}

/// The same, where a field is to blame.
pub(in super::super) fn refused_field(status: StatusCode, field: &str, message: &str) -> Response {
    (status, Json(json!({ "errors": [{ "field": field, "message": message }] }))).into_response()
}

/// The shape that only deleting pools, and from pools, has.
pub(super) fn refused_singular(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

/// What a call's body says.
///
/// Boxed, since a response is large and this error is rare.
pub(super) fn body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response>> {
    serde_json::from_slice(body)
        .map_err(|error| Box::new(refused(StatusCode::BAD_REQUEST, &format!("invalid request body: {error}"))))
}
