//! Events in other orders than they usually come in.

use model::{Counter, Event, Millis, Stage, Timestamp};
use scoring::{Effect, Input};

use crate::house::{House, event, id};

/// One of a customer's mails, and what becomes of it.
type Happening = (&'static str, Counter, Timestamp);

fn happens(house: &mut House, happenings: &[Happening]) {
    for (customer, counter, at) in happenings {
        let number = u128::from(house.offset) + 5_000_000;
        let event = Event { pool: None, ..event(number, *counter, *at) };
        assert_eq!(house.apply(Input::Event(&id(customer), &event, house.now)), Effect::Counted(*counter));
    }
}

/// So many mails of a moment: that they were taken, what became of the good ones, and the bad events.
fn blast(customer: &'static str, at: Timestamp, mails: usize, bad: usize, how: Counter) -> [Vec<Happening>; 3] {
    let of = |counter, count| vec![(customer, counter, at); count];
    let delivered = if how == Counter::SpamReport { mails } else { mails - bad };
    [of(Counter::Processed, mails), of(Counter::Delivered, delivered), of(how, bad)]
}

/// A house in which others send, too.
fn among_others() -> House {
    let mut house = House::new();
    house.sends("honest", 2_000, 2, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    house
}

#[test]
fn a_verdict_is_the_same_in_whatever_order_mail_and_what_became_of_it_arrive() {
    for (mails, bad, how, stage) in [
        (300, 90, Counter::HardBounce, Stage::Quarantined),
        (300, 30, Counter::SpamReport, Stage::Quarantined),
        (600, 300, Counter::Block, Stage::Throttled),
        (1_000, 20, Counter::HardBounce, Stage::Healthy),
        (1_000, 0, Counter::HardBounce, Stage::Healthy),
    ] {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for apart in [0, 4] {
                let mut house = among_others();
                let parts = blast("blaster", house.now, mails, bad, how);
                for part in order {
                    happens(&mut house, &parts[part]);
                    house.pass(Millis::minutes(apart));
                }
                house.pass(Millis::minutes(5));
                assert_eq!(house.stage("blaster"), stage, "{bad} {how:?} of {mails}, {order:?}, {apart} minutes apart");
            }
        }
    }
}

#[test]
fn mail_that_comes_in_pieces_after_its_bounces_is_judged_once_it_is_whole() {
    let mut house = among_others();
    let [taken, delivered, bounced] = blast("good", house.now, 1_000, 20, Counter::HardBounce);
    happens(&mut house, &bounced);
    for piece in taken.chunks(100).chain(delivered.chunks(100)) {
        house.pass(Millis::minutes(1));
        happens(&mut house, piece);
    }
    house.pass(Millis::minutes(20));
    assert_eq!(house.stage("good"), Stage::Healthy, "{:?}", house.decisions);
}

#[test]
fn bounces_long_after_their_mail_are_charged_in_the_windows_that_hold_both() {
    let mut house = among_others();
    let [taken, delivered, _] = blast("a-day", house.now, 1_000, 0, Counter::HardBounce);
    happens(&mut house, &taken);
    happens(&mut house, &delivered);
    house.pass(Millis::hours(20));
    let late = vec![("a-day", Counter::HardBounce, house.now); 300];
    happens(&mut house, &late);
    house.pass(Millis::minutes(5));
    assert!(house.moves("a-day").iter().any(|moved| moved.rule == "hard-bounce-watch"), "{:?}", house.decisions);
}

#[test]
fn bounces_on_three_days_after_their_mail_are_charged_to_the_week() {
    let mut house = among_others();
    let [taken, delivered, _] = blast("days", house.now, 1_000, 0, Counter::HardBounce);
    happens(&mut house, &taken);
    happens(&mut house, &delivered);
    for _ in 0..3 {
        house.pass_quickly(Millis::days(1));
        let late = vec![("days", Counter::HardBounce, house.now); 100];
        happens(&mut house, &late);
    }
    house.pass(Millis::minutes(5));
    assert!(house.moves("days").iter().any(|moved| moved.rule == "hard-bounce-week"), "{:?}", house.decisions);
}
