//! One record after the other: copies, late events, the first verdicts.

use std::sync::Arc;

use model::{
    Counter, CustomerId, Digest, Event, EventKind, Fleet, Millis, Order, PartitionId, Stage, Tick, Timestamp, Window,
};
use policy::Policy;
use proptest::prelude::*;
use scoring::{Effect, Fold, Input, MemoryStore, Store};

use crate::house::{House, START, event, id};

#[test]
fn another_policy_judges_from_its_record_on_by_what_was_counted_before() {
    let mut house = House::new();
    let strict = Arc::clone(house.fold.policy());
    let lines =
        policy::DEFAULT.lines().map(|line| if line.starts_with("enter = ") { "enter = \"99.9 %\"" } else { line });
    let lenient = Policy::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(house.apply(Input::Policy(Arc::new(lenient))), Effect::PolicyTaken);
    house.sends("a", 1_000, 300, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    assert_eq!((house.stage("a"), house.decisions.len()), (Stage::Healthy, 0));

    assert_eq!(house.apply(Input::Policy(Arc::clone(&strict))), Effect::PolicyTaken);
    assert_eq!((house.stage("a"), house.counts("a", Window::Day)[Counter::HardBounce]), (Stage::Healthy, 300));
    house.happens("a", Counter::HardBounce);
    assert!(house.stage("a") > Stage::Watch);
    assert!(house.decisions.iter().all(|decision| decision.policy == strict.digest()));
}

#[test]
fn a_copy_is_not_counted_by_whichever_digest_it_is_known() {
    let mut house = House::new();
    let (first, customer) = (event(7, Counter::HardBounce, START), id("a"));
    assert_eq!(house.apply(Input::Event(&customer, &first, START)), Effect::Counted(Counter::HardBounce));
    assert_eq!(house.apply(Input::Event(&customer, &first, START)), Effect::Duplicate);
    let new_id = Event { id_digest: Digest(99), ..first.clone() };
    assert_eq!(house.apply(Input::Event(&customer, &new_id, START)), Effect::Duplicate, "same content");
    let new_content = Event { content_digest: Digest(98), ..first.clone() };
    assert_eq!(house.apply(Input::Event(&customer, &new_content, START)), Effect::Duplicate, "same id");
    assert_eq!(house.counts("a", Window::Day)[Counter::HardBounce], 1);
}

#[test]
fn an_event_is_counted_once_whatever_customers_it_comes_under() {
    let mut house = House::new();
    let first = event(7, Counter::HardBounce, START);
    assert_eq!(house.apply(Input::Event(&id("a"), &first, START)), Effect::Counted(Counter::HardBounce));
    assert_eq!(house.apply(Input::Event(&id("b"), &first, START)), Effect::Duplicate, "SendGrid gives an id once");
    let alike = Event { id_digest: Digest(99), ..first.clone() };
    assert_eq!(house.apply(Input::Event(&id("c"), &alike, START)), Effect::Counted(Counter::HardBounce));
    let nameless = Event { id_digest: Digest(70), content_digest: Digest(70), ..first };
    for customer in ["a", "b"] {
        let nameless = Input::Event(&id(customer), &nameless, START);
        assert_eq!(house.apply(nameless), Effect::Counted(Counter::HardBounce), "without an id nobody can tell");
    }
}

#[test]
fn a_test_of_a_webhook_makes_its_customer_known_and_convicts_nobody() {
    let mut house = House::new();
    for number in 0..200 {
        let test = Event { kind: EventKind::Test, facet: None, ..event(1_000 + number, Counter::SpamReport, START) };
        assert_eq!(house.apply(Input::Event(&id("subuser"), &test, START)), Effect::NotCounted);
    }
    house.tick();
    assert_eq!((house.stage("subuser"), house.decisions.len()), (Stage::Healthy, 0));
    let counts = house.counts("subuser", Window::Day);
    assert!(Counter::ALL.iter().all(|counter| counts[*counter] == 0));
}

#[test]
fn events_from_long_ago_or_from_the_future_are_not_counted() {
    let mut house = House::new();
    let customer = id("a");
    let mut effect_at = |number, at| {
        let event = event(number, Counter::Delivered, at);
        house.apply(Input::Event(&customer, &event, START))
    };
    assert_eq!(effect_at(1, START - Millis::hours(73)), Effect::Late);
    assert_eq!(effect_at(2, Timestamp::from_seconds(0)), Effect::Late);
    assert_eq!(effect_at(3, START - Millis::hours(71)), Effect::Counted(Counter::Delivered));
    assert_eq!(effect_at(4, START + Millis::days(365)), Effect::Future);
    assert_eq!(effect_at(5, START + Millis::minutes(3)), Effect::Counted(Counter::Delivered), "clocks differ");
}

#[test]
fn one_bounce_of_three_convicts_nobody() {
    let mut house = House::new();
    house.sends("small", 3, 1, Counter::HardBounce);
    house.sends("unlucky", 12, 3, Counter::HardBounce);
    house.pass(Millis::hours(2));
    assert!(house.decisions.is_empty(), "{:?}", house.decisions);
}

#[test]
fn a_bought_list_is_quarantined_within_tens_of_mails() {
    let mut house = House::new();
    for _ in 0..30 {
        house.sends("bad", 10, 3, Counter::HardBounce);
    }
    assert_eq!(house.stage("bad"), Stage::Quarantined);
    let decision = house.decisions.iter().find(|decision| decision.to == Stage::Quarantined).unwrap();
    let evidence = decision.evidence.as_ref().unwrap();
    assert_eq!((decision.rule.as_str(), decision.from), ("hard-bounce-day", Stage::Watch));
    assert!(evidence.denominator < 100 && evidence.bound.get() > 0.05, "{evidence:?}");
    assert!(evidence.weight >= evidence.needed, "{evidence:?}");
    assert_eq!(evidence.events, vec!["an-event"; 5]);
}

#[test]
fn while_a_provider_refuses_everybody_nobody_is_blamed_and_one_refused_alone_is() {
    let mut house = House::new();
    for minute in 0..12 {
        let outage = (3..9).contains(&minute);
        for customer in 0..10 {
            let bad = if outage { 7 } else { 0 };
            house.sends(&format!("honest-{customer}"), 10, bad, Counter::Block);
        }
        house.pass(Millis::minutes(1));
    }
    house.pass(Millis::hours(2));
    assert!(house.decisions.is_empty(), "{:?}", house.decisions);

    for _ in 0..6 {
        for customer in 0..10 {
            house.sends(&format!("honest-{customer}"), 10, 0, Counter::Block);
        }
        house.sends("listed", 10, 7, Counter::Block);
        house.pass(Millis::minutes(1));
    }
    assert_eq!(house.stage("listed"), Stage::Throttled);
    assert!(house.decisions.iter().all(|decision| decision.customer == id("listed")), "{:?}", house.decisions);
}

#[test]
fn a_customer_comes_down_one_stage_at_a_time_after_each_dwell() {
    let mut house = House::new();
    house.sends("bad", 120, 36, Counter::HardBounce);
    assert_eq!(house.stage("bad"), Stage::Quarantined);
    // 24 hours until the bad mail has left the window, seven days for the week's rule, then three days of dwell.
    house.pass(Millis::hours(24));
    assert_eq!(house.stage("bad"), Stage::Quarantined);
    house.pass(Millis::hours(24 * 8));
    let path: Vec<_> = house.decisions.iter().map(|decision| (decision.from, decision.to)).collect();
    assert_eq!(
        path,
        [
            (Stage::Healthy, Stage::Watch),
            (Stage::Watch, Stage::Quarantined),
            (Stage::Quarantined, Stage::Throttled),
            (Stage::Throttled, Stage::Watch),
            (Stage::Watch, Stage::Healthy)
        ]
    );
    let times: Vec<_> = house.decisions.iter().map(|decision| decision.at).collect();
    assert!(times[2].since(times[1]) >= Millis::hours(72 + 24), "dwell and window");
    assert!(times[3].since(times[2]) >= Millis::hours(24));
}

#[test]
fn a_released_customer_begins_with_clean_windows() {
    let mut house = House::new();
    house.sends("bad", 120, 36, Counter::HardBounce);
    assert_eq!(house.stage("bad"), Stage::Quarantined);
    house.commands("bad", Order::Release { fully: true });
    assert_eq!(house.stage("bad"), Stage::Healthy);
    house.sends("bad", 40, 1, Counter::HardBounce);
    house.pass(Millis::hours(1));
    assert_eq!(house.stage("bad"), Stage::Healthy, "the old mail is not held against it again");
    assert_eq!(house.counts("bad", Window::Day)[Counter::HardBounce], 37, "but it is still shown");
    house.sends("bad", 120, 36, Counter::HardBounce);
    assert_eq!(house.stage("bad"), Stage::Quarantined, "new mail counts");
}

#[test]
fn a_person_is_obeyed_and_named() {
    let mut house = House::new();
    house.commands("trusted", Order::Hold { until: None });
    house.sends("trusted", 80, 40, Counter::HardBounce);
    house.pass(Millis::hours(1));
    assert_eq!(house.stage("trusted"), Stage::Healthy, "held where it is");
    house.commands("phisher", Order::SetStage { stage: Stage::Banned });
    house.pass(Millis::days(40));
    assert_eq!(house.stage("phisher"), Stage::Banned, "no rule brings it down");
    let decision = house.decisions.iter().find(|decision| decision.customer == id("phisher")).unwrap();
    assert_eq!((decision.rule.as_str(), decision.by.as_deref()), ("command:set_stage", Some("ana")));
}

#[test]
fn mail_that_names_no_customer_is_counted_and_never_judged() {
    let mut house = House::new();
    let nobody = CustomerId::unattributed("main");
    for number in 0..200 {
        let event = event(number, Counter::HardBounce, START);
        assert_eq!(house.apply(Input::Event(&nobody, &event, START)), Effect::Counted(Counter::HardBounce));
    }
    house.pass(Millis::hours(1));
    assert!(house.decisions.is_empty());
    assert_eq!(house.counts("unattributed:main", Window::Day)[Counter::HardBounce], 200);
}

#[test]
fn a_clock_that_is_set_back_does_not_turn_time_back() {
    let mut house = House::new();
    house.pass(Millis::hours(1));
    let before = house.fold.partition().now();
    house.apply(Input::Tick(Tick { at: START, fleet: Fleet::default() }));
    assert_eq!(house.fold.partition().now(), before);
}

/// What `Fold` and its customers are, as they are stored.
fn stored(fold: &Fold, store: &MemoryStore) -> (Vec<u8>, Vec<Vec<u8>>) {
    let customers = store.customers().map(|(_, customer)| postcard::to_stdvec(customer).unwrap()).collect();
    (postcard::to_stdvec(fold.partition()).unwrap(), customers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_do_not_depend_on_the_order_or_on_copies(
        told in prop::collection::vec((0_u128..60, 0_usize..4, 0_i64..7_200), 1..120),
        turn in any::<prop::sample::Index>(),
    ) {
        let counters = [Counter::Delivered, Counter::Processed, Counter::Open, Counter::Click];
        let run = |order: &[(u128, usize, i64)]| {
            let mut house = House::new();
            for (number, _, _) in order {
                // An event is what its number says, however often it is told.
                let (_, counter, age) = told.iter().find(|(other, _, _)| other == number).unwrap();
                let event = event(*number, counters[*counter], START - Millis::seconds(*age));
                house.apply(Input::Event(&id("a"), &event, START));
            }
            Window::ALL.map(|window| house.counts("a", window))
        };
        let mut turned = told.clone();
        turned.rotate_left(turn.index(told.len()));
        turned.reverse();
        turned.extend(told.iter().take(10));
        prop_assert_eq!(run(&told), run(&turned));
    }

    #[test]
    fn state_that_was_stored_and_read_goes_on_as_if_it_never_left(
        fates in prop::collection::vec((0_u8..3, prop::bool::weighted(0.2)), 1..300),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(fates.len());
        let run = |leave: Option<usize>| {
            let mut house = House::new();
            for (number, (customer, bounces)) in fates.iter().enumerate() {
                if leave == Some(number) {
                    let bytes = postcard::to_stdvec(house.fold.partition()).unwrap();
                    let policy = Arc::clone(house.fold.policy());
                    house.fold = Fold::new(policy, PartitionId::new(0), postcard::from_bytes(&bytes).unwrap());
                    for name in ["c0", "c1", "c2"] {
                        let Ok(customer) = house.store.customer(&id(name));
                        *customer = postcard::from_bytes(&postcard::to_stdvec(customer).unwrap()).unwrap();
                    }
                } else if leave.is_none() && cut == number {
                    // The same customers are asked for, so that both runs know the same ones.
                    for name in ["c0", "c1", "c2"] {
                        house.stage(name);
                    }
                }
                let fate = if *bounces { Counter::HardBounce } else { Counter::Delivered };
                house.happens(&format!("c{customer}"), fate);
                if number % 40 == 39 {
                    house.pass(Millis::minutes(7));
                }
            }
            (house.decisions, stored(&house.fold, &house.store))
        };
        prop_assert_eq!(run(Some(cut)), run(None));
    }
}

#[test]
fn mail_of_a_clock_ahead_is_not_held_against_a_released_customer_either() {
    let mut house = House::new();
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    let ahead = house.now + Millis::minutes(50);
    for number in 0..40 {
        let event = event(number, Counter::HardBounce, ahead);
        house.apply(Input::Event(&id("bad"), &event, START));
    }
    house.commands("bad", Order::Release { fully: true });
    house.pass(Millis::minutes(60));
    house.happens("bad", Counter::HardBounce);
    house.pass(Millis::minutes(2));
    assert_eq!(house.stage("bad"), Stage::Healthy);
}

#[test]
fn pools_that_nobody_sends_through_any_more_make_room_for_others() {
    let mut house = House::new();
    for number in 0..200 {
        house.route.pool = Box::leak(format!("old-{number}").into_boxed_str());
        house.sends("a", 1, 0, Counter::Block);
    }
    house.pass_quickly(Millis::days(32));
    // Pools are forgotten by the time of mail, which no clock can be ahead of.
    house.route.pool = "old-0";
    house.sends("a", 1, 0, Counter::Block);
    house.pass_quickly(Millis::minutes(30));
    house.route.pool = "new";
    house.sends("a", 1, 0, Counter::Block);
    house.tick();
    let pools: Vec<_> = house.share.windows[&Window::Month].pools.keys().map(ToString::to_string).collect();
    assert_eq!(pools, ["new", "old-0"]);
}
