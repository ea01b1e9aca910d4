//! Whom to call, once a week.

use model::{Decision, Millis, Stage, Window};
use outreach::{Config, Secret};
use serde_json::Value;

use crate::UP;
use crate::chat::chat;
use crate::mail_server::{MailServer, Mood, Taken};
use crate::platform::{Platform, config, decision, until};

pub(crate) const WEEK: Millis = Millis::days(7);

pub(crate) fn with_digest(server: &MailServer, url: &str) -> Config {
    let mut config = config(server, "");
    config.digest = Some("monday 08:00".parse().unwrap());
    config.chat = Some(Secret::new(url.to_owned()));
    config
}

fn digests(server: &MailServer) -> Vec<Taken> {
    server.taken().into_iter().filter(|mail| mail.header("Subject").starts_with("Whom to call")).collect()
}

fn posted(posts: &[Value]) -> usize {
    posts.iter().filter(|post| post["text"].as_str().unwrap().starts_with("Whom to call")).count()
}

/// Of so many mails in the window, 7.71 % of them bad; at least 5.53 %, where others have 0.90 %.
fn of_mails(number: u64, customer: &str, mails: u32, window: Window) -> Decision {
    let mut decision = decision(number, customer, UP);
    let evidence = decision.evidence.as_mut().unwrap();
    (evidence.denominator, evidence.window) = (mails, window);
    decision
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_call_is_told_once_a_week_also_across_restarts_and_ranked() {
    let (server, (url, posts), mut platform) = (MailServer::start(), chat().await, Platform::new());
    platform.start(with_digest(&server, &url)).await;
    let (hour, other_hour) = (of_mails(1, "hour", 200, Window::Hour), of_mails(2, "other-hour", 100, Window::Hour));
    let (large, waits) = (of_mails(3, "large", 40_200, Window::Day), of_mails(4, "waits", 4_020, Window::Day));
    // Where a customer stands is read beside the decisions: before, or behind them.
    platform.stand(&other_hour, 9_999_999).await;
    for decision in [&hour, &other_hour, &large, &waits] {
        platform.decide(decision).await;
    }
    for decision in [&hour, &other_hour, &large] {
        platform.let_through(decision).await;
    }
    platform.ask(&waits).await;
    until(|| server.taken().len() == 4 && posts.lock().unwrap().len() == 4).await;
    platform.stand(&hour, 4_020).await;
    platform.decide(&decision(5, "behind", (Stage::Healthy, Stage::Watch))).await;
    until(|| server.taken().len() == 5).await;
    let is_kept = |record: &log::Record| {
        let book: Value = serde_json::from_slice(&record.value).unwrap();
        record.key == "outreach:customer:hour" && book["ledger"]["charge"]["mails"] == 4_020
    };
    until(|| platform.read(log::Topic::Enforcement).iter().any(is_kept)).await;
    assert!(digests(&server).is_empty(), "before the first Monday");

    platform.wait(WEEK);
    until(|| digests(&server).len() == 1 && posted(&posts.lock().unwrap()) == 1).await;
    let digest = &digests(&server)[0];
    assert_eq!(
        (digest.to.as_slice(), digest.header("Subject").as_str()),
        (&["success@platform.example".to_owned()][..], "Whom to call: large first")
    );
    let (text, page) = digest.bodies();
    // A day's mails by what goes wrong beyond the others' rate, for seven days.
    let told = [
        "1. large (https://weir.example.com/customers/large): suspended",
        "about 13,000 hard bounces",
        "2. hour (https://weir.example.com/customers/hour): suspended",
        "about 1,300 hard bounces",
        "3. other-hour (https://weir.example.com/customers/other-hour): suspended",
        "about 780 hard bounces",
        "Decided, and not in force",
        "1. waits (https://weir.example.com/customers/waits): suspended",
        "In a week it does the others: about 1,300 hard bounces",
        "a person has to approve it",
    ];
    let places: Vec<_> = told.iter().map(|said| text.find(said)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {text}");
    assert!(!text.contains("behind") && page.contains("https://weir.example.com/customers/large"), "{page}");

    platform.stop().await;
    platform.start(with_digest(&server, &url)).await;
    // Three weeks of which nobody heard are one digest.
    platform.wait(Millis::days(21));
    until(|| digests(&server).len() == 2 && posted(&posts.lock().unwrap()) == 2).await;
    platform.decide(&decision(6, "later", (Stage::Healthy, Stage::Watch))).await;
    until(|| server.taken().last().unwrap().header("Subject").starts_with("later")).await;
    platform.stop().await;
    assert_eq!((digests(&server).len(), posted(&posts.lock().unwrap())), (2, 2));
    assert_ne!(digests(&server)[0].header("Message-ID"), digests(&server)[1].header("Message-ID"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_may_have_arrived_is_not_repeated_and_one_that_failed_is_tried_again() {
    let (server, (url, posts), mut platform) = (MailServer::start(), chat().await, Platform::new());
    platform.start(with_digest(&server, &url)).await;
    server.is(Mood::Busy);
    platform.wait(WEEK);
    until(|| platform.outcome("digest_mail", "failed") != "0").await;
    server.is(Mood::TakesInSilence);
    until(|| platform.outcome("digest_mail", "unknown") == "1").await;
    until(|| platform.metric("weir_outreach_given_up", &[("channel", "digest_mail")]) == Some(1.0)).await;
    server.is(Mood::Takes);
    platform.stop().await;
    platform.start(with_digest(&server, &url)).await;
    platform.decide(&decision(1, "later", (Stage::Healthy, Stage::Watch))).await;
    until(|| server.taken().len() == 2).await;
    platform.stop().await;
    assert_eq!(server.taken()[0].header("Subject"), "Whom to call: nobody");
    assert_eq!((digests(&server).len(), posted(&posts.lock().unwrap())), (1, 1));
    // Where no digest is mailed any more, none is missing.
    let mut without = with_digest(&server, &url);
    without.success = None;
    platform.start(without).await;
    until(|| platform.metric("weir_outreach_given_up", &[("channel", "digest_mail")]) == Some(0.0)).await;
    platform.stop().await;
}
