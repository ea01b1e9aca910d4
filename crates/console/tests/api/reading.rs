//! Entity tags, cursors and streams.

use std::time::Duration;

use model::Stage;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tokio::time::timeout;

use crate::house::{House, PATIENCE};

fn get(house: &House, path: &str) -> RequestBuilder {
    Client::builder().no_proxy().build().unwrap().get(format!("http://{}{path}", house.address))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_not_sent_again() {
    let house = House::new().await;
    house.stands("acme", Stage::Watch, None).await;
    house.until("/v1/customers", |answer| answer["customers"].as_array().is_some_and(|all| all.len() == 1)).await;
    let first = get(&house, "/v1/customers").send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let again = get(&house, "/v1/customers").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, tag.as_str()));
    assert_eq!(again.text().await.unwrap(), "");
    house.stands("acme", Stage::Suspended, None).await;
    house.until("/v1/customers?stage=suspended", |answer| answer["customers"] != serde_json::json!([])).await;
    let changed = get(&house, "/v1/customers").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(changed.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_replaces_only_the_one_that_was_looked_at() {
    let house = House::new().await;
    let tag = get(&house, "/v1/policy").send().await.unwrap().headers()["etag"].to_str().unwrap().to_owned();
    let put = async |tag: &str| {
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("http://{}/v1/policy?by=ana&reason=test", house.address));
        request.header("if-match", tag).body(crate::house::policy_text(2)).send().await.unwrap().status().as_u16()
    };
    assert_eq!(put("\"another\"").await, 412);
    assert_eq!(put(&tag).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_and_goes_between_two_pages_shifts_nobody_else() {
    let house = House::new().await;
    for number in 0..10 {
        house.stands(&format!("c{number}"), Stage::Healthy, None).await;
    }
    let customers = |answer: &Value| answer["customers"].as_array().map_or(0, Vec::len);
    house.until("/v1/customers", |answer| customers(answer) == 10).await;
    let first = house.get("/v1/customers?limit=5").await.1;
    house.stands("aaa", Stage::Healthy, None).await;
    house.stands("c0", Stage::Suspended, None).await;
    house.until("/v1/customers?stage=suspended", |answer| customers(answer) == 1).await;
    house.until("/v1/customers", |answer| customers(answer) == 11).await;
    let next = first["next"].as_str().unwrap();
    let second = house.get(&format!("/v1/customers?limit=50&after={next}")).await.1;
    let names: Vec<_> = second["customers"].as_array().unwrap().iter().map(|one| one["customer"].clone()).collect();
    assert_eq!(names, ["c5", "c6", "c7", "c8", "c9"]);
    assert_eq!(house.get("/v1/customers?after=nonsense").await.0, 400);
    assert_eq!(house.get("/v1/customers?search=C5").await.1["customers"][0]["customer"], "c5");
}

/// Reads a stream until `wanted` of its text is there.
async fn read(answer: &mut Response, wanted: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let reading = async {
        while !wanted(&text) {
            text += std::str::from_utf8(&answer.chunk().await.unwrap().expect("it goes on")).unwrap();
        }
    };
    timeout(PATIENCE, reading).await.expect("in time");
    text
}

fn ids(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_off_goes_on_without_gap_or_repeat_and_ends_with_weir() {
    let house = House::new().await;
    house.decided("before", 1).await;
    house.until("/v1/decisions", |answer| answer["decisions"] != serde_json::json!([])).await;
    let mut stream = get(&house, "/v1/decisions/stream").send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let opened = read(&mut stream, |text| text.contains("\n\n")).await;
    house.decided("first", 2).await;
    let text = read(&mut stream, |text| text.contains("first") && text.ends_with("\n\n")).await;
    assert!(!text.contains("before"), "from now on: {text}");
    let last = ids(&(opened + &text)).pop().unwrap();
    drop(stream);
    house.decided("second", 3).await;
    house.until("/v1/decisions", |answer| answer["decisions"].as_array().is_some_and(|all| all.len() == 3)).await;
    let mut again = get(&house, "/v1/decisions/stream").header("last-event-id", &last).send().await.unwrap();
    let text = read(&mut again, |text| text.contains("second") && text.ends_with("\n\n")).await;
    assert!(!text.contains("first"), "{text}");
    let mut all = get(&house, "/v1/decisions/stream?after=-").send().await.unwrap();
    let text = read(&mut all, |text| text.contains("second") && text.ends_with("\n\n")).await;
    assert_eq!(text.matches("event: decision").count(), 3, "{text}");
    assert_eq!(get(&house, "/v1/decisions/stream?after=nonsense").send().await.unwrap().status(), 400);
    house.shutdown.cancel();
    let end = async { while all.chunk().await.unwrap().is_some() {} };
    timeout(Duration::from_secs(10), end).await.expect("it ends with Weir");
}
