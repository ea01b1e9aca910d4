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
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};

use crate::admin::Admin;

/// Everything that a page needs comes from here, and nothing that stands in one is run.
const CONTENT_SECURITY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// The pages.
pub(crate) fn router() -> Router<Admin> {
    Router::new()
        .route("/", get(overview::show))
        .route("/enforcement/pause", post(acting::pause))
        .route("/enforcement/resume", post(acting::resume))
        .route("/customers/{id}/answer", post(acting::answer))
        .route("/decisions/feed", get(feed::feed))
        .route("/assets/{name}", get(assets::asset))
        .layer(from_fn(guarded))
}

/// A page is not kept by who stands between, is shown in no other's frame, and runs nothing but the console's own script.
async fn guarded(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
