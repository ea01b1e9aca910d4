//! The account itself, and what its key may do.

use axum::response::Response;
use serde_json::json;

use super::answers::ok;

/// What the key may do: enough to steer subusers, IPs and pools.
const SCOPES: [&str; 17] = [
    "ips.assigned.read",
    "ips.pools.create",
    "ips.pools.delete",
    "ips.pools.ips.create",
    "ips.pools.ips.delete",
    "ips.pools.ips.read",
    "ips.pools.read",
    "ips.pools.update",
    "ips.read",
    "subusers.credits.read",
    "subusers.credits.remaining.update",
    "subusers.credits.update",
    "subusers.read",
    "subusers.reputations.read",
    "subusers.update",
    "user.account.read",
    "user.webhooks.event.settings.read",
];

pub(super) async fn scopes() -> Response {
    ok(json!({ "scopes": SCOPES }))
}

pub(super) async fn show() -> Response {
    ok(json!({ "type": "paid", "reputation": 99.7 }))
}
