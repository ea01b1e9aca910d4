//! Mail that is to be sent later: pausing it and letting it go on.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::super::server::Shared;
use super::answers::{body, ok, refused, refused_field};
use super::on_behalf_of::OnBehalfOf;

const UNKNOWN: &str = "no status for this batch id";
const BAD_STATUS: &str = "status must be pause or cancel";

#[derive(Deserialize)]
struct Stop {
    batch_id: String,
    status: String,
}

#[derive(Deserialize)]
struct Change {
    status: String,
}

pub(super) async fn create_batch(State(shared): State<Shared>, OnBehalfOf(user): OnBehalfOf) -> Response {
    let id = shared.world().user(user).scheduled.create();
    (StatusCode::CREATED, Json(json!({ "batch_id": id }))).into_response()
}

pub(super) async fn show_batch(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Path(id): Path<String>,
) -> Response {
    if shared.world().user(user).scheduled.is_batch(&id) {
        ok(json!({ "batch_id": id }))
    } else {
        refused_field(StatusCode::BAD_REQUEST, "batch_id", "invalid batch id")
    }
}

pub(super) async fn list(State(shared): State<Shared>, OnBehalfOf(user): OnBehalfOf) -> Response {
    let mut world = shared.world();
    let stopped = world.user(user).scheduled.stopped();
    ok(stopped.map(|(id, status)| json!({ "batch_id": id, "status": status })).collect())
}

/// An array, though there is one at most.
pub(super) async fn show(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Path(id): Path<String>,
) -> Response {
    let mut world = shared.world();
    let found = world.user(user).scheduled.stopped().filter(|(known, _)| **known == id);
    ok(found.map(|(id, status)| json!({ "batch_id": id, "status": status })).collect())
}

pub(super) async fn stop(State(shared): State<Shared>, OnBehalfOf(user): OnBehalfOf, sent: Bytes) -> Response {
    let Stop { batch_id, status } = match body(&sent) {
        Ok(stop) => stop,
        Err(refusal) => return *refusal,
    };
    if !is_status(&status) {
        return refused_field(StatusCode::BAD_REQUEST, "status", BAD_STATUS);
    }
    match shared.world().user(user).scheduled.stop(&batch_id, &status) {
        Err(error) => refused_field(StatusCode::BAD_REQUEST, "batch_id", &error.to_string()),
        Ok(()) => (StatusCode::CREATED, Json(json!({ "batch_id": batch_id, "status": status }))).into_response(),
    }
}

pub(super) async fn update(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Path(id): Path<String>,
    sent: Bytes,
) -> Response {
    let Change { status } = match body(&sent) {
        Ok(change) => change,
        Err(refusal) => return *refusal,
    };
    if !is_status(&status) {
        return refused_field(StatusCode::BAD_REQUEST, "status", BAD_STATUS);
    }
    let known = shared.world().user(user).scheduled.update(&id, &status);
    if known { StatusCode::NO_CONTENT.into_response() } else { refused(StatusCode::NOT_FOUND, UNKNOWN) }
}

pub(super) async fn resume(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Path(id): Path<String>,
) -> Response {
    let known = shared.world().user(user).scheduled.resume(&id);
    if known { StatusCode::NO_CONTENT.into_response() } else { refused(StatusCode::NOT_FOUND, UNKNOWN) }
}

fn is_status(status: &str) -> bool {
    matches!(status, "pause" | "cancel")
}
