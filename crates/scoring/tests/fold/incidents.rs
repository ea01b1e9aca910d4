//! Incidents, and data from which nobody can tell.

use model::{Counter, Decision, Millis, Provider, Stage};

use crate::house::{House, Route, edited};

#[test]
fn bounces_without_any_mail_to_hold_them_against_convict_nobody() {
    let mut house = House::empty(edited(&[]));
    house.tick();
    for minute in 0..90 {
        for _ in 0..5 {
            house.happens("a", Counter::HardBounce);
            house.happens("b", Counter::SpamReport);
        }
        house.pass(Millis::minutes(1));
        assert!(house.decisions.is_empty(), "in minute {minute}: {:?}", house.decisions);
    }
    // What is told of others' mail says nothing of theirs.
    house.sends("c", 100, 0, Counter::HardBounce);
    house.pass(Millis::minutes(3));
    assert!(house.decisions.is_empty(), "{:?}", house.decisions);
    for _ in 0..60 {
        house.happens("a", Counter::Processed);
        house.happens("b", Counter::Delivered);
    }
    house.happens("a", Counter::HardBounce);
    house.happens("b", Counter::SpamReport);
    house.pass(Millis::minutes(3));
    assert!(house.stage("a") > Stage::Watch && house.stage("b") > Stage::Watch);
}

/// A minute in which customers of two pools send to everyone.
fn minute_of_two_pools(house: &mut House, is_listed: bool) {
    for customer in 0..8 {
        for (pool, bad) in [("good-1", 0), ("good-2", if is_listed { 7 } else { 0 })] {
            house.route.pool = pool;
            house.sends(&format!("{pool}-{customer}"), 10, bad, Counter::Block);
        }
    }
    house.route.pool = "good-1";
}

#[test]
fn a_listed_pool_moves_nobody_and_hides_nobody_of_another_pool() {
    let mut house = House::new();
    for minute in 0..30 {
        let is_listed = minute >= 5;
        minute_of_two_pools(&mut house, is_listed);
        if is_listed {
            house.sends("bad", 10, 7, Counter::Block);
        }
        house.pass(Millis::minutes(1));
    }
    house.pass(Millis::hours(2));
    assert_eq!(house.stage("bad"), Stage::Throttled);
    assert!(house.decisions.iter().all(|decision| decision.customer.as_str() == "bad"), "{:?}", house.decisions);
}

const NOBODY_ELSES: Route = Route { pool: "good-1", provider: Some(Provider::Comcast) };
const EVERYWHERE: Route = Route { pool: "good-1", provider: None };

/// So many minutes in which ten customers send to everyone; one provider takes their mail or bounces all of it.
fn minutes(house: &mut House, minutes: u32, bad: u32) {
    for _ in 0..minutes {
        for customer in 0..10 {
            let name = format!("honest-{customer}");
            house.route = EVERYWHERE;
            house.sends(&name, 10, 0, Counter::HardBounce);
            house.route = NOBODY_ELSES;
            house.sends(&name, 2, bad, Counter::HardBounce);
        }
        house.pass(Millis::minutes(1));
    }
    house.route = EVERYWHERE;
}

/// Days on which one of these customers bounces a little of its little mail, and the decision that it comes to.
fn goes_bad_slowly(house: &mut House) -> Decision {
    for _ in 0..20 {
        house.sends("honest-0", 10, 4, Counter::HardBounce);
        house.sends("honest-1", 200, 0, Counter::HardBounce);
        house.pass_quickly(Millis::days(1));
        if house.stage("honest-0") > Stage::Watch {
            break;
        }
    }
    let moves = house.moves("honest-0");
    (*moves.iter().find(|decision| decision.to > Stage::Watch).unwrap()).clone()
}

#[test]
fn a_provider_that_bounces_everybody_moves_nobody_then_or_days_later() {
    let mut house = House::new();
    minutes(&mut house, 120, 0);
    minutes(&mut house, 40, 2);
    minutes(&mut house, 20, 0);
    house.pass_quickly(Millis::days(1));
    assert!(house.decisions.is_empty(), "{:?}", house.decisions);

    // A customer that goes bad slowly is found by the windows that reach back to that day, without that day's bounces.
    let found = goes_bad_slowly(&mut house);
    let evidence = found.evidence.as_ref().unwrap();
    assert_eq!(found.rule, "hard-bounce-drip");
    let mails: u32 = evidence.set_aside.iter().map(|aside| aside.mails).sum();
    assert!(evidence.set_aside.iter().all(|aside| aside.provider == Provider::Comcast), "{evidence:?}");
    assert!(mails >= 80, "{evidence:?}");
    assert!(house.decisions.iter().all(|decision| decision.customer.as_str() == "honest-0"));
}

#[test]
fn mail_of_an_incident_is_set_aside_for_whoever_was_hit_before_anybody_knew() {
    let mut house = House::new();
    minutes(&mut house, 30, 0);
    house.pass(Millis::hours(1));
    for customer in 0..10 {
        house.route = NOBODY_ELSES;
        house.sends(&format!("honest-{customer}"), 6, 3, Counter::HardBounce);
    }
    house.route = EVERYWHERE;
    house.pass(Millis::hours(3));
    let found = goes_bad_slowly(&mut house);
    let aside = &found.evidence.as_ref().unwrap().set_aside;
    assert!(aside.iter().any(|aside| aside.provider == Provider::Comcast), "{found:?}");
}

/// One, two or three customers with a bought list beside thirty good ones, each of which has one dead address.
fn beside_good_ones(provider: Provider, bad: u32) -> House {
    let mut house = House::new();
    house.route.provider = Some(provider);
    for customer in 0..30 {
        house.sends(&format!("good-{customer}"), 60, 1, Counter::HardBounce);
    }
    for number in 0..60 {
        (0..bad).for_each(|customer| house.sends(&format!("bad-{customer}"), 5, 3, Counter::HardBounce));
        if number % 10 == 9 {
            house.pass(Millis::minutes(1));
        }
    }
    house.pass(Millis::minutes(5));
    house
}

#[test]
fn customers_with_bad_lists_at_companies_do_not_excuse_each_other() {
    for bad in 1..=3 {
        for provider in [Provider::Other, Provider::Microsoft] {
            let mut house = beside_good_ones(provider, bad);
            for customer in 0..bad {
                assert_eq!(house.stage(&format!("bad-{customer}")), Stage::Quarantined, "{bad} bad at {provider:?}");
            }
            assert!(house.decisions.iter().all(|decision| decision.customer.as_str().starts_with("bad")));
        }
    }
}
