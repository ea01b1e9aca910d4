//! What is known of customers beside their counts outlives the events that brought it about.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Counter, CustomerId, Fleet, Millis, Order, Phase, Profile, Sending, Stage, Tick};
use policy::Policy;
use proptest::prelude::*;
use scoring::{Input, Said, Store};

use crate::house::{House, edited, event, id};

const CUSTOMERS: [&str; 4] = ["ann", "bob", "cat", "dan"];

/// One record, the same whenever it is told.
#[derive(Clone, Copy, Debug)]
enum Step {
    Mail { customer: usize, fate: Counter },
    Order { customer: usize, order: Spoken },
    Tick { minutes: i64 },
}

#[derive(Clone, Copy, Debug)]
enum Spoken {
    Plain(Order),
    HoldFor(Millis),
    ExemptFor(Millis),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let customer = || 0..CUSTOMERS.len();
    let campaign = (customer(), 1_usize..60, 0_usize..40).prop_map(|(customer, mails, bad)| {
        let fate = |number| if number < bad { Counter::HardBounce } else { Counter::Delivered };
        let mail = |number| [Counter::Processed, fate(number)].map(|fate| Step::Mail { customer, fate });
        (0..mails).flat_map(mail).collect::<Vec<_>>()
    });
    let phase = prop::sample::select(Phase::ALL.to_vec()).prop_map(|phase| Order::SetPhase { phase });
    let stage = prop::sample::select(Stage::ALL.to_vec()).prop_map(|stage| Order::SetStage { stage });
    let span = || (1_i64..3_000).prop_map(Millis::minutes);
    let spoken = prop_oneof![
        stage.prop_map(Spoken::Plain),
        phase.prop_map(Spoken::Plain),
        any::<bool>().prop_map(|fully| Spoken::Plain(Order::Release { fully })),
        Just(Spoken::Plain(Order::Note)),
        span().prop_map(Spoken::HoldFor),
        span().prop_map(Spoken::ExemptFor),
    ];
    let part = prop_oneof![
        3 => campaign,
        3 => (1_i64..900).prop_map(|minutes| vec![Step::Tick { minutes }]),
        2 => (customer(), spoken).prop_map(|(customer, order)| vec![Step::Order { customer, order }]),
    ];
    prop::collection::vec(part, 1..30).prop_map(|parts| parts.concat())
}

/// Tells `steps` from the one numbered `from` on; what was said last of each customer's profile.
fn tell(house: &mut House, steps: &[Step], from: usize) -> BTreeMap<CustomerId, Profile> {
    let mut profiles = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        if let Step::Tick { minutes } = step {
            house.now = house.now + Millis::minutes(*minutes);
        }
        if number < from {
            continue;
        }
        house.offset = u64::try_from(number).unwrap();
        match *step {
            Step::Mail { customer, fate } => {
                let event = event(u128::try_from(number).unwrap(), fate, house.now);
                house.apply(Input::Event(&id(CUSTOMERS[customer]), &event, house.now));
            }
            Step::Order { customer, order } => {
                let order = match order {
                    Spoken::Plain(order) => order,
                    Spoken::HoldFor(span) => Order::Hold { until: Some(house.now + span) },
                    Spoken::ExemptFor(span) => Order::Exempt { until: house.now + span },
                };
                house.commands(CUSTOMERS[customer], order);
            }
            Step::Tick { .. } => {
                let fleet = if from == 0 { house.share.clone() } else { Fleet::default() };
                house.apply(Input::Tick(Tick { at: house.now, fleet }));
            }
        }
        for said in &house.said {
            if let Said::Profile(profile) = said {
                profiles.insert(profile.customer.clone(), profile.clone());
            }
        }
    }
    profiles
}

