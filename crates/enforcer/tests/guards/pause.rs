//! A person can stop everything.

use std::time::{Duration, Instant};

use model::{EnforcementKey, EnforcerMode, HeldWhy, Stage, Switch};

use super::house::{House, eventually, names};

async fn switch(house: &House, paused: bool) {
    let switch = Switch { paused, by: "ann".to_owned(), reason: "something is odd".to_owned(), at: house.now() };
    house.say(EnforcementKey::Switch, &switch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_counts_within_a_second_in_the_middle_of_a_burst_and_after_a_restart() {
    let names = names(150);
    let mut house = House::new(&names, EnforcerMode::Enforce, |config| {
        config.limits.customers_per_hour = u32::MAX;
    })
    .await;
    house.sendgrid.world().faults.latency = Duration::from_millis(5);
    house.stand(&names, Stage::Quarantined).await;
    eventually("the burst", || async { house.poor(&names) >= 10 }).await;
    switch(&house, true).await;
    let paused = Instant::now();
    eventually("all others are held back", || async {
        house.held_for(HeldWhy::Paused) + house.poor(&names) >= names.len()
    })
    .await;
    eventually("the metrics", || async { house.metric("weir_enforcer_paused") == Some(1.0) }).await;
    let (moved, changes) = (house.poor(&names), house.changes());
    assert!(moved < names.len(), "the pause came after all was done");
    let last = house.sendgrid.world().calls().iter().filter(|call| call.changes()).map(|call| call.at).max().unwrap();
    let took = last.saturating_duration_since(paused);
    println!("{moved} of {} were moved; the last call came {took:?} after the pause", names.len());
    assert!(took < Duration::from_secs(1), "{took:?}");

    house.stop().await;
    house.start();
    // What relaxes waits too.
    let relaxed: Vec<_> = names.iter().filter(|name| house.is_poor(name)).cloned().collect();
    house.stand(&relaxed, Stage::Healthy).await;
    eventually("everybody is held back", || async { house.held_for(HeldWhy::Paused) >= names.len() }).await;
    assert_eq!(house.changes(), changes, "after a restart");

    switch(&house, false).await;
    let is_right = |name: &String| house.is_poor(name) != relaxed.contains(name);
    eventually("everybody is where it should be", || async { names.iter().all(is_right) }).await;
    eventually("nothing is held back", || async { house.held_for(HeldWhy::Paused) == 0 }).await;
}
