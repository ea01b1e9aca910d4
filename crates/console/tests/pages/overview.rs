//! The overview: what has to be known first.

use log::Topic;
use model::{CompletenessReport, Counter, Day, Decision, DecisionId, Figure, MailAccount, Millis, Mode, Stage};

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
