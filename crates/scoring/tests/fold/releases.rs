//! Coming down: by which rules, and what of the past is left.

use model::{Counter, Event, Millis, Order, Provider, Stage, Timestamp};
use scoring::Input;

use crate::house::{House, edited, event, id};

/// Complaints that come now, of mail of the moment `sent`.
fn complaints(house: &mut House, count: u32, sent: Timestamp) {
    for _ in 0..count {
        let usual = event(u128::from(house.offset) + 1_000_000, Counter::SpamReport, house.now);
        let event = Event { sent_at: Some(sent), ..usual };
        let at = house.now;
        let _ = house.apply(Input::Event(&id("a"), &event, at));
    }
}

#[test]
fn complaints_of_mail_from_before_a_release_convict_nobody_after_it() {
    let mut house = House::new();
    let sent = house.now;
    house.sends("a", 300, 0, Counter::SpamReport);
    house.pass(Millis::minutes(10));
    house.commands("a", Order::Release { fully: true });
    house.pass(Millis::minutes(10));
    complaints(&mut house, 30, sent);
    house.pass(Millis::minutes(3));
    assert!(house.moves("a").iter().all(|moved| moved.evidence.is_none()), "{:?}", house.moves("a"));

    let sent = house.now;
    house.sends("a", 300, 0, Counter::SpamReport);
    complaints(&mut house, 30, sent);
    house.pass(Millis::minutes(3));
    let moves = house.moves("a");
    let evidence = moves.last().unwrap().evidence.as_ref().unwrap();
    assert!(evidence.denominator <= 300, "{evidence:?}");
}

/// A bad import.
fn quarantined(house: &mut House) {
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    house.sends("bad", 120, 36, Counter::HardBounce);
    assert_eq!(house.stage("bad"), Stage::Quarantined);
}

#[test]
fn a_rule_that_is_only_said_holds_nobody() {
    let trial = "[[rule]]\nname = \"trial\"\nmode = \"shadow\"\nsignal = \"hard_bounce\"\ntest = \"bound\"\nwindow = \"30 d\"\n\
                 enter = \"1 %\"\nexit = \"0.02 %\"\nminimum = 5\nstage = \"quarantined\"\n\n[[limit]]\nname = \"account-bounces\"";
    let mut house = House::under(edited(&[("[[limit]]\nname = \"account-bounces\"", trial)]));
    quarantined(&mut house);
    house.pass_quickly(Millis::days(5));
    assert!(house.stage("bad") < Stage::Quarantined);
}

#[test]
fn a_customer_whom_no_rule_leads_to_its_stage_any_more_comes_down() {
    let mut house = House::new();
    quarantined(&mut house);
    let milder = edited(&[("stage = \"quarantined\"", "stage = \"throttled\"")]);
    house.apply(Input::Policy(milder));
    // What leads to throttled looks back over thirty days.
    house.pass_quickly(Millis::days(36));
    assert!(house.stage("bad") < Stage::Quarantined);
    assert!(house.moves("bad").iter().all(|moved| moved.evidence.is_some()));
}

#[test]
fn the_events_that_are_shown_are_those_that_the_rule_counts() {
    let mut house = House::new();
    let happens = |house: &mut House, what: &'static str| {
        let usual = event(u128::from(house.offset) + 1_000_000, Counter::Block, house.now);
        let provider = if house.offset.is_multiple_of(2) { Provider::Microsoft } else { Provider::Yahoo };
        let facet = (what == "conduct").then_some(Counter::ReputationBlock);
        let at = house.now;
        let _ = house.apply(Input::Event(&id("a"), &Event { id: what, provider, facet, ..usual }, at));
    };
    for _ in 0..4 {
        house.sends("a", 60, 0, Counter::Block);
        for what in ["conduct"; 40].into_iter().chain(["mailbox full"; 6]) {
            happens(&mut house, what);
        }
        house.pass(Millis::hours(1));
    }
    let moves = house.moves("a");
    let evidence = moves.last().unwrap().evidence.as_ref().unwrap();
    assert_eq!(evidence.signal, "reputation_block");
    assert!(evidence.events.iter().all(|id| id == "conduct"), "{evidence:?}");
}
