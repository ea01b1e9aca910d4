//! What Weir has is held against what SendGrid has counted: a real log, real posts to a real receiver, and a simulated SendGrid
//! that is asked over HTTP.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod house;
mod mail;

use std::collections::HashSet;

use model::{Counter, MailAccount, Millis};
use sendgrid::api::Days;
use serde_json::Value;
use simulator::platform::{Gate, Platform, Scenario};

use house::{ACME, House, MAIN, day, until};
use mail::{Mail, hour};

/// A day of both accounts' mail, of which the posts are lost that `is_lost` says: by account and hour.
async fn a_day(house: &House, is_lost: impl Fn(Option<&str>, i64) -> bool) -> Vec<(Option<&'static str>, i64, Mail)> {
    let mut lost = Vec::new();
    for number in 0..24 {
        for (account, source) in [(None, MAIN), (Some(ACME), ACME)] {
            let mail = hour(source, number);
            house.happens(account, &mail);
            if is_lost(account, number) {
                lost.push((account, number, mail));
            } else {
                house.post(source, &mail).await;
            }
        }
    }
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn where_every_event_arrived_nothing_is_missing() {
    let mut house = House::new().await;
    house.start().await;
    a_day(&house, |_, _| false).await;
    house.compare_day(day());
    for (account, source) in [(MailAccount::Parent, MAIN), (MailAccount::of(Some(ACME)), ACME)] {
        let report = house.report(&account, day()).await;
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(report.sources, [source]);
        for figure in &report.figures {
            let sent = 24 * u64::from(hour(source, 0).counts()[figure.kind]);
            assert_eq!((figure.sendgrid, figure.weir), (sent, sent), "{figure:?}");
            assert!(house.gap(&account, figure.kind).abs() < f64::EPSILON);
        }
        assert_eq!(house.metric("weir_completeness_missing_hours", &account), Some(0.0));
        let compared = house.metric("weir_completeness_compared_timestamp_seconds", &account).unwrap();
        assert!((compared - mail::seconds(report.compared_at)).abs() < f64::EPSILON);
        assert_eq!(house.metric("weir_completeness_failures_total", &account), Some(0.0));
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gap_is_what_was_lost_and_exactly_its_hours_are_named() {
    let mut house = House::new().await;
    house.start().await;
    let lost = a_day(&house, |account, hour| account.is_none() && [7, 8, 15].contains(&hour)).await;
    house.compare_day(day());
    let report = house.report(&MailAccount::Parent, day()).await;
    for figure in &report.figures {
        let gap: u64 = lost.iter().map(|(_, _, mail)| u64::from(mail.counts()[figure.kind])).sum();
        assert_eq!(figure.gap, i64::try_from(gap).unwrap(), "{figure:?}");
        assert!(gap > 0, "nothing of this kind was lost: {figure:?}");
        assert!((house.gap(&MailAccount::Parent, figure.kind) - 3.0 / 24.0).abs() < 1e-9);
    }
    let hours: Vec<_> = report.missing_hours.iter().map(|missing| missing.hour).collect();
    assert_eq!(hours, [7, 8, 15].map(|hour| day().start() + Millis::hours(hour)));
    for missing in &report.missing_hours {
        let kinds: Vec<_> = missing.fewer.iter().map(|fewer| (fewer.kind, fewer.weir)).collect();
        assert!(missing.silent, "{missing:?}");
        assert_eq!(kinds, [(Counter::HardBounce, 0), (Counter::Block, 0), (Counter::SpamReport, 0)]);
    }
    assert_eq!(house.metric("weir_completeness_missing_hours", &MailAccount::Parent), Some(3.0));
    assert!(!house.kept("completeness:").iter().any(|(_, value)| value.contains('@')), "an address got out");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_an_hours_events_that_is_lost_is_told_by_the_lists() {
    let mut house = House::new().await;
    house.start().await;
    for number in 0..24 {
        let mail = hour(MAIN, number);
        house.happens(None, &mail);
        let bounces = |event: &Value| event["event"] == "bounce";
        house.post(MAIN, &if number == 11 { mail.without(bounces) } else { mail }).await;
    }
    house.compare_day(day());
    let report = house.report(&MailAccount::Parent, day()).await;
    let [missing] = report.missing_hours.as_slice() else { panic!("{report:?}") };
    assert_eq!((missing.hour, missing.silent), (day().start() + Millis::hours(11), false));
    let kinds: Vec<_> = missing.fewer.iter().map(|fewer| (fewer.kind, fewer.weir)).collect();
    assert_eq!(kinds, [(Counter::HardBounce, 0), (Counter::Block, 0)]);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subuser_is_asked_for_on_its_own_behalf() {
    let mut house = House::new().await;
    house.start().await;
    a_day(&house, |account, hour| account == Some(ACME) && hour == 3).await;
    house.compare_day(day());
    assert!(house.report(&MailAccount::Parent, day()).await.is_complete());
    let acme = house.report(&MailAccount::of(Some(ACME)), day()).await;
    let hours: Vec<_> = acme.missing_hours.iter().map(|missing| missing.hour).collect();
    assert_eq!(hours, [day().start() + Millis::hours(3)]);
    let asked: HashSet<_> = house.sendgrid.world().calls().iter().map(|call| call.on_behalf_of.clone()).collect();
    assert_eq!(asked, HashSet::from([None, Some(ACME.to_owned())]));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_counted_once_whatever_their_id() {
    let mut house = House::new().await;
    house.start().await;
    for number in 0..24 {
        let mail = hour(MAIN, number);
        house.happens(None, &mail);
        house.post(MAIN, &mail).await;
        house.post(MAIN, &mail).await;
        house.post(MAIN, &mail.under_new_ids()).await;
    }
    house.compare_day(day());
    let report = house.report(&MailAccount::Parent, day()).await;
    assert!(report.figures.iter().all(|figure| figure.gap == 0), "{report:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_counts_nothing_twice_and_nothing_not_at_all() {
    let mut house = House::new().await;
    house.start().await;
    for number in 0..24 {
        let mail = hour(MAIN, number);
        house.happens(None, &mail);
        match number {
            // Stopped in order; its events come while nobody counts.
            5 => house.stop().await,
            6 => house.start().await,
            // Ended without a word, before and after something was kept.
            9 | 14 => house.crash().await,
            10 | 15 => house.start().await,
            12 => house.is_kept().await,
            _ => {}
        }
        house.post(MAIN, &mail).await;
        if number > 0 {
            // SendGrid repeats itself across all of that.
            house.post(MAIN, &hour(MAIN, number - 1)).await;
        }
    }
    house.stop().await;
    house.start().await;
    house.compare_day(day());
    let report = house.report(&MailAccount::Parent, day()).await;
    assert!(report.is_complete() && report.figures.iter().all(|figure| figure.gap == 0), "{report:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_sendgrid_fails_it_is_told_and_tried_again() {
    let mut house = House::new().await;
    house.start().await;
    a_day(&house, |_, _| false).await;
    house.sendgrid.world().faults.fail_before = 1.0;
    house.compare_day(day());
    let failures = |house: &House| house.metric("weir_completeness_failures_total", &MailAccount::Parent);
    until(async || failures(&house) >= Some(2.0)).await;
    assert_eq!(house.kept("completeness:"), []);
    house.sendgrid.world().faults.fail_before = 0.0;
    assert!(house.report(&MailAccount::Parent, day()).await.is_complete());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missing_and_came_late_is_found_with_the_next_day() {
    let mut house = House::new().await;
    house.start().await;
    let lost = a_day(&house, |account, hour| account.is_none() && hour == 20).await;
    house.compare_day(day());
    let first = house.report(&MailAccount::Parent, day()).await;
    assert!(!first.is_complete());
    for (_, _, mail) in &lost {
        house.post_now(MAIN, mail).await;
    }
    house.compare_day(day().next());
    until(async || house.report(&MailAccount::Parent, day()).await.compared_at > first.compared_at).await;
    let second = house.report(&MailAccount::Parent, day()).await;
    assert!(second.is_complete(), "{second:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_began_before_weir_did_is_not_compared() {
    let mut house = House::new().await;
    house.set(day().start() + Millis::hours(2));
    house.start().await;
    a_day(&house, |_, hour| hour < 2).await;
    house.compare_day(day());
    let next = day().next();
    house.compare_day(next);
    assert!(house.report(&MailAccount::Parent, next).await.is_complete());
    assert_eq!(house.kept("completeness:parent").len(), 1);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_report_is_told_after_a_restart() {
    let mut house = House::new().await;
    house.start().await;
    a_day(&house, |_, hour| hour == 12).await;
    house.compare_day(day());
    house.report(&MailAccount::Parent, day()).await;
    house.stop().await;
    house.start().await;
    let missing = |house: &House| house.metric("weir_completeness_missing_hours", &MailAccount::Parent);
    until(async || missing(&house) == Some(1.0)).await;
    assert!((house.gap(&MailAccount::Parent, Counter::Delivered) - 1.0 / 24.0).abs() < 1e-9);
    house.stop().await;
}

/// The simulated platform is untidy: copies, late events, events that name no customer.
#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_platforms_hour_is_counted_as_the_simulated_sendgrid_counts_it() {
    let mut house = House::new().await;
    house.start().await;
    let start = day().start() + Millis::hours(9);
    let mut platform =
        Platform::new(&Scenario { seed: 7, customers: 20, start, length: Millis::hours(1), good_mails: 2_000 });
    let (mut told, mut now) = (HashSet::new(), start);
    while !platform.is_finished() {
        now = now + Millis::minutes(1);
        let arrivals = platform.advance(now, &mut |_| Gate::Send(None));
        let events = arrivals.into_iter().map(|arrival| arrival.event).collect();
        let mail = Mail::of(events);
        house.happens(None, &mail.that_are(|event| told.insert(mail::content(event))));
        house.set(now);
        house.post_now(MAIN, &mail).await;
    }
    let date = day().date().unwrap();
    let stats = house.client().own().stats(Days { first: date, last: date }).await.unwrap();
    let (metrics, ledger) = (&stats[0].metrics, platform.ledger().total());
    for (kind, counted) in [
        (Counter::Processed, metrics.processed),
        (Counter::Delivered, metrics.delivered),
        (Counter::Deferred, metrics.deferred),
        (Counter::HardBounce, metrics.bounces),
        (Counter::Block, metrics.blocks),
        (Counter::SpamReport, metrics.spam_reports),
    ] {
        assert_eq!(counted, u64::from(ledger[kind]), "the simulated SendGrid miscounts {}", kind.name());
        assert!(counted > 0, "{}", kind.name());
    }
    house.compare_day(day());
    let report = house.report(&MailAccount::Parent, day()).await;
    assert!(report.is_complete() && report.figures.iter().all(|figure| figure.gap == 0), "{report:?}");
    assert!(platform.ledger().copies() > 0);
    house.stop().await;
}
