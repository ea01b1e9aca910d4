//! The IPs of the account.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::server::Shared;
use super::super::world::Ip;
use super::answers::{ok, refused};

/// The real API's default, and a trap.
const DEFAULT_LIMIT: usize = 10;

#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    ip: Option<String>,
    subuser: Option<String>,
    sort_by_direction: Option<String>,
}

pub(super) async fn list(State(shared): State<Shared>, Query(wanted): Query<Wanted>) -> Response {
    if wanted.limit == Some(0) {
        return refused(StatusCode::BAD_REQUEST, "limit must be at least 1");
    }
    let world = shared.world();
    let is_wanted = |(address, ip): &(&String, &Ip)| {
        wanted.subuser.as_ref().is_none_or(|subuser| ip.subusers.contains(subuser))
            && wanted.ip.as_ref().is_none_or(|wanted| *address == wanted)
    };
    let mut found: Vec<_> = world.ips.iter().filter(is_wanted).collect();
    if wanted.sort_by_direction.as_deref() == Some("desc") {
        found.reverse();
    }
    let page = found.into_iter().skip(wanted.offset).take(wanted.limit.unwrap_or(DEFAULT_LIMIT));
    ok(page.map(|(address, ip)| listed(address, ip)).collect())
}

pub(super) async fn show(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    match shared.world().ips.get(&address) {
        None => refused(StatusCode::NOT_FOUND, "resource not found"),
        Some(ip) => ok(shown(&address, ip)),
    }
}

fn shown(address: &str, ip: &Ip) -> Value {
    json!({
        "ip": address, "subusers": ip.subusers, "rdns": format!("o{}.mail.platform.example", address.replace('.', "-")),
        "pools": ip.pools, "warmup": false, "start_date": null, "whitelabeled": true
    })
}

fn listed(address: &str, ip: &Ip) -> Value {
    let mut value = shown(address, ip);
    value["assigned_at"] = json!(1_600_000_000);
    value
}