/// A house that knows only profiles, and is told the steps from the one numbered `from` on once more.
fn resumed(policy: &Arc<Policy>, profiles: &BTreeMap<CustomerId, Profile>, steps: &[Step], from: usize) -> House {
    let mut house = House::empty(Arc::clone(policy));
    for profile in profiles.values() {
        let Ok(()) = house.fold.adopt(&mut house.store, profile.clone());
    }
    house.fold.only_count_to(model::Offset::new(u64::try_from(steps.len()).unwrap()));
    let said = tell(&mut house, steps, from.max(1));
    assert_eq!(said, BTreeMap::new(), "what is only counted changes no profile");
    house
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_state_that_is_lost_and_a_log_that_is_cut_anywhere_change_no_profile(
        mut steps in steps(),
        cut in any::<prop::sample::Index>(),
        newcomers in any::<bool>(),
    ) {
        steps.push(Step::Tick { minutes: 1 });
        let policy = if newcomers { edited(&[("newcomers = false", "newcomers = true")]) } else { edited(&[]) };
        let mut whole = House::empty(Arc::clone(&policy));
        let profiles = tell(&mut whole, &steps, 0);
        let mut again = resumed(&policy, &profiles, &steps, cut.index(steps.len()));
        for name in CUSTOMERS {
            let (Ok(before), Ok(after)) = (whole.store.customer(&id(name)), again.store.customer(&id(name)));
            prop_assert_eq!(profiles.contains_key(&id(name)), !before.is_new() && !before.is_plain());
            if !before.is_plain() {
                prop_assert_eq!(before.profile(&id(name)), after.profile(&id(name)));
            }
            prop_assert_eq!(before.stage(), after.stage());
        }
    }
}

fn campaign(customer: usize, mails: usize, bad: usize) -> Vec<Step> {
    let fate = |number| if number < bad { Counter::HardBounce } else { Counter::Delivered };
    let mail = |number| [Counter::Processed, fate(number)].map(|fate| Step::Mail { customer, fate });
    (0..mails).flat_map(mail).collect()
}

#[test]
fn a_released_customer_is_not_convicted_again_by_the_mail_from_before_its_release() {
    let policy = edited(&[]);
    let honest = campaign(1, 1_000, 0);
    let bad = campaign(0, 120, 36);
    let ticks = [Step::Tick { minutes: 1 }; 3];
    let release = [Step::Order { customer: 0, order: Spoken::Plain(Order::Release { fully: true }) }];
    let steps = [&ticks[..], &honest, &bad, &ticks, &release, &ticks].concat();
    let mut whole = House::empty(Arc::clone(&policy));
    let profiles = tell(&mut whole, &steps, 0);
    assert!(whole.moves("ann").iter().any(|moved| moved.to == Stage::Quarantined));

    let mut again = resumed(&policy, &profiles, &steps, 1);
    again.offset = u64::try_from(steps.len()).unwrap();
    again.pass(Millis::minutes(30));
    again.happens("ann", Counter::HardBounce);
    again.pass(Millis::minutes(5));
    assert_eq!(again.stage("ann"), Stage::Healthy);
    again.sends("ann", 120, 36, Counter::HardBounce);
    again.pass(Millis::minutes(5));
    assert_eq!(again.stage("ann"), Stage::Quarantined, "what comes later convicts it");
}

#[test]
fn a_customer_of_a_version_without_profiles_is_put_where_its_standing_says() {
    let mut whole = House::new();
    whole.commands("ann", Order::SetStage { stage: Stage::Banned });
    let standing = whole.standing("ann");

    let mut again = House::empty(edited(&[]));
    let Ok(()) = again.fold.adopt_standing(&mut again.store, standing.clone());
    again.now = whole.now;
    again.happens("ann", Counter::Processed);
    let after = again.standing("ann");
    assert_eq!((after.stage, after.held, &after.reasons), (Stage::Banned, true, &standing.reasons));
    assert_eq!(after.sending, Sending::None);
    assert_eq!(again.fold.partition().stages()[&Stage::Banned], 1);
}
