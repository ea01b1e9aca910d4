//! Answers for which the log is read from its beginning.

use std::sync::atomic::Ordering;
use std::time::Duration;

use model::DecisionId;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::house::{House, policy_text};

fn explanation(house: &House) -> RequestBuilder {
    let path = format!("/v1/decisions/{}/explanation", DecisionId::from_bits(7));
    Client::builder().no_proxy().build().unwrap().get(format!("http://{}{path}", house.address))
}

fn trial(house: &House) -> RequestBuilder {
    let client = Client::builder().no_proxy().build().unwrap();
    client.post(format!("http://{}/v1/policy/backtest", house.address)).body(policy_text(2))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_before_the_log_was_read_keeps_nobody_from_reading_it() {
    let house = House::new().await;
    for asks in [explanation, trial] {
        house.seen.is_read.store(false, Ordering::Release);
        let left = asks(&house).timeout(Duration::from_millis(300)).send().await;
        assert!(left.unwrap_err().is_timeout());
        house.seen.is_read.store(true, Ordering::Release);
        let next = asks(&house).send().await.unwrap();
        assert_eq!(next.status(), 404, "{}", next.text().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_never_comes_to_its_end_ends_with_weir() {
    let house = House::new().await;
    house.seen.is_read.store(false, Ordering::Release);
    let wish = r#"{"rule": "any", "since": "2026-09-01T00:00:00Z", "by": "ann", "reason": "a test"}"#;
    let stops = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        house.shutdown.cancel();
    };
    let sent = async |asked: RequestBuilder| {
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (undone, explained, tried, ()) =
        tokio::join!(house.post("/v1/undo", wish), sent(explanation(&house)), sent(trial(&house)), stops);
    for (status, problem) in [undone, explained, tried] {
        assert_eq!(status, 503, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("Weir is ending"), "{problem}");
    }
}
