//! The newer calls for IPs and pools. Pools and subusers have ids in them, not names.

mod ips;
mod paging;
mod pools;

use axum::Router;
use axum::routing::{get, post};

use super::super::server::Shared;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/v3/send_ips/ips", get(ips::list))
        .route("/v3/send_ips/ips/{ip}", get(ips::show))
        .route("/v3/send_ips/ips/{ip}/subusers", get(ips::subusers))
        .route("/v3/send_ips/ips/{ip}/subusers:batchAdd", post(ips::add_subusers))
        .route("/v3/send_ips/ips/{ip}/subusers:batchDelete", post(ips::remove_subusers))
        .route("/v3/send_ips/pools", get(pools::list).post(pools::create))
        .route("/v3/send_ips/pools/{pool}", get(pools::show).put(pools::rename).delete(pools::remove))
        .route("/v3/send_ips/pools/{pool}/ips", get(pools::ips))
        .route("/v3/send_ips/pools/{pool}/ips:batchAdd", post(pools::add_ips))
        .route("/v3/send_ips/pools/{pool}/ips:batchDelete", post(pools::remove_ips))
}
