//! In mode approve a person has the last word.

use enforcer::Outcome;
use model::{Answer, DecisionId, EnforcementKey, EnforcerMode, HeldWhy, Millis, Stage};

use super::house::{House, eventually, id, names};

async fn house() -> (House, Vec<String>) {
    let names = names(2);
    (House::new(&names, EnforcerMode::Approve, |_| {}).await, names)
}

async fn answer(house: &House, name: &str, decision: &DecisionId, approved: bool) {
    let answer = Answer {
        customer: id(name),
        decision: decision.clone(),
        approved,
        by: "ann".to_owned(),
        reason: "looked at it".to_owned(),
        at: house.now(),
    };
    house.say(EnforcementKey::Answer(id(name)), &answer).await;
}

async fn is_held(house: &House, name: &str, why: HeldWhy) {
    eventually(why.name(), || async { house.held(name).is_some_and(|held| held.why == why) }).await;
    eventually("the metrics", || async { house.told(why) == Some(1.0) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_is_done_and_what_relaxes_needs_no_approval() {
    let (mut house, names) = house().await;
    let name = &names[0];
    let decision = house.stand(&names[..1], Stage::Quarantined).await;
    is_held(&house, name, HeldWhy::Approval).await;
    let held = house.held(name).unwrap();
    assert_eq!((held.decision.as_ref(), held.expires), (Some(&decision), Some(house.now() + Millis::hours(24))));
    // The answer to another decision is none.
    answer(&house, name, &DecisionId::from_bits(99), true).await;
    answer(&house, &names[1], &decision, true).await;
    house.stop().await;
    house.start();
    is_held(&house, name, HeldWhy::Approval).await;
    assert_eq!(house.changes(), 0);
    answer(&house, name, &decision, true).await;
    eventually("quarantined", || async { house.is_poor(name) && house.held(name).is_none() }).await;
    house.stand(&names[..1], Stage::Healthy).await;
    eventually("home", || async { !house.is_poor(name) }).await;
    let asked = house.actions().iter().filter(|action| action.why == Some(HeldWhy::Approval)).count();
    assert_eq!(asked, 1, "it is asked once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rejected_stays_undone_and_the_next_decision_is_asked_about_anew() {
    let (mut house, names) = house().await;
    let name = &names[0];
    let decision = house.stand(&names[..1], Stage::Quarantined).await;
    is_held(&house, name, HeldWhy::Approval).await;
    answer(&house, name, &decision, false).await;
    is_held(&house, name, HeldWhy::Rejected).await;
    assert!(house.held(name).unwrap().reason.contains("ann"));
    let next = house.stand(&names[..1], Stage::Suspended).await;
    is_held(&house, name, HeldWhy::Approval).await;
    assert_eq!((house.changes(), house.held(name).unwrap().decision), (0, Some(next.clone())));
    answer(&house, name, &next, true).await;
    eventually("suspended", || async { house.sendgrid.world().is_disabled(name) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_none() {
    let (mut house, names) = house().await;
    let name = &names[0];
    let decision = house.stand(&names[..1], Stage::Quarantined).await;
    is_held(&house, name, HeldWhy::Approval).await;
    house.pass(Millis::hours(24) + Millis::seconds(1));
    is_held(&house, name, HeldWhy::Expired).await;
    answer(&house, name, &decision, true).await;
    let next = house.stand(&names[1..], Stage::Quarantined).await;
    is_held(&house, &names[1], HeldWhy::Approval).await;
    is_held(&house, name, HeldWhy::Expired).await;
    assert_eq!(house.changes(), 0);
    answer(&house, &names[1], &next, true).await;
    eventually("the other one", || async { house.is_poor(&names[1]) }).await;
    let expired = house.actions().into_iter().filter(|action| action.why == Some(HeldWhy::Expired));
    assert!(expired.clone().count() == 1 && expired.clone().all(|action| action.outcome == Outcome::HeldBack));
    house.stand(&names[..1], Stage::Suspended).await;
    is_held(&house, name, HeldWhy::Approval).await;
}
