//! New decisions come to the overview, and none is lost between.

use std::time::Duration;

use reqwest::{Client, Response};

use crate::house::{House, PATIENCE};

async fn follow(house: &House, path: &str, last: Option<&str>) -> Response {
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("http://{}{path}", house.address)).header("accept", "text/event-stream");
    last.into_iter().fold(request, |request, last| request.header("last-event-id", last)).send().await.unwrap()
}

/// Reads the feed until `customer` comes, and to the end of that event.
async fn until(feed: &mut Response, customer: &str) -> String {
    let mut text = String::new();
    let read = async {
        while !(text.contains(&format!("/customers/{customer}\"")) && text.ends_with("\n\n")) {
            let chunk = feed.chunk().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    assert!(tokio::time::timeout(PATIENCE, read).await.is_ok(), "no {customer} in the feed");
    text
}

/// Where the overview has the feed begin.
async fn begin(house: &House, shown: &str) -> String {
    let page = house.look_until("/", |page| page.has(&format!("/customers/{shown}\""))).await;
    let (_, rest) = page.text.split_once("data-feed=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_between_the_page_and_the_feed_and_while_nobody_is_connected_comes_once() {
    let house = House::new().await;
    house.decided("before", 1).await;
    let path = begin(&house, "before").await;
    house.decided("between", 2).await;
    begin(&house, "between").await;
    let mut feed = follow(&house, &path, None).await;
    let text = until(&mut feed, "between").await;
    assert!(!text.contains("/customers/before"), "the page has it: {text}");
    let last = text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap().to_owned();
    drop(feed);
    house.decided("apart", 3).await;
    let text = until(&mut follow(&house, &path, Some(&last)).await, "apart").await;
    assert!(!text.contains("/customers/between"), "it was told: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_feeds_and_they_end_with_weir() {
    let house = House::new().await;
    house.decided("before", 1).await;
    let path = begin(&house, "before").await;
    let mut feeds = Vec::new();
    let refused = loop {
        let feed = follow(&house, &path, None).await;
        if feed.status() != 200 {
            break feed.status();
        }
        feeds.push(feed);
        assert!(feeds.len() < 1_000, "there is no end of them");
    };
    assert_eq!(refused, 503);
    house.shutdown.cancel();
    let ended = async { while feeds[0].chunk().await.unwrap().is_some() {} };
    assert!(tokio::time::timeout(Duration::from_secs(5), ended).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_before_weir_started_is_not_told_as_new() {
    let house = House::starting().await;
    let page = house.look("/").await;
    assert!(page.has("Weir is starting") && page.has("data-feed=\"/decisions/feed\""), "{}", page.text);
}
