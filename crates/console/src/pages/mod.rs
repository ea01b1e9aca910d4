//! The console: pages for operators.

use axum::Router;

use crate::admin::Admin;

/// The pages.
pub(crate) fn router() -> Router<Admin> {
    Router::new()
}
