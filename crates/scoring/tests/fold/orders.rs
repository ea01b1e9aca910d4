//! Orders, rules in shadow, and pilots.

use std::collections::BTreeSet;

use model::{Blame, Cause, Change, Counter, Decision, Millis, Mode, Order, Phase, Stage, Test};
use scoring::{Input, Said};

use crate::house::{House, edited, id};

/// Customers that bounce nothing, so that one who does is not the whole account.
fn among_honest(edits: &[(&str, &str)]) -> House {
    let mut house = House::under(edited(edits));
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    house
}

#[test]
fn an_exempt_customer_is_only_spoken_of_until_its_time_is_over() {
    let mut house = among_honest(&[]);
    let until = house.now + Millis::hours(2);
    house.commands("bad", Order::Exempt { until });
    assert_eq!(house.standing("bad").exempt_until, Some(until));
    house.sends("bad", 120, 36, Counter::HardBounce);
    house.pass(Millis::minutes(119));
    assert_eq!(house.stage("bad"), Stage::Healthy);
    let said: Vec<_> = house.shadows("bad").iter().map(|decision| decision.rule.clone()).collect();
    assert!(said.iter().any(|rule| rule == "hard-bounce-day"), "{said:?}");
    assert_eq!(said.iter().collect::<BTreeSet<_>>().len(), said.len(), "each once: {said:?}");

    house.pass(Millis::minutes(2));
    let moves = house.moves("bad");
    let last = moves.last().unwrap();
    assert_eq!((last.to, last.at, last.blame), (Stage::Quarantined, until, Some(Blame::Customer)));
}

#[test]
fn a_rule_in_shadow_is_said_once_and_again_only_after_it_was_calm() {
    let in_shadow = [("signal = \"hard_bounce\"\ntest", "mode = \"shadow\"\nsignal = \"hard_bounce\"\ntest")];
    let mut house = among_honest(&in_shadow);
    let times = |house: &House| house.shadows("bad").iter().filter(|said| said.rule == "hard-bounce-day").count();
    house.sends("bad", 60, 20, Counter::HardBounce);
    house.pass(Millis::hours(20));
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    house.sends("bad", 60, 20, Counter::HardBounce);
    house.pass(Millis::hours(20));
    assert_eq!(times(&house), 1, "it was never calm");
    house.pass(Millis::hours(30));
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    house.sends("bad", 60, 20, Counter::HardBounce);
    assert_eq!(times(&house), 2);
    let by_limit = |moved: &&Decision| moved.evidence.as_ref().is_some_and(|told| told.test == Test::Budget);
    assert!(house.moves("bad").iter().filter(|moved| moved.to > moved.from).all(by_limit), "{:?}", house.moves("bad"));
    let said = house.shadows("bad");
    let said = said.iter().find(|said| said.rule == "hard-bounce-day").unwrap();
    assert_eq!((said.from, said.to), (Stage::Healthy, Stage::Quarantined), "what it would do");
}

#[test]
fn a_rule_on_trial_is_carried_out_for_its_customers_only() {
    let trial = [("signal = \"hard_bounce\"\ntest", "enforce_for = [\"chosen\"]\nsignal = \"hard_bounce\"\ntest")];
    let mut house = among_honest(&trial);
    for customer in ["chosen", "other"] {
        house.sends(customer, 60, 15, Counter::HardBounce);
    }
    assert_eq!((house.stage("chosen"), house.stage("other")), (Stage::Quarantined, Stage::Healthy));
    assert!(house.shadows("chosen").is_empty() && !house.shadows("other").is_empty());
}

#[test]
fn a_rule_on_trial_for_a_share_is_carried_out_for_about_that_share() {
    let trial = [("signal = \"hard_bounce\"\ntest", "enforce_for = \"50 %\"\nsignal = \"hard_bounce\"\ntest")];
    let mut house = among_honest(&trial);
    house.sends("honest", 10_000, 0, Counter::HardBounce);
    let mut moved = 0;
    for number in 0..24 {
        let name = format!("bad-{number}");
        house.sends(&name, 60, 15, Counter::HardBounce);
        let chosen = house.fold.policy().rules()[0].mode(&id(&name), Mode::Enforce) == Mode::Enforce;
        assert_eq!(house.stage(&name) > Stage::Healthy, chosen, "{name}");
        moved += usize::from(chosen);
    }
    assert!((6..=18).contains(&moved), "{moved} of 24");
}

