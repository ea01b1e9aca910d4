//! The console: pages for operators, rendered here and complete without a script.

mod acting;
mod assets;
mod faults;
mod feed;
mod forms;
mod overview;
mod parts;
mod shell;
mod visit;
mod words;

use axum::Router;
use axum::routing::{get, post};

use crate::admin::Admin;

/// The pages.
pub(crate) fn router() -> Router<Admin> {
    Router::new()
        .route("/", get(overview::show))
        .route("/enforcement/pause", post(acting::pause))
        .route("/enforcement/resume", post(acting::resume))
        .route("/customers/{id}/answer", post(acting::answer))
        .route("/decisions/feed", get(feed::feed))
        .route("/assets/{name}", get(assets::asset))
}
