//! Pools, by id.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::server::Shared;
use super::super::super::snapshot::{Ip, PoolId, Snapshot};
use super::super::answers::{body, ok, refused_field};
use super::super::pools::{MOST_POOLS, bad_name};
use super::paging::{Page, key_of};

const MOST_IPS: usize = 100;
/// How many IPs a list of pools shows of each.
const PREVIEW: usize = 10;

#[derive(Deserialize)]
pub(super) struct Wanted {
    ip: Option<String>,
}

#[derive(Deserialize)]
struct New {
    name: String,
    #[serde(default)]
    ips: Vec<String>,
}

#[derive(Deserialize)]
struct Addressed {
    ips: Vec<String>,
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Response {
    let state = shared.seen();
    let has = |name: &str| wanted.ip.as_ref().is_none_or(|ip| state.ips.get(ip).is_some_and(|ip| ip.is_in(name)));
    let found = state.pools.iter().filter(|(name, _)| has(name));
    let listed = |name: &str, id: PoolId| {
        let mut shown = previewed(&state, name, id);
        shown["regions"] = if shown["total_ip_count"] == 0 { json!([]) } else { json!(["us"]) };
        shown
    };
    page.of(found.map(|(name, id)| (*id, listed(name, *id))).collect())
}

pub(super) async fn create(State(shared): State<Shared>, sent: Bytes) -> Response {
    let New { name, ips } = match body(&sent) {
        Ok(new) => new,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    let state = world.state();
    if name.starts_with([' ', '.']) {
        return bad("name", "must not begin with a space or a dot");
    }
    if let Some(refusal) = bad_name(state, &name).or_else(|| bad_ips(state, &ips, 0)) {
        return refusal;
    }
    if state.pools.len() >= MOST_POOLS {
        return bad("", "you have reached the limit of IP pools");
    }
    let id = world.change(|state| {
        let id = state.add_pool(&name);
        join(state, &name, &ips);
        id
    });
    (StatusCode::CREATED, Json(json!({ "name": name, "id": id.to_string(), "ips": ips }))).into_response()
}

pub(super) async fn show(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let state = shared.seen();
    let Some((name, id)) = find(&state, &id) else { return no_pool() };
    let mut shown = previewed(&state, &name, id);
    shown["ip_count_by_region"] = json!([{ "region": "us", "count": shown["total_ip_count"] }]);
    ok(shown)
}

pub(super) async fn rename(State(shared): State<Shared>, Path(id): Path<String>, sent: Bytes) -> Response {
    let New { name: wanted, .. } = match body(&sent) {
        Ok(new) => new,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    let Some((name, id)) = find(world.state(), &id) else { return no_pool() };
    if let Some(refusal) = bad_name(world.state(), &wanted) {
        return refusal;
    }
    world.change(|state| state.rename_pool(&name, &wanted));
    ok(json!({ "name": wanted, "id": id.to_string() }))
}

pub(super) async fn remove(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let mut world = shared.world();
    let Some((name, _)) = find(world.state(), &id) else { return no_pool() };
    world.change(|state| state.remove_pool(&name));
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn ips(State(shared): State<Shared>, Path(id): Path<String>, Query(page): Query<Page>) -> Response {
    let state = shared.seen();
    let Some((name, _)) = find(&state, &id) else { return no_pool() };
    let found = state.ips.iter().filter(|(_, ip)| ip.is_in(&name));
    let shown = |address: &String, ip: &Ip| json!({ "ip": address, "region": "us", "pools": shown_of_ip(&state, ip) });
    page.of(found.map(|(address, ip)| (key_of(address), shown(address, ip))).collect())
}

/// All or none.
pub(super) async fn add_ips(State(shared): State<Shared>, Path(id): Path<String>, sent: Bytes) -> Response {
    let Addressed { ips } = match body(&sent) {
        Ok(addressed) => addressed,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    let Some((name, id)) = find(world.state(), &id) else { return no_pool() };
    if ips.is_empty() {
        return bad("ips", "must not be empty");
    }
    if let Some(refusal) = bad_ips(world.state(), &ips, world.state().ips_of_pool(&name).len()) {
        return refusal;
    }
    world.change(|state| join(state, &name, &ips));
    ok(json!({ "name": name, "id": id.to_string(), "ips": ips }))
}

/// All or none.
pub(super) async fn remove_ips(State(shared): State<Shared>, Path(id): Path<String>, sent: Bytes) -> Response {
    let Addressed { ips } = match body(&sent) {
        Ok(addressed) => addressed,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    let Some((name, _)) = find(world.state(), &id) else { return no_pool() };
    let inside = |ip: &String| world.state().ips.get(ip).is_some_and(|ip| ip.is_in(&name));
    if ips.is_empty() || !ips.iter().all(inside) {
        return bad("ips", "one or more IPs are not in the pool");
    }
    world.change(|state| {
        for ip in &ips {
            state.ips.get_mut(ip).map(|ip| ip.leave(&name));
        }
    });
    StatusCode::NO_CONTENT.into_response()
}

/// The pools of an IP, as they stand with it.
pub(super) fn shown_of_ip(state: &Snapshot, ip: &Ip) -> Vec<Value> {
    let with_id = |name: &String| json!({ "name": name, "id": state.pools.get(name).map(PoolId::to_string) });
    ip.pools.iter().map(with_id).collect()
}

fn previewed(state: &Snapshot, name: &str, id: PoolId) -> Value {
    let ips = state.ips_of_pool(name);
    json!({
        "name": name, "id": id.to_string(), "ips_preview": ips.iter().take(PREVIEW).collect::<Vec<_>>(),
        "total_ip_count": ips.len()
    })
}

fn find(state: &Snapshot, id: &str) -> Option<(String, PoolId)> {
    state.pools.iter().find(|(_, known)| known.to_string() == id).map(|(name, id)| (name.clone(), *id))
}

fn join(state: &mut Snapshot, pool: &str, ips: &[String]) {
    for ip in ips {
        if let Some(known) = state.ips.get_mut(ip) {
            known.join(pool);
        }
    }
}

fn bad_ips(state: &Snapshot, ips: &[String], already: usize) -> Option<Response> {
    if ips.iter().any(|ip| !state.ips.contains_key(ip)) {
        return Some(bad("ips", "one or more IPs are not yours to assign"));
    }
    (already + ips.len() > MOST_IPS).then(|| bad("ips", "a pool holds at most 100 IPs"))
}

/// No other status is documented for what there is not.
fn no_pool() -> Response {
    bad("poolid", "the IP pool was not found")
}

fn bad(field: &str, message: &str) -> Response {
    refused_field(StatusCode::BAD_REQUEST, field, message)
}
