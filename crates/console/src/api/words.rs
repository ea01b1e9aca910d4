//! Writing down what a person says about enforcement.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use log::{Append, Record, RecordKind, Route, Topic};
use model::EnforcementKey;
use serde::Serialize;

use crate::admin::Admin;
use crate::api::answer::Problem;

/// It is on the log, where whoever it concerns reads it within moments.
#[derive(Debug, Serialize)]
pub(crate) struct Accepted {
    accepted: bool,
}

impl Accepted {
    pub(crate) const fn answer() -> (StatusCode, Json<Self>) {
        (StatusCode::ACCEPTED, Json(Self { accepted: true }))
    }
}

/// Appends a person's word to the topic `enforcement`.
pub(crate) async fn say<T: Serialize>(
    admin: &Admin,
    key: &EnforcementKey,
    word: &T,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let value = serde_json::to_vec(word).map_err(|error| Problem::invalid(error.to_string()))?;
    let record = Record {
        kind: RecordKind::Command,
        at: (admin.clock)(),
        key: key.to_string().into(),
        headers: Arc::new([]),
        value: value.into(),
    };
    let append = Append { topic: Topic::Enforcement, route: Route::ByKey, record };
    admin.log.producer().append(vec![append]).await.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok(Accepted::answer())
}
