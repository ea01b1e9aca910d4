//! IPs, and the subusers that send from them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::server::Shared;
use super::super::super::snapshot::{Ip, Snapshot};
use super::super::answers::{body, ok, refused_field};
use super::paging::{Page, key_of};
use super::pools::shown_of_ip;

#[derive(Deserialize)]
pub(super) struct Wanted {
    ip: Option<String>,
    pool: Option<String>,
    is_parent_assigned: Option<bool>,
    include_region: Option<bool>,
}

#[derive(Deserialize)]
struct Subusers {
    subusers: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Region {
    include_region: Option<bool>,
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Response {
    if wanted.pool.is_some() && wanted.is_parent_assigned.is_some() {
        return refused_field(StatusCode::BAD_REQUEST, "pool", "can't be combined with is_parent_assigned");
    }
    let state = shared.seen();
    let pool = wanted.pool.as_ref().map(|id| state.pools.iter().find(|(_, known)| known.to_string() == *id));
    let is_wanted = |address: &String, ip: &Ip| {
        wanted.ip.as_ref().is_none_or(|wanted| wanted == address)
            && pool.is_none_or(|pool| pool.is_some_and(|(name, _)| ip.is_in(name)))
            && wanted.is_parent_assigned != Some(false)
    };
    let found = state.ips.iter().filter(|(address, ip)| is_wanted(address, ip));
    let region = wanted.include_region.unwrap_or(false);
    page.of(found.map(|(address, ip)| (key_of(address), shown(&state, address, ip, region))).collect())
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Path(address): Path<String>,
    Query(wanted): Query<Region>,
) -> Response {
    let state = shared.seen();
    match state.ips.get(&address) {
        None => no_ip(),
        Some(ip) => ok(shown(&state, &address, ip, wanted.include_region.unwrap_or(false))),
    }
}

pub(super) async fn subusers(
    State(shared): State<Shared>,
    Path(address): Path<String>,
    Query(page): Query<Page>,
) -> Response {
    let state = shared.seen();
    if !state.ips.contains_key(&address) {
        return no_ip();
    }
    let found = state.subusers_of_ip(&address);
    page.of(found.map(|(_, subuser)| (subuser.id, json!(subuser.id.to_string()))).collect())
}

/// All or none.
pub(super) async fn add_subusers(State(shared): State<Shared>, Path(address): Path<String>, sent: Bytes) -> Response {
    let (ids, names) = match named(&shared, &address, &sent) {
        Ok(found) => found,
        Err(refusal) => return *refusal,
    };
    shared.world().change(|state| {
        for name in &names {
            state.subuser(name).map(|subuser| subuser.ips.insert(address.clone()));
        }
    });
    ok(json!({ "ip": address, "subusers": ids }))
}

/// All or none.
pub(super) async fn remove_subusers(
    State(shared): State<Shared>,
    Path(address): Path<String>,
    sent: Bytes,
) -> Response {
    let (_, names) = match named(&shared, &address, &sent) {
        Ok(found) => found,
        Err(refusal) => return *refusal,
    };
    shared.world().change(|state| {
        for name in &names {
            state.subuser(name).map(|subuser| subuser.ips.remove(&address));
        }
    });
    StatusCode::NO_CONTENT.into_response()
}

type Named = (Vec<String>, BTreeSet<Arc<str>>);

/// The subusers that a body names by id, and their names; a refusal if any is unknown.
fn named(shared: &Shared, address: &String, sent: &Bytes) -> Result<Named, Box<Response>> {
    let Subusers { subusers: ids } = body(sent)?;
    let world = shared.world();
    let state = world.state();
    if !state.ips.contains_key(address) {
        return Err(Box::new(no_ip()));
    }
    let find = |id: &String| state.subusers.iter().find(|(_, subuser)| subuser.id.to_string() == *id);
    let names: Option<BTreeSet<_>> = ids.iter().map(|id| find(id).map(|(name, _)| Arc::clone(name))).collect();
    match names {
        Some(names) if !names.is_empty() => Ok((ids, names)),
        _ => Err(Box::new(refused_field(StatusCode::BAD_REQUEST, "subusers", "one or more subusers were not found"))),
    }
}

fn no_ip() -> Response {
    refused_field(StatusCode::BAD_REQUEST, "ip", "the IP was not found")
}

/// SendGrid's own IPs can't be switched off: `is_enabled` says nothing of them.
fn shown(state: &Snapshot, address: &str, ip: &Ip, with_region: bool) -> Value {
    let mut shown = json!({
        "ip": address, "pools": shown_of_ip(state, ip), "is_auto_warmup": false, "is_parent_assigned": true,
        "updated_at": 1_600_000_000, "is_enabled": null, "is_leased": false, "added_at": 1_600_000_000
    });
    if with_region {
        shown["region"] = json!("us");
    }
    shown
}