/// The first standing said of a customer.
fn first_standing(house: &House) -> (Phase, Option<u32>) {
    let standing = house.said.iter().find_map(|said| match said {
        Said::Standing(standing) => Some((standing.phase, standing.daily_cap)),
        _ => None,
    });
    standing.unwrap()
}

/// A day on which a customer sends so many good mails.
fn day_of(house: &mut House, mails: u32) -> (Phase, Option<u32>) {
    house.sends("new", mails, 0, Counter::HardBounce);
    house.pass_quickly(Millis::days(1));
    let standing = house.standing("new");
    (standing.phase, standing.daily_cap)
}

const NEWCOMERS: [(&str, &str); 1] = [("newcomers = false", "newcomers = true")];

#[test]
fn a_newcomer_may_send_more_after_each_good_day_until_it_is_a_pilot_no_more() {
    let mut house = House::under(edited(&NEWCOMERS));
    house.happens("new", Counter::Processed);
    assert_eq!(first_standing(&house), (Phase::Pilot, Some(200)));
    assert_eq!(day_of(&mut house, 40), (Phase::Pilot, Some(200)), "a day with few mails proves nothing");
    for (mails, cap) in [(100, 500), (250, 1_000), (500, 2_500), (1_250, 5_000), (2_500, 10_000)] {
        assert_eq!(day_of(&mut house, mails), (Phase::Pilot, Some(cap)));
    }
    assert_eq!(day_of(&mut house, 5_000), (Phase::Active, None));

    let caps = house.decisions.iter().map(|decision| {
        assert_eq!(
            (decision.cause, decision.from, decision.to),
            (Some(Cause::PilotPassed), decision.to, decision.from)
        );
        let Change { from, to } = decision.sending.unwrap();
        (from.daily_cap(), to.daily_cap())
    });
    let steps = [Some(200), Some(500), Some(1_000), Some(2_500), Some(5_000), Some(10_000), None];
    assert_eq!(caps.collect::<Vec<_>>(), steps.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>());
    let phases: Vec<_> = house.decisions.iter().filter_map(|decision| decision.phase).collect();
    assert_eq!(phases, [Change { from: Phase::Pilot, to: Phase::Active }]);
}

#[test]
fn a_pilot_that_is_moved_up_goes_one_step_back() {
    let mut house = House::under(edited(&NEWCOMERS));
    day_of(&mut house, 100);
    assert_eq!(day_of(&mut house, 250), (Phase::Pilot, Some(1_000)));
    house.sends("honest", 1_000, 0, Counter::HardBounce);
    // Four of a hundred: an active customer would not be watched for it.
    for _ in 0..80 {
        if house.stage("new") == Stage::Healthy {
            house.sends("new", 25, 1, Counter::HardBounce);
            house.tick();
        }
    }
    assert_eq!((house.stage("new"), house.standing("new").daily_cap), (Stage::Watch, Some(500)));
    assert_eq!(day_of(&mut house, 1_000), (Phase::Pilot, Some(500)), "nobody passes a step while it is watched");
}

#[test]
fn a_newcomer_is_a_pilot_even_if_a_person_spoke_of_it_first() {
    let mut house = House::under(edited(&NEWCOMERS));
    house.commands("new", Order::Hold { until: None });
    house.happens("new", Counter::Processed);
    assert_eq!(house.standing("new").phase, Phase::Pilot);
    house.commands("known", Order::SetPhase { phase: Phase::Active });
    house.happens("known", Counter::Processed);
    assert_eq!(house.standing("known").phase, Phase::Active, "a person has said otherwise");
}

#[test]
fn a_person_puts_a_customer_into_another_phase_without_moving_it() {
    let mut house = House::new();
    house.happens("old", Counter::Processed);
    house.commands("old", Order::SetPhase { phase: Phase::Pilot });
    let standing = house.standing("old");
    assert_eq!((standing.phase, standing.daily_cap, standing.stage), (Phase::Pilot, Some(200), Stage::Healthy));
    let said = house.decisions.last().unwrap();
    assert_eq!((said.rule.as_str(), said.from, said.to), ("command:set_phase", Stage::Healthy, Stage::Healthy));
    house.commands("old", Order::SetPhase { phase: Phase::Active });
    assert_eq!(house.standing("old").daily_cap, None);
}

