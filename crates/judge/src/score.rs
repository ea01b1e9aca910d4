//! How the scorecard comes about.

use std::sync::Arc;

use model::Millis;
use policy::Policy;
use simulator::month::{Customer, Kind, Scenario};

use crate::outcome::{Found, Outcome, good_months, is_caught};
use crate::weir::Decided;
use crate::{KindScore, Move, Quantiles, Rival, Score, Scorecard, Totals, Touch, rivals, theory, weir};

/// One customer, with what each watcher made of it: Weir first.
pub(crate) struct Case {
    pub(crate) customer: Customer,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) fewest: Option<f64>,
    /// The mails of a bad customer, when Weir found it, as far as what shows that they are bad could have come.
    pub(crate) ripe: Option<f64>,
}

/// Runs `policy` and the rivals over `scenario`; `day` is told each day that is over.
pub fn score(policy: &Arc<Policy>, scenario: &Scenario, day: &mut dyn FnMut(u32)) -> Scorecard {
    let parts = weir::watch(policy, scenario, day);
    let records = parts.iter().map(|part| part.records).sum();
    let mut cases = Vec::with_capacity(scenario.customers);
    let mut touches = Vec::new();
    for (part, rivals) in parts.into_iter().zip(rivals::watch(scenario)) {
        for (place, customer) in part.month.customers().iter().enumerate() {
            let decided = &part.decided[place];
            let own = Outcome::of(customer, &decided.iter().map(|decided| decided.step).collect::<Vec<Move>>());
            touches.extend(touch(customer, decided).filter(|_| own.touched));
            let others = rivals.iter().map(|moves| Outcome::of(customer, moves[place].as_slice()));
            let outcomes = std::iter::once(own).chain(others).collect();
            let finds = |decided: &&Decided| is_caught(decided.step.to) && customer.is_bad(decided.step.at);
            let ripe = decided.iter().find(finds).map(|decided| decided.ripe);
            cases.push(Case { outcomes, fewest: theory::least(policy, customer), ripe, customer: customer.clone() });
        }
    }
    Scorecard {
        seed: scenario.seed,
        customers: scenario.customers,
        days: scenario.days,
        policy: policy.digest().to_owned(),
        records,
        totals: totals(&cases, scenario),
        kinds: Kind::ALL.into_iter().filter_map(|kind| kind_score(kind, &cases)).collect(),
        touches,
    }
}

/// The first move of a customer to throttled or worse.
fn touch(customer: &Customer, decided: &[Decided]) -> Option<Touch> {
    let Decided { step, rule, evidence, .. } = decided.iter().find(|decided| is_caught(decided.step.to))?.clone();
    Some(Touch { customer: customer.id.clone(), kind: customer.kind, at: step.at, rule, evidence })
}

fn totals(cases: &[Case], scenario: &Scenario) -> Vec<Totals> {
    let months: f64 = cases.iter().map(|case| good_months(&case.customer, scenario)).sum();
    let watchers = std::iter::once("weir").chain(Rival::ALL.map(|rival| rival.name));
    let total = |(place, watcher): (usize, &'static str)| {
        let touched = cases.iter().filter(|case| case.outcomes[place].touched).count();
        Totals { watcher, touched, touched_per_10000_months: float(touched) * 10_000.0 / months.max(f64::MIN_POSITIVE) }
    };
    watchers.enumerate().map(total).collect()
}

fn kind_score(kind: Kind, cases: &[Case]) -> Option<KindScore> {
    let cases: Vec<_> = cases.iter().filter(|case| case.customer.kind == kind).collect();
    let watchers = cases.first()?.outcomes.len();
    let mut scores = (0..watchers).map(|watcher| watcher_score(watcher, &cases));
    Some(KindScore {
        kind,
        good: kind.is_good(),
        customers: cases.len(),
        fewest_mails: Quantiles::of(found_since(WEIR, &cases).filter_map(|found| found.case.fewest).collect())
            .map(|fewest| fewest.median),
        ripe_ratio: Quantiles::of(
            found_since(WEIR, &cases).filter_map(|found| Some(found.case.ripe? / found.case.fewest?)).collect(),
        ),
        weir: scores.next()?,
        rivals: scores.collect(),
    })
}

/// Weir's place among the watchers.
const WEIR: usize = 0;

/// A case whose customer was found since it was bad.
struct FoundSince<'c> {
    case: &'c Case,
    /// The mails sent since then.
    mails: f64,
    time: Millis,
}

fn found_since<'c>(watcher: usize, cases: &[&'c Case]) -> impl Iterator<Item = FoundSince<'c>> {
    cases.iter().filter_map(move |case| match case.outcomes[watcher].found? {
        Found::After { mails, time } => Some(FoundSince { case, mails: f64::from(mails), time }),
        Found::Beforehand => None,
    })
}

