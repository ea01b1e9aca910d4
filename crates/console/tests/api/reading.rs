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
    assert_eq!(put(&format!("\"another\", {tag}")).await, 200, "one of several");
    assert_eq!(put(&tag).await, 412, "it is replaced by then, whether or not the scorer has read it");
    assert_eq!(put("*").await, 200, "whichever it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_looked_at_the_same_policy_one_replaces_it() {
    let house = House::new().await;
    let tag = get(&house, "/v1/policy").send().await.unwrap().headers()["etag"].to_str().unwrap().to_owned();
    let put = async |number: u32| {
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("http://{}/v1/policy?by=ana&reason=test", house.address));
        let request = request.header("if-match", &tag).body(crate::house::policy_text(number));
        request.send().await.unwrap().status().as_u16()
    };
    let (a, b, c) = tokio::join!(put(2), put(3), put(4));
    let mut statuses = [a, b, c];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_answer_by_any_of_its_tags_is_not_sent_it_again() {
    let house = House::new().await;
    for path in ["/v1/fleet", "/v1/pools", "/v1/policy", "/v1/customers", "/v1/openapi.json", "/v1/approvals"] {
        let tag = get(&house, path).send().await.unwrap().headers()["etag"].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let answer = get(&house, path).header("if-none-match", &known).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), &answer.headers()["etag"]), (304, &tag.parse().unwrap()), "{path}");
        }
        for other in ["\"x\"", "", "W/\"x\"", "nonsense"] {
            let answer = get(&house, path).header("if-none-match", other).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path} {other}");
        }
    }
    let missing = get(&house, "/v1/customers/nobody").header("if-none-match", "*").send().await.unwrap();
    assert_eq!(missing.status(), 404, "a refusal is told in any case");
    assert!(!missing.headers().contains_key("etag"));
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
    let stale = get(&house, "/v1/decisions/stream?after=nonsense").header("last-event-id", &last);
    assert_eq!(stale.send().await.unwrap().status(), 200, "where it was cut off goes before where it began");
    house.shutdown.cancel();
    let end = async { while all.chunk().await.unwrap().is_some() {} };
    timeout(Duration::from_secs(10), end).await.expect("it ends with Weir");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_off_anywhere_tells_each_decision_once() {
    const DECISIONS: usize = 300;
    let house = House::new().await;
    house.decided_often(0..300).await;
    let mut last = "-".to_owned();
    let mut seen = Vec::new();
    while seen.len() < DECISIONS {
        let mut stream = get(&house, "/v1/decisions/stream").header("last-event-id", &last).send().await.unwrap();
        // Cut off in the middle of something: what is not told to its end is told again.
        let begun = (seen.len() % 7).min(DECISIONS - seen.len() - 1);
        let text = read(&mut stream, |text| text.matches("event: decision").count() > begun).await;
        drop(stream);
        let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
        for event in whole.split("\n\n") {
            let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let Some(data) = line("data: ") {
                let decision: Value = serde_json::from_str(&data).unwrap();
                seen.push(decision["id"].as_str().unwrap().to_owned());
            }
            last = line("id: ").unwrap_or(last);
        }
    }
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (DECISIONS, DECISIONS));
}

/// How many decisions were read, as a stream that begins now says.
async fn read_so_far(house: &House) -> u64 {
    let opened =
        read(&mut get(house, "/v1/decisions/stream").send().await.unwrap(), |text| text.contains("\n\n")).await;
    let id = ids(&opened).pop().unwrap();
    id.split(',').filter_map(|part| part.split_once(':')?.1.parse::<u64>().ok()).map(|offset| offset + 1).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_to_a_stream_too_late_is_told_that_some_are_missing() {
    let house = House::new().await;
    house.decided("first", 20_000).await;
    house.until("/v1/decisions", |answer| answer["decisions"] != serde_json::json!([])).await;
    let opened =
        read(&mut get(&house, "/v1/decisions/stream").send().await.unwrap(), |text| text.contains("\n\n")).await;
    let last = ids(&opened).pop().unwrap();
    house.decided_often(0..11_000).await;
    while read_so_far(&house).await < 11_001 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut stream = get(&house, "/v1/decisions/stream").header("last-event-id", &last).send().await.unwrap();
    let text = read(&mut stream, |text| text.contains("event: decision")).await;
    assert!(text.find("event: gap").unwrap() < text.find("event: decision").unwrap(), "{text}");
    assert_eq!(text.matches("event: gap").count(), 1);
    let page = house.get(&format!("/v1/decisions?limit=2&after={last}")).await.1;
    assert_eq!((&page["gap"], page["decisions"].as_array().unwrap().len()), (&Value::Bool(true), 2), "{page}");
    for after in ["", page["next"].as_str().unwrap()] {
        let page = house.get(&format!("/v1/decisions?limit=2&after={after}")).await.1;
        assert_eq!(page["gap"], false, "nothing behind {after:?} is missing: {page}");
    }
}
