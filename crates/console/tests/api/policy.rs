//! The policy.

use std::time::Duration;

use bytes::Bytes;
use console::Unavailable;
use log::{RecordKind, Start, Topic};
use model::{
    Counter, Counts, EnforcerMode, Fleet, FleetCounts, Millis, PolicyChange, PolicyInForce, PolicyOrigin, PolicyView,
    Provider, Window,
};
use policy::Policy;
use serde_json::{Value, json};

use crate::house::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_goes_to_every_partition_with_its_author() {
    let house = House::new().await;
    let text = policy_text(2);
    let (status, answer) = house.post("/v1/policy?by=ana&reason=zu%20streng", &text).await;
    let policy = Policy::parse(&text).unwrap();
    let expected = json!({ "digest": policy.digest(), "rules": policy.rules().len(), "previous": "sha256:before" });
    assert_eq!((status, answer), (200, expected));
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut records = Vec::new();
    while !tail.caught_up() {
        records.extend(tail.next(Duration::ZERO).unwrap());
    }
    let partitions: Vec<_> = records.iter().map(|stored| stored.position.partition.get()).collect();
    assert_eq!(partitions, [0, 1]);
    for record in records.into_iter().map(|stored| stored.record) {
        let headers = ["origin", "by", "reason"].map(|name| record.header(name).unwrap().clone());
        assert_eq!((record.kind, headers), (RecordKind::Policy, ["api", "ana", "zu streng"].map(Bytes::from)));
        assert_eq!((record.at, record.value), (NOW, Bytes::from(text.clone())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsound_policy_is_refused_with_line_and_column_and_leaves_nothing() {
    let house = House::new().await;
    let (good, path) = (policy_text(2), "/v1/policy?by=ana&reason=test");
    let line = good.lines().position(|line| line.starts_with("version = ")).unwrap() + 1;
    let (status, problem) = house.post(path, &good.replacen("version = ", "version = 99", 1)).await;
    assert_eq!(
        (status, &problem["faults"][0]["line"], &problem["faults"][0]["column"]),
        (422, &json!(line), &json!(11))
    );
    assert!(problem["detail"].as_str().unwrap().contains(&format!("line {line}, column 11: ")), "{problem}");

    let other_pool = good.replacen("quarantine = \"quarantine\"", "quarantine = \"elsewhere\"", 1);
    let shadow = good.replacen("mode = \"enforce\"", "mode = \"shadow\"", 1);
    let long = format!("{good}#{}", "x".repeat(300_000));
    for (path, text, status, word) in [
        (path, "rule = [", 422, "line 1"),
        (path, other_pool.as_str(), 422, "restart"),
        (path, shadow.as_str(), 422, "restart"),
        (path, long.as_str(), 413, "length"),
        ("/v1/policy?reason=test", good.as_str(), 400, "by"),
        ("/v1/policy?by=ana&reason=%20", good.as_str(), 400, "reason"),
    ] {
        let (found, problem) = house.post(path, text).await;
        assert_eq!(found, status, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    assert_eq!(tail.next(Duration::ZERO).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_another_process_whose_clock_lags_is_replaced_like_any_other() {
    let house = House::told_by_its_log().await;
    let put = async |tag: &str| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("http://{}/v1/policy?by=ana&reason=test", house.address));
        request.header("if-match", tag).body(policy_text(4)).send().await.unwrap().status()
    };
    assert_eq!(house.post("/v1/policy?by=ana&reason=test", &policy_text(2)).await.0, 200);
    let change = PolicyChange { origin: PolicyOrigin::Api, by: "bob".to_owned(), reason: "r".to_owned(), file: None };
    let record = decode::policy_record(NOW - Millis::seconds(2), &change, policy_text(3));
    house.log.producer().append(house.log.partitions().to_each(Topic::Events, &record)).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let shown = client.get(format!("http://{}/v1/policy", house.address)).send().await.unwrap();
    assert_eq!(put(shown.headers()["etag"].to_str().unwrap()).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_in_force_is_shown_with_its_author() {
    let house = House::new().await;
    let (status, shown) = house.get("/v1/policy").await;
    let expected = json!({
        "digest": "sha256:before", "origin": "file", "by": "weir", "reason": "another file", "since": NOW,
        "text": policy_text(1),
    });
    assert_eq!((status, shown), (200, expected));
}

/// The default policy with a limit of 1 % where it has one of 5 %.
fn with_a_strict_limit() -> String {
    let (rules, limits) = policy::DEFAULT.split_once("[[limit]]").unwrap();
    format!("{rules}[[limit]]{}", limits.replacen("enter = \"5 %\"", "enter = \"1 %\"", 1))
}

/// What the scorer tells where no record has put a policy in force.
fn none_on_the_log() -> PolicyView {
    PolicyView { digest: Policy::parse(&policy_text(1)).unwrap().digest().to_owned(), record: None }
}

fn in_force_by_record(text: String) -> PolicyView {
    let digest = Policy::parse(&text).unwrap().digest().to_owned();
    let record = in_force().record.map(|record| PolicyInForce { text, ..record });
    PolicyView { digest, record }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_those_of_the_policy_in_force_and_nobodys_where_nobody_tells_it() {
    let mut counts = Counts::ZERO;
    counts[Counter::Processed] = 10_000;
    counts[Counter::HardBounce] = 200;
    let counts = FleetCounts { providers: [(Provider::Other, counts)].into(), ..FleetCounts::default() };
    let share = Fleet { windows: [(Window::Day, counts)].into(), ..Fleet::default() };
    for (tells, expected) in [
        ((|| Ok(in_force_by_record(with_a_strict_limit()))) as fn() -> _, json!([["account-bounces", 0.01]])),
        (|| Ok(none_on_the_log()), json!([])),
        (|| Err(Unavailable::Busy), Value::Null),
        (|| Err(Unavailable::NoScorer), Value::Null),
    ] {
        let house = House::asking(EnforcerMode::Enforce, tells).await;
        house.put(Topic::Fleet, "0", serde_json::to_value(&share).unwrap()).await;
        let fleet = house.until("/v1/fleet", |answer| answer["windows"] != json!({})).await;
        let limit = |limit: &Value| json!([limit["name"], limit["limit"]]);
        let limits = fleet["limits"].as_array().map(|limits| limits.iter().map(limit).collect());
        assert_eq!(limits.map_or(Value::Null, Value::Array), expected, "{fleet}");
        assert!(fleet["ranking"].is_array(), "{fleet}");
    }
}
