//! Rejects are listed, shown and replayed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use decode::{Decoded, decode};
use log::{Append, Record, RecordKind, Route, Start, Stored, Topic};
use model::{Millis, Offset, PartitionId, Timestamp};
use policy::Policy;
use scoring::{Effect, Fold, Input, MemoryStore, Partition};
use serde_json::{Value, json};

use crate::house::{House, NOW};

const AS_ANA: &str = r#"{"by":"ana","reason":"mended"}"#;

pub(crate) fn event(id: &str, at: Timestamp) -> String {
    let at = at.seconds();
    json!({"event": "delivered", "timestamp": at, "sg_event_id": id, "sg_message_id": id, "email": "jo@example.org",
        "customer_id": "acme"})
    .to_string()
}

pub(crate) async fn rejected(house: &House, source: &str, at: Timestamp, value: &str) {
    let key = Bytes::copy_from_slice(source.as_bytes());
    let headers = [("source", key.clone()), ("reason", Bytes::from_static(b"it is no JSON object"))];
    let headers = headers.map(|(name, value)| (Box::from(name), value));
    let value = Bytes::copy_from_slice(value.as_bytes());
    let record = Record { kind: RecordKind::Output, at, key, headers: Arc::new(headers), value };
    let append = Append { topic: Topic::Rejects, route: Route::ByKey, record };
    house.log.producer().append(vec![append]).await.unwrap();
}

fn events(house: &House) -> Vec<Stored> {
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut all = Vec::new();
    while !tail.caught_up() {
        all.extend(tail.next(Duration::ZERO).unwrap());
    }
    all
}

