//! Decisions, and why they were made.

use std::sync::Arc;
use std::time::Duration;

use console::{ExplainError, Explainer};
use log::Topic;
use model::{DecisionId, Millis};
use policy::Policy;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::house::*;

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_followed_without_gap_or_repeat() {
    let house = House::new().await;
    for number in 0..5 {
        house.decided(&format!("c{number}"), number).await;
    }
    let count = |answer: &Value| answer["decisions"].as_array().map_or(0, Vec::len);
    house.until("/v1/decisions", |answer| count(answer) == 5).await;
    let (mut after, mut ids) = (String::new(), Vec::new());
    for _ in 0..3 {
        let (_, page) = house.get(&format!("/v1/decisions?limit=2&after={after}")).await;
        ids.extend(page["decisions"].as_array().unwrap().iter().map(|decision| decision["id"].to_string()));
        after = page["next"].as_str().unwrap().to_owned();
    }
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (5, 5));

    let path = format!("/v1/decisions?wait=10&after={after}");
    let (waited, ()) = tokio::join!(house.get(&path), house.decided("new", 9));
    assert_eq!(waited.1["decisions"][0]["customer"], "new");
    assert_eq!(house.get("/v1/decisions?after=nonsense").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_explained_from_the_log_and_one_that_is_not_there_is_not() {
    let house = House::new().await;
    let id = house.commanded("acme").await.id;
    let (status, explanation) = house.get(&format!("/v1/decisions/{id}/explanation")).await;
    assert_eq!((status, &explanation["derived"]), (200, &json!({ "outcome": "same" })), "{explanation}");
    assert_eq!((&explanation["decision"]["id"], &explanation["recount"]), (&json!(id.as_str()), &Value::Null));
    assert!(explanation["headline"].as_str().unwrap().contains("ana's command `set_stage`"), "{explanation}");

    let unknown = DecisionId::from_bits(7);
    let (status, problem) = house.get(&format!("/v1/decisions/{unknown}/explanation")).await;
    assert_eq!(status, 404, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(unknown.as_str()));
    assert_eq!(house.get("/v1/decisions/nonsense/explanation").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_ends_with_weir_and_one_that_takes_too_long_says_what_to_do() {
    let house = House::new().await;
    let id = house.commanded("acme").await.id;
    let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
    let hurried = Explainer::new(Arc::clone(&house.log), Arc::clone(&policy), Duration::ZERO);
    let error = hurried.explain(&id).unwrap_err().to_string();
    assert!(error.contains(&format!("`weir explain {id}`")), "{error}");
    let ending = CancellationToken::new();
    ending.cancel();
    let ending = Explainer::new(Arc::clone(&house.log), policy, PATIENCE).until(ending);
    assert!(matches!(ending.explain(&id), Err(ExplainError::Ending)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_whose_record_retention_has_dropped_is_said_to_be_gone() {
    let house = House::new().await;
    let decision = house.commanded("acme").await;
    house.embedded.maintain(NOW + Millis::days(46)).unwrap();
    // Retention takes the decisions too; a consumer may have put one back, or Kafka keep them longer.
    house.put(Topic::Decisions, "acme", serde_json::to_value(&decision).unwrap()).await;
    let (status, problem) = house.get(&format!("/v1/decisions/{}/explanation", decision.id)).await;
    assert_eq!(status, 410, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("the log begins at 1"), "{problem}");
}
