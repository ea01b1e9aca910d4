//! Subusers: who there are, whether they send, and from which IPs.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::super::server::Shared;
use super::answers::{body, ok, refused};

/// The documents name no default; as small as that of other lists, so that whoever forgets to page is found out.
const DEFAULT_LIMIT: usize = 10;

#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    username: Option<String>,
    #[serde(default)]
    include_region: bool,
}

#[derive(Deserialize)]
struct Switch {
    disabled: Option<bool>,
}

pub(super) async fn list(State(shared): State<Shared>, Query(wanted): Query<Wanted>) -> Response {
    let state = shared.seen();
    let is_wanted = |name: &str| wanted.username.as_ref().is_none_or(|wanted| name == wanted);
    let found = state.subusers.iter().filter(|(name, _)| is_wanted(name));
    let page = found.skip(wanted.offset).take(wanted.limit.unwrap_or(DEFAULT_LIMIT));
    ok(page
        .map(|(name, subuser)| {
            let email = format!("{name}@platform.example");
            let mut shown = json!({ "disabled": subuser.disabled, "id": subuser.id, "username": name, "email": email });
            if wanted.include_region {
                shown["region"] = json!("global");
            }
            shown
        })
        .collect())
}

/// `usernames` may be repeated or hold several names with commas: the documents leave open which.
pub(super) async fn reputations(State(shared): State<Shared>, Query(wanted): Query<Vec<(String, String)>>) -> Response {
    let state = shared.seen();
    let names = wanted.iter().filter(|(key, _)| key == "usernames").flat_map(|(_, names)| names.split(','));
    let known = names.filter(|name| state.subusers.contains_key(*name));
    ok(known.map(|name| json!({ "username": name, "reputation": 99.2 })).collect())
}

/// The kill switch.
pub(super) async fn set_disabled(State(shared): State<Shared>, Path(name): Path<String>, sent: Bytes) -> Response {
    let disabled = match body(&sent) {
        Ok(Switch { disabled: Some(disabled) }) => disabled,
        Ok(Switch { disabled: None }) => return refused(StatusCode::BAD_REQUEST, "no fields provided"),
        Err(refusal) => return *refusal,
    };
    match shared.world().change(|state| state.subuser(&name).map(|subuser| subuser.disabled = disabled)) {
        None => refused(StatusCode::BAD_REQUEST, "invalid username"),
        Some(()) => StatusCode::NO_CONTENT.into_response(),
    }
}

/// The body is a bare array, and it replaces what was there.
pub(super) async fn set_ips(State(shared): State<Shared>, Path(name): Path<String>, sent: Bytes) -> Response {
    let ips: Vec<String> = match body(&sent) {
        Ok(ips) => ips,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    let state = world.state();
    if !state.subusers.contains_key(name.as_str()) {
        return refused(StatusCode::NOT_FOUND, "no such subuser");
    }
    if ips.is_empty() || ips.iter().any(|ip| !state.ips.contains_key(ip)) {
        return refused(StatusCode::BAD_REQUEST, "one or more IPs are not yours to assign");
    }
    let wanted = ips.iter().cloned().collect();
    world.change(|state| state.subuser(&name).map(|subuser| subuser.ips = wanted));
    ok(json!({ "ips": ips }))
}
