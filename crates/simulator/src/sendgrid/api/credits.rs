//! How many mails a subuser may send.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::super::credits::Credits;
use super::super::server::Shared;
use super::answers::{body, ok, refused, refused_field};

const NO_USER: &str = "No user found";

#[derive(Deserialize)]
struct Change {
    allocation_update: i64,
}

pub(super) async fn show(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    match shared.seen().subusers.get(name.as_str()) {
        Some(subuser) => ok(json!(subuser.credits)),
        None => refused(StatusCode::BAD_REQUEST, NO_USER),
    }
}

/// Credits that are set start full, whatever was used before.
pub(super) async fn set(State(shared): State<Shared>, Path(name): Path<String>, sent: Bytes) -> Response {
    let wanted: Credits = match body(&sent) {
        Ok(wanted) => wanted,
        Err(refusal) => return *refusal,
    };
    let credits = match wanted.granted() {
        Ok(credits) => credits,
        Err((field, message)) => return refused_field(StatusCode::BAD_REQUEST, field, message),
    };
    let granted = credits.clone();
    match shared.world().change(|state| state.subuser(&name).map(|subuser| subuser.credits = granted)) {
        None => refused(StatusCode::BAD_REQUEST, NO_USER),
        Some(()) => ok(json!(credits)),
    }
}

/// A difference, not a value: whoever repeats this call changes the credits again.
pub(super) async fn change(State(shared): State<Shared>, Path(name): Path<String>, sent: Bytes) -> Response {
    let Change { allocation_update } = match body(&sent) {
        Ok(change) => change,
        Err(refusal) => return *refusal,
    };
    let changed = shared.world().change(|state| {
        let credits = &mut state.subuser(&name)?.credits;
        Some(credits.change(allocation_update).then(|| credits.clone()))
    });
    match changed {
        None => refused(StatusCode::BAD_REQUEST, NO_USER),
        Some(None) => refused_field(StatusCode::BAD_REQUEST, "allocation_update", "the user's credits are unlimited"),
        Some(Some(credits)) => ok(json!(credits)),
    }
}
