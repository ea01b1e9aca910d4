//! The calls of the API that steer subusers, IPs and pools.

mod account;
mod answers;
mod credits;
mod ips;
mod pools;
mod subusers;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post, put};

pub(super) use answers::{BAD_KEY, refused};

use super::door::at_the_door;
use super::server::Shared;

/// Every call that there is.
pub(super) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v3/ips", get(ips::list))
        .route("/v3/ips/{ip}", get(ips::show))
        .route("/v3/ips/pools", get(pools::list).post(pools::create))
        .route("/v3/ips/pools/{pool}", get(pools::show).put(pools::rename).delete(pools::remove))
        .route("/v3/ips/pools/{pool}/ips", post(pools::add_ip))
        .route("/v3/ips/pools/{pool}/ips/{ip}", delete(pools::remove_ip))
        .route("/v3/subusers", get(subusers::list))
        .route("/v3/subusers/reputations", get(subusers::reputations))
        .route("/v3/subusers/{name}", patch(subusers::set_disabled))
        .route("/v3/subusers/{name}/ips", put(subusers::set_ips))
        .route("/v3/subusers/{name}/credits", get(credits::show).put(credits::set))
        .route("/v3/subusers/{name}/credits/remaining", patch(credits::change))
        .route("/v3/scopes", get(account::scopes))
        .route("/v3/user/account", get(account::show))
        .fallback(async || refused(StatusCode::NOT_FOUND, "not found"))
        .method_not_allowed_fallback(async || refused(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"))
        .layer(from_fn_with_state(shared.clone(), at_the_door))
        .with_state(shared)
}
