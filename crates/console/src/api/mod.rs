//! The operators' HTTP API.

mod accounts;
mod activity;
mod approvals;
pub(crate) mod backtest;
mod commands;
mod completeness;
pub(crate) mod customers;
mod decisions;
mod describe;
mod document;
mod enforcer;
pub(crate) mod explanations;
mod extract;
mod fleet;
mod policies;
pub(crate) mod pools;
pub(crate) mod rejects;
pub(crate) mod stream;
mod undo;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::document::{beginning, needing, serve};
use crate::access::Role;
use crate::admin::Admin;
use crate::policies::LONGEST_POLICY;
use crate::{etag, gate};

/// Everything under `/v1`, and its description. What is not in one of these is not served.
pub(crate) fn router() -> Router<Admin> {
    let reads = OpenApiRouter::new()
        .merge(gate::router())
        .routes(routes!(document::openapi))
        .routes(routes!(customers::list))
        .routes(routes!(customers::show))
        .routes(routes!(completeness::completeness))
        .routes(routes!(decisions::decisions))
        .routes(routes!(explanations::explanation))
        .routes(routes!(stream::stream))
        .routes(routes!(activity::activity))
        .routes(routes!(accounts::list))
        .routes(routes!(pools::pools))
        .routes(routes!(rejects::list))
        .routes(routes!(policies::in_words))
        .routes(routes!(enforcer::show))
        .routes(routes!(enforcer::held))
        .routes(routes!(approvals::list))
        .routes(routes!(fleet::fleet))
        .routes(routes!(policies::show));
    let steering = OpenApiRouter::new()
        .routes(routes!(commands::command))
        .routes(routes!(enforcer::pause))
        .routes(routes!(enforcer::resume))
        .routes(routes!(undo::undo))
        .routes(routes!(accounts::acknowledge))
        .routes(routes!(rejects::show))
        .routes(routes!(rejects::replay))
        .routes(routes!(rejects::replay_span))
        .merge(OpenApiRouter::new().routes(routes!(backtest::backtest)).layer(DefaultBodyLimit::max(LONGEST_POLICY)));
    let approving = OpenApiRouter::new()
        .routes(routes!(approvals::answer))
        .merge(OpenApiRouter::new().routes(routes!(policies::apply)).layer(DefaultBodyLimit::max(LONGEST_POLICY)));
    let all = OpenApiRouter::with_openapi(beginning())
        .merge(needing(Role::Viewer, reads))
        .merge(needing(Role::Operator, steering))
        .merge(needing(Role::Approver, approving));
    serve(all).layer(from_fn(etag::tag))
}
