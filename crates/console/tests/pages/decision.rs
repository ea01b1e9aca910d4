//! A decision's page.

use log::Topic;
use model::{DecisionId, Millis};

use super::browser::Browser;
use crate::house::{House, NOW};

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_told_in_words_and_checked_against_the_log() {
    let house = House::guarded().await;
    let decision = house.commanded("acme").await;
    let path = format!("/decisions/{}", decision.id);
    let browser = Browser::signed_in(&house, "viewer").await;
    let page = browser.until(&path, "put the customer to suspended").await;
    assert_eq!(page.status, 200);
    page.holds(&[
        "acme was moved from healthy to suspended",
        "ana gave the command",
        "The reason given: phishing",
        "the command <code>release</code> brings it one stage down",
        "Derived again from the log: the same, byte for byte",
        "href=\"/customers/acme\"",
        &decision.policy,
        "</html>",
    ]);
    for unknown in [DecisionId::from_bits(7).to_string(), "nonsense".to_owned()] {
        let page = browser.read(&format!("/decisions/{unknown}")).await;
        assert_eq!(page.status, 404, "{unknown}");
        page.holds(&["<h1>"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_can_no_longer_be_checked_is_still_told() {
    let house = House::guarded().await;
    let decision = house.commanded("acme").await;
    house.embedded.maintain(NOW + Millis::days(46)).unwrap();
    house.put(Topic::Decisions, "acme", serde_json::to_value(&decision).unwrap()).await;
    let browser = Browser::signed_in(&house, "viewer").await;
    let page = browser.until(&format!("/decisions/{}", decision.id), "The reason given: phishing").await;
    page.holds(&["Not checked.", "the log begins at 1"]);
}
