//! A clock that goes wrong, and a pause that was one.

use model::{Counter, Event, Millis, Stage, Tick, Window};
use scoring::{Effect, Input};

use crate::house::{House, event, id};

/// A tick whose clock is ahead (or behind) by so much.
fn tick_ahead(house: &mut House, ahead: Millis) {
    let tick = Tick { at: house.now + ahead, fleet: house.share.clone() };
    house.apply(Input::Tick(tick));
}

#[test]
fn a_clock_that_jumps_forty_days_ahead_and_back_changes_nothing() {
    for quiet in [false, true] {
        let mut house = House::new();
        house.sends("caught", 120, 36, Counter::HardBounce);
        let first = event(77, Counter::HardBounce, house.now);
        assert_eq!(house.apply(Input::Event(&id("good"), &first, house.now)), Effect::Counted(Counter::HardBounce));
        house.pass(Millis::minutes(5));
        let stage = house.stage("caught");
        assert!(stage >= Stage::Throttled);

        for _ in 0..90 {
            house.now = house.now + Millis::minutes(1);
            tick_ahead(&mut house, Millis::days(40));
            if !quiet {
                house.happens("good", Counter::Delivered);
            }
        }
        if !quiet {
            assert_eq!(house.stage("caught"), stage, "no time has passed for it");
        }
        assert_eq!(house.apply(Input::Event(&id("good"), &first, house.now)), Effect::Duplicate, "it is known still");
        house.pass(Millis::minutes(2));
        house.sends("good", 10, 0, Counter::HardBounce);
        house.pass(Millis::minutes(2));
        assert_eq!(house.fold.partition().now(), Some(house.now), "time is right again");
        let counted = if quiet { 10 } else { 100 };
        assert_eq!(house.counts("good", Window::Day)[Counter::Delivered], counted, "quiet: {quiet}");
        assert_eq!(house.apply(Input::Event(&id("good"), &first, house.now)), Effect::Duplicate);

        // Whoever offends now is found, and whoever was caught comes down in its time.
        house.sends("bad", 120, 36, Counter::HardBounce);
        house.pass(Millis::minutes(2));
        assert_eq!(house.stage("bad"), Stage::Quarantined);
        house.pass_quickly(Millis::days(12));
        assert_eq!((house.stage("caught"), house.stage("bad")), (Stage::Healthy, Stage::Healthy));
    }
}

#[test]
fn a_pause_of_forty_days_is_over_with_the_first_event_or_after_an_hour() {
    for quiet in [false, true] {
        let mut house = House::new();
        house.sends("good", 100, 0, Counter::HardBounce);
        let old = event(77, Counter::Delivered, house.now);
        assert_eq!(house.apply(Input::Event(&id("good"), &old, house.now)), Effect::Counted(Counter::Delivered));
        house.now = house.now + Millis::days(40);
        house.tick();
        if quiet {
            house.pass(Millis::minutes(61));
        } else {
            house.sends("good", 7, 0, Counter::HardBounce);
            house.pass(Millis::minutes(1));
        }
        assert_eq!(house.fold.partition().now(), Some(house.now));
        house.sends("good", 3, 0, Counter::HardBounce);
        house.tick();
        assert_eq!(house.counts("good", Window::Month)[Counter::Processed], if quiet { 3 } else { 10 });
        let late = Event { id_digest: model::Digest(1), content_digest: model::Digest(2), ..old };
        assert_eq!(house.apply(Input::Event(&id("good"), &late, house.now)), Effect::Late);
    }
}
