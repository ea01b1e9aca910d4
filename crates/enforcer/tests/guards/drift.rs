//! Changes by hand.

use enforcer::{OnDrift, Outcome};
use model::{EnforcerMode, HeldWhy, PoolName, Stage};

use crate::house::{House, eventually, names};

async fn changed_by_hand(on_drift: OnDrift) -> (House, Vec<String>) {
    let names = names(1);
    let mut house = House::new(&names, EnforcerMode::Enforce, |config| config.on_drift = on_drift).await;
    house.stand(&names, Stage::Suspended).await;
    eventually("suspended", || async { house.sendgrid.world().is_disabled(&names[0]) }).await;
    let seen = "weir_enforcer_enforced_seconds_count";
    eventually("seen to be", || async { house.metric(seen) == Some(1.0) }).await;
    house.client().set_disabled(&names[0], false).await.unwrap();
    (house, names)
}

fn drifts(house: &House) -> usize {
    house.actions().iter().filter(|action| action.outcome == Outcome::Drifted).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_right_is_reported_once() {
    let (house, names) = changed_by_hand(OnDrift::Correct).await;
    eventually("suspended again", || async { house.sendgrid.world().is_disabled(&names[0]) }).await;
    let corrected = "weir_enforcer_drifts_total{handling=\"corrected\"}";
    eventually("the metrics", || async { house.metric(corrected) == Some(1.0) }).await;
    eventually("nothing to do", || async { house.metric("weir_enforcer_pending_customers_count") == Some(0.0) }).await;
    assert_eq!((drifts(&house), house.changes()), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_adopted_stays_until_the_next_decision() {
    let (mut house, names) = changed_by_hand(OnDrift::Adopt).await;
    let name = &names[0];
    eventually("adopted", || async { house.held(name).is_some_and(|held| held.why == HeldWhy::Adopted) }).await;
    eventually("the metrics", || async { house.told(HeldWhy::Adopted) == Some(1.0) }).await;
    assert_eq!(house.metric("weir_enforcer_drifts_total{handling=\"adopted\"}"), Some(1.0));
    house.stop().await;
    house.start();
    let sweeps =
        |house: &House| house.sendgrid.world().calls().iter().filter(|call| call.path == "/v3/ips/pools").count();
    let before = sweeps(&house);
    eventually("more sweeps", || async { sweeps(&house) >= before + 4 }).await;
    assert!(!house.sendgrid.world().is_disabled(name), "it is left as it is");
    assert_eq!((drifts(&house), house.held(name).map(|held| held.why)), (1, Some(HeldWhy::Adopted)));
    house.stand(&names, Stage::Banned).await;
    eventually("the next decision", || async { house.sendgrid.world().is_disabled(name) }).await;
    eventually("nothing is held back", || async { house.held(name).is_none() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_possible_is_done_and_is_nobodys_change() {
    let names = names(1);
    let mut house = House::new(&names, EnforcerMode::Enforce, |config| {
        config.quarantine_pool = PoolName::new("made-later");
        config.on_drift = OnDrift::Adopt;
    })
    .await;
    house.stand(&names, Stage::Quarantined).await;
    eventually("no pool", || async { house.held(&names[0]).is_some_and(|held| held.why == HeldWhy::NotPossible) })
        .await;
    house.client().create_pool("made-later").await.unwrap();
    house.client().add_to_pool("made-later", "192.0.2.3").await.unwrap();
    let is_moved = || async { house.sendgrid.world().ips_of(&names[0]).iter().eq(["192.0.2.3"]) };
    eventually("quarantined", is_moved).await;
    eventually("nothing is held back", || async { house.held(&names[0]).is_none() }).await;
    assert_eq!(drifts(&house), 0);
}
