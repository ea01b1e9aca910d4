//! A small scorecard: everybody is in it, and it comes out as it always does.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::sync::{Arc, LazyLock};

use judge::{Beaten, KindScore, Rival, Scorecard};
use policy::Policy;
use simulator::month::{Kind, Scenario};

const SCENARIO: Scenario = Scenario { seed: 1, customers: 600, days: 10 };

fn scorecard(scenario: &Scenario) -> Scorecard {
    let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
    let mut days = Vec::new();
    let scorecard = judge::score(&policy, scenario, &mut |day| days.push(day));
    assert!(days.into_iter().eq(1..=scenario.days));
    scorecard
}

static SCORECARD: LazyLock<Scorecard> = LazyLock::new(|| scorecard(&SCENARIO));

fn of(kind: Kind) -> &'static KindScore {
    SCORECARD.kinds.iter().find(|score| score.kind == kind).unwrap()
}

#[test]
fn every_kind_is_in_the_table() {
    let customers: usize = Kind::ALL.into_iter().map(|kind| of(kind).customers).sum();
    assert_eq!(customers, SCENARIO.customers);
    let table = SCORECARD.to_string();
    for name in Kind::ALL.map(Kind::name).into_iter().chain(Rival::ALL.map(|rival| rival.name)) {
        assert!(table.contains(name), "{name} in\n{table}");
    }
}

#[test]
fn bought_lists_are_found_from_about_the_fewest_mails_and_before_any_rival_of_use() {
    for kind in [Kind::BoughtList, Kind::Hijacked, Kind::SharedList, Kind::StopAndGo] {
        let score = of(kind);
        assert_eq!(score.weir.found, score.customers, "{}", kind.name());
        let ratio = score.weir.ratio.unwrap();
        assert!(ratio.median < 3.0, "{}: {ratio:?}", kind.name());
        for (number, rival) in Rival::ALL.iter().enumerate() {
            let beaten = SCORECARD.beaten(score, number);
            assert!(matches!(beaten, Some(Beaten::Yes | Beaten::Unusable)), "{} by {}", kind.name(), rival.name);
        }
    }
}

#[test]
fn few_mails_convict_nobody() {
    assert_eq!(of(Kind::SmallGood).weir.touched, 0);
}

#[test]
fn nobody_is_touched_for_an_incident() {
    for kind in [Kind::OutageHit, Kind::ListedPool] {
        assert_eq!(of(kind).weir.touched, 0, "{}: {:?}", kind.name(), SCORECARD.touches);
    }
}

#[test]
fn the_same_seed_gives_the_same_scorecard() {
    let scenario = Scenario { customers: 120, days: 4, ..SCENARIO };
    let json = |scorecard: &Scorecard| serde_json::to_string(scorecard).unwrap();
    assert_eq!(json(&scorecard(&scenario)), json(&scorecard(&scenario)));
}

/// The scorecard of the standard policy with `from` as `to`, over a few customers.
fn few(from: &str, to: &str) -> Scorecard {
    let text = policy::DEFAULT.replace(from, to);
    assert_ne!(text, policy::DEFAULT);
    let policy = Arc::new(Policy::parse(&text).unwrap());
    judge::score(&policy, &Scenario { customers: 120, days: 4, ..SCENARIO }, &mut |_| {})
}

fn found(scorecard: &Scorecard) -> usize {
    scorecard.kinds.iter().map(|kind| kind.weir.found).sum()
}

#[test]
fn what_rules_in_shadow_would_do_is_no_move_and_what_a_policy_in_shadow_does_is_one() {
    let rules = few("[[rule]]\n", "[[rule]]\nmode = \"shadow\"\n");
    assert_eq!((found(&rules), rules.totals[0].touched), (0, 0));
    let policy = few("mode = \"enforce\"", "mode = \"shadow\"");
    assert!(found(&policy) > 10, "{policy}");
    assert_eq!(found(&policy), found(&few("version = 2", "# The same.\nversion = 2")));
}
