//! The shapes in which SendGrid answers and refuses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::world::World;

/// A JSON answer.
pub(super) fn ok(value: Value) -> Response {
    Json(value).into_response()
}

/// The usual shape of a refusal.
pub(super) fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "errors": [{ "field": null, "message": message }] }))).into_response()
}

/// The shape that only deleting from a pool has.
pub(super) fn refused_singular(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

/// An IP as the list shows it.
pub(super) fn ip(world: &World, address: &str) -> Value {
    let known = world.ips.get(address).cloned().unwrap_or_default();
    json!({
        "ip": address, "subusers": known.subusers, "rdns": "o1.mail.example", "pools": known.pools,
        "warmup": false, "start_date": null, "whitelabeled": true, "assigned_at": 1_600_000_000
    })
}

/// A subuser as the list shows it.
pub(super) fn subuser(world: &World, name: &str) -> Option<Value> {
    let subuser = world.subusers.get(name)?;
    let email = format!("{name}@platform.example");
    Some(json!({ "disabled": subuser.disabled, "id": subuser.id, "username": name, "email": email }))
}
