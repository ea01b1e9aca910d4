//! The client keeps to SendGrid's rate limits instead of finding them out.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sendgrid::api::{Client, Error};

use super::server::{Server, client, config};

/// Half a century from here, so that this machine's clock can't help.
const DATE: &str = "Sat, 01 Jan 2000 00:00:00 GMT";
const DATE_SECONDS: u64 = 946_684_800;

/// An empty list that tells what is left, and in how many seconds it starts anew.
fn says(status: StatusCode, remaining: u32, resets_in: u64) -> Response {
    let mut response = (status, "[]").into_response();
    response.headers_mut().insert(header::DATE, HeaderValue::from_static(DATE));
    response.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from(remaining));
    response.headers_mut().insert("x-ratelimit-reset", HeaderValue::from(DATE_SECONDS + resets_in));
    response
}

#[tokio::test]
async fn a_limit_that_is_used_up_is_told_with_the_time_to_wait_and_not_asked_again() {
    let server = Server::start(|_, _| says(StatusCode::OK, 0, 3_600)).await;
    let client = client(&server.base_url);
    client.pools().await.unwrap();
    let error = client.clone().pools().await.unwrap_err();
    let wait = error.retry_after().unwrap();
    assert!(wait > Duration::from_secs(3_500) && wait <= Duration::from_secs(3_600), "{error}");
    assert_eq!(server.calls().len(), 1, "no 429 was collected");
    client.all_ips().await.unwrap();
    assert_eq!(server.calls().len(), 2, "another endpoint has a limit of its own");
}

#[tokio::test]
async fn after_a_429_nothing_is_asked_of_that_endpoint_before_its_reset() {
    let server = Server::start(|_, before| match before {
        0 => says(StatusCode::TOO_MANY_REQUESTS, 0, 1),
        _ => says(StatusCode::OK, 5, 60),
    })
    .await;
    let (client, began) = (client(&server.base_url), Instant::now());
    client.pools().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(990));
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn a_429_that_asks_for_too_long_a_wait_is_told_at_once() {
    let server = Server::start(|_, _| says(StatusCode::TOO_MANY_REQUESTS, 0, 600)).await;
    let error = client(&server.base_url).pools().await.unwrap_err();
    assert!(matches!(error, Error::RateLimited { .. }), "{error:?}");
    assert!(error.retry_after().unwrap() > Duration::from_secs(500));
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_429_that_says_nothing_is_tried_again_after_a_while() {
    let server = Server::start(|_, before| match before {
        0 | 1 => StatusCode::TOO_MANY_REQUESTS.into_response(),
        _ => "[]".into_response(),
    })
    .await;
    client(&server.base_url).pools().await.unwrap();
    assert_eq!(server.calls().len(), 3);
}

#[tokio::test]
async fn clones_share_a_number_of_calls_a_second() {
    let server = Server::start(|_, _| "[]".into_response()).await;
    let mut config = config(&server.base_url);
    config.calls_per_second = NonZeroU32::new(10).unwrap();
    let (client, began) = (Client::new(config).unwrap(), Instant::now());
    let calls = (0..15).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.pools().await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert!(began.elapsed() >= Duration::from_millis(450), "ten at once, and five more a tenth of a second apart");
}
