//! What a person tells Weir to do with a customer.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Topic};
use model::Command;
use serde::Serialize;

use crate::admin::Admin;
use crate::answer::Problem;
use crate::customers::customer;

#[derive(Debug, Serialize)]
pub(crate) struct Accepted {
    accepted: bool,
}

/// Appends the command to the log; the scorer follows it within moments, and the decision tells.
pub(crate) async fn command(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    body: Result<Json<Command>, JsonRejection>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let id = customer(&id)?;
    let Json(command) = body.map_err(|rejection| Problem::unreadable(&rejection.body_text()))?;
    let command = command.checked().map_err(|error| Problem::invalid(error.to_string()))?;
    let value = serde_json::to_vec(&command).map_err(|error| Problem::invalid(error.to_string()))?;
    let record = Record {
        kind: RecordKind::Command,
        at: (admin.clock)(),
        key: Bytes::copy_from_slice(id.as_str().as_bytes()),
        headers: Arc::new([]),
        value: value.into(),
    };
    let append = Append { topic: Topic::Events, route: Route::ByKey, record };
    admin.log.producer().append(vec![append]).await.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { accepted: true })))
}