#[test]
fn a_pilot_proves_itself_with_mail_that_can_have_bounced() {
    let mut house = House::under(edited(&NEWCOMERS));
    house.happens("new", Counter::Processed);
    house.pass_quickly(Millis::minutes(23 * 60 + 30));
    for _ in 0..100 {
        house.happens("new", Counter::Processed);
    }
    house.pass_quickly(Millis::hours(1));
    assert_eq!(house.standing("new").daily_cap, Some(200));
    house.pass_quickly(Millis::hours(2));
    assert_eq!(house.standing("new").daily_cap, Some(500));
}

#[test]
fn a_pilot_that_a_person_holds_may_not_send_more() {
    let mut house = House::under(edited(&NEWCOMERS));
    house.happens("new", Counter::Processed);
    house.commands("new", Order::Hold { until: None });
    assert_eq!(day_of(&mut house, 200), (Phase::Pilot, Some(200)));
}

#[test]
fn a_policy_with_fewer_steps_sets_no_pilot_free() {
    let mut house = House::under(edited(&NEWCOMERS));
    house.happens("new", Counter::Processed);
    day_of(&mut house, 100);
    assert_eq!(day_of(&mut house, 250), (Phase::Pilot, Some(1_000)));
    let fewer = edited(&[NEWCOMERS[0], ("[200, 500, 1000, 2500, 5000, 10000]", "[200, 500]")]);
    house.apply(Input::Policy(fewer));
    assert_eq!(house.standing("new").daily_cap, Some(500));
    assert_eq!(day_of(&mut house, 250), (Phase::Active, None));
}

#[test]
fn what_is_undone_puts_a_customer_back_and_is_held_against_it_no_more() {
    let mut house = among_honest(&[]);
    let before = house.now;
    house.commands("bad", Order::SetStage { stage: Stage::Watch });
    house.commands("bad", Order::Release { fully: true });
    house.sends("bad", 120, 36, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    assert_eq!((house.stage("bad"), house.standing("bad").sent_24h), (Stage::Quarantined, 120));
    house.commands("bad", Order::Undo { stage: Stage::Watch, since: before });
    let standing = house.standing("bad");
    assert_eq!((standing.stage, standing.held), (Stage::Watch, false));
    house.pass(Millis::hours(3));
    assert!(house.stage("bad") <= Stage::Watch, "the same mail convicts nobody again");

    house.sends("bad", 120, 36, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    assert_eq!(house.stage("bad"), Stage::Quarantined, "what comes later does");
}

#[test]
fn undoing_moves_nobody_whom_a_person_holds_by_then_and_nobody_up() {
    let mut house = among_honest(&[]);
    let before = house.now;
    house.sends("bad", 120, 36, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    house.commands("bad", Order::Hold { until: None });
    house.commands("bad", Order::Undo { stage: Stage::Healthy, since: before });
    let standing = house.standing("bad");
    assert_eq!((standing.stage, standing.held), (Stage::Quarantined, true), "the hold came first");
    let said = house.decisions.last().unwrap();
    assert_eq!((said.rule.as_str(), said.from, said.to), ("command:undo", Stage::Quarantined, Stage::Quarantined));

    house.commands("bad", Order::Release { fully: true });
    let since = house.standing("bad").since;
    house.pass(Millis::minutes(2));
    house.commands("bad", Order::Undo { stage: Stage::Throttled, since: before });
    let standing = house.standing("bad");
    assert_eq!((standing.stage, standing.since, standing.reasons.len()), (Stage::Healthy, since, 0));
}

#[test]
fn an_order_that_leaves_a_customer_where_it_is_leaves_the_rule_that_brought_it_there_responsible() {
    let mut house = among_honest(&[]);
    house.sends("bad", 120, 36, Counter::HardBounce);
    house.pass(Millis::minutes(2));
    let before = house.standing("bad");
    assert!(before.rule_decision().is_some());
    let until = house.now + Millis::hours(2);
    for order in
        [Order::Note, Order::Hold { until: None }, Order::Exempt { until }, Order::SetPhase { phase: Phase::Pilot }]
    {
        house.commands("bad", order);
        let after = house.standing("bad");
        assert_eq!((&after.reasons, after.since), (&before.reasons, before.since), "{order:?}");
        if order == Order::Note {
            assert_eq!(after, before, "words change nothing");
        }
    }
    assert!(house.standing("bad").held);
    house.commands("bad", Order::SetStage { stage: Stage::Quarantined });
    assert_eq!(house.standing("bad").rule_decision(), None, "whoever puts it there has decided");
}
