//! Customers, and what mailers are told.

use std::time::Duration;

use log::{RecordKind, Start, Topic};
use model::{EnforcerMode, Stage};
use serde_json::{Value, json};

use crate::house::*;

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_listed_worst_first_by_stage_and_by_page() {
    let house = House::new().await;
    for (name, stage) in
        [("a", Stage::Healthy), ("b", Stage::Suspended), ("c", Stage::Watch), ("d", Stage::Quarantined)]
    {
        house.stands(name, stage, None).await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let customers = answer["customers"].as_array().unwrap();
        customers.iter().map(|customer| customer["customer"].as_str().unwrap().to_owned()).collect()
    };
    let all = house.until("/v1/customers", |answer| names(answer).len() == 4).await;
    assert_eq!(names(&all), ["b", "d", "c", "a"]);
    assert_eq!(names(&house.get("/v1/customers?stage=watch").await.1), ["c"]);
    let page = house.get("/v1/customers?limit=3").await.1;
    let next = page["next"].as_str().unwrap();
    assert_eq!(names(&page), ["b", "d", "c"]);
    assert_eq!(names(&house.get(&format!("/v1/customers?limit=3&after={next}")).await.1), ["a"]);
    house.stands("b", Stage::Healthy, None).await;
    house.until("/v1/customers?stage=suspended", |answer| names(answer).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailer_is_told_the_pool_and_what_is_left_of_the_cap() {
    let house = House::new().await;
    house.stands("free", Stage::Healthy, None).await;
    let sends = house.until("/v1/customers/free/route", |answer| answer["status"] != 503).await;
    let free = json!({ "ip_pool_name": "good-1", "stage": "healthy", "sending": "free", "daily_cap": null, "remaining_today": null });
    assert_eq!(sends, free);
    house.stands("acme", Stage::Throttled, Some(100)).await;
    let capped = house.until("/v1/customers/acme/route", |answer| answer["stage"] == "throttled").await;
    assert_eq!((&capped["daily_cap"], &capped["remaining_today"]), (&json!(100), &json!(70)));
    house.stands("acme", Stage::Suspended, None).await;
    let stopped = house.until("/v1/customers/acme/route", |answer| answer["stage"] == "suspended").await;
    assert_eq!((&stopped["ip_pool_name"], &stopped["remaining_today"]), (&json!("quarantine"), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_shadow_the_mailer_is_told_to_send_everybody_as_before() {
    let house = House::in_mode(EnforcerMode::Shadow).await;
    house.stands("acme", Stage::Quarantined, Some(5)).await;
    let told = house.until("/v1/customers/acme/route", |answer| answer["stage"] == "quarantined").await;
    let free = json!({ "ip_pool_name": "good-1", "stage": "quarantined", "sending": "free", "daily_cap": null, "remaining_today": null });
    assert_eq!(told, free);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_shown_with_counts_and_history() {
    let house = House::new().await;
    house.decided("acme", 1).await;
    let acme = house.until("/v1/customers/acme", |answer| answer["history"] != json!([])).await;
    assert_eq!(acme["windows"]["24h"]["processed"], 30);
    assert_eq!((&acme["stage"], &acme["history"][0]["rule"]), (&json!("throttled"), &json!("test")));
    let (status, problem) = house.get("/v1/customers/nobody").await;
    assert_eq!((status, &problem["status"]), (404, &json!(404)));
    assert!(problem["detail"].as_str().unwrap().contains("nobody"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_goes_to_the_log_with_its_author_and_a_bad_one_does_not() {
    let house = House::new().await;
    let path = "/v1/customers/acme/commands";
    for (body, word) in [
        ("{", "JSON"),
        (r#"{"type":"obliterate","reason":"x","by":"ana"}"#, "obliterate"),
        (r#"{"type":"hold","reason":"","by":"ana"}"#, "reason"),
        (r#"{"type":"hold","reason":"x","by":" "}"#, "by"),
        (r#"{"type":"set_stage","reason":"x","by":"ana"}"#, "stage"),
        (
            r#"{"type":"undo","stage":"healthy","since":"2026-09-01T00:00:00Z","reason":"x","by":"ana"}"#,
            "POST /v1/undo",
        ),
    ] {
        let (status, problem) = house.post(path, body).await;
        assert_eq!(status, 400, "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    let longest = json!({"reason": "ß".repeat(500), "by": "ä".repeat(200)}).to_string();
    assert_eq!(house.post("/v1/enforcer/pause", &longest).await.0, 202);
    let long = [("reason", "r".repeat(501), "ana".to_owned()), ("by", "r".to_owned(), "a".repeat(201))];
    for (word, reason, by) in long {
        let order = json!({"type": "hold", "reason": reason, "by": by}).to_string();
        let others = json!({"reason": reason, "by": by}).to_string();
        let wish = json!({"rule": "any", "since": NOW, "reason": reason, "by": by}).to_string();
        for (path, body) in [(path, order), ("/v1/enforcer/pause", others), ("/v1/undo", wish)] {
            let (status, problem) = house.post(path, &body).await;
            assert_eq!(status, 400, "{path} {word}");
            assert!(problem["detail"].as_str().unwrap().contains(&format!("`{word}` is longer")), "{problem}");
        }
    }
    assert_eq!(house.post("/v1/customers/a%00b/commands", r#"{"type":"hold","reason":"x","by":"ana"}"#).await.0, 400);
    let good = r#"{"type":"set_stage","stage":"suspended","reason":"phishing","by":"ana"}"#;
    assert_eq!(house.post(path, good).await.0, 202);
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    let records = tail.next(Duration::ZERO).unwrap();
    assert_eq!(records.len(), 1, "the bad ones left nothing");
    assert_eq!((records[0].record.kind, records[0].record.key.as_ref()), (RecordKind::Command, b"acme".as_slice()));
    let written = good.replace('}', r#","role":"approver"}"#);
    assert_eq!(records[0].record.value, written);
}
