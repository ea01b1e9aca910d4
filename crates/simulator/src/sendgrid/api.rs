//! The calls of the API that steer subusers, IPs and pools.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::answers::{ip, ok, refused, refused_singular, subuser};
use super::server::Shared;
use super::world::Credits;

#[derive(Deserialize)]
pub(super) struct Page {
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    subuser: Option<String>,
    username: Option<String>,
}

pub(super) async fn list_ips(State(shared): State<Shared>, Query(page): Query<Page>) -> Response {
    let world = shared.world();
    let wanted = world
        .ips
        .iter()
        .filter(|(_, known)| page.subuser.as_ref().is_none_or(|subuser| known.subusers.contains(subuser)));
    // Ten is the real API's default, and a trap.
    let found: Vec<_> =
        wanted.skip(page.offset).take(page.limit.unwrap_or(10)).map(|(address, _)| ip(&world, address)).collect();
    ok(json!(found))
}

pub(super) async fn show_ip(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    let world = shared.world();
    if world.ips.contains_key(&address) {
        ok(ip(&world, &address))
    } else {
        refused(StatusCode::NOT_FOUND, "resource not found")
    }
}

pub(super) async fn list_pools(State(shared): State<Shared>) -> Response {
    ok(shared.world().pools.iter().map(|name| json!({ "name": name })).collect())
}

pub(super) async fn show_pool(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    let world = shared.world();
    if !world.pools.contains(&name) {
        return refused(StatusCode::NOT_FOUND, "Unable to locate specified IPs Pool");
    }
    let ips: Vec<_> = world.ips.iter().filter(|(_, ip)| ip.pools.contains(&name)).map(|(ip, _)| ip).collect();
    ok(json!({ "pool_name": name, "ips": ips }))
}

#[derive(Deserialize)]
pub(super) struct IpBody {
    ip: String,
}

pub(super) async fn add_to_pool(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(body): Json<IpBody>,
) -> Response {
    let mut world = shared.world();
    if !world.pools.contains(&name) {
        return refused(StatusCode::NOT_FOUND, "resource not found");
    }
    let Some(known) = world.ips.get_mut(&body.ip) else {
        return refused(StatusCode::NOT_FOUND, "resource not found");
    };
    known.pools.insert(name);
    let pools = known.pools.clone();
    (StatusCode::CREATED, Json(json!({ "ip": body.ip, "pools": pools, "start_date": 0, "warmup": false })))
        .into_response()
}

pub(super) async fn remove_from_pool(
    State(shared): State<Shared>,
    Path((name, address)): Path<(String, String)>,
) -> Response {
    let removed = shared.world().ips.get_mut(&address).is_some_and(|ip| ip.pools.remove(&name));
    if removed {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refused_singular(StatusCode::NOT_FOUND, "Unable to locate specified IPs Pool")
    }
}

pub(super) async fn list_subusers(State(shared): State<Shared>, Query(page): Query<Page>) -> Response {
    let world = shared.world();
    let wanted = world.subusers.keys().filter(|name| page.username.as_ref().is_none_or(|wanted| *name == wanted));
    let found = wanted.skip(page.offset).take(page.limit.unwrap_or(10)).filter_map(|name| subuser(&world, name));
    ok(found.collect())
}

#[derive(Deserialize)]
pub(super) struct Disabled {
    disabled: bool,
}

pub(super) async fn set_disabled(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(body): Json<Disabled>,
) -> Response {
    let mut world = shared.world();
    match world.subusers.get_mut(&name) {
        None => refused(StatusCode::NOT_FOUND, "no such subuser"),
        Some(subuser) => {
            subuser.disabled = body.disabled;
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

pub(super) async fn set_subuser_ips(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(ips): Json<Vec<String>>,
) -> Response {
    let mut world = shared.world();
    if !world.subusers.contains_key(&name) {
        return refused(StatusCode::NOT_FOUND, "no such subuser");
    }
    if ips.is_empty() || ips.iter().any(|ip| !world.ips.contains_key(ip)) {
        return refused(StatusCode::BAD_REQUEST, "one or more IPs are not yours to assign");
    }
    world.assign(&name, &ips);
    ok(json!({ "ips": ips }))
}

pub(super) async fn show_credits(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    match shared.world().credits(&name) {
        Some(credits) => ok(json!(credits)),
        None => refused(StatusCode::NOT_FOUND, "no such subuser"),
    }
}

pub(super) async fn set_credits(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(mut credits): Json<Credits>,
) -> Response {
    if credits.kind != "unlimited" && credits.total.is_none_or(|total| total == 0) {
        return refused(StatusCode::BAD_REQUEST, "total must be at least 1");
    }
    credits.remain = credits.total;
    credits.used = credits.total.map(|_| 0);
    let mut world = shared.world();
    match world.subusers.get_mut(&name) {
        None => refused(StatusCode::NOT_FOUND, "no such subuser"),
        Some(subuser) => {
            subuser.credits = credits.clone();
            ok(json!(credits))
        }
    }
}