fn watcher_score(watcher: usize, cases: &[&Case]) -> Score {
    let outcomes = || cases.iter().map(|case| case.outcomes[watcher]);
    let found = || found_since(watcher, cases);
    let ratio = found().filter_map(|found| Some(found.mails / found.case.fewest?));
    let risen_to = found().filter_map(|found| {
        let badness = found.case.customer.badness.as_ref().filter(|badness| badness.rise > 0.0)?;
        Some(found.mails.mul_add(badness.rise, badness.rate))
    });
    Score {
        risen_to: Quantiles::of(risen_to.collect()),
        found: outcomes().filter(|outcome| outcome.found.is_some()).count(),
        touched: outcomes().filter(|outcome| outcome.touched).count(),
        watched: outcomes().map(|outcome| outcome.watched).sum(),
        mails: Quantiles::of(found().map(|found| found.mails).collect()),
        ratio: Quantiles::of(ratio.collect()),
        hours: Quantiles::of(found().map(|found| hours(found.time)).collect()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody simulates 2^53 customers")]
fn float(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "a scenario has far fewer than 2^53 milliseconds")]
fn hours(span: Millis) -> f64 {
    span.get() as f64 / Millis::hours(1).get() as f64
}

#[cfg(test)]
mod tests {
    use model::{Counter, CustomerId};
    use simulator::month::Badness;

    use super::*;
    use crate::Beaten;

    const SCENARIO: Scenario = Scenario { seed: 1, customers: 4, days: 15 };

    /// A customer, and what Weir and the rivals made of it.
    fn case(kind: Kind, weir: Outcome, rivals: Outcome) -> Case {
        let since = Scenario::START;
        let badness = Badness { since, signal: Counter::HardBounce, rate: 0.2, rise: 0.0 };
        let badness = (!kind.is_good()).then_some(badness);
        let id = CustomerId::new("c").unwrap();
        let customer = Customer { id, kind, home: "good-1", reporting: 0.6, badness };
        let outcomes = std::iter::once(weir).chain(Rival::ALL.map(|_| rivals)).collect();
        Case { customer, outcomes, fewest: badness.map(|_| 50.0), ripe: badness.map(|_| 75.0) }
    }

    fn found(mails: u32, hours: i64) -> Outcome {
        Outcome { found: Some(Found::After { mails, time: Millis::hours(hours) }), ..Outcome::default() }
    }

    fn touched() -> Outcome {
        Outcome { touched: true, ..Outcome::default() }
    }

    fn scorecard(cases: &[Case]) -> Scorecard {
        Scorecard {
            seed: 1,
            customers: cases.len(),
            days: SCENARIO.days,
            policy: String::new(),
            records: 0,
            totals: totals(cases, &SCENARIO),
            kinds: Kind::ALL.into_iter().filter_map(|kind| kind_score(kind, cases)).collect(),
            touches: Vec::new(),
        }
    }

    #[test]
    fn a_kinds_figures_are_those_of_its_customers_that_were_found() {
        let missed = Outcome { watched: 2, ..Outcome::default() };
        let beforehand = Outcome { found: Some(Found::Beforehand), ..Outcome::default() };
        let cases = [
            case(Kind::SlowDrip, found(100, 2), missed),
            case(Kind::SlowDrip, found(75, 4), missed),
            case(Kind::SlowDrip, missed, found(10, 1)),
            Case { fewest: Some(900.0), ..case(Kind::SlowDrip, missed, missed) },
            Case { fewest: Some(900.0), ..case(Kind::SlowDrip, missed, missed) },
            Case { fewest: Some(900.0), ..case(Kind::SlowDrip, beforehand, beforehand) },
            case(Kind::Good, Outcome::default(), Outcome::default()),
        ];
        let scorecard = scorecard(&cases);
        let [_, drip] = scorecard.kinds.as_slice() else { panic!("{:?}", scorecard.kinds) };
        assert_eq!((drip.customers, drip.weir.found, drip.weir.watched, drip.fewest_mails), (6, 3, 6, Some(50.0)));
        assert_eq!(drip.weir.mails, Some(Quantiles { median: 75.0, p95: 100.0 }));
        assert_eq!(drip.weir.ratio, Some(Quantiles { median: 1.5, p95: 2.0 }));
        assert_eq!(drip.weir.hours, Some(Quantiles { median: 2.0, p95: 4.0 }));
        assert_eq!(drip.rivals[0].mails, Some(Quantiles { median: 10.0, p95: 10.0 }));
        assert_eq!(scorecard.beaten(drip, 0), Some(Beaten::No), "it took more mails");
    }

    #[test]
    fn touched_customers_are_held_against_the_time_for_which_they_were_good() {
        let untouched = || case(Kind::Good, Outcome::default(), Outcome::default());
        let cases = [case(Kind::Good, touched(), Outcome::default()), untouched(), untouched(), untouched()];
        let rate = scorecard(&cases).totals.into_iter().map(|totals| totals.touched_per_10000_months);
        // One of four for half a month each.
        assert_eq!(rate.collect::<Vec<_>>(), [5_000.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_rival_that_is_quicker_but_touches_the_good_is_of_no_use() {
        let cases = [
            case(Kind::BoughtList, found(100, 1), found(50, 1)),
            case(Kind::SlowDrip, found(100, 1), Outcome::default()),
            case(Kind::Hijacked, found(1, 1), Outcome { found: Some(Found::Beforehand), ..Outcome::default() }),
            case(Kind::Good, Outcome::default(), touched()),
            case(Kind::SmallGood, touched(), Outcome::default()),
        ];
        let scorecard = scorecard(&cases);
        let beaten = |kind| {
            let score = scorecard.kinds.iter().find(|score| score.kind == kind).unwrap();
            scorecard.beaten(score, 0).unwrap()
        };
        assert_eq!(beaten(Kind::BoughtList), Beaten::Unusable);
        assert_eq!(beaten(Kind::SlowDrip), Beaten::Yes);
        assert_eq!(beaten(Kind::Good), Beaten::Yes);
        assert_eq!(beaten(Kind::Hijacked), Beaten::Unusable, "the rival took no mail");
        assert_eq!(beaten(Kind::SmallGood), Beaten::No);
    }
}
