//! Health, enforcement and completeness.

use console::Unavailable;
use log::Topic;
use model::{
    CaseView, CompletenessReport, Counter, CustomerId, Day, DecisionId, EnforcementKey, EnforcerMode, Figure, Held,
    HeldWhy, MailAccount, Millis, Stage,
};
use serde_json::{Value, json};

use crate::house::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_a_scorer_says_whom_to_ask() {
    let house = House::asking(EnforcerMode::Enforce, || Err(Unavailable::NoScorer)).await;
    let (status, problem) = house.get("/v1/policy").await;
    assert_eq!(status, 421, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("the roles scorer and console"), "{problem}");
    let house = House::asking(EnforcerMode::Enforce, || Err(Unavailable::Busy)).await;
    let (status, problem) = house.get("/v1/policy").await;
    assert_eq!(status, 503, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("try again"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_are_told_apart() {
    let house = House::new().await;
    assert_eq!(house.get("/healthz").await.0, 200);
    assert_eq!(house.get("/readyz").await.0, 503);
    house.ready.set(true);
    assert_eq!(house.get("/readyz").await.0, 200);
    assert_eq!(house.get("/metrics").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_read_yet_is_not_said_not_to_be_there() {
    let house = House::starting().await;
    let word = r#"{"answer": "approve", "by": "ann", "reason": "a test"}"#;
    let wish = r#"{"rule": "any", "since": "2026-09-01T00:00:00Z", "by": "ann", "reason": "a test"}"#;
    for (status, problem) in [
        house.get("/v1/approvals").await,
        house.post("/v1/approvals/acme", word).await,
        house.post("/v1/undo", wish).await,
        house.get("/v1/decisions").await,
        house.get("/v1/decisions/stream").await,
    ] {
        assert_eq!(status, 503, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("Weir is starting"), "{problem}");
    }
    house.ready.set(true);
    let (status, told) = house.get("/readyz").await;
    assert_eq!((status, told.as_str().unwrap()), (503, "not ready: the console has not read the log to its end yet\n"));
    let (status, page) = house.get("/customers").await;
    assert_eq!(status, 200);
    assert!(page.as_str().unwrap().contains("figures and lists are not whole yet"), "{page}");
    let (_, page) = House::new().await.get("/customers").await;
    assert!(!page.as_str().unwrap().contains("Weir is starting"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_comparisons_with_sendgrid_found_is_told_by_day() {
    let house = House::new().await;
    let put = async |days: u32, weir: u64| {
        let report = CompletenessReport {
            account: MailAccount::of(Some("acme")),
            sources: vec!["acme".to_owned()],
            day: Day::of(NOW).before(days),
            compared_at: NOW,
            figures: vec![Figure::new(Counter::Delivered, 100, weir)],
            missing_hours: Vec::new(),
        };
        let value = serde_json::to_value(&report).unwrap();
        house.put(Topic::Enforcement, &report.key().to_string(), value.clone()).await;
        value
    };
    put(1, 80).await;
    let (latest, older) = (put(1, 90).await, put(7, 100).await);
    put(8, 100).await;
    let reports = |answer: &Value| answer["reports"].as_array().unwrap().clone();
    let answer = house.until("/v1/completeness?days=8", |answer| reports(answer).len() == 3).await;
    assert_eq!(reports(&answer)[1..], [older.clone(), latest.clone()]);
    assert_eq!(reports(&answer)[2]["figures"][0]["gap"], 10);
    assert_eq!(house.get("/v1/completeness").await, (200, json!({ "reports": [older, latest] })));
    assert_eq!(house.get("/v1/completeness?days=0").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_told_and_an_answer_that_comes_too_late_is_refused() {
    let house = House::new().await;
    let decision = DecisionId::from_bits(7);
    for (name, expires) in [("early", NOW), ("late", NOW - Millis::seconds(1))] {
        let held = Held {
            why: HeldWhy::Approval,
            reason: "a person has to approve it".to_owned(),
            decision: Some(decision.clone()),
            since: NOW - Millis::hours(1),
            expires: Some(expires),
        };
        let customer = CustomerId::new(name).unwrap();
        let case = CaseView { customer: customer.clone(), stage: Stage::Throttled, held: Some(held), in_force: None };
        let key = EnforcementKey::Case(customer).to_string();
        house.put(Topic::Enforcement, &key, serde_json::to_value(&case).unwrap()).await;
    }
    house.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == 2)).await;
    let word = r#"{"answer": "approve", "by": "ann", "reason": "a bought list"}"#;
    let (status, answer) = house.post("/v1/approvals/early", word).await;
    assert_eq!((status, answer), (202, json!({ "accepted": true, "stage": "throttled", "decision": decision })));
    let (status, problem) = house.post("/v1/approvals/late", word).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("could be answered until 2026-09-21T14:13:19Z"), "{problem}");
}
