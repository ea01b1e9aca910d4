//! The IPs of the account.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::server::Shared;
use super::super::snapshot::{Ip, Snapshot};
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
    let state = shared.seen();
    let has = |subuser: &String, ip: &String| state.subusers.get(subuser.as_str()).is_some_and(|s| s.ips.contains(ip));
    let is_wanted = |address: &String| {
        wanted.subuser.as_ref().is_none_or(|subuser| has(subuser, address))
            && wanted.ip.as_ref().is_none_or(|wanted| address == wanted)
    };
    let mut found: Vec<_> = state.ips.iter().filter(|(address, _)| is_wanted(address)).collect();
    if wanted.sort_by_direction.as_deref() == Some("desc") {
        found.reverse();
    }
    let page = found.into_iter().skip(wanted.offset).take(wanted.limit.unwrap_or(DEFAULT_LIMIT));
    ok(page.map(|(address, ip)| listed(&state, address, ip)).collect())
}

pub(super) async fn show(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    let state = shared.seen();
    match state.ips.get(&address) {
        None => refused(StatusCode::NOT_FOUND, "resource not found"),
        Some(ip) => ok(shown(&state, &address, ip)),
    }
}

/// An IP's name in DNS.
pub(super) fn name_of(address: &str) -> String {
    format!("o{}.mail.platform.example", address.replace('.', "-"))
}

fn shown(state: &Snapshot, address: &str, ip: &Ip) -> Value {
    let subusers: Vec<_> = state.subusers_of_ip(address).map(|(name, _)| name).collect();
    json!({
        "ip": address, "subusers": subusers, "rdns": name_of(address),
        "pools": ip.pools, "warmup": false, "start_date": null, "whitelabeled": true
    })
}

fn listed(state: &Snapshot, address: &str, ip: &Ip) -> Value {
    let mut value = shown(state, address, ip);
    value["assigned_at"] = json!(1_600_000_000);
    value
}
