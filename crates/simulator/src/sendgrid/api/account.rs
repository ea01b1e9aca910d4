//! The account itself, and what its key may do.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::super::server::Shared;
use super::answers::ok;
use super::on_behalf_of::OnBehalfOf;

pub(super) async fn scopes(State(shared): State<Shared>, _: OnBehalfOf) -> Response {
    let scopes: Vec<Value> = shared.world().scopes.iter().map(|scope| json!(scope)).collect();
    ok(json!({ "scopes": scopes }))
}

pub(super) async fn show(_: OnBehalfOf) -> Response {
    ok(json!({ "type": "paid", "reputation": 99.7 }))
}

/// What the plan lets the account, or a subuser with a number of credits, send.
pub(super) async fn credits(State(shared): State<Shared>, OnBehalfOf(user): OnBehalfOf) -> Response {
    let state = shared.seen();
    let subuser = user.and_then(|user| state.subusers.get(user.as_str()).cloned());
    let credits = subuser.map(|subuser| subuser.credits.clone());
    let total = credits.as_ref().and_then(|credits| credits.total).unwrap_or(1_500_000);
    let used = credits.as_ref().and_then(|credits| credits.used).unwrap_or_default();
    ok(json!({
        "remain": total.saturating_sub(used), "total": total, "overage": 0, "used": used,
        "last_reset": "2026-11-01", "next_reset": "2026-12-01", "reset_frequency": "monthly"
    }))
}
