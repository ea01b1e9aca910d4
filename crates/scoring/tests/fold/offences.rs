//! Who offends again comes down more slowly, and in the end by a person only.

use model::{Counter, Decision, Millis, Order, Stage};
use policy::CALM;

use crate::house::House;

/// One bad import, and the time until the customer is healthy again; nobody waits for longer than `patience`.
fn offend(house: &mut House, patience: Millis) {
    // Without any mail of the day nobody can tell what bounces are to be held against.
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    house.sends("bad", 120, 36, Counter::HardBounce);
    assert_eq!(house.stage("bad"), Stage::Quarantined);
    let end = house.now + patience;
    while house.stage("bad") > Stage::Healthy && house.now < end {
        house.pass_quickly(Millis::hours(1));
    }
}

/// How long the customer stayed in quarantine, each time that it came down by itself.
fn stays(decisions: &[Decision]) -> Vec<Millis> {
    let pairs = decisions.windows(2).filter(|pair| pair[0].to == Stage::Quarantined && pair[1].rule == CALM);
    pairs.map(|pair| pair[1].at.since(pair[0].at)).collect()
}

#[test]
fn each_offence_doubles_the_dwell_and_the_fourth_puts_the_customer_into_a_persons_hands() {
    let mut house = House::new();
    for _ in 0..3 {
        offend(&mut house, Millis::days(40));
        assert_eq!((house.stage("bad"), house.standing("bad").awaits_person), (Stage::Healthy, false));
    }
    let stays = stays(&house.decisions);
    assert_eq!(stays.len(), 3);
    // All wait for the day's window to be empty, and then for 72, 144 and 288 hours.
    for (stay, longer) in stays.iter().zip([0, 72, 216]) {
        let beyond = stay.get() - stays[0].get() - Millis::hours(longer).get();
        assert!(beyond.abs() <= Millis::hours(1).get(), "{stays:?}");
    }

    let before = house.decisions.len();
    offend(&mut house, Millis::days(40));
    assert_eq!((house.stage("bad"), house.standing("bad").awaits_person), (Stage::Quarantined, true));
    assert!(house.decisions[before..].iter().all(|decision| decision.rule != CALM));
    house.commands("bad", Order::Release { fully: true });
    assert_eq!((house.stage("bad"), house.standing("bad").awaits_person), (Stage::Healthy, false));
}

#[test]
fn what_takes_a_customer_up_again_on_its_way_down_is_an_offence_too() {
    let mut house = House::new();
    offend(&mut house, Millis::hours(1));
    while house.stage("bad") > Stage::Throttled {
        house.pass_quickly(Millis::hours(1));
    }
    offend(&mut house, Millis::days(40));
    let stays = stays(&house.decisions);
    assert!(stays[1] >= stays[0] + Millis::hours(71), "{stays:?}");
}

#[test]
fn what_is_undone_was_no_offence_even_where_the_customer_has_come_down_by_itself() {
    let mut house = House::new();
    let begin = house.now;
    for _ in 0..3 {
        offend(&mut house, Millis::days(40));
    }
    house.commands("bad", Order::Undo { stage: Stage::Watch, since: begin });
    assert_eq!(house.stage("bad"), Stage::Healthy, "nobody is moved up");
    offend(&mut house, Millis::hours(1));
    assert_eq!((house.stage("bad"), house.standing("bad").awaits_person), (Stage::Quarantined, false));
}
