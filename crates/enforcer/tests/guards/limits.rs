//! The catch against too much at once.

use enforcer::Outcome;
use model::{EnforcerMode, HeldWhy, Millis, Stage};

use super::house::{House, eventually, names};

const MOST: usize = 10;

async fn house(count: usize) -> (House, Vec<String>) {
    let names = names(count);
    let house = House::new(&names, EnforcerMode::Enforce, |config| config.limits.customers_per_hour = 10).await;
    (house, names)
}

/// So many customers were moved, and so many are held back, by all that tells it.
async fn assert_held(house: &House, names: &[String], moved: usize) {
    let held = names.len() - moved;
    eventually("as many are held back", || async { house.held_for(HeldWhy::CustomersPerHour) == held }).await;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred customers")]
    let told = Some(held as f64);
    eventually("as many in the metrics", || async { house.told(HeldWhy::CustomersPerHour) == told }).await;
    eventually("the others are moved", || async { house.poor(names) == moved }).await;
    let actions = house.actions();
    let said = actions.iter().filter(|action| action.why == Some(HeldWhy::CustomersPerHour));
    let said: Vec<_> = said.filter(|action| action.outcome == Outcome::HeldBack && action.request.is_none()).collect();
    assert_eq!(said.len(), names.len() - MOST, "it is said once of each");
    assert!(said.iter().all(|action| action.reason.as_ref().unwrap().contains("customers_per_hour")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_eleventh_customer_of_ten_waits_for_the_hour_to_end() {
    let (mut house, names) = house(MOST + 1).await;
    for name in &names {
        house.stand(std::slice::from_ref(name), Stage::Quarantined).await;
    }
    assert_held(&house, &names, MOST).await;
    // Whoever was moved may be moved on.
    let moved = names.iter().find(|name| house.is_poor(name)).unwrap().clone();
    house.stand(std::slice::from_ref(&moved), Stage::Suspended).await;
    eventually("moved on", || async { house.sendgrid.world().is_disabled(&moved) }).await;
    house.pass(Millis::minutes(61));
    eventually("the eleventh", || async { house.poor(&names) == MOST + 1 }).await;
    eventually("nobody waits", || async { house.told(HeldWhy::CustomersPerHour) == Some(0.0) }).await;
    assert_eq!(house.held_for(HeldWhy::CustomersPerHour), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_alarm_about_everybody_stops_after_ten_and_a_restart_does_not_begin_anew() {
    let (mut house, names) = house(200).await;
    house.stand(&names, Stage::Quarantined).await;
    assert_held(&house, &names, MOST).await;
    house.stop().await;
    house.start();
    assert_held(&house, &names, MOST).await;
    assert_eq!(house.changes(), MOST, "one call for each that was moved");
    // The alarm is taken back: whoever was held back was never touched.
    house.stand(&names, Stage::Healthy).await;
    eventually("all are home", || async { house.poor(&names) == 0 }).await;
    eventually("nobody is held back", || async { house.held_for(HeldWhy::CustomersPerHour) == 0 }).await;
    assert_eq!(house.changes(), MOST * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_not_held_back_by_the_hours_limit() {
    let (mut house, names) = house(MOST * 2).await;
    house.stand(&names[..MOST], Stage::Quarantined).await;
    eventually("as many as may be", || async { house.poor(&names) == MOST }).await;
    house.stand_by(&names[MOST..], Stage::Quarantined, "command:set_stage").await;
    eventually("the others too", || async { house.poor(&names) == MOST * 2 }).await;
    assert_eq!(house.held_for(HeldWhy::CustomersPerHour), 0);
}
