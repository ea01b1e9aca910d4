//! The calls of the API.

mod account;
mod answers;
mod credits;
mod domains;
mod ips;
mod on_behalf_of;
mod pools;
mod scheduled;
mod scopes;
mod send_ips;
mod stats;
mod subusers;
mod suppressions;
mod webhooks;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post, put};

pub(super) use answers::{BAD_KEY, refused, refused_field};
pub(super) use scopes::{all as all_scopes, needed as needed_scope};

use super::door::at_the_door;
use super::server::Shared;

/// Every call that there is.
pub(super) fn router(shared: Shared) -> Router {
    steering()
        .merge(send_ips::router())
        .merge(webhooks())
        .merge(mail())
        .fallback(async || refused(StatusCode::NOT_FOUND, "not found"))
        .method_not_allowed_fallback(async || refused(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"))
        .layer(from_fn_with_state(shared.clone(), at_the_door))
        .with_state(shared)
}

/// Subusers, their IPs, and pools.
fn steering() -> Router<Shared> {
    Router::new()
        .route("/v3/ips", get(ips::list))
        .route("/v3/ips/{ip}", get(ips::show))
        .route("/v3/ips/pools", get(pools::list).post(pools::create))
        .route("/v3/ips/pools/{pool}", get(pools::show).put(pools::rename).delete(pools::remove))
        .route("/v3/ips/pools/{pool}/ips", post(pools::add_ip))
        .route("/v3/ips/pools/{pool}/ips/{ip}", delete(pools::remove_ip))
        .route("/v3/subusers", get(subusers::list))
        .route("/v3/subusers/reputations", get(subusers::reputations))
        .route("/v3/subusers/stats", get(stats::subusers))
        .route("/v3/subusers/{name}", patch(subusers::set_disabled))
        .route("/v3/subusers/{name}/ips", put(subusers::set_ips))
        .route("/v3/subusers/{name}/credits", get(credits::show).put(credits::set))
        .route("/v3/subusers/{name}/credits/remaining", patch(credits::change))
        .route("/v3/whitelabel/domains", get(domains::domains))
        .route("/v3/whitelabel/domains/{id}", get(domains::show_domain))
        .route("/v3/whitelabel/ips", get(domains::reverse_dns))
        .route("/v3/whitelabel/ips/{id}", get(domains::show_reverse_dns))
        .route("/v3/scopes", get(account::scopes))
        .route("/v3/user/account", get(account::show))
        .route("/v3/user/credits", get(account::credits))
}

fn webhooks() -> Router<Shared> {
    const SETTINGS: &str = "/v3/user/webhooks/event/settings";
    Router::new()
        .route(SETTINGS, get(webhooks::show).patch(webhooks::update).post(webhooks::create))
        .route(&format!("{SETTINGS}/all"), get(webhooks::list))
        .route(&format!("{SETTINGS}/{{id}}"), get(webhooks::show).patch(webhooks::update).delete(webhooks::remove))
        .route(&format!("{SETTINGS}/signed/{{id}}"), get(webhooks::show_key).patch(webhooks::sign))
        .route("/v3/user/webhooks/event/test", post(webhooks::test))
}

/// Mail that was sent, and mail that is to be.
fn mail() -> Router<Shared> {
    Router::new()
        .merge(suppressions::router())
        .route("/v3/stats", get(stats::global))
        .route("/v3/mailbox_providers/stats", get(stats::providers))
        .route("/v3/mail/batch", post(scheduled::create_batch))
        .route("/v3/mail/batch/{id}", get(scheduled::show_batch))
        .route("/v3/user/scheduled_sends", get(scheduled::list).post(scheduled::stop))
        .route("/v3/user/scheduled_sends/{id}", get(scheduled::show).patch(scheduled::update).delete(scheduled::resume))
}
