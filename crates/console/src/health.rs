//! Is it alive, is it ready, what does it measure.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::admin::Probes;
use crate::problem::Problem;

pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

pub(crate) async fn readyz(State(probes): State<Probes>) -> Response {
    let obstacles = probes.ready.obstacles();
    if obstacles.is_empty() {
        (StatusCode::OK, "ready\n").into_response()
    } else {
        let lines: String = obstacles.iter().map(|obstacle| format!("not ready: {obstacle}\n")).collect();
        (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
    }
}

/// What Prometheus calls its text format.
const TEXT: &str = "text/plain; version=0.0.4";

pub(crate) async fn metrics(State(probes): State<Probes>) -> Result<Response, Problem> {
    let unwritten = |error| Problem::unavailable(format!("the metrics can't be written: {error}"));
    let text = probes.registry.text().map_err(unwritten)?;
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}
