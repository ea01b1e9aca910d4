//! A person's order that no rule moves a customer, where it ends by itself.

use model::{Cause, Counter, Millis, Order, Stage};

use crate::house::House;

fn causes(house: &House) -> Vec<(Cause, Stage)> {
    let told = house.decisions.iter().filter(|decision| decision.customer.as_str() == "bad");
    told.filter_map(|decision| Some((decision.cause?, decision.to))).collect()
}

#[test]
fn a_pin_is_announced_a_day_before_its_end_and_then_rules_move_the_customer() {
    let mut house = House::new();
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    let until = house.now + Millis::days(3);
    house.commands("bad", Order::Hold { until: Some(until) });
    assert_eq!(house.standing("bad").held_until, Some(until));
    house.pass_quickly(Millis::hours(49));
    assert_eq!(causes(&house), [(Cause::Order, Stage::Healthy), (Cause::PinEnds, Stage::Healthy)]);
    assert_eq!(house.decisions.last().unwrap().at, until - Millis::days(1));

    house.pass_quickly(Millis::hours(22));
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    house.sends("bad", 120, 36, Counter::HardBounce);
    house.pass(Millis::minutes(30));
    assert_eq!(house.stage("bad"), Stage::Healthy, "it is pinned");
    house.pass(Millis::minutes(32));
    let ended = house.decisions.iter().find(|decision| decision.cause == Some(Cause::PinEnded)).unwrap();
    assert_eq!((ended.at, house.standing("bad").held, house.standing("bad").held_until), (until, false, None));
    assert_eq!(house.stage("bad"), Stage::Quarantined, "the rules are asked as soon as the pin has ended");
}

#[test]
fn a_short_pin_is_announced_at_half_of_its_time() {
    let mut house = House::new();
    let began = house.now;
    house.commands("bad", Order::Hold { until: Some(began + Millis::hours(2)) });
    house.pass(Millis::hours(3));
    let told: Vec<_> = house.decisions.iter().map(|decision| (decision.cause.unwrap(), decision.at)).collect();
    let expected = [
        (Cause::Order, began),
        (Cause::PinEnds, began + Millis::hours(1)),
        (Cause::PinEnded, began + Millis::hours(2)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_pin_without_an_end_stays_until_a_person_releases_the_customer() {
    let mut house = House::new();
    house.commands("bad", Order::Hold { until: None });
    house.pass_quickly(Millis::days(60));
    assert!(house.standing("bad").held);
    house.commands("bad", Order::Release { fully: false });
    assert!(!house.standing("bad").held);
}
