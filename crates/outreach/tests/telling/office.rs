//! Nothing is told twice where another process gets the office meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use model::Stage;
use outreach::Secret;
use site::Office;

use crate::UP;
use crate::digest::{WEEK, with_digest};
use crate::mail_server::{MailServer, Mood};
use crate::platform::{Platform, config, decision, until};

const NEXT: (Stage, Stage) = (Stage::Healthy, Stage::Watch);

/// A chat at which the office goes to another process with the first message, of which it says that it can't be taken; how many
/// came.
async fn chat_of_another(office: Arc<Office>) -> (String, Arc<AtomicUsize>) {
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&posts);
    let take = move || {
        let (office, counted) = (Arc::clone(&office), Arc::clone(&counted));
        async move {
            if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                office.turn(false);
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            StatusCode::OK
        }
    };
    let router = Router::new().route("/hook", post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, posts)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_office_while_it_sent_writes_nothing_over_what_the_next_one_knows() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    let (url, posts) = chat_of_another(Arc::clone(&platform.office)).await;
    let mut config = config(&server, "");
    (config.mail, config.chat) = (None, Some(Secret::new(url)));
    platform.start(config).await;
    platform.decide(&decision(1, "acme", UP)).await;
    until(|| posts.load(Ordering::SeqCst) == 1 && !platform.serves()).await;
    let book = platform.last("outreach:customer:acme").unwrap();
    assert!(book["lines"]["success_chat"]["sending"].is_object(), "{book}");
    platform.office.turn(true);
    until(|| platform.outcome("success_chat", "unknown") == "1").await;
    platform.decide(&decision(2, "bolt", NEXT)).await;
    until(|| platform.outcome("success_chat", "delivered") == "1").await;
    platform.stop().await;
    assert_eq!(posts.load(Ordering::SeqCst), 2, "the first one is the next one's to know of");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_where_the_office_goes_while_that_is_kept() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    platform.start(config(&server, "")).await;
    platform.office.go_with("\"sending\":{");
    platform.decide(&decision(1, "acme", UP)).await;
    until(|| !platform.serves()).await;
    assert!(server.taken().is_empty(), "{:?}", server.taken());
    let book = platform.last("outreach:customer:acme").unwrap();
    assert!(book["lines"]["success_mail"]["sending"].is_object(), "{book}");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_office_while_it_sent_the_digest_leaves_it_to_the_next_one() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    let (url, posts) = chat_of_another(Arc::clone(&platform.office)).await;
    let mut config = with_digest(&server, &url);
    config.mail = None;
    platform.start(config).await;
    platform.wait(WEEK);
    until(|| posts.load(Ordering::SeqCst) == 1 && !platform.serves()).await;
    let diary = platform.last("outreach:digest").unwrap();
    assert!(diary["pages"]["digest_chat"]["sending"].is_string(), "{diary}");
    platform.office.turn(true);
    until(|| platform.outcome("digest_chat", "unknown") == "1").await;
    platform.stop().await;
    assert_eq!(posts.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_does_not_answer_is_left_alone_for_a_while() {
    let (server, mut platform) = (MailServer::start(), Platform::new());
    server.is(Mood::TakesInSilence);
    platform.start(config(&server, "")).await;
    for number in 0..6 {
        platform.decide(&decision(number, &format!("customer-{number}"), NEXT)).await;
    }
    let unknown = || platform.outcome("success_mail", "unknown").parse::<u32>().unwrap();
    until(|| unknown() >= 1).await;
    let first = std::time::Instant::now();
    until(|| unknown() >= 3).await;
    // One message for each pause: of one second, then of two.
    assert!(first.elapsed() >= std::time::Duration::from_millis(2_500), "{:?}", first.elapsed());
    server.is(Mood::Takes);
    until(|| platform.outcome("success_mail", "delivered") == "3").await;
    platform.stop().await;
}
