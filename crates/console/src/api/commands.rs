//! What a person tells Weir to do with a customer.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Topic};
use model::{Command, CustomerId, Timestamp};

use crate::admin::Admin;
use crate::api::answer::Problem;
use crate::api::customers::customer;
use crate::api::words::Accepted;

/// Appends the command to the log; the scorer follows it within moments, and the decision tells.
pub(crate) async fn command(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    body: Result<Json<Command>, JsonRejection>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let id = customer(&id)?;
    let Json(command) = body.map_err(|rejection| Problem::unreadable(&rejection.body_text()))?;
    let command = command.checked().map_err(|error| Problem::invalid(error.to_string()))?;
    let append = append(&id, &command, (admin.clock)())?;
    admin.log.producer().append(vec![append]).await.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok(Accepted::answer())
}

/// The record that gives a customer a command.
pub(crate) fn append(id: &CustomerId, command: &Command, at: Timestamp) -> Result<Append, Problem> {
    let value = serde_json::to_vec(command).map_err(|error| Problem::invalid(error.to_string()))?;
    let key = Bytes::copy_from_slice(id.as_str().as_bytes());
    let record = Record { kind: RecordKind::Command, at, key, headers: Arc::new([]), value: value.into() };
    Ok(Append { topic: Topic::Events, route: Route::ByKey, record })
}
