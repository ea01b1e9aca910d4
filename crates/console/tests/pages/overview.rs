//! The overview: what has to be known first.

use log::Topic;
use model::{CompletenessReport, Counter, Day, Decision, DecisionId, Figure, MailAccount, Millis, Mode, Stage};

use super::activity::waits;
use super::browser::{Browser, location};
use crate::house::*;

/// A report of the day so many days ago.
async fn compared(house: &House, account: &str, days_ago: u32, weir: u64) {
    let report = CompletenessReport {
        account: MailAccount::parse(account).unwrap(),
        sources: vec!["main".to_owned()],
        day: Day::of(NOW).before(days_ago),
        compared_at: NOW,
        figures: vec![Figure::new(Counter::Delivered, 100, weir)],
        missing_hours: Vec::new(),
    };
    house.put(Topic::Enforcement, &report.key().to_string(), serde_json::to_value(&report).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_no_event_is_lost_is_said_only_where_each_account_was_compared_of_late() {
    let house = House::new().await;
    compared(&house, "parent", 6, 100).await;
    house.look_until("/", |page| page.words().contains("Not known since 2026-09-15 parent not compared since")).await;
    compared(&house, "parent", 1, 100).await;
    house.look_until("/", |page| page.words().contains("No: 2026-09-20 is complete")).await;
    for (account, days_ago) in [("subuser:acme", 3), ("subuser:shop", 2), ("subuser:shop", 1)] {
        compared(&house, account, days_ago, 100).await;
    }
    let told = "Not known since 2026-09-18 subuser:acme not compared since";
    house.look_until("/", |page| page.words().contains(told)).await;
    compared(&house, "subuser:acme", 1, 90).await;
    house.look_until("/", |page| page.words().contains("Yes: 10.00 % of 2026-09-20")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_only_said_is_not_told_as_done() {
    let house = House::new().await;
    house.decided("acme", 1).await;
    house.look_until("/", |page| page.words().contains("1 up, 0 down in the last hour")).await;
    let decision = house.commanded("shop").await;
    let said = Decision { id: DecisionId::from_bits(7), mode: Mode::Shadow, to: Stage::Banned, ..decision };
    let said = Decision { at: NOW - Millis::minutes(1), ..said };
    house.put(Topic::Decisions, "shop", serde_json::to_value(&said).unwrap()).await;
    house.look_until("/", |page| page.words().contains("2 up, 0 down 1 only said, in the last hour")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_told_apart_a_form_asks_for_a_name_and_signs_with_it() {
    let house = House::new().await;
    let page = house.look("/").await;
    assert!(page.words().contains("Your name") && page.has("name=\"by\" required"), "{}", page.text);
    let csrf = page.field("csrf");
    let form = [("csrf", csrf.as_str()), ("reason", "why")];
    for by in [None, Some("  ")] {
        let signed: Vec<_> = form.into_iter().chain(by.map(|by| ("by", by))).collect();
        let refused = house.send("/enforcement/pause", &signed).await;
        assert_eq!(refused.status, 400, "{by:?}: {}", refused.words());
    }
    assert_eq!(house.send("/enforcement/pause", &[&form[..], &[("by", "eve")]].concat()).await.status, 303);
    house.look_until("/", |page| page.words().contains("Enforcement is paused. By eve since")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_known_is_asked_for_no_name_and_signs_as_nobody_else() {
    let house = House::guarded().await;
    let browser = Browser::signed_in(&house, "operator").await;
    let page = browser.read("/").await;
    page.lacks(&["Your name", "name=\"by\""]);
    let form = [("by", "somebody else"), ("reason", "why")];
    assert_eq!(browser.submit(&page, "/enforcement/pause", &form).await.status(), 303);
    browser.until("/", "By <bdi>operator</bdi>").await.lacks(&["somebody else"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_answered_here_and_the_answer_leads_back_here() {
    let house = House::guarded().await;
    waits(&house, "acme", &DecisionId::from_bits(9)).await;
    let approver = Browser::signed_in(&house, "approver").await;
    let page = approver.until("/", "Approve").await;
    let sent = approver.submit(&page, "/customers/acme/answer", &[("answer", "reject"), ("reason", "no")]).await;
    assert_eq!((sent.status().as_u16(), location(&sent)), (303, "/?done=rejected"));
}
