//! The settings of event webhooks. Each user has webhooks of its own.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use model::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::poster::{Clock, Poster, Retries};
use super::super::server::Shared;
use super::super::test_event;
use super::super::user::{NoWebhook, Webhook};
use super::answers::{body, ok, refused, refused_field};
use super::on_behalf_of::OnBehalfOf;

#[derive(Deserialize)]
pub(super) struct Include {
    include: Option<String>,
}

impl Include {
    fn has_account_status(&self) -> bool {
        self.include.as_deref().is_some_and(|names| names.split(',').any(|name| name == "account_status_change"))
    }
}

#[derive(Deserialize)]
struct Signing {
    enabled: bool,
}

#[derive(Deserialize)]
struct Tested {
    url: String,
    id: Option<String>,
}

pub(super) async fn list(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Query(include): Query<Include>,
) -> Response {
    let mut world = shared.world();
    let most = world.most_webhooks;
    let webhooks = world.user(user).webhooks.all();
    let webhooks: Vec<_> = webhooks.iter().map(|webhook| with_key(webhook, &include)).collect();
    ok(json!({ "max_allowed": most, "webhooks": webhooks }))
}

/// A webhook is made unsigned: signing is another call.
pub(super) async fn create(State(shared): State<Shared>, OnBehalfOf(user): OnBehalfOf, sent: Bytes) -> Response {
    let sent: Map<String, Value> = match body(&sent) {
        Ok(sent) => sent,
        Err(refusal) => return *refusal,
    };
    let mut world = shared.world();
    let most = world.most_webhooks;
    match world.user(user).webhooks.create(&sent, most) {
        Ok(webhook) => (StatusCode::CREATED, Json(webhook.shown(false))).into_response(),
        Err(error) => not_done(&error),
    }
}

pub(super) async fn show(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    id: Option<Path<String>>,
    Query(include): Query<Include>,
) -> Response {
    let id = id.map(|Path(id)| id);
    match shared.world().user(user).webhooks.get(id.as_deref()) {
        Some(webhook) => ok(without_dates(with_key(webhook, &include))),
        None => not_done(&NoWebhook::Unknown),
    }
}

pub(super) async fn update(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    id: Option<Path<String>>,
    Query(include): Query<Include>,
    sent: Bytes,
) -> Response {
    let sent: Map<String, Value> = match body(&sent) {
        Ok(sent) => sent,
        Err(refusal) => return *refusal,
    };
    let id = id.map(|Path(id)| id);
    match shared.world().user(user).webhooks.update(id.as_deref(), &sent) {
        Ok(webhook) => ok(webhook.shown(include.has_account_status())),
        Err(error) => not_done(&error),
    }
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Path(id): Path<String>,
) -> Response {
    let removed = shared.world().user(user).webhooks.remove(&id);
    if removed { StatusCode::NO_CONTENT.into_response() } else { not_done(&NoWebhook::Unknown) }
}

pub(super) async fn show_key(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Path(id): Path<String>,
) -> Response {
    match shared.world().user(user).webhooks.get(Some(&id)) {
        Some(webhook) => ok(json!({ "id": webhook.id, "public_key": webhook.public_key() })),
        None => not_done(&NoWebhook::Unknown),
    }
}

pub(super) async fn sign(
    State(shared): State<Shared>,
    OnBehalfOf(user): OnBehalfOf,
    Path(id): Path<String>,
    sent: Bytes,
) -> Response {
    let Signing { enabled } = match body(&sent) {
        Ok(signing) => signing,
        Err(refusal) => return *refusal,
    };
    match shared.world().user(user).webhooks.sign(&id, enabled) {
        Ok(Ok(webhook)) => ok(json!({ "id": webhook.id, "public_key": webhook.public_key() })),
        Ok(Err(error)) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        Err(error) => not_done(&error),
    }
}

/// Answers at once; the post comes afterwards, and again for as long as it is not taken. It is signed if the webhook is.
pub(super) async fn test(State(shared): State<Shared>, OnBehalfOf(user): OnBehalfOf, sent: Bytes) -> Response {
    let Tested { url, id } = match body(&sent) {
        Ok(tested) => tested,
        Err(refusal) => return *refusal,
    };
    let signer = {
        let mut world = shared.world();
        let webhooks = &world.user(user).webhooks;
        let by_url = || webhooks.all().iter().find(|webhook| webhook.url == url);
        let webhook = if id.is_some() { webhooks.get(id.as_deref()) } else { by_url() };
        webhook.and_then(|webhook| webhook.signer.clone())
    };
    let now: Clock = std::sync::Arc::new(now);
    match Poster::with(&url, signer, TEST_RETRIES, now) {
        Err(error) => return refused_field(StatusCode::BAD_REQUEST, "url", &error.to_string()),
        Ok(poster) => tokio::spawn(async move {
            if let Err(error) = poster.post(&test_event::events(self::now())).await {
                tracing::warn!(%error, "a test of a webhook was not taken");
            }
        }),
    };
    StatusCode::NO_CONTENT.into_response()
}

/// About ten minutes.
const TEST_RETRIES: Retries = Retries { first: Duration::from_secs(1), longest: Duration::from_secs(60), most: 15 };

fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

/// Only a signed webhook has a key to show.
fn with_key(webhook: &Webhook, include: &Include) -> Value {
    let mut shown = webhook.shown(include.has_account_status());
    if webhook.signer.is_some() {
        shown["public_key"] = json!(webhook.public_key());
    }
    shown
}

/// A webhook that is asked for by itself has none.
fn without_dates(mut shown: Value) -> Value {
    if let Some(shown) = shown.as_object_mut() {
        shown.retain(|name, _| !name.ends_with("_date"));
    }
    shown
}

/// No shape has a `field` here.
fn not_done(error: &NoWebhook) -> Response {
    let (status, item) = match error {
        NoWebhook::Taken { id, url } => {
            (StatusCode::BAD_REQUEST, json!({ "id": id, "message": error.to_string(), "url": url }))
        }
        NoWebhook::Unknown => (StatusCode::NOT_FOUND, json!({ "message": error.to_string() })),
        NoWebhook::NoUrl | NoWebhook::TooMany => (StatusCode::BAD_REQUEST, json!({ "message": error.to_string() })),
    };
    (status, Json(json!({ "errors": [item] }))).into_response()
}
