//! Neither the key nor a recipient's address is shown, wherever a call goes wrong.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::Timestamp;
use sendgrid::api::{Error, SuppressionList, TimeWindow};
use std::error::Error as _;

use super::server::{Server, client, nobody};

const WITHIN: TimeWindow = TimeWindow { first: Timestamp::from_seconds(0), last: Timestamp::from_seconds(9) };

/// Everything that an error shows, and what caused it.
fn shown(error: &Error) -> String {
    let mut all = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        all.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    all
}

async fn failure(answer: fn() -> Response) -> String {
    let server = Server::start(move |_, _| answer()).await;
    let list = SuppressionList::Bounces;
    shown(&client(&server.base_url).own().suppressions(list, WITHIN).await.unwrap_err())
}

#[tokio::test]
async fn an_address_is_not_shown_whatever_is_wrong_with_the_answer() {
    let answers: [fn() -> Response; 4] = [
        || r#"[{"created":"ann@example.com","email":"ann@example.com"}]"#.into_response(),
        || r#"[{"created":1,"email":"ann@example.com","#.into_response(),
        || r#""ann@example.com""#.into_response(),
        || (StatusCode::BAD_REQUEST, r#"{"errors":[{"message":"no <ann@example.com>"}]}"#).into_response(),
    ];
    for answer in answers {
        let shown = failure(answer).await;
        assert!(!shown.contains("ann") && shown.contains("/v3/suppression/bounces"), "{shown}");
    }
}

#[tokio::test]
async fn the_key_is_sent_and_never_shown() {
    let server = Server::start(|_, _| (StatusCode::UNAUTHORIZED, "<html>").into_response()).await;
    let refused = client(&server.base_url).pools().await.unwrap_err();
    assert_eq!(server.calls()[0].headers["authorization"], "Bearer SG.secret");
    let unreachable = client(&nobody().await).pools().await.unwrap_err();
    let all = format!("{} {} {:?}", shown(&refused), shown(&unreachable), client(&server.base_url));
    assert!(!all.contains("secret"), "{all}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let server = Server::start(|_, _| vec![b' '; 5 << 20].into_response()).await;
    let error = client(&server.base_url).pools().await.unwrap_err();
    assert!(matches!(error, Error::UnexpectedAnswer { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(|_, _| (StatusCode::FOUND, [("location", "/elsewhere")]).into_response()).await;
    let error = client(&server.base_url).pools().await.unwrap_err();
    assert!(matches!(error, Error::UnexpectedAnswer { .. }), "{error:?}");
    assert_eq!(server.calls().len(), 1);
}
