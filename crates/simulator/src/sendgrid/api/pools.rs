//! Pools and the IPs in them. A pool's name is its id.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::super::server::Shared;
use super::super::snapshot::Snapshot;
use super::answers::{body, ok, refused, refused_field, refused_singular};

/// SendGrid's own limits.
pub(super) const MOST_POOLS: usize = 100;
const LONGEST_NAME: usize = 64;
const NO_SUCH_POOL: &str = "Unable to locate specified IPs Pool";

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Addressed {
    ip: String,
}

pub(super) async fn list(State(shared): State<Shared>) -> Response {
    ok(shared.seen().pools.keys().map(|name| json!({ "name": name })).collect())
}

/// A new pool is answered with 200, not 201.
pub(super) async fn create(State(shared): State<Shared>, sent: Bytes) -> Response {
    let Named { name } = match body(&sent) {
        Ok(named) => named,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    if let Some(refusal) = bad_name(world.state(), &name) {
        return refusal;
    }
    if world.state().pools.len() >= MOST_POOLS {
        return refused(StatusCode::BAD_REQUEST, "you have reached the limit of IP pools");
    }
    world.change(|state| state.add_pool(&name));
    ok(json!({ "name": name }))
}

pub(super) async fn show(State(shared): State<Shared>, Path(pool): Path<String>) -> Response {
    let state = shared.seen();
    if !state.pools.contains_key(&pool) {
        return refused_field(StatusCode::NOT_FOUND, "error", NO_SUCH_POOL);
    }
    ok(json!({ "pool_name": pool, "ips": state.ips_of_pool(&pool) }))
}

pub(super) async fn rename(State(shared): State<Shared>, Path(pool): Path<String>, sent: Bytes) -> Response {
    let Named { name } = match body(&sent) {
        Ok(named) => named,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    if !world.state().pools.contains_key(&pool) {
        return refused(StatusCode::NOT_FOUND, "ip pool not found");
    }
    if let Some(refusal) = bad_name(world.state(), &name) {
        return refusal;
    }
    world.change(|state| state.rename_pool(&pool, &name));
    ok(json!({ "name": name }))
}

pub(super) async fn remove(State(shared): State<Shared>, Path(pool): Path<String>) -> Response {
    let removed = shared.world().change(|state| state.remove_pool(&pool));
    if removed { StatusCode::NO_CONTENT.into_response() } else { refused_singular(StatusCode::NOT_FOUND, NO_SUCH_POOL) }
}

pub(super) async fn add_ip(State(shared): State<Shared>, Path(pool): Path<String>, sent: Bytes) -> Response {
    let Addressed { ip } = match body(&sent) {
        Ok(addressed) => addressed,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    if !world.state().pools.contains_key(&pool) {
        return refused(StatusCode::NOT_FOUND, "resource not found");
    }
    let pools = world.change(|state| {
        let known = state.ips.get_mut(&ip)?;
        known.join(&pool);
        Some(known.pools.clone())
    });
    let Some(pools) = pools else { return refused(StatusCode::NOT_FOUND, "resource not found") };
    let answer = json!({ "ip": ip, "pools": pools, "start_date": 1_409_616_000, "warmup": false });
    (StatusCode::CREATED, Json(answer)).into_response()
}

pub(super) async fn remove_ip(State(shared): State<Shared>, Path((pool, address)): Path<(String, String)>) -> Response {
    let removed = shared.world().change(|state| state.ips.get_mut(&address).is_some_and(|ip| ip.leave(&pool)));
    if removed { StatusCode::NO_CONTENT.into_response() } else { refused_singular(StatusCode::NOT_FOUND, NO_SUCH_POOL) }
}

/// Why a pool can't have this name.
pub(super) fn bad_name(state: &Snapshot, name: &str) -> Option<Response> {
    let message = if name.is_empty() || name.len() > LONGEST_NAME {
        "the name of a pool has 1 to 64 characters"
    } else if state.pools.contains_key(name) {
        "a pool of this name exists"
    } else {
        return None;
    };
    Some(refused_field(StatusCode::BAD_REQUEST, "name", message))
}
