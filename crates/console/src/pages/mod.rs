//! The console: pages for operators, rendered here and complete without a script.

mod acting;
mod activity;
mod assets;
mod customer;
mod customers;
mod decision;
mod faults;
mod feed;
mod forms;
mod login;
mod overview;
mod parts;
mod policy;
mod pools;
mod rejects;
mod shell;
mod visit;
mod words;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use self::faults::{in_words, refused_in_words};
use crate::admin::Admin;

/// The pages.
pub(crate) fn router() -> Router<Admin> {
    Router::new()
        .route("/", get(overview::show))
        .route("/account-status/acknowledge", post(acting::acknowledge))
        .route("/enforcement/pause", post(acting::pause))
        .route("/enforcement/resume", post(acting::resume))
        .route("/customers", get(customers::show))
        .route("/customers/{id}", get(customer::show))
        .route("/customers/{id}/answer", post(acting::answer))
        .route("/customers/{id}/hold", post(customer::hold))
        .route("/customers/{id}/release", post(customer::release))
        .route("/customers/{id}/stage", post(customer::set_stage))
        .route("/customers/{id}/phase", post(customer::set_phase))
        .route("/customers/{id}/exempt", post(customer::exempt))
        .route("/customers/{id}/note", post(customer::note))
        .route("/pools", get(pools::show))
        .route("/policy", get(policy::show))
        .route("/policy/check", post(policy::check))
        .route("/policy/try", post(policy::try_out))
        .route("/policy/activate", post(policy::activate))
        .route("/activity", get(activity::show))
        .route("/activity/undo", get(activity::ask).post(activity::take_back))
        .route("/rejects", get(rejects::list))
        .route("/rejects/replay", post(rejects::replay_span))
        .route("/rejects/{id}", get(rejects::show))
        .route("/rejects/{id}/replay", post(rejects::replay))
        .route("/decisions/feed", get(feed::feed))
        .route("/decisions/{id}", get(decision::show))
        .route("/login", get(login::show))
        .route("/assets/{name}", get(assets::asset))
}
