//! Changes by hand.

use enforcer::{OnDrift, Outcome, PlacementRule};
use model::{EnforcerMode, HeldWhy, PoolName, Stage};

use simulator::sendgrid::HOME;

use super::house::{House, eventually, id, names};

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
    eventually("nothing to do", || async { house.metric("weir_enforcer_pending_customers") == Some(0.0) }).await;
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
    let ips = house.sendgrid.world().ips_of(&names[0]);
    house.stand(&names, Stage::Quarantined).await;
    eventually("no pool", || async { house.held(&names[0]).is_some_and(|held| held.why == HeldWhy::NotPossible) })
        .await;
    house.client().create_pool("made-later").await.unwrap();
    house.client().add_to_pool("made-later", "192.0.2.3").await.unwrap();
    let is_moved = || async { house.sendgrid.world().ips_of(&names[0]).iter().eq(["192.0.2.3"]) };
    eventually("quarantined", is_moved).await;
    eventually("nothing is held back", || async { house.held(&names[0]).is_none() }).await;
    assert_eq!(drifts(&house), 0);
    house.stand(&names, Stage::Healthy).await;
    eventually("back where it was before", || async { house.sendgrid.world().ips_of(&names[0]) == ips }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_somebody_has_stopped_is_not_started_again() {
    let names = names(1);
    let mut house = House::new(&names, EnforcerMode::Enforce, |_| {}).await;
    house.stand(&names, Stage::Quarantined).await;
    eventually("quarantined", || async { house.is_poor(&names[0]) }).await;
    eventually("seen", || async { house.metric("weir_enforcer_enforced_seconds_count") == Some(1.0) }).await;
    house.client().set_disabled(&names[0], true).await.unwrap();
    eventually("left so", || async { house.held(&names[0]).is_some_and(|held| held.why == HeldWhy::Adopted) }).await;
    house.stand(&names, Stage::Healthy).await;
    let is_back = || async { house.sendgrid.world().pools_of(&names[0]).iter().eq([HOME]) };
    eventually("back where it was before", is_back).await;
    eventually("seen", || async { house.is_seen_at(&names[0], Stage::Healthy) }).await;
    assert!(house.sendgrid.world().is_disabled(&names[0]), "it is not started by what comes later");
    let changes = house.changes();
    house.client().set_disabled(&names[0], false).await.unwrap();
    let sweeps =
        |house: &House| house.sendgrid.world().calls().iter().filter(|call| call.path == "/v3/ips/pools").count();
    let before = sweeps(&house);
    eventually("more sweeps", || async { sweeps(&house) >= before + 4 }).await;
    assert_eq!((house.changes(), drifts(&house)), (changes + 1, 1), "who is at home is nobody's to correct");
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_placement_was_changed_is_brought_back_there_and_moved_here() {
    let names = names(2);
    let (first, second) = (names[0].clone(), names[1].clone());
    let mut house = House::new(&names, EnforcerMode::Enforce, |_| {}).await;
    house.stand(&names[..1], Stage::Quarantined).await;
    eventually("quarantined", || async { house.is_poor(&first) }).await;
    house.stop().await;
    house.config.placements.by_customer.insert(id(&first), PlacementRule::Subuser(Some(second.clone())));
    house.start();
    let pools = |house: &House, name: &str| house.sendgrid.world().pools_of(name).into_iter().collect::<Vec<_>>();
    eventually("moved here", || async { house.is_poor(&second) && pools(&house, &first) == [HOME] }).await;
    house.stop().await;
    house.config.placements.by_customer.insert(id(&first), PlacementRule::Route);
    house.start();
    eventually("brought back", || async { pools(&house, &second) == [HOME] }).await;
    eventually("told to the mailer", || async {
        house.actions().iter().any(|action| action.outcome == Outcome::Route)
    })
    .await;
    assert_eq!((pools(&house, &first), drifts(&house)), (vec![HOME.to_owned()], 0));
}
