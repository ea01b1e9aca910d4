//! What may be done twice is tried again; what must not be is asked once.

use axum::http::StatusCode;
use axum::response::IntoResponse;
use sendgrid::api::{Client, Error, WebhookSettings};

use super::server::{Server, client, client_by_id, cutting, nobody};

const TRIES: usize = 3;

/// Every call that must not be made twice.
async fn calls_that_must_not_be_repeated(base_url: &str) -> Vec<Error> {
    let settings = WebhookSettings {
        url: "https://example.com/in".to_owned(),
        enabled: true,
        events: [].into(),
        friendly_name: None,
        oauth: None,
    };
    let client = client(base_url);
    vec![
        client.change_remaining_credits("sub", -5).await.unwrap_err(),
        client.create_pool("quarantine").await.unwrap_err(),
        client_by_id(base_url).create_pool("quarantine").await.unwrap_err(),
        client.own().create_webhook(&settings).await.unwrap_err(),
        client.own().new_batch().await.unwrap_err(),
    ]
}

async fn calls_that_may_be_repeated(client: &Client) -> Vec<Error> {
    vec![
        client.set_disabled("sub", true).await.unwrap_err(),
        client.add_to_pool("pool", "192.0.2.1").await.unwrap_err(),
        client.pools().await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_connection_cut_after_the_request_leaves_a_delta_and_a_creation_unknown_and_asked_once() {
    let (base_url, read) = cutting().await;
    let errors = calls_that_must_not_be_repeated(&base_url).await;
    assert!(errors.iter().all(|error| matches!(error, Error::Unknown { .. })), "{errors:?}");
    assert_eq!(*read.lock().unwrap(), errors.len());
}

#[tokio::test]
async fn a_server_that_fails_leaves_them_unknown_and_asked_once_too() {
    let server = Server::start(|_, _| StatusCode::BAD_GATEWAY.into_response()).await;
    let errors = calls_that_must_not_be_repeated(&server.base_url).await;
    assert!(errors.iter().all(|error| matches!(error, Error::Unknown { .. })), "{errors:?}");
    assert_eq!(server.calls().len(), errors.len());
}

#[tokio::test]
async fn without_a_connection_nothing_was_asked_so_nothing_is_unknown() {
    let errors = calls_that_must_not_be_repeated(&nobody().await).await;
    assert!(errors.iter().all(|error| matches!(error, Error::Unreachable { .. })), "{errors:?}");
}

#[tokio::test]
async fn a_429_did_nothing_so_a_delta_is_tried_again() {
    let server = Server::start(|_, before| match before {
        0 => StatusCode::TOO_MANY_REQUESTS.into_response(),
        _ => r#"{"type":"nonrecurring","total":9,"remain":4,"used":5}"#.into_response(),
    })
    .await;
    let left = client(&server.base_url).change_remaining_credits("sub", -5).await.unwrap();
    assert_eq!((left.remain, server.calls().len()), (Some(4), 2));
}

#[tokio::test]
async fn what_may_be_repeated_is_tried_as_often_as_configured() {
    let (base_url, read) = cutting().await;
    let errors = calls_that_may_be_repeated(&client(&base_url)).await;
    assert!(errors.iter().all(|error| matches!(error, Error::Unreachable { .. })), "{errors:?}");
    assert_eq!(*read.lock().unwrap(), TRIES * errors.len());
}

#[tokio::test]
async fn a_batch_that_is_held_back_already_is_looked_at() {
    let server = Server::start(|call, _| match call.asked.as_str() {
        "POST /v3/user/scheduled_sends" => StatusCode::BAD_REQUEST.into_response(),
        asked if asked.starts_with("GET") => r#"[{"batch_id":"b","status":"pause"}]"#.into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    })
    .await;
    let account = client(&server.base_url).own();
    let batch = sendgrid::api::BatchId::new("b");
    account.stop_batch(&batch, sendgrid::api::Stop::Pause).await.unwrap();
    assert_eq!(server.calls().len(), 2, "it is as it should be");
    account.stop_batch(&batch, sendgrid::api::Stop::Cancel).await.unwrap();
    assert!(server.calls().last().unwrap().asked.starts_with("PATCH"));
}
