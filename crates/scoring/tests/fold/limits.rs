//! Limits of the account.

use std::collections::BTreeSet;

use model::{Blame, Counter, Millis, Order, Stage, Test};

use crate::house::{House, edited};

/// Customers' own hard bounces move nobody, so that the limit is alone.
const ONLY_THE_LIMIT: (&str, &str) =
    ("signal = \"hard_bounce\"\ntest", "mode = \"shadow\"\nsignal = \"hard_bounce\"\ntest");

/// An account that is 80 bad events over its limit, with some hands in it.
fn over_the_limit(house: &mut House, how: Counter) {
    for (name, mails, bad) in [("first", 400, 70), ("second", 400, 60), ("third", 400, 50), ("fourth", 200, 20)] {
        house.sends(name, mails, bad, how);
    }
    house.sends("honest", 997, 0, how);
    house.pass(Millis::minutes(5));
}

fn watched(house: &House) -> BTreeSet<&str> {
    let moves = house.decisions.iter().filter(|decision| decision.to == Stage::Watch && decision.blame.is_some());
    let moves = moves.filter(|decision| decision.evidence.as_ref().is_some_and(|told| told.test == Test::Budget));
    moves.map(|decision| decision.customer.as_str()).collect()
}

#[test]
fn a_limit_of_the_account_watches_the_fewest_without_whom_it_is_kept() {
    let mut house = House::under(edited(&[ONLY_THE_LIMIT]));
    over_the_limit(&mut house, Counter::HardBounce);
    assert_eq!(watched(&house), BTreeSet::from(["first", "second"]));
    for (name, bad, excess) in [("first", 70, 50.0), ("second", 60, 40.0)] {
        let moves = house.moves(name);
        let [decision] = moves[..] else { panic!("{moves:?}") };
        assert_eq!((decision.rule.as_str(), decision.blame), ("account-bounces", Some(Blame::Account)));
        let evidence = decision.evidence.as_ref().unwrap();
        assert_eq!((evidence.numerator, evidence.denominator, evidence.events.len()), (bad, 400, 5));
        assert!((evidence.weight - excess).abs() < 1e-9 && (evidence.needed - 80.0).abs() < 1.0, "{evidence:?}");
    }
}

#[test]
fn where_more_would_be_needed_than_may_be_moved_a_person_decides() {
    let mut house = House::under(edited(&[ONLY_THE_LIMIT, ("at_most = 10", "at_most = 1")]));
    over_the_limit(&mut house, Counter::HardBounce);
    assert_eq!(watched(&house), BTreeSet::new());
}

#[test]
fn a_limit_moves_nobody_that_a_person_holds_or_exempts() {
    let mut house = House::under(edited(&[ONLY_THE_LIMIT]));
    house.commands("first", Order::Hold { until: None });
    let until = house.now + Millis::days(1);
    house.commands("second", Order::Exempt { until });
    over_the_limit(&mut house, Counter::HardBounce);
    assert_eq!((house.stage("first"), house.stage("second")), (Stage::Healthy, Stage::Healthy));
}

#[test]
fn a_limit_is_kept_on_a_signal_that_no_rule_looks_at() {
    let unsubscribes = ("of = \"account\"\nsignal = \"hard_bounce\"", "of = \"account\"\nsignal = \"unsubscribe\"");
    let mut house = House::under(edited(&[unsubscribes]));
    over_the_limit(&mut house, Counter::Unsubscribe);
    assert_eq!(watched(&house), BTreeSet::from(["first", "second"]));
}

#[test]
fn nobody_pays_for_those_who_are_held_back_already() {
    let mut house = House::under(edited(&[ONLY_THE_LIMIT]));
    house.sends("honest", 1_383, 0, Counter::HardBounce);
    for (name, bad) in [("fifth", 55), ("sixth", 54)] {
        house.sends(name, 400, bad, Counter::HardBounce);
    }
    over_the_limit(&mut house, Counter::HardBounce);
    house.pass(Millis::hours(3));
    assert_eq!(watched(&house), BTreeSet::from(["first", "second"]), "the day's figures are over the limit still");
}

#[test]
fn whom_chance_may_have_put_above_the_limit_is_left_alone() {
    let mut house = House::under(edited(&[ONLY_THE_LIMIT]));
    for name in ["first", "second"] {
        house.sends(name, 400, 42, Counter::HardBounce);
    }
    house.sends("honest", 700, 0, Counter::HardBounce);
    house.pass(Millis::minutes(5));
    assert_eq!(watched(&house), BTreeSet::new());
}

#[test]
fn who_would_take_the_account_over_its_limit_is_held_back_before() {
    let mut house = House::under(edited(&[ONLY_THE_LIMIT]));
    house.sends("honest", 3_000, 0, Counter::HardBounce);
    house.pass(Millis::hours(3));
    house.sends("bad", 200, 60, Counter::HardBounce);
    house.pass(Millis::minutes(5));
    assert_eq!(watched(&house), BTreeSet::from(["bad"]));
    let moves = house.moves("bad");
    assert!(moves[0].evidence.as_ref().unwrap().fleet_rate.get() < 0.05, "{moves:?}");
}