async fn ids(house: &House, path: &str) -> Vec<String> {
    let (status, page) = house.get(path).await;
    assert_eq!(status, 200, "{page}");
    page["rejects"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_are_listed_page_by_page_the_newest_first() {
    let house = House::new().await;
    for number in 0..250 {
        let source = ["main", "second", "third"][number % 3];
        let at = NOW - Millis::minutes(250 - i64::try_from(number).unwrap());
        rejected(&house, source, at, &format!(r#"{{"email":"jo@example.org","n":{number}}}"#)).await;
    }
    let (mut path, mut seen) = ("/v1/rejects?limit=40".to_owned(), Vec::new());
    loop {
        let (status, page) = house.get(&path).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(page["rejects"].as_array().unwrap().iter().map(|one| {
            assert_eq!(one["bytes"], one["excerpt"].as_str().unwrap().replace("<address>", "\"jo@example.org\"").len());
            one["at"].as_str().unwrap().parse::<Timestamp>().unwrap()
        }));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/rejects?limit=40&after={next}");
    }
    let expected: Vec<_> = (1..=250).map(|minutes| NOW - Millis::minutes(minutes)).collect();
    assert_eq!(seen, expected);
    assert_eq!(ids(&house, "/v1/rejects?source=second").await.len(), 83);
    let since = (NOW - Millis::minutes(30)).to_string();
    assert_eq!(ids(&house, &format!("/v1/rejects?source=main&since={since}")).await.len(), 10);
    assert_eq!(ids(&house, "/v1/rejects?source=nobody").await.len(), 0);
    assert_eq!(house.get("/v1/rejects?after=nonsense").await.0, 400);
    assert_eq!(house.get("/v1/rejects?limit=0").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reject_is_shown_whole() {
    let house = House::new().await;
    let value = format!("{{\"email\":\"jo@example.org\",\"x\":\"{}\u{1}\"}}", "y".repeat(5_000));
    rejected(&house, "main", NOW, &value).await;
    let id = ids(&house, "/v1/rejects").await.remove(0);
    let (status, reject) = house.get(&format!("/v1/rejects/{id}")).await;
    assert_eq!((status, reject["text"].as_str()), (200, Some(value.as_str())));
    assert_eq!((&reject["source"], &reject["reason"]), (&json!("main"), &json!("it is no JSON object")));
    assert!(reject["base64"].as_str().unwrap().starts_with("eyJlbWFpbCI6"), "{reject}");
    for (wrong, status) in [("0-99999", 404), ("1-99999", 404), ("77-0", 404), ("nonsense", 400)] {
        assert_eq!(house.get(&format!("/v1/rejects/{wrong}")).await.0, status, "{wrong}");
    }
}

/// How many events of the log a fold counts.
fn counted(house: &House) -> (usize, usize) {
    let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
    let mut fold = Fold::new(policy, PartitionId::new(0), Partition::default());
    fold.begin_at(NOW);
    let (mut store, mut counted, mut copies) = (MemoryStore::default(), 0, 0);
    for (number, stored) in events(house).iter().enumerate() {
        let Decoded::Event(customer, event) = decode(stored) else { panic!("{stored:?}") };
        assert_eq!(customer.as_str(), "acme");
        let input = Input::Event(&customer, &event.to_event(), stored.record.at);
        let Ok(applied) = fold.apply(&mut store, Offset::new(u64::try_from(number).unwrap()), input);
        match applied.effect {
            Effect::Counted(_) => counted += 1,
            Effect::Duplicate => copies += 1,
            other => panic!("{other:?}"),
        }
    }
    (counted, copies)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_readable_by_now_is_appended_and_counts_once_however_often_it_is_replayed() {
    let house = House::new().await;
    let (one, two) = (event("one", NOW), event("two", NOW));
    rejected(&house, "main", NOW, &format!(r#"[{one},{{"Key":"email"}},{two}]"#)).await;
    let id = ids(&house, "/v1/rejects").await.remove(0);
    let path = format!("/v1/rejects/{id}/replay");
    for _ in 0..2 {
        let (status, answer) = house.post(&path, AS_ANA).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!((&answer["rejects"], &answer["events"], &answer["unreadable"]), (&json!(1), &json!(2), &json!(1)));
        let still = json!([{"id": id, "unreadable": 1, "reason": "`event` is missing or no text"}]);
        assert_eq!((&answer["still"], &answer["next"]), (&still, &Value::Null));
    }
    let appended = events(&house);
    assert_eq!(appended[0].record.value, one);
    assert_eq!(appended[0].record.header("source"), Some(&Bytes::from_static(b"main")));
    assert_eq!(counted(&house), (2, 2), "copies are known by their id");
    let acts = house.until("/v1/activity", |answer| answer["acts"][0]["type"] == "replay").await;
    let act = &acts["acts"][0];
    assert_eq!((&act["by"], &act["source"], &act["events"]), (&json!("ana"), &json!("main"), &json!(2)), "{act}");
    assert_eq!(ids(&house, "/v1/rejects").await, [id], "it stays among the rejects");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_source_within_a_time_are_replayed_step_by_step() {
    let house = House::new().await;
    for minutes in 0..10 {
        let at = NOW - Millis::minutes(minutes);
        rejected(&house, "main", at, &event(&format!("e{minutes}"), at)).await;
        rejected(&house, "second", at, &event(&format!("s{minutes}"), at)).await;
    }
    rejected(&house, "main", NOW, &event("old", NOW - Millis::hours(80))).await;
    let since = (NOW - Millis::minutes(8)).to_string();
    let mut wish = json!({"source": "main", "since": since, "until": NOW.to_string(), "by": "ana", "reason": "mended",
        "limit": 3, "dry_run": true});
    let (status, answer) = house.post("/v1/rejects/replay", &wish.to_string()).await;
    assert_eq!((status, &answer["events"]), (200, &json!(3)), "{answer}");
    assert_eq!(events(&house).len(), 0, "it was only told");
    wish["dry_run"] = json!(false);
    let mut steps = 0;
    loop {
        let (status, answer) = house.post("/v1/rejects/replay", &wish.to_string()).await;
        assert_eq!(status, 200, "{answer}");
        steps += 1;
        if answer["next"].is_null() {
            break;
        }
        wish["after"] = answer["next"].clone();
    }
    assert_eq!((steps, counted(&house)), (3, (8, 0)));
    let whole = json!({"source": "main", "since": NOW.to_string(), "by": "ana", "reason": "mended"});
    let (_, answer) = house.post("/v1/rejects/replay", &whole.to_string()).await;
    assert_eq!((&answer["events"], &answer["too_old"]), (&json!(2), &json!(1)), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_refused_with_what_to_do() {
    let house = House::new().await;
    rejected(&house, "second", NOW, &event("one", NOW)).await;
    let id = ids(&house, "/v1/rejects").await.remove(0);
    let (status, problem) = house.post(&format!("/v1/rejects/{id}/replay"), AS_ANA).await;
    assert_eq!(status, 404, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("source \"second\" is not in this process's configuration, it has main"), "{detail}");
    for (body, status) in [
        (r#"{"by":"ana","reason":" "}"#, 400),
        (r#"{"reason":"mended"}"#, 400),
        (r#"{"by":"ana","reason":"mended","source":"main"}"#, 400),
    ] {
        let (found, problem) = house.post(&format!("/v1/rejects/{id}/replay"), body).await;
        assert!(found == status || found == 422, "{body}: {problem}");
    }
    assert_eq!(house.post("/v1/rejects/0-77/replay", AS_ANA).await.0, 404);
    assert_eq!(events(&house).len(), 0);
}
